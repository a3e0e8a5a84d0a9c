// SPDX-License-Identifier: MIT
// The log at a pipe: the journal's, or one that nobody reads.
#include "tests/daemon/unit_posix.h"

#include "node/daemon/log.h"

#include <fcntl.h>

// Everything the log wrote to the pipe so far, as text.
static size_t read_all(int fd, char *out, size_t out_len)
{
    size_t used = 0;
    ssize_t got;
    while (used + 1 < out_len && (got = read(fd, out + used, out_len - used - 1)) > 0)
        used += (size_t)got;
    out[used] = '\0';
    return used;
}

static void open_pipe(int ret_ends[2])
{
    assert_int_equal(pipe2(ret_ends, O_NONBLOCK | O_CLOEXEC), 0);
}

static void test_journal(void **state)
{
    (void)state;
    static const struct row {
        const char *name;
        int inode_off; // added to the true inode
        const char *start;
    } rows[] = {
        {"the stream itself", 0, "<4>hot key=1\n"},
        {"another stream", 1, "20"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int ends[2];
        char text[256];
        struct stat status;
        open_pipe(ends);
        assert_int_equal(fstat(ends[1], &status), 0);
        snprintf(text, sizeof text, "%llu:%llu", (unsigned long long)status.st_dev,
                 (unsigned long long)status.st_ino + (unsigned long long)rows[i].inode_off);
        setenv("JOURNAL_STREAM", text, 1);
        daemon_log_open(ends[1], DAEMON_LOG_INFO);
        daemon_log(DAEMON_LOG_WARN, "hot key=1");
        read_all(ends[0], text, sizeof text);
        print_message("row %s: %s", rows[i].name, text);
        assert_memory_equal(text, rows[i].start, strlen(rows[i].start));
        close(ends[0]);
        close(ends[1]);
    }
    unsetenv("JOURNAL_STREAM");
}

static void test_lost(void **state)
{
    (void)state;
    int ends[2];
    open_pipe(ends);
    daemon_log_open(ends[1], DAEMON_LOG_INFO);
    uint64_t before = daemon_log_lost();
    for (int i = 0; i < 5000; i++) // far more than a pipe holds
        daemon_log(DAEMON_LOG_INFO, "line of some length number=%d", i);
    assert_true(daemon_log_lost() > before);
    close(ends[0]);
    close(ends[1]);
    daemon_log_open(2, DAEMON_LOG_INFO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_journal),
        cmocka_unit_test(test_lost),
    };
    return unit_run(tests);
}
