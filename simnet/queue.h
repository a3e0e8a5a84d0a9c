// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_QUEUE_H
#define PNR_SIMNET_QUEUE_H

// The events of a simulation, in the order of their time, and at one time in the order in which
// they were put in. A calendar rather than a binary heap, so that an event costs the same whether
// ten or ten million wait: fine slots of a millisecond for the second under way, coarse ones
// of a second for the next hour or so, and a heap for what lies beyond. A slot is sorted when its
// time comes, or sooner where few events are left before it: some two dozen can always be peeked
// at, where so many wait within the second under way.
//
// Events cannot be taken back: whoever put one in sees for itself, when it comes, whether it still
// means anything. Memory grows with the events that wait, and is kept; where it ends, the
// simulation ends (simnet_world_need()), for a queue that has lost an event would show nothing.

#include <stdbool.h>
#include <stdint.h>

struct simnet_event {
    int64_t due_us;
    uint32_t order; // of events due at the same time
    uint32_t what;  // the owner's
};

struct simnet_queue;

struct simnet_queue *simnet_queue_new(int64_t now_us);
void simnet_queue_free(struct simnet_queue *queue);

// due_us may not be before the event last taken (asserted).
void simnet_queue_put(struct simnet_queue *queue, int64_t due_us, uint32_t what);

// Takes the next event if it is due at until_us or before.
bool simnet_queue_take(struct simnet_queue *queue, int64_t until_us,
                       struct simnet_event *ret_event);

// Looks at the event that is `ahead` places behind the next one, as far as they are sorted already;
// false where that is not known yet. For fetching memory ahead of time.
bool simnet_queue_peek(const struct simnet_queue *queue, uint32_t ahead,
                       struct simnet_event *ret_event);

uint64_t simnet_queue_count(const struct simnet_queue *queue);

#endif
