// SPDX-License-Identifier: MIT
#include "node/recording/output.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
// and then itself
#include <cmocka.h>

#define SPAN(text)                                                                                 \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }
#define ADDRESS(last, number)                                                                      \
    {                                                                                              \
        {192, 0, 2, last}, number, 4                                                               \
    }

static const struct node_out datagram = {.type = NODE_OUT_DATAGRAM,
                                         .datagram = {ADDRESS(1, 6881), SPAN("hello")}};
static const struct node_out bytes = {.type = NODE_OUT_BYTES, .session = 3, .bytes = SPAN("hello")};
static const struct node_out row = {
    .type = NODE_OUT_WRITE, .write = {1, true, NODE_ROW_SEQUENCE, SPAN("key"), SPAN("value")}};
static const struct node_out import = {.type = NODE_OUT_KEY,
                                       .key = {4, NODE_KEY_IMPORT, "me", SPAN("a secret text")}};
static const struct node_out event = {.type = NODE_OUT_EVENT, .event = {false, "ready"}};

static const struct {
    const char *name;
    const struct node_out *a;
    struct node_out b;
    bool equal;
    const char *text; // of b; NULL: any
} rows[] = {
    {"a datagram",
     &datagram,
     {NODE_OUT_DATAGRAM, .datagram = {ADDRESS(1, 6881), SPAN("hello")}},
     true,
     "datagram of 5 bytes to 192.0.2.1:6881 by engine 0, digest d576747b4300720b"},
    {"another byte",
     &datagram,
     {NODE_OUT_DATAGRAM, .datagram = {ADDRESS(1, 6881), SPAN("hellp")}},
     false,
     NULL},
    {"another address",
     &datagram,
     {NODE_OUT_DATAGRAM, .datagram = {ADDRESS(2, 6881), SPAN("hello")}},
     false,
     NULL},
    {"another port",
     &datagram,
     {NODE_OUT_DATAGRAM, .datagram = {ADDRESS(1, 6882), SPAN("hello")}},
     false,
     NULL},
    {"another engine",
     &datagram,
     {NODE_OUT_DATAGRAM, .engine = 1, .datagram = {ADDRESS(1, 6881), SPAN("hello")}},
     false,
     NULL},
    {"another type",
     &datagram,
     {NODE_OUT_BYTES, .session = 3, .bytes = SPAN("hello")},
     false,
     NULL},
    {"bytes", &bytes, {NODE_OUT_BYTES, .session = 3, .bytes = SPAN("hello")}, true, NULL},
    {"another session",
     &bytes,
     {NODE_OUT_BYTES, .session = 4, .bytes = SPAN("hello")},
     false,
     NULL},
    {"a row",
     &row,
     {NODE_OUT_WRITE, .write = {1, true, NODE_ROW_SEQUENCE, SPAN("key"), SPAN("value")}},
     true,
     NULL},
    {"a row not durable",
     &row,
     {NODE_OUT_WRITE, .write = {1, false, NODE_ROW_SEQUENCE, SPAN("key"), SPAN("value")}},
     false,
     NULL},
    {"another border",
     &row,
     {NODE_OUT_WRITE, .write = {1, true, NODE_ROW_SEQUENCE, SPAN("keyv"), SPAN("alue")}},
     false,
     NULL},
    {"another write id",
     &row,
     {NODE_OUT_WRITE, .write = {2, true, NODE_ROW_SEQUENCE, SPAN("key"), SPAN("value")}},
     false,
     NULL},
    {"the PEM text's bytes do not count",
     &import,
     {NODE_OUT_KEY, .key = {4, NODE_KEY_IMPORT, "me", SPAN("xxxxxxxxxxxxx")}},
     true,
     NULL},
    {"the PEM text's length does",
     &import,
     {NODE_OUT_KEY, .key = {4, NODE_KEY_IMPORT, "me", SPAN("xxxx")}},
     false,
     NULL},
    {"another label",
     &import,
     {NODE_OUT_KEY, .key = {4, NODE_KEY_IMPORT, "you", SPAN("a secret text")}},
     false,
     NULL},
    {"another verb",
     &import,
     {NODE_OUT_KEY, .key = {4, NODE_KEY_EXPORT, "me", SPAN("a secret text")}},
     false,
     NULL},
    {"an event", &event, {NODE_OUT_EVENT, .event = {false, "ready"}}, true, NULL},
    {"a warning", &event, {NODE_OUT_EVENT, .event = {true, "ready"}}, false, NULL},
    {"another event", &event, {NODE_OUT_EVENT, .event = {false, "steady"}}, false, NULL},
};

static void test_equal(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[RECORDING_OUTPUT_TEXT_MAX];
        struct recording_output a = recording_output_of(rows[i].a);
        struct recording_output b = recording_output_of(&rows[i].b);
        if (recording_output_equal(&a, &b) != rows[i].equal)
            fail_msg("%s", rows[i].name);
        recording_output_to_text(&b, text);
        if (rows[i].text != NULL && strcmp(text, rows[i].text) != 0)
            fail_msg("%s: %s", rows[i].name, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
