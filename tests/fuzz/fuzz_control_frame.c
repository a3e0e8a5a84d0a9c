// SPDX-License-Identifier: MIT
// Frames of the control protocol, cut, opened and read by every reader of both sides. The first
// byte says in pieces of how many bytes the rest comes in.
#include "node/control/fields.h"
#include "node/control/frame.h"
#include "tests/control/readers_helper.h"
#include "tests/fuzz/fuzz.h"

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
