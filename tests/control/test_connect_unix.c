// SPDX-License-Identifier: MIT
// How the client finds a daemon that listens at a Unix socket and greets it, and what the modes of
// rendezvous files tell it.
#define _DEFAULT_SOURCE
#include "tests/control/connect_helper.h"
#include "tests/control/fake_unix.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void absent_daemons_fail_at_once(void **state)
{
    (void)state;
    struct fake *fake = fake_new();
    char tcp[sizeof fake->address + 8], dead[sizeof fake->address + 32];
    snprintf(tcp, sizeof tcp, "tcp:%s/r", fake->dir);
    snprintf(dead, sizeof dead, "unix:%s/no/such/folder", fake->dir);
    check_absent(fake, fake->path);
    assert_int_equal(open_at(tcp, PNR_ACCESS_ANY), PNR_ERROR_UNREACHABLE);
    assert_int_equal(open_at(dead, PNR_ACCESS_CONTROL), PNR_ERROR_UNREACHABLE);
    assert_int_equal(open_at("", PNR_ACCESS_ANY), PNR_ERROR_USAGE);
    assert_int_equal(open_at("tcp:", PNR_ACCESS_ANY), PNR_ERROR_USAGE);
    fake_stop(fake);
}

static const struct place_row {
    const char *name;
    const char *scheme;
    const char *file; // of the fake's folder
    bool there;
} place_rows[] = {
    {"a socket", "unix:", "s", true},
    {"no socket", "unix:", "none", false},
    {"a rendezvous file", "tcp:", "file", true},
    {"only that for resolve", "tcp:", "only", true},
    {"no rendezvous file", "tcp:", "none", false},
    {"what cannot be read", "tcp:127.0.0.1:0", "", false},
};

static void places_are_looked_at_without_a_socket(void **state)
{
    (void)state;
    struct fake *fake = fake_listen_unix(5);
    for (const char *const *file = (const char *const[]){"file", "only.resolve", NULL};
         *file != NULL; file++) {
        char path[sizeof fake->dir + 32];
        snprintf(path, sizeof path, "%s/%s", fake->dir, *file);
        close(open(path, O_CREAT | O_WRONLY, 0600));
    }
    for (size_t i = 0; i < sizeof place_rows / sizeof place_rows[0]; i++) {
        const struct place_row *row = &place_rows[i];
        char address[sizeof fake->dir + 32];
        snprintf(address, sizeof address, "%s%s%s%s", row->scheme,
                 row->file[0] != '\0' ? fake->dir : "", row->file[0] != '\0' ? "/" : "", row->file);
        struct pnr_options options = {.address = address};
        if (pnr_client_has_place(&options) != row->there) {
            fail_msg("%s", row->name);
        }
    }
    struct pollfd waits = {.fd = fake->listener, .events = POLLIN};
    assert_int_equal(poll(&waits, 1, 0), 0); // nobody has come
    fake_stop(fake);
}

static void dead_sockets_are_unreachable(void **state)
{
    (void)state;
    struct fake *fake = fake_listen_unix(5);
    fake_stop_listening(fake);
    assert_int_equal(open_at(fake->path, PNR_ACCESS_ANY), PNR_ERROR_UNREACHABLE);
    fake_stop(fake);
}

static const struct greeting_row {
    const char *name;
    const char *answer; // with its length
    size_t len;
    enum pnr_access wanted;
    enum pnr_error error;
} greeting_rows[] = {
    {"control",
     "\0\0\0\x28"
     "d6:access7:control4:nodei0e7:versioni1ee",
     44, PNR_ACCESS_CONTROL, PNR_OK},
    {"less than wanted",
     "\0\0\0\x28"
     "d6:access7:resolve4:nodei0e7:versioni1ee",
     44, PNR_ACCESS_CONTROL, PNR_ERROR_REFUSED},
    {"whatever there is",
     "\0\0\0\x28"
     "d6:access7:resolve4:nodei0e7:versioni1ee",
     44, PNR_ACCESS_ANY, PNR_OK},
    {"length too small",
     "\0\0\0\x0d"
     "d4:codei3e4:text4:nopee",
     17, PNR_ACCESS_ANY, PNR_ERROR_PROTOCOL},
    {"refused",
     "\0\0\0\x17"
     "d4:codei3e4:text4:nopee",
     27, PNR_ACCESS_ANY, PNR_ERROR_NOT_FOUND},
    {"garbage", "hello there, who are you?", 25, PNR_ACCESS_ANY, PNR_ERROR_PROTOCOL},
    {"hangs up", "", 0, PNR_ACCESS_ANY, PNR_ERROR_UNREACHABLE},
    {"dies in the welcome",
     "\0\0\0\x28"
     "d6:acc",
     10, PNR_ACCESS_ANY, PNR_ERROR_UNREACHABLE},
};

// What is answered to the hello; requests made before it wait, and end with the connection.
static void greetings(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof greeting_rows / sizeof *greeting_rows; i++) {
        const struct greeting_row *row = &greeting_rows[i];
        struct fake *fake = fake_listen_unix(5);
        struct pnr_options options = {.address = fake->path, .access = row->wanted};
        struct pnr_event event;
        uint32_t request = 0;
        assert_int_equal(pnr_client_new(&options, 60000, &fake->client), PNR_OK);
        assert_int_equal(pnr_status(fake->client, &request), PNR_OK);
        assert_false(pnr_client_ready(fake->client));
        fake_accept(fake);
        fake_hears(fake, "d4:nodei0e7:versioni1ee");
        fake_say(fake, row->answer, row->len);
        if (row->error == PNR_OK) {
            assert_int_equal(pnr_client_wait_ready(fake->client), PNR_OK);
            fake_hears(fake, "d1:ade1:ii1e1:q6:statuse");
        } else {
            fake_hang_up(fake);
            enum pnr_error error = pnr_client_wait_ready(fake->client);
            if (error != row->error) {
                fail_msg("%s: %d", row->name, (int)error);
            }
            assert_int_equal(pnr_client_finish(fake->client, request, -1, &event), row->error);
        }
        fake_stop(fake);
    }
}

// A daemon that has stopped reading, but not writing, ends the connection and raises no signal.
static void deaf_daemons_end_it(void **state)
{
    (void)state;
    struct fake *fake = fake_listen_unix(5);
    struct pnr_options options = {.address = fake->path};
    struct pnr_event event;
    uint32_t first = 0, second = 0;
    assert_int_equal(pnr_client_new(&options, 60000, &fake->client), PNR_OK);
    fake_accept(fake);
    fake_hears(fake, "d4:nodei0e7:versioni1ee");
    fake_welcome(fake, "control");
    assert_int_equal(pnr_status(fake->client, &first), PNR_OK);
    fake_hear(fake);
    fake_answer(fake, first, "done", "de");
    assert_int_equal(shutdown(fake->fd, SHUT_RD), 0);
    assert_int_equal(pnr_status(fake->client, &second), PNR_OK);
    assert_int_equal(pnr_client_wait(fake->client, first, -1, &event), PNR_OK);
    assert_int_equal(event.type, PNR_EVENT_DONE);
    assert_int_equal(pnr_client_wait(fake->client, second, -1, &event), PNR_OK);
    assert_int_equal(event.error, PNR_ERROR_UNREACHABLE);
    fake_stop(fake);
}

static void hung_daemons_time_out(void **state)
{
    (void)state;
    struct fake *fake = fake_listen_unix(5);
    check_hung(fake, fake->path);
    fake_stop(fake);
}

// The resolve socket lies beside, and is used where there is none for control, or none is wanted.
static void falls_back_to_resolve(void **state)
{
    (void)state;
    static const enum pnr_access accesses[] = {PNR_ACCESS_ANY, PNR_ACCESS_RESOLVE};
    for (size_t i = 0; i < 2; i++) {
        struct fake *fake = fake_listen_unix(5);
        char beside[sizeof fake->path + 16];
        snprintf(beside, sizeof beside, "%s.resolve", fake->path);
        assert_int_equal(rename(fake->path, beside), 0);
        struct pnr_options options = {.address = fake->path, .access = accesses[i]};
        assert_int_equal(pnr_client_new(&options, 60000, &fake->client), PNR_OK);
        fake_accept(fake);
        fake_hear(fake);
        fake_welcome(fake, "resolve");
        assert_int_equal(pnr_client_wait_ready(fake->client), PNR_OK);
        assert_int_equal(pnr_client_access(fake->client), PNR_ACCESS_RESOLVE);
        assert_int_equal(open_at(fake->path, PNR_ACCESS_CONTROL), PNR_ERROR_UNREACHABLE);
        fake_stop(fake);
    }
}

// A listener whose queue is full is tried again.
static void busy_listeners_are_tried_again(void **state)
{
    (void)state;
    struct fake *fake = fake_listen_unix(0);
    struct pnr_options options = {.address = fake->path, .access = PNR_ACCESS_CONTROL};
    struct pnr_client *first = NULL;
    assert_int_equal(pnr_client_new(&options, 60000, &first), PNR_OK);
    assert_int_equal(pnr_client_new(&options, 60000, &fake->client), PNR_OK);
    assert_int_not_equal(pnr_client_fd(first), -1);
    assert_int_equal(pnr_client_fd(fake->client), -1);
    assert_int_equal(pnr_client_error(fake->client), PNR_OK);
    fake_accept(fake);
    pnr_client_close(first);
    close(fake->fd);
    while (pnr_client_fd(fake->client) == -1) {
        fake_idle(fake);
        assert_int_equal(pnr_client_process(fake->client), PNR_OK);
    }
    fake_accept(fake);
    fake_hear(fake);
    fake_welcome(fake, "control");
    assert_int_equal(pnr_client_wait_ready(fake->client), PNR_OK);
    fake_stop(fake);
}

// ---- rendezvous files ----

static void write_rendezvous(struct fake *fake, mode_t mode)
{
    struct control_rendezvous rendezvous = {.access = CONTROL_ACCESS_CONTROL, .port = 9};
    fake_write_rendezvous(fake, &rendezvous);
    assert_int_equal(chmod(fake->path, mode), 0);
}

static void bad_rendezvous_files(void **state)
{
    (void)state;
    struct fake *fake = fake_new();
    write_rendezvous(fake, 0666);
    assert_int_equal(open_at(fake->address, PNR_ACCESS_ANY), PNR_ERROR_REFUSED);
    write_rendezvous(fake, 0644);
    assert_int_equal(open_at(fake->address, PNR_ACCESS_ANY), PNR_ERROR_REFUSED);
    assert_int_equal(unlink(fake->path), 0);
    assert_int_equal(mkfifo(fake->path, 0600), 0);
    assert_int_equal(open_at(fake->address, PNR_ACCESS_ANY), PNR_ERROR_UNREACHABLE);
    fake_stop(fake);
}

// ---- the blocking way, with a daemon in a thread ----

static void *serve_one(void *ctx)
{
    struct fake *fake = ctx;
    static const char welcome[] = "\0\0\0\x28"
                                  "d6:access7:control4:nodei0e7:versioni1ee";
    static const char answers[] = "\0\0\0\x1e"
                                  "d1:ii1e1:o6:result1:rd1:xi1eee"
                                  "\0\0\0\x16"
                                  "d1:ii1e1:o4:done1:rdee";
    uint8_t buf[512];
    int fd = accept(fake->listener, NULL, NULL);
    bool ok = fd >= 0 && recv(fd, buf, 27, MSG_WAITALL) == 27 &&
              send(fd, welcome, sizeof welcome - 1, MSG_NOSIGNAL) > 0 &&
              recv(fd, buf, 28, MSG_WAITALL) == 28 &&
              send(fd, answers, sizeof answers - 1, MSG_NOSIGNAL) > 0 &&
              recv(fd, buf, sizeof buf, MSG_WAITALL) == 0; // until the client hangs up
    close(fd);
    return ok ? fake : NULL;
}

static void blocks_until_answered(void **state)
{
    (void)state;
    struct fake *fake = fake_listen_unix(5);
    struct pnr_options options = {.address = fake->path, .node = 0};
    struct pnr_event event;
    pthread_t thread;
    void *served = NULL;
    uint32_t request = 0;
    assert_int_equal(pthread_create(&thread, NULL, serve_one, fake), 0);
    assert_int_equal(pnr_client_open(&options, 60000, &fake->client), PNR_OK);
    assert_int_equal(pnr_status(fake->client, &request), PNR_OK);
    assert_int_equal(pnr_client_finish(fake->client, request, 60000, &event), PNR_OK);
    assert_int_equal(event.type, PNR_EVENT_DONE);
    pnr_client_close(fake->client);
    fake->client = NULL;
    assert_int_equal(pthread_join(thread, &served), 0);
    assert_non_null(served);
    fake_stop(fake);
}

static void default_address_is_the_environments(void **state)
{
    (void)state;
    struct fake *fake = fake_listen_unix(5);
    assert_int_equal(setenv("PNR_CONTROL", fake->path, 1), 0);
    assert_int_equal(pnr_client_new(NULL, 60000, &fake->client), PNR_OK);
    fake_accept(fake);
    fake_hears(fake, "d4:nodei0e7:versioni1ee");
    assert_int_equal(unsetenv("PNR_CONTROL"), 0);
    fake_stop(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_daemons_fail_at_once),
        cmocka_unit_test(places_are_looked_at_without_a_socket),
        cmocka_unit_test(dead_sockets_are_unreachable),
        cmocka_unit_test(greetings),
        cmocka_unit_test(deaf_daemons_end_it),
        cmocka_unit_test(hung_daemons_time_out),
        cmocka_unit_test(falls_back_to_resolve),
        cmocka_unit_test(busy_listeners_are_tried_again),
        cmocka_unit_test(bad_rendezvous_files),
        cmocka_unit_test(blocks_until_answered),
        cmocka_unit_test(default_address_is_the_environments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
