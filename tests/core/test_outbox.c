// SPDX-License-Identifier: MIT
#include "node/core/outbox.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
// and then itself
#include <cmocka.h>

static struct dht_span span_of(const char *text)
{
    return (struct dht_span){(const uint8_t *)text, strlen(text)};
}

static void test_in_order_and_copied(void **state)
{
    struct core_outbox outbox = {0};
    struct node_out out;
    char text[] = "bytes";
    struct node_out write = {.type = NODE_OUT_WRITE};
    struct node_out key = {.type = NODE_OUT_KEY};
    (void)state;
    assert_false(core_outbox_next(&outbox, &out));
    assert_true(core_outbox_bytes(&outbox, 7, span_of(text)));
    write.write.write_id = 9;
    write.write.key = span_of("k");
    write.write.value = span_of("");
    assert_true(core_outbox_write(&outbox, &write));
    key.key.label = "alice";
    key.key.pem = span_of("pem");
    assert_true(core_outbox_key(&outbox, &key));
    assert_true(core_outbox_event(&outbox, true, "role: ", "server"));
    assert_true(core_outbox_hangup(&outbox, 7));
    memset(text, 'x', 5); // the copies are the outbox's own

    assert_true(core_outbox_next(&outbox, &out));
    assert_int_equal(out.type, NODE_OUT_BYTES);
    assert_int_equal(out.session, 7);
    assert_memory_equal(out.bytes.data, "bytes", 5);
    struct dht_span lent = out.bytes;
    assert_true(core_outbox_next(&outbox, &out));
    assert_int_equal(out.type, NODE_OUT_WRITE);
    assert_int_equal(out.write.write_id, 9);
    assert_int_equal(out.write.value.len, 0);
    assert_true(core_outbox_next(&outbox, &out));
    assert_string_equal(out.key.label, "alice");
    assert_memory_equal(out.key.pem.data, "pem", 3);
    assert_true(core_outbox_next(&outbox, &out));
    assert_true(out.event.warning);
    assert_string_equal(out.event.text, "role: server");
    assert_true(core_outbox_next(&outbox, &out));
    assert_int_equal(out.type, NODE_OUT_HANGUP);
    assert_false(core_outbox_next(&outbox, &out));
    assert_memory_equal(lent.data, "bytes", 5); // until the next input
    core_outbox_reclaim(&outbox);
    assert_null(outbox.lent);
    assert_true(core_outbox_hangup(&outbox, 8));
    core_outbox_fini(&outbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order_and_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
