/* SPDX-License-Identifier: MIT */
#include "dispatch/demand_order.h"

#include <assert.h>

#include "stagehost/base.h"

/* -- heap ------------------------------------------------------------------------------ */

static bool is_before(const struct sh__demand_place *a, const struct sh__demand_place *b)
{
    return a->demand != b->demand ? a->demand > b->demand : a->turn < b->turn;
}

static void put_at(struct sh__demand_order *order, struct sh__demand_place *place,
                   uint32_t index)
{
    order->heap[index] = place;
    place->index = index;
}

static void sift_up(struct sh__demand_order *order, struct sh__demand_place *place)
{
    uint32_t index = place->index;
    while (index > 0) {
        struct sh__demand_place *parent = order->heap[(index - 1) / 2];
        if (!is_before(place, parent))
            break;
        put_at(order, parent, index);
        index = (index - 1) / 2;
    }
    put_at(order, place, index);
}

static void sift_down(struct sh__demand_order *order, struct sh__demand_place *place)
{
    uint32_t index = place->index;
    for (uint32_t child; (child = 2 * index + 1) < order->n_heap; index = child) {
        if (child + 1 < order->n_heap &&
            is_before(order->heap[child + 1], order->heap[child]))
            child++;
        if (!is_before(order->heap[child], place))
            break;
        put_at(order, order->heap[child], index);
    }
    put_at(order, place, index);
}

static void remove_from_heap(struct sh__demand_order *order, struct sh__demand_place *place)
{
    struct sh__demand_place *last = order->heap[--order->n_heap];
    if (last == place)
        return;
    put_at(order, last, place->index);
    sift_up(order, last);
    sift_down(order, last);
}

/* -- queues ---------------------------------------------------------------------------- */

static void set_filled(struct sh__demand_order *order, uint32_t queue)
{
    order->filled[queue / 64] |= UINT64_C(1) << queue % 64;
    order->filled_words |= UINT64_C(1) << queue / 64;
}

static void set_empty(struct sh__demand_order *order, uint32_t queue)
{
    order->filled[queue / 64] &= ~(UINT64_C(1) << queue % 64);
    if (order->filled[queue / 64] == 0)
        order->filled_words &= ~(UINT64_C(1) << queue / 64);
}

static uint32_t highest_bit(uint64_t word)
{
    return 63 - (uint32_t)__builtin_clzll(word);
}

static bool make_queues(struct sh__demand_order *order)
{
    order->queues = sh_malloc(SH__DEMAND_QUEUES * sizeof *order->queues);
    if (!order->queues)
        return false;
    for (int i = 0; i < SH__DEMAND_QUEUES; i++)
        sh__link_init(&order->queues[i]);
    return true;
}

/* -- order ----------------------------------------------------------------------------- */

bool sh__demand_order_reserve(struct sh__demand_order *order, uint32_t n)
{
    if (!order->queues && !make_queues(order))
        return false;
    if (n <= order->capacity)
        return true;
    uint32_t capacity = n > 2 * order->capacity ? n : 2 * order->capacity;
    struct sh__demand_place **heap = sh_realloc(order->heap, capacity * sizeof *heap);
    if (!heap)
        return false;
    order->heap = heap;
    order->capacity = capacity;
    return true;
}

void sh__demand_order_free(struct sh__demand_order *order)
{
    sh_free(order->queues);
    sh_free(order->heap);
}

void sh__demand_order_add(struct sh__demand_order *order, struct sh__demand_place *place)
{
    place->turn = ++order->turns;
    if (place->demand >= SH__DEMAND_QUEUES) {
        assert(order->n_heap < order->capacity);
        place->index = order->n_heap++;
        sift_up(order, place);
    } else {
        sh__link_append(&order->queues[place->demand], &place->link);
        set_filled(order, (uint32_t)place->demand);
    }
}

void sh__demand_order_remove(struct sh__demand_order *order, struct sh__demand_place *place)
{
    if (place->demand >= SH__DEMAND_QUEUES) {
        remove_from_heap(order, place);
        return;
    }
    sh__link_remove(&place->link);
    if (sh__link_is_empty(&order->queues[place->demand]))
        set_empty(order, (uint32_t)place->demand);
}

struct sh__demand_place *sh__demand_order_first(const struct sh__demand_order *order)
{
    if (order->n_heap > 0)
        return order->heap[0];
    assert(order->filled_words != 0);
    uint32_t word = highest_bit(order->filled_words);
    uint32_t queue = word * 64 + highest_bit(order->filled[word]);
    return sh__container_of(order->queues[queue].next, struct sh__demand_place, link);
}
