// SPDX-License-Identifier: MIT
#include "dht/timer.h"

#include <assert.h>
#include <stdlib.h>

#define CAPACITY_LEAST (DHT_TIMER_STANDING + 1)

void dht_timer_heap_fini(struct dht_timer_heap *heap)
{
    free(heap->entries);
    *heap = (struct dht_timer_heap){0};
}

bool dht_timer_reserve(struct dht_timer_heap *heap, uint32_t more)
{
    more += DHT_TIMER_STANDING;
    if (heap->capacity - heap->count >= more)
        return true;
    uint32_t capacity = heap->capacity == 0 ? CAPACITY_LEAST : heap->capacity;
    while (capacity - heap->count < more)
        capacity *= 2;
    struct dht_timer **entries = realloc(heap->entries, capacity * sizeof *entries);
    if (entries == NULL)
        return false;
    heap->entries = entries;
    heap->capacity = capacity;
    return true;
}

void dht_timer_heap_rest(struct dht_timer_heap *heap)
{
    if (heap->count > DHT_TIMER_STANDING || heap->capacity <= CAPACITY_LEAST)
        return;
    // Where it cannot be made smaller it stays as it is.
    struct dht_timer **entries = realloc(heap->entries, CAPACITY_LEAST * sizeof *entries);
    if (entries == NULL)
        return;
    heap->entries = entries;
    heap->capacity = CAPACITY_LEAST;
}

void dht_timer_init(struct dht_timer *timer, uint32_t kind)
{
    *timer = (struct dht_timer){.position = DHT_TIMER_IDLE, .kind = kind};
}

static void place(struct dht_timer_heap *heap, struct dht_timer *timer, uint32_t position)
{
    heap->entries[position] = timer;
    timer->position = position;
}

static void sift_up(struct dht_timer_heap *heap, struct dht_timer *timer, uint32_t position)
{
    while (position > 0) {
        uint32_t parent = (position - 1) / 2;
        if (heap->entries[parent]->due_us <= timer->due_us)
            break;
        place(heap, heap->entries[parent], position);
        position = parent;
    }
    place(heap, timer, position);
}

static void sift_down(struct dht_timer_heap *heap, struct dht_timer *timer, uint32_t position)
{
    for (;;) {
        uint32_t child = 2 * position + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count &&
            heap->entries[child + 1]->due_us < heap->entries[child]->due_us)
            child++;
        if (timer->due_us <= heap->entries[child]->due_us)
            break;
        place(heap, heap->entries[child], position);
        position = child;
    }
    place(heap, timer, position);
}

static void note_earliest(struct dht_timer_heap *heap)
{
    if (heap->count > 0)
        heap->earliest_us = heap->entries[0]->due_us;
}

void dht_timer_set(struct dht_timer_heap *heap, struct dht_timer *timer, int64_t due_us)
{
    bool is_new = timer->position == DHT_TIMER_IDLE;
    bool sooner = is_new || due_us < timer->due_us;
    assert(is_new ? heap->count < heap->capacity : heap->entries[timer->position] == timer);
    timer->due_us = due_us;
    if (is_new)
        sift_up(heap, timer, heap->count++);
    else if (sooner)
        sift_up(heap, timer, timer->position);
    else
        sift_down(heap, timer, timer->position);
    note_earliest(heap);
}

void dht_timer_clear(struct dht_timer_heap *heap, struct dht_timer *timer)
{
    uint32_t position = timer->position;
    if (position == DHT_TIMER_IDLE)
        return;
    assert(heap->entries[position] == timer);
    timer->position = DHT_TIMER_IDLE;
    struct dht_timer *last = heap->entries[--heap->count];
    // The last one takes the empty place, and goes where it belongs from there.
    if (last != timer && position > 0 && last->due_us < heap->entries[(position - 1) / 2]->due_us)
        sift_up(heap, last, position);
    else if (last != timer)
        sift_down(heap, last, position);
    note_earliest(heap);
}

struct dht_timer *dht_timer_pop(struct dht_timer_heap *heap, int64_t now_us)
{
    if (dht_timer_next(heap) > now_us || heap->count == 0)
        return NULL;
    struct dht_timer *timer = heap->entries[0];
    dht_timer_clear(heap, timer);
    return timer;
}

int64_t dht_timer_next(const struct dht_timer_heap *heap)
{
    return heap->count == 0 ? INT64_MAX : heap->earliest_us;
}
