/* SPDX-License-Identifier: MIT
 *
 * Intrusive doubly linked ring. A head and a free link are links that point to themselves. */
#ifndef SH_LIST_H
#define SH_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct sh__link {
    struct sh__link *next, *prev;
};

#define sh__container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static inline void sh__link_init(struct sh__link *link)
{
    link->next = link->prev = link;
}

static inline bool sh__link_is_empty(const struct sh__link *head)
{
    return head->next == head;
}

/* Runs the statement behind it with each link of the ring of `head`, from the first to the last.
 * The statement must leave `link` in the ring. */
#define sh__link_each(link, head)                                                          \
    for (struct sh__link * (link) = (head)->next; (link) != (head); (link) = (link)->next)

/* Puts `link` last in the ring of `head`. */
static inline void sh__link_append(struct sh__link *head, struct sh__link *link)
{
    link->next = head;
    link->prev = head->prev;
    head->prev->next = link;
    head->prev = link;
}

/* Takes `link` out of its ring; does nothing if it is in none. */
static inline void sh__link_remove(struct sh__link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    sh__link_init(link);
}

#endif
