// SPDX-License-Identifier: MIT
#include "node/daemon/record_file.h"

#include "tests/daemon/record_helper.h"

static void test_whole(void **state)
{
    struct daemon_error why;
    const char *path = unit_path("recording");
    (void)state;
    struct daemon_record_file *file = daemon_record_file_open(path, 0, &why);
    assert_non_null(file);
    put_ticks(file, 0, 100000);
    daemon_record_file_close(file);
    struct held held = hold(path);
    assert_int_equal(held.state, RECORDING_OVER);
    assert_int_equal(held.ticks, 100000);
    assert_int_equal(held.end, RECORDING_END_CLOSED);
}

// Nothing is written over, nor is a folder made.
static void test_refused(void **state)
{
    struct daemon_error why = {.text = ""};
    (void)state;
    unit_write(unit_path("there"), "something");
    assert_null(daemon_record_file_open(unit_path("there"), 0, &why));
    unit_has("there", why.text, "there");
    unit_check_file(unit_path("there"), "something");
    assert_null(daemon_record_file_open(unit_path("none/there"), 0, &why));
    unit_has("none", why.text, "none/there");
}

// What does not fit ends the recording, with a word that it is so, and the rest is left out.
static void test_behind(void **state)
{
    static const uint8_t bytes[4096];
    struct daemon_error why;
    const char *path = unit_path("recording");
    struct recording_entry large = {.kind = RECORDING_SESSION_BYTES};
    (void)state;
    struct daemon_record_file *file = daemon_record_file_open(path, 2048, &why);
    assert_non_null(file);
    put_ticks(file, 0, 10);
    large.session.bytes = (struct dht_span){bytes, sizeof bytes};
    daemon_record_file_put(file, &large);
    put_ticks(file, 10, 20);
    daemon_record_file_close(file);
    struct held held = hold(path);
    assert_int_equal(held.state, RECORDING_OVER);
    assert_int_equal(held.ticks, 10);
    assert_int_equal(held.end, RECORDING_END_BEHIND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_whole, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(test_refused, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(test_behind, unit_dir_make, unit_dir_remove),
    };
    return unit_run(tests);
}
