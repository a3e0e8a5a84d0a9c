// SPDX-License-Identifier: MIT
#include "node/control/event.h"

#include "node/control/fields.h"
#include "node/control/transport.h"

#include <stdio.h>
#include <string.h>

// Copies text for people: no NUL inside, cut where it is too long.
static void copy_text(struct dht_span text, char ret_text[PNR_TEXT_MAX])
{
    size_t len = text.len < PNR_TEXT_MAX ? text.len : PNR_TEXT_MAX - 1;
    memset(ret_text, 0, PNR_TEXT_MAX);
    for (size_t i = 0; i < len && text.data[i] != '\0'; i++) {
        ret_text[i] = (char)text.data[i];
    }
}

void control_event_read_error(struct dht_span fields, enum pnr_error *ret_error,
                              char ret_text[PNR_TEXT_MAX])
{
    struct dht_span text = {(const uint8_t *)"", 0};
    int64_t code = PNR_ERROR_FAILED;
    (void)control_fields_int(fields, CONTROL_KEY_CODE, (struct control_fields_range){1, 255},
                             &code);
    (void)control_fields_string(fields, CONTROL_KEY_TEXT, &text);
    *ret_error = (enum pnr_error)code;
    copy_text(text, ret_text);
}

static void free_current(struct pnr_client *client)
{
    control_queue_free_answer(client->current);
    client->current = NULL;
    client->event_text[0] = '\0';
}

// The event of a request that failed on this side.
static struct pnr_event failure(struct pnr_client *client, uint32_t id, enum control_error error)
{
    struct pnr_event event = {.type = PNR_EVENT_ERROR,
                              .request = id,
                              .error = (enum pnr_error)error,
                              .text = client->event_text,
                              .fields = {(const uint8_t *)"de", 2}};
    bool is_connection = client->error != PNR_OK && client->error == event.error;
    snprintf(client->event_text, sizeof client->event_text, "%s",
             is_connection ? client->error_text : pnr_error_text(event.error));
    return event;
}

static bool take_event(struct pnr_client *client, uint32_t id, struct pnr_event *ret_event)
{
    static const enum pnr_event_type types[] = {
        [CONTROL_ANSWER_RESULT] = PNR_EVENT_RESULT,
        [CONTROL_ANSWER_PROGRESS] = PNR_EVENT_PROGRESS,
        [CONTROL_ANSWER_DONE] = PNR_EVENT_DONE,
        [CONTROL_ANSWER_ERROR] = PNR_EVENT_ERROR,
    };
    enum control_error error;
    uint32_t failed_id;
    free_current(client);
    client->current = control_queue_take(&client->queue, id);
    if (client->current == NULL) {
        if (!control_queue_take_failed(&client->queue, id, &failed_id, &error)) {
            return false;
        }
        *ret_event = failure(client, failed_id, error);
        return true;
    }
    struct dht_span fields = {client->current->fields, client->current->fields_len};
    struct pnr_event event = {.type = types[client->current->answer],
                              .request = client->current->request,
                              .text = client->event_text,
                              .fields = {fields.data, fields.len}};
    if (event.type == PNR_EVENT_ERROR) {
        control_event_read_error(fields, &event.error, client->event_text);
    }
    *ret_event = event;
    return true;
}

bool pnr_client_next(struct pnr_client *client, struct pnr_event *ret_event)
{
    return take_event(client, 0, ret_event);
}

static int64_t deadline_of(int timeout_ms)
{
    return timeout_ms < 0 ? INT64_MAX : control_transport_now_us() + (int64_t)timeout_ms * 1000;
}

// Waits for the socket or for what is due, and does it. False where the deadline had passed.
static bool wait_once(struct pnr_client *client, int64_t deadline_us)
{
    bool passed = deadline_us != INT64_MAX && deadline_us <= control_transport_now_us();
    int64_t due_us = control_client_due_us(client);
    int timeout_ms = control_client_until_ms(due_us < deadline_us ? due_us : deadline_us);
    control_transport_poll(client->socket, pnr_client_wants(client), passed ? 0 : timeout_ms);
    (void)pnr_client_process(client);
    return !passed;
}

enum pnr_error pnr_client_wait_ready(struct pnr_client *client)
{
    while (client->state != CONTROL_CLIENT_READY && client->state != CONTROL_CLIENT_BROKEN) {
        (void)wait_once(client, client->ready_deadline_us);
    }
    return client->error;
}

enum pnr_error pnr_client_open(const struct pnr_options *options, uint32_t timeout_ms,
                               struct pnr_client **ret_client)
{
    struct pnr_client *client;
    enum pnr_error error = pnr_client_new(options, timeout_ms, &client);
    if (error != PNR_OK) {
        return error;
    }
    error = pnr_client_wait_ready(client);
    if (error == PNR_OK) {
        *ret_client = client;
    } else {
        pnr_client_close(client);
    }
    return error;
}

enum pnr_error pnr_client_wait(struct pnr_client *client, uint32_t request, int timeout_ms,
                               struct pnr_event *ret_event)
{
    int64_t deadline_us = deadline_of(timeout_ms);
    bool in_time = true;
    while (!take_event(client, request, ret_event)) {
        if (request == 0 && client->error != PNR_OK) {
            return client->error;
        }
        if (request == 0 ? client->queue.count == 0
                         : control_queue_find(&client->queue, request) == NULL) {
            return PNR_ERROR_USAGE;
        }
        if (control_client_is_full(client)) {
            return PNR_ERROR_FULL;
        }
        if (!in_time) {
            return PNR_ERROR_TIMED_OUT;
        }
        in_time = wait_once(client, deadline_us);
    }
    return PNR_OK;
}

enum pnr_error pnr_client_finish(struct pnr_client *client, uint32_t request, int timeout_ms,
                                 struct pnr_event *ret_event)
{
    int64_t deadline_us = deadline_of(timeout_ms);
    struct pnr_event event;
    if (request == 0) {
        return PNR_ERROR_USAGE;
    }
    for (;;) {
        enum pnr_error error =
            pnr_client_wait(client, request, control_client_until_ms(deadline_us), &event);
        if (error != PNR_OK) {
            return error;
        }
        if (event.type == PNR_EVENT_DONE || event.type == PNR_EVENT_ERROR) {
            *ret_event = event;
            return event.error;
        }
    }
}

// ---- any field ----

static struct dht_span span_of(struct pnr_fields fields)
{
    return (struct dht_span){fields.data, fields.len};
}

bool pnr_field_int(struct pnr_fields fields, const char *key, int64_t *ret_value)
{
    struct control_fields_range all = {INT64_MIN, INT64_MAX};
    return control_fields_int(span_of(fields), key, all, ret_value);
}

bool pnr_field_bytes(struct pnr_fields fields, const char *key, const uint8_t **ret_data,
                     size_t *ret_len)
{
    struct dht_span string;
    if (!control_fields_string(span_of(fields), key, &string)) {
        return false;
    }
    *ret_data = string.data;
    *ret_len = string.len;
    return true;
}

bool pnr_field_text(struct pnr_fields fields, const char *key, char *buf, size_t buf_len)
{
    struct dht_span string;
    return control_fields_string(span_of(fields), key, &string) &&
           control_fields_copy(string, buf, buf_len);
}

bool pnr_field_dict(struct pnr_fields fields, const char *key, struct pnr_fields *ret_fields)
{
    struct dht_span raw;
    if (!control_fields_find(span_of(fields), key, &raw) || raw.data[0] != 'd') {
        return false;
    }
    *ret_fields = (struct pnr_fields){raw.data, raw.len};
    return true;
}
