// SPDX-License-Identifier: MIT
#include "tests/daemon/unit_posix.h"

#include "node/daemon/notify.h"

#include <sys/socket.h>
#include <sys/un.h>

// A service manager's socket, at path or, where path starts with '@', at an abstract name.
static int listen_at(const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    memcpy(addr.sun_path, path, len + 1);
    if (path[0] == '@')
        addr.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t addr_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    assert_int_equal(bind(fd, (struct sockaddr *)&addr, addr_len), 0);
    return fd;
}

static void expect_message(int fd, const char *wanted)
{
    char text[1024] = "";
    ssize_t len = recv(fd, text, sizeof text - 1, 0);
    assert_int_equal(len, strlen(wanted));
    assert_string_equal(text, wanted);
}

static void test_messages(void **state)
{
    (void)state;
    char abstract[64];
    snprintf(abstract, sizeof abstract, "@pnr-test-notify-%d", (int)getpid());
    const char *paths[] = {unit_path("notify"), abstract};
    for (size_t i = 0; i < UNIT_COUNT(paths); i++) {
        struct daemon_notify notify;
        struct daemon_error error;
        print_message("row %s\n", paths[i]);
        int fd = listen_at(paths[i]);
        setenv("NOTIFY_SOCKET", paths[i], 1);
        assert_true(daemon_notify_open(&notify, &error));
        assert_null(getenv("NOTIFY_SOCKET"));
        assert_true(daemon_notify_ready(&notify));
        expect_message(fd, "READY=1");
        assert_true(daemon_notify_status(&notify, "joining\nREADY=1"));
        expect_message(fd, "STATUS=joining READY=1");
        assert_true(daemon_notify_watchdog(&notify));
        expect_message(fd, "WATCHDOG=1");
        assert_true(daemon_notify_stopping(&notify));
        expect_message(fd, "STOPPING=1");
        assert_true(daemon_notify_reloading(&notify));
        char text[128] = "";
        long long now_us = 0;
        assert_true(recv(fd, text, sizeof text - 1, 0) > 0);
        assert_int_equal(sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%lld", &now_us), 1);
        assert_true(now_us > 0);
        close(fd);
        assert_false(daemon_notify_ready(&notify)); // the manager is gone
        daemon_notify_close(&notify);
        assert_true(daemon_notify_ready(&notify)); // nobody to tell
    }
}

static void test_open(void **state)
{
    (void)state;
    static const char too_long[] = "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                   "aaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                   "aaaaaaaaaaaaaaaaaaaaaaaaaaa";
    static const struct row {
        const char *name;
        const char *socket;
        bool ok;
        bool open;
    } rows[] = {
        {"unset", NULL, true, false},         {"path", "/run/nowhere", true, true},
        {"abstract", "@name", true, true},    {"relative", "run/x", false, false},
        {"empty", "", false, false},          {"slash alone", "/", false, false},
        {"too long", too_long, false, false},
    };
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        struct daemon_notify notify;
        struct daemon_error error = {.text = ""};
        print_message("row %s\n", rows[i].name);
        unsetenv("NOTIFY_SOCKET");
        if (rows[i].socket != NULL)
            setenv("NOTIFY_SOCKET", rows[i].socket, 1);
        assert_int_equal(daemon_notify_open(&notify, &error), rows[i].ok);
        assert_int_equal(notify.fd >= 0, rows[i].open);
        assert_int_equal(error.text[0] != '\0', !rows[i].ok);
        daemon_notify_close(&notify);
    }
}

static void test_watchdog(void **state)
{
    (void)state;
    char own_pid[16];
    snprintf(own_pid, sizeof own_pid, "%d", (int)getpid());
    const struct row {
        const char *name;
        const char *usec;
        const char *pid;
        int64_t wanted_us;
    } rows[] = {
        {"off", NULL, NULL, 0},
        {"on", "30000000", NULL, 15000000},
        {"ours", "10", own_pid, 5},
        {"another's", "10", "1", 0},
        {"no number", "1s", NULL, 0},
        {"negative", "-4", NULL, 0},
        {"huge", "99999999999999999999", NULL, 0},
    };
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        struct daemon_notify notify;
        print_message("row %s\n", rows[i].name);
        setenv("NOTIFY_SOCKET", "/run/nowhere", 1);
        if (rows[i].usec != NULL)
            setenv("WATCHDOG_USEC", rows[i].usec, 1);
        if (rows[i].pid != NULL)
            setenv("WATCHDOG_PID", rows[i].pid, 1);
        assert_true(daemon_notify_open(&notify, NULL));
        assert_int_equal(notify.watchdog_us, rows[i].wanted_us);
        assert_null(getenv("WATCHDOG_USEC"));
        assert_null(getenv("WATCHDOG_PID"));
        daemon_notify_close(&notify);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_messages, unit_dir_make, unit_dir_remove),
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_watchdog),
    };
    return cmocka_run_group_tests_name("daemon/notify", tests, NULL, NULL);
}
