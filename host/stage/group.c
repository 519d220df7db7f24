/* SPDX-License-Identifier: MIT
 *
 * Groups: stages that can be found by a common name. A group exists while it has members; a stage
 * leaves all of its groups when it ends. Groups are looked up now and then, not per event, so one
 * sorted list under the host's lock is enough. */
#include "stage/group.h"

#include <string.h>

#include "base/alloc.h"
#include "stage/host_state.h"
#include "stage/links.h"
#include "stage/stage.h"

struct sh__group {
    sh_stage **members; /* by entering; borrowed: a stage leaves before it is freed */
    size_t n, capacity;
    char name[];
};

struct sh__groups {
    struct sh__group **sorted; /* by name */
    size_t n, capacity;
};

/* A stage's membership; its list belongs to its worker. */
struct sh__seat {
    struct sh__seat *next;
    struct sh__group *group;
};

/* Makes room for one more in an array of pointers. */
static bool make_room(void *array, size_t n, size_t *capacity)
{
    if (n < *capacity)
        return true;
    size_t larger = *capacity ? *capacity * 2 : 4;
    void *old, *grown;
    memcpy(&old, array, sizeof old);
    grown = sh_realloc(old, larger * sizeof(void *));
    if (!grown)
        return false;
    memcpy(array, &grown, sizeof grown);
    *capacity = larger;
    return true;
}

/* -- the list of groups; under the lock ------------------------------------------------ */

/* The place of the group with that name, or where it would be. */
static size_t find_place(const struct sh__groups *groups, const char *name)
{
    size_t low = 0, high = groups->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(groups->sorted[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct sh__group *find_group(const sh_host *host, const char *name)
{
    const struct sh__groups *groups = host->groups;
    size_t place = groups ? find_place(groups, name) : 0;
    bool is_there =
        groups && place < groups->n && strcmp(groups->sorted[place]->name, name) == 0;
    return is_there ? groups->sorted[place] : NULL;
}

static struct sh__group *add_group(sh_host *host, const char *name)
{
    if (!host->groups)
        host->groups = sh__calloc(1, sizeof *host->groups);
    struct sh__groups *groups = host->groups;
    size_t size = strlen(name) + 1;
    struct sh__group *group =
        groups && make_room(&groups->sorted, groups->n, &groups->capacity)
            ? sh_malloc(sizeof *group + size)
            : NULL;
    if (!group)
        return NULL;
    *group = (struct sh__group){0};
    memcpy(group->name, name, size);
    size_t place = find_place(groups, name);
    memmove(&groups->sorted[place + 1], &groups->sorted[place],
            (groups->n - place) * sizeof(struct sh__group *));
    groups->sorted[place] = group;
    groups->n++;
    return group;
}

static void drop_if_empty(sh_host *host, struct sh__group *group)
{
    if (group->n > 0)
        return;
    struct sh__groups *groups = host->groups;
    size_t place = find_place(groups, group->name);
    groups->n--;
    memmove(&groups->sorted[place], &groups->sorted[place + 1],
            (groups->n - place) * sizeof(struct sh__group *));
    sh_free(group->members);
    sh_free(group);
}

static void remove_member(sh_host *host, struct sh__group *group, const sh_stage *stage)
{
    size_t i = 0;
    while (group->members[i] != stage)
        i++;
    group->n--;
    memmove(&group->members[i], &group->members[i + 1],
            (group->n - i) * sizeof(sh_stage *));
    drop_if_empty(host, group);
}

static struct sh__group *enter_locked(sh_host *host, const char *name, sh_stage *stage)
{
    struct sh__group *group = find_group(host, name);
    if (!group && !(group = add_group(host, name)))
        return NULL;
    if (!make_room(&group->members, group->n, &group->capacity)) {
        drop_if_empty(host, group);
        return NULL;
    }
    group->members[group->n++] = stage;
    return group;
}

/* -- entering, leaving, asking --------------------------------------------------------- */

/* The link of the list that holds the seat in that group, or its end. */
static struct sh__seat **find_seat(struct sh__links *links, const char *name)
{
    struct sh__seat **link = &links->seats;
    while (*link && strcmp((*link)->group->name, name) != 0)
        link = &(*link)->next;
    return link;
}

int sh_group_enter(sh_worker *worker, sh_stage *self, const char *group)
{
    if (self->phase == SH__PHASE_ENDED)
        return SH_ESTATE;
    struct sh__links *links = sh__links_of(self);
    if (!links)
        return SH_ENOMEM;
    if (*find_seat(links, group))
        return SH_OK;
    struct sh__seat *seat = sh_malloc(sizeof *seat);
    if (!seat)
        return SH_ENOMEM;
    uv_mutex_lock(&worker->host->lock);
    struct sh__group *entered = enter_locked(worker->host, group, self);
    uv_mutex_unlock(&worker->host->lock);
    if (!entered) {
        sh_free(seat);
        return SH_ENOMEM;
    }
    *seat = (struct sh__seat){links->seats, entered};
    links->seats = seat;
    return SH_OK;
}

static void leave(sh_host *host, sh_stage *stage, struct sh__seat **link)
{
    struct sh__seat *seat = *link;
    *link = seat->next;
    uv_mutex_lock(&host->lock);
    remove_member(host, seat->group, stage);
    uv_mutex_unlock(&host->lock);
    sh_free(seat);
}

int sh_group_leave(sh_worker *worker, sh_stage *self, const char *group)
{
    struct sh__seat **link = self->links ? find_seat(self->links, group) : NULL;
    if (!link || !*link)
        return SH_ENOPROC;
    leave(worker->host, self, link);
    return SH_OK;
}

void sh__group_leave_all(sh_stage *stage)
{
    while (stage->links && stage->links->seats)
        leave(stage->worker->host, stage, &stage->links->seats);
}

int sh_group_members(sh_host *host, const char *group, sh_stage ***out, size_t *n)
{
    *out = NULL;
    *n = 0;
    uv_mutex_lock(&host->lock);
    const struct sh__group *found = find_group(host, group);
    int status = SH_OK;
    if (found && !(*out = sh_malloc(found->n * sizeof(sh_stage *))))
        status = SH_ENOMEM;
    for (size_t i = 0; found && status == SH_OK && i < found->n; i++)
        (*out)[(*n)++] = sh_stage_ref(found->members[i]);
    uv_mutex_unlock(&host->lock);
    return status;
}

void sh__groups_free(sh_host *host)
{
    if (host->groups)
        sh_free(host->groups->sorted);
    sh_free(host->groups);
    host->groups = NULL;
}
