// SPDX-License-Identifier: MIT
#ifndef PNR_CONTROL_QUEUE_H
#define PNR_CONTROL_QUEUE_H

// The client's requests under way and their answers that nobody has fetched yet, in the order in
// which they came in. Pure. It owns its answers; they are wiped when they go, for some hold keys.
// Bounds: CONTROL_REQUESTS_MAX requests; the owner stops reading at CONTROL_QUEUE_BYTES_MAX.

#include "node/control/frame.h"

#define CONTROL_QUEUE_BYTES_MAX (1u << 20)

// An answer that waits, its fields behind it.
struct control_queue_answer {
    struct control_queue_answer *next;
    uint32_t request;
    enum control_answer answer;
    size_t fields_len;
    uint8_t fields[];
};

struct control_queue_request {
    uint32_t id;         // 0: a free place
    int64_t deadline_us; // INT64_MAX: none
    bool ended;          // its last answer is in the queue
    // Not CONTROL_ERROR_OK: it has ended on this side, with this, after the answers in the queue.
    enum control_error failed;
};

struct control_queue {
    struct control_queue_request requests[CONTROL_REQUESTS_MAX];
    uint32_t last_id;
    size_t count; // places in use
    struct control_queue_answer *first;
    struct control_queue_answer **end; // where the next one is hung
    size_t bytes;                      // of all answers, with what they cost
};

void control_queue_init(struct control_queue *queue);
void control_queue_free(struct control_queue *queue);

// Adds a request and gives it an id. NULL where all places are taken.
struct control_queue_request *control_queue_add(struct control_queue *queue);
struct control_queue_request *control_queue_find(struct control_queue *queue, uint32_t id);

// Forgets a request and its answers.
void control_queue_drop(struct control_queue *queue, struct control_queue_request *request);

// Keeps an answer. One for a request that is not under way, or of an unknown kind, is skipped.
// False where memory is short.
bool control_queue_push(struct control_queue *queue, const struct control_frame_answer *answer);

// Takes the first answer of a request, or of any (0), out of the queue; NULL where there is none.
// The caller frees it by control_queue_free_answer(). Its request is forgotten with its last one.
struct control_queue_answer *control_queue_take(struct control_queue *queue, uint32_t id);
void control_queue_free_answer(struct control_queue_answer *answer); // NULL does nothing

// Takes a request (any: 0) that has failed on this side and has no answers left. False where there
// is none. The request is forgotten.
bool control_queue_take_failed(struct control_queue *queue, uint32_t id, uint32_t *ret_id,
                               enum control_error *ret_error);

// Fails all that have not ended.
void control_queue_fail_all(struct control_queue *queue, enum control_error error);

// Fails one whose deadline has passed and returns its id; 0 where there is none.
uint32_t control_queue_expire(struct control_queue *queue, int64_t now_us);
// The earliest deadline; INT64_MAX where there is none.
int64_t control_queue_deadline(const struct control_queue *queue);

#endif
