// SPDX-License-Identifier: MIT
#include "node/control/queue.h"

#include "node/control/secret.h"

#include <stdlib.h>
#include <string.h>

void control_queue_init(struct control_queue *queue)
{
    memset(queue, 0, sizeof *queue);
    queue->end = &queue->first;
}

void control_queue_free(struct control_queue *queue)
{
    while (queue->first != NULL) {
        struct control_queue_answer *answer = queue->first;
        queue->first = answer->next;
        control_queue_free_answer(answer);
    }
    control_queue_init(queue);
}

void control_queue_free_answer(struct control_queue_answer *answer)
{
    if (answer != NULL) {
        control_secret_wipe(answer->fields, answer->fields_len);
        free(answer);
    }
}

struct control_queue_request *control_queue_find(struct control_queue *queue, uint32_t id)
{
    for (size_t i = 0; id != 0 && i < CONTROL_REQUESTS_MAX; i++) {
        if (queue->requests[i].id == id) {
            return &queue->requests[i];
        }
    }
    return NULL;
}

static uint32_t next_id(struct control_queue *queue)
{
    // Ids are not soon used again, so that a late answer finds nobody.
    do {
        queue->last_id = queue->last_id == CONTROL_ID_MAX ? 1 : queue->last_id + 1;
    } while (control_queue_find(queue, queue->last_id) != NULL);
    return queue->last_id;
}

struct control_queue_request *control_queue_add(struct control_queue *queue)
{
    for (size_t i = 0; i < CONTROL_REQUESTS_MAX; i++) {
        struct control_queue_request *request = &queue->requests[i];
        if (request->id == 0) {
            *request =
                (struct control_queue_request){.id = next_id(queue), .deadline_us = INT64_MAX};
            queue->count++;
            return request;
        }
    }
    return NULL;
}

static void forget(struct control_queue *queue, struct control_queue_request *request)
{
    memset(request, 0, sizeof *request);
    queue->count--;
}

// Unhooks the answer that *link points to.
static struct control_queue_answer *unhook(struct control_queue *queue,
                                           struct control_queue_answer **link)
{
    struct control_queue_answer *answer = *link;
    *link = answer->next;
    if (queue->end == &answer->next) {
        queue->end = link;
    }
    queue->bytes -= sizeof *answer + answer->fields_len;
    return answer;
}

void control_queue_drop(struct control_queue *queue, struct control_queue_request *request)
{
    struct control_queue_answer **link = &queue->first;
    while (*link != NULL) {
        if ((*link)->request == request->id) {
            control_queue_free_answer(unhook(queue, link));
        } else {
            link = &(*link)->next;
        }
    }
    forget(queue, request);
}

static bool is_final(enum control_answer answer)
{
    return answer == CONTROL_ANSWER_DONE || answer == CONTROL_ANSWER_ERROR;
}

bool control_queue_push(struct control_queue *queue, const struct control_frame_answer *answer)
{
    struct control_queue_request *request = control_queue_find(queue, answer->id);
    if (request == NULL || request->ended || request->failed != CONTROL_ERROR_OK ||
        answer->answer == CONTROL_ANSWER_UNKNOWN) {
        return true;
    }
    struct control_queue_answer *kept = malloc(sizeof *kept + answer->fields.len);
    if (kept == NULL) {
        return false;
    }
    kept->next = NULL;
    kept->request = answer->id;
    kept->answer = answer->answer;
    kept->fields_len = answer->fields.len;
    memcpy(kept->fields, answer->fields.data, answer->fields.len);
    *queue->end = kept;
    queue->end = &kept->next;
    queue->bytes += sizeof *kept + kept->fields_len;
    request->ended = is_final(answer->answer);
    return true;
}

struct control_queue_answer *control_queue_take(struct control_queue *queue, uint32_t id)
{
    for (struct control_queue_answer **link = &queue->first; *link != NULL; link = &(*link)->next) {
        if (id == 0 || (*link)->request == id) {
            struct control_queue_answer *answer = unhook(queue, link);
            if (is_final(answer->answer)) {
                forget(queue, control_queue_find(queue, answer->request));
            }
            return answer;
        }
    }
    return NULL;
}

static bool has_answers(const struct control_queue *queue, uint32_t id)
{
    for (const struct control_queue_answer *answer = queue->first; answer != NULL;
         answer = answer->next) {
        if (answer->request == id) {
            return true;
        }
    }
    return false;
}

bool control_queue_take_failed(struct control_queue *queue, uint32_t id, uint32_t *ret_id,
                               enum control_error *ret_error)
{
    for (size_t i = 0; i < CONTROL_REQUESTS_MAX; i++) {
        struct control_queue_request *request = &queue->requests[i];
        if (request->id != 0 && (id == 0 || request->id == id) &&
            request->failed != CONTROL_ERROR_OK && !has_answers(queue, request->id)) {
            *ret_id = request->id;
            *ret_error = request->failed;
            forget(queue, request);
            return true;
        }
    }
    return false;
}

static bool waits(const struct control_queue_request *request)
{
    return request->id != 0 && !request->ended && request->failed == CONTROL_ERROR_OK;
}

void control_queue_fail_all(struct control_queue *queue, enum control_error error)
{
    for (size_t i = 0; i < CONTROL_REQUESTS_MAX; i++) {
        struct control_queue_request *request = &queue->requests[i];
        if (waits(request)) {
            request->failed = error;
        }
    }
}

uint32_t control_queue_expire(struct control_queue *queue, int64_t now_us)
{
    for (size_t i = 0; i < CONTROL_REQUESTS_MAX; i++) {
        struct control_queue_request *request = &queue->requests[i];
        if (waits(request) && request->deadline_us <= now_us) {
            request->failed = CONTROL_ERROR_TIMED_OUT;
            return request->id;
        }
    }
    return 0;
}

int64_t control_queue_deadline(const struct control_queue *queue)
{
    int64_t deadline_us = INT64_MAX;
    for (size_t i = 0; i < CONTROL_REQUESTS_MAX; i++) {
        const struct control_queue_request *request = &queue->requests[i];
        if (waits(request) && request->deadline_us < deadline_us) {
            deadline_us = request->deadline_us;
        }
    }
    return deadline_us;
}
