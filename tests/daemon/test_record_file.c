// SPDX-License-Identifier: MIT
#include "node/daemon/record_file.h"

#include "node/recording/reader.h"
#include "tests/daemon/unit.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static struct recording_room room;

static int64_t read_file(void *ctx, uint8_t *buf, size_t len)
{
    return (int64_t)fread(buf, 1, len, ctx);
}

// What a recording holds: how many ticks, and how it ends.
struct held {
    enum recording_state state;
    int ticks;
    enum recording_end end;
};

static struct held hold(const char *path)
{
    struct held held = {0};
    struct recording_reader reader;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    recording_reader_init(&reader, read_file, file);
    while ((held.state = recording_reader_next(&reader, &room)) == RECORDING_READ) {
        if (room.entry.kind == RECORDING_TICK) {
            assert_int_equal(room.entry.now_us, held.ticks);
            held.ticks++;
        } else {
            assert_int_equal(room.entry.kind, RECORDING_END);
            held.end = room.entry.end;
        }
    }
    fclose(file);
    return held;
}

static void put_ticks(struct daemon_record_file *file, int from, int to)
{
    for (int i = from; i < to; i++)
        daemon_record_file_put(file,
                               &(struct recording_entry){.kind = RECORDING_TICK, .now_us = i});
}

static void test_whole(void **state)
{
    struct daemon_error why;
    struct stat status;
    const char *path = unit_path("recording");
    (void)state;
    mode_t before = umask(0);
    struct daemon_record_file *file = daemon_record_file_open(path, 0, &why);
    umask(before);
    assert_non_null(file);
    put_ticks(file, 0, 100000);
    daemon_record_file_close(file);
    struct held held = hold(path);
    assert_int_equal(held.state, RECORDING_OVER);
    assert_int_equal(held.ticks, 100000);
    assert_int_equal(held.end, RECORDING_END_CLOSED);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
}

static void test_refused(void **state)
{
    struct daemon_error why;
    struct stat status;
    (void)state;
    unit_write(unit_path("there"), "something", 0600);
    assert_null(daemon_record_file_open(unit_path("there"), 0, &why));
    unit_has("there", why.text, "File exists");
    assert_int_equal(stat(unit_path("there"), &status), 0);
    assert_int_equal(status.st_size, 9);
    assert_null(daemon_record_file_open(unit_path("none/there"), 0, &why));
    unit_has("none", why.text, "No such file");
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

// A disk that takes no more leaves a recording that is cut off.
static void test_disk_full(void **state)
{
    struct daemon_error why;
    struct rlimit before;
    const char *path = unit_path("recording");
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {4096, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct daemon_record_file *file = daemon_record_file_open(path, 0, &why);
    assert_non_null(file);
    put_ticks(file, 0, 1000);
    daemon_record_file_close(file);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    struct held held = hold(path);
    assert_int_equal(held.state, RECORDING_CUT);
    assert_in_range(held.ticks, 1, 999);
    assert_int_equal(held.end, 0);
}

// What was put before an assert that does not hold is in the file.
static void test_crash(void **state)
{
    struct daemon_error why;
    int status = 0;
    const char *path = unit_path("recording");
    (void)state;
    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGABRT, SIG_DFL); // cmocka has a handler of its own
        struct daemon_record_file *file = daemon_record_file_open(path, 0, &why);
        if (file != NULL)
            put_ticks(file, 0, 100000);
        abort();
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    struct held held = hold(path);
    assert_int_equal(held.state, RECORDING_OVER);
    assert_int_equal(held.ticks, 100000);
    assert_int_equal(held.end, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_whole, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(test_refused, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(test_behind, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(test_disk_full, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(test_crash, unit_dir_make, unit_dir_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
