// SPDX-License-Identifier: MIT
#include "simnet/queue.h"

#include "simnet/world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FINE_BITS    10 // a fine slot: 1 ms
#define FINE_SLOTS   1024
#define COARSE_BITS  20 // FINE_SLOTS fine slots: 1.05 s
#define COARSE_SLOTS 4096
#define CHUNK_EVENTS 15
#define AHEAD_EVENTS 24 // that are kept sorted, where so many wait within the coarse slot

// A fine slot that is full is sorted by parts of it: 16 us each.
#define PART_BITS 4
#define PARTS     (1 << (FINE_BITS - PART_BITS))

static_assert(FINE_SLOTS << FINE_BITS == 1 << COARSE_BITS, "a coarse slot is all fine ones");

// The events of a slot hang together in chunks, so that slots share the memory they need.
struct chunk {
    struct chunk *next;
    uint32_t count;
    struct simnet_event events[CHUNK_EVENTS];
};

struct simnet_queue {
    int64_t fine_at;   // number of the last fine slot that was opened
    int64_t coarse_at; // number of the coarse slot that the fine ones stand for
    uint32_t order;
    uint64_t count;
    uint64_t fine_count; // in the fine slots to come
    struct chunk *fine[FINE_SLOTS];
    struct chunk *coarse[COARSE_SLOTS];
    struct chunk *spare;
    struct simnet_event *now; // of the slots that were opened, sorted
    uint32_t now_next, now_count, now_capacity;
    struct simnet_event *far; // a binary heap
    uint32_t far_count, far_capacity;
};

struct simnet_queue *simnet_queue_new(int64_t now_us)
{
    struct simnet_queue *queue = simnet_world_need(calloc(1, sizeof *queue));
    queue->fine_at = now_us >> FINE_BITS;
    queue->coarse_at = now_us >> COARSE_BITS;
    return queue;
}

static void free_chunks(struct chunk *chunk)
{
    while (chunk != NULL) {
        struct chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
}

void simnet_queue_free(struct simnet_queue *queue)
{
    if (queue == NULL)
        return;
    for (uint32_t i = 0; i < FINE_SLOTS; i++)
        free_chunks(queue->fine[i]);
    for (uint32_t i = 0; i < COARSE_SLOTS; i++)
        free_chunks(queue->coarse[i]);
    free_chunks(queue->spare);
    free(queue->now);
    free(queue->far);
    free(queue);
}

static bool is_before(const struct simnet_event *a, const struct simnet_event *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : (int32_t)(a->order - b->order) < 0;
}

static void grow(struct simnet_event **events, uint32_t *capacity, uint32_t wanted)
{
    if (wanted <= *capacity)
        return;
    uint32_t more = *capacity < 64 ? 64 : 2 * *capacity;
    *capacity = more < wanted ? wanted : more;
    *events = simnet_world_need(realloc(*events, *capacity * sizeof **events));
}

// ---- slots ----

static void slot_put(struct simnet_queue *queue, struct chunk **slot,
                     const struct simnet_event *event)
{
    struct chunk *chunk = *slot;
    if (chunk == NULL || chunk->count == CHUNK_EVENTS) {
        chunk = queue->spare;
        if (chunk != NULL)
            queue->spare = chunk->next;
        else
            chunk = simnet_world_need(malloc(sizeof *chunk));
        chunk->count = 0;
        chunk->next = *slot;
        *slot = chunk;
    }
    chunk->events[chunk->count++] = *event;
}

static void give_back(struct simnet_queue *queue, struct chunk *chunk)
{
    chunk->next = queue->spare;
    queue->spare = chunk;
}

// Puts an event among those of the open slots, which are sorted.
static void now_put(struct simnet_queue *queue, const struct simnet_event *event)
{
    grow(&queue->now, &queue->now_capacity, queue->now_count + 1);
    uint32_t at = queue->now_count;
    while (at > queue->now_next && is_before(event, &queue->now[at - 1]))
        at--;
    memmove(queue->now + at + 1, queue->now + at, (queue->now_count - at) * sizeof *queue->now);
    queue->now[at] = *event;
    queue->now_count++;
}

// ---- the far heap ----

static void far_put(struct simnet_queue *queue, const struct simnet_event *event)
{
    grow(&queue->far, &queue->far_capacity, queue->far_count + 1);
    uint32_t at = queue->far_count++;
    while (at > 0 && is_before(event, &queue->far[(at - 1) / 2])) {
        queue->far[at] = queue->far[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    queue->far[at] = *event;
}

static struct simnet_event far_take(struct simnet_queue *queue)
{
    struct simnet_event first = queue->far[0];
    struct simnet_event last = queue->far[--queue->far_count];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= queue->far_count)
            break;
        if (child + 1 < queue->far_count && is_before(&queue->far[child + 1], &queue->far[child]))
            child++;
        if (!is_before(&queue->far[child], &last))
            break;
        queue->far[at] = queue->far[child];
        at = child;
    }
    if (queue->far_count > 0)
        queue->far[at] = last;
    return first;
}

// ---- putting ----

static void place(struct simnet_queue *queue, const struct simnet_event *event)
{
    int64_t fine = event->due_us >> FINE_BITS;
    int64_t coarse = event->due_us >> COARSE_BITS;
    if (fine <= queue->fine_at) {
        now_put(queue, event);
    } else if (coarse == queue->coarse_at) {
        queue->fine_count++;
        slot_put(queue, &queue->fine[fine % FINE_SLOTS], event);
    } else if (coarse - queue->coarse_at < COARSE_SLOTS) {
        slot_put(queue, &queue->coarse[coarse % COARSE_SLOTS], event);
    } else {
        far_put(queue, event);
    }
}

void simnet_queue_put(struct simnet_queue *queue, int64_t due_us, uint32_t what)
{
    struct simnet_event event = {due_us, queue->order, what};
    assert(queue->now_next == 0 || due_us >= queue->now[queue->now_next - 1].due_us);
    place(queue, &event);
    queue->order++;
    queue->count++;
}

// ---- taking ----

// The next coarse slot begins: its events go to the fine ones.
static void spread(struct simnet_queue *queue)
{
    queue->coarse_at++;
    queue->fine_at = queue->coarse_at * FINE_SLOTS - 1;
    struct chunk *chunk = queue->coarse[queue->coarse_at % COARSE_SLOTS];
    queue->coarse[queue->coarse_at % COARSE_SLOTS] = NULL;
    while (chunk != NULL) {
        struct chunk *next = chunk->next;
        for (uint32_t i = 0; i < chunk->count; i++)
            place(queue, &chunk->events[i]);
        give_back(queue, chunk);
        chunk = next;
    }
    int64_t horizon = queue->coarse_at + COARSE_SLOTS;
    while (queue->far_count > 0 && queue->far[0].due_us >> COARSE_BITS < horizon) {
        struct simnet_event event = far_take(queue);
        place(queue, &event);
    }
}

static uint32_t part_of(const struct simnet_event *event)
{
    return (uint32_t)(event->due_us >> PART_BITS) % PARTS;
}

static uint32_t count_events(const struct chunk *chunk)
{
    uint32_t count = 0;
    for (; chunk != NULL; chunk = chunk->next)
        count += chunk->count;
    return count;
}

// Copies the events of a slot, part after part.
static void copy_by_parts(const struct chunk *slot, struct simnet_event *ret_events)
{
    uint32_t places[PARTS] = {0};
    uint32_t first = 0;
    for (const struct chunk *chunk = slot; chunk != NULL; chunk = chunk->next)
        for (uint32_t i = 0; i < chunk->count; i++)
            places[part_of(&chunk->events[i])]++;
    for (uint32_t part = 0; part < PARTS; part++) {
        uint32_t count = places[part];
        places[part] = first;
        first += count;
    }
    for (const struct chunk *chunk = slot; chunk != NULL; chunk = chunk->next)
        for (uint32_t i = 0; i < chunk->count; i++)
            ret_events[places[part_of(&chunk->events[i])]++] = chunk->events[i];
}

// Sorts what is in order but for few places, or little.
static void sort_nearly(struct simnet_event *events, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct simnet_event event = events[i];
        uint32_t at = i;
        for (; at > 0 && is_before(&event, &events[at - 1]); at--)
            events[at] = events[at - 1];
        events[at] = event;
    }
}

// Opens the next fine slot: its events go, sorted, behind those that are left of the ones before.
static void open_slot(struct simnet_queue *queue)
{
    struct chunk **slot = &queue->fine[++queue->fine_at % FINE_SLOTS];
    uint32_t left = queue->now_count - queue->now_next;
    uint32_t count = count_events(*slot);
    if (count == 0)
        return;
    grow(&queue->now, &queue->now_capacity, left + count);
    memmove(queue->now, queue->now + queue->now_next, left * sizeof *queue->now);
    if ((*slot)->next == NULL)
        memcpy(queue->now + left, (*slot)->events, count * sizeof *queue->now);
    else
        copy_by_parts(*slot, queue->now + left);
    sort_nearly(queue->now + left, count);
    for (struct chunk *chunk; (chunk = *slot) != NULL; give_back(queue, chunk))
        *slot = chunk->next;
    queue->fine_count -= count;
    queue->now_next = 0;
    queue->now_count = left + count;
}

// Passes over fine slots that are all empty, up to the last of them.
static void skip_empty(struct simnet_queue *queue, int64_t until_us)
{
    int64_t last = (queue->coarse_at + 1) * FINE_SLOTS - 1;
    int64_t until = until_us >> FINE_BITS;
    if (queue->fine_count == 0 && last > queue->fine_at)
        queue->fine_at = last < until ? last : until;
}

// Opens slots until an event is there, and more of them for those who peek.
static bool open_slots(struct simnet_queue *queue, int64_t until_us)
{
    while (queue->now_next == queue->now_count) {
        if (queue->count == 0 || queue->fine_at >= until_us >> FINE_BITS)
            return false;
        skip_empty(queue, until_us);
        if (queue->fine_at >= until_us >> FINE_BITS)
            return false;
        if ((queue->fine_at + 1) % FINE_SLOTS == 0)
            spread(queue);
        open_slot(queue);
    }
    while (queue->now_count - queue->now_next < AHEAD_EVENTS && queue->fine_count > 0)
        open_slot(queue);
    return true;
}

bool simnet_queue_take(struct simnet_queue *queue, int64_t until_us, struct simnet_event *ret_event)
{
    if (queue->now_count - queue->now_next < AHEAD_EVENTS && !open_slots(queue, until_us))
        return false;
    if (queue->now[queue->now_next].due_us > until_us)
        return false;
    *ret_event = queue->now[queue->now_next++];
    queue->count--;
    return true;
}

bool simnet_queue_peek(const struct simnet_queue *queue, uint32_t ahead,
                       struct simnet_event *ret_event)
{
    if (queue->now_next + ahead >= queue->now_count)
        return false;
    *ret_event = queue->now[queue->now_next + ahead];
    return true;
}

uint64_t simnet_queue_count(const struct simnet_queue *queue)
{
    return queue->count;
}
