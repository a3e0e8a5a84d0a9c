// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_TIMER_H
#define PNR_DHT_TIMER_H

// A heap of timers: the engine has one, and so has the brain above it. A timer lives inside the
// object that it wakes, which stays where it is while the timer is set; the heap only points to it.
// What a timer means is its kind, dispatched by the engine.

#include "pnr/dht.h"

#define DHT_TIMER_IDLE     UINT32_MAX
#define DHT_TIMER_STANDING 3 // timers that are there for life, in any one owner's heap

struct dht_timer {
    int64_t due_us;
    uint32_t position; // in the heap; DHT_TIMER_IDLE: not set
    uint32_t kind;     // the owner's: what it means
};

struct dht_timer_heap {
    struct dht_timer **entries;
    int64_t earliest_us; // due_us of the first entry: asked for after every input
    uint32_t count;
    uint32_t capacity;
};

void dht_timer_heap_fini(struct dht_timer_heap *heap);

// Makes room for `more` timers beyond those that are set, and for the standing ones that may not be
// set just now, so that setting them cannot fail. False where memory is short.
bool dht_timer_reserve(struct dht_timer_heap *heap, uint32_t more);

// Gives back the room of what was reserved for others than the standing timers, where all the rest
// are gone.
void dht_timer_heap_rest(struct dht_timer_heap *heap);

void dht_timer_init(struct dht_timer *timer, uint32_t kind);

// Sets the timer, or moves it. Room has to have been reserved.
void dht_timer_set(struct dht_timer_heap *heap, struct dht_timer *timer, int64_t due_us);
// Clears the timer; one that is not set stays so.
void dht_timer_clear(struct dht_timer_heap *heap, struct dht_timer *timer);

// Takes the earliest timer out where it is due, or returns NULL.
struct dht_timer *dht_timer_pop(struct dht_timer_heap *heap, int64_t now_us);
// When the earliest is due; INT64_MAX where none is set.
int64_t dht_timer_next(const struct dht_timer_heap *heap);

#endif
