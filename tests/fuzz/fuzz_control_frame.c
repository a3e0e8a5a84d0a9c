// SPDX-License-Identifier: MIT
// Frames of the control protocol, cut, opened and read by every reader of both sides. The first
// byte says in pieces of how many bytes the rest comes in.
#include "node/control/fields.h"
#include "node/control/frame.h"
#include "pnr/client.h"
#include "tests/fuzz/fuzz.h"

static void read_everything(const struct pnr_event *event)
{
    static union {
        struct pnr_result result;
        struct pnr_tally tally;
        struct pnr_hop hop;
        struct pnr_progress progress;
        struct pnr_report report;
        struct pnr_refusal refusal;
        struct pnr_publication publication;
        struct pnr_key key;
        struct pnr_status status;
        struct pnr_cloud cloud;
        struct pnr_peer peer;
        struct pnr_counter counter;
    } any;
    (void)pnr_read_result(event, &any.result);
    (void)pnr_read_tally(event, &any.tally);
    (void)pnr_read_hop(event, &any.hop);
    (void)pnr_read_step(event, &any.progress);
    (void)pnr_read_report(event, &any.report);
    (void)pnr_read_refusal(event, 1, &any.refusal);
    (void)pnr_read_publication(event, &any.publication);
    (void)pnr_read_key(event, &any.key);
    (void)pnr_read_status(event, &any.status);
    (void)pnr_read_cloud(event, 0, &any.cloud);
    (void)pnr_read_peer(event, &any.peer);
    (void)pnr_read_counter(event->fields, 0, &any.counter);
}

static void take_body(struct dht_span body)
{
    struct control_frame_request request;
    struct control_frame_answer answer;
    struct control_endpoint endpoints[CONTROL_ENDPOINTS_MAX];
    size_t count;
    if (control_frame_open_request(body, &request)) {
        (void)control_fields_endpoints(request.arguments, endpoints, &count);
    }
    if (control_frame_open_answer(body, &answer)) {
        for (int type = PNR_EVENT_RESULT; type <= PNR_EVENT_ERROR; type++) {
            struct pnr_event event = {.type = (enum pnr_event_type)type,
                                      .request = answer.id,
                                      .text = "",
                                      .fields = {answer.fields.data, answer.fields.len}};
            read_everything(&event);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct control_frame_reader reader;
    if (size < 2) {
        return 0;
    }
    size_t piece = data[0] == 0 ? size : data[0];
    control_frame_reader_init(&reader, CONTROL_FRAME_MAX);
    for (size_t at = 1; at < size; at += piece) {
        struct dht_span bytes = {data + at, size - at < piece ? size - at : piece}, body;
        while (control_frame_read(&reader, &bytes, &body) == CONTROL_FRAME_WHOLE) {
            take_body(body);
        }
    }
    control_frame_reader_free(&reader);
    // The same without the envelope's help: most inputs fail on the length.
    take_body((struct dht_span){data + 1, size - 1});
    return 0;
}
