// SPDX-License-Identifier: MIT
#define _GNU_SOURCE // memmem
#include "tests/nsp/fake_daemon.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct fake_daemon *fake_daemon_absent(void)
{
    struct fake_daemon *daemon = calloc(1, sizeof *daemon);
    assert_non_null(daemon);
    daemon->listener = daemon->fd = -1;
    strcpy(daemon->dir, "/tmp/pnr-nsp-XXXXXX");
    assert_non_null(mkdtemp(daemon->dir));
    snprintf(daemon->path, sizeof daemon->path, "%s/s", daemon->dir);
    snprintf(daemon->address, sizeof daemon->address, "unix:%s", daemon->path);
    return daemon;
}

struct fake_daemon *fake_daemon_start(void)
{
    struct fake_daemon *daemon = fake_daemon_absent();
    fake_daemon_listen(daemon);
    return daemon;
}

void fake_daemon_listen(struct fake_daemon *daemon)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    strcpy(addr.sun_path, daemon->path);
    (void)unlink(daemon->path);
    daemon->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(daemon->listener, (struct sockaddr *)&addr, sizeof addr), 0);
    assert_int_equal(listen(daemon->listener, 5), 0);
}

void fake_daemon_crash(struct fake_daemon *daemon)
{
    fake_daemon_hang_up(daemon);
    if (daemon->listener >= 0) {
        close(daemon->listener);
        daemon->listener = -1;
    }
}

void fake_daemon_stop(struct fake_daemon *daemon)
{
    fake_daemon_crash(daemon);
    (void)unlink(daemon->path);
    assert_int_equal(rmdir(daemon->dir), 0);
    free(daemon);
}

void fake_daemon_accept(struct fake_daemon *daemon)
{
    assert_int_equal(daemon->fd, -1);
    daemon->fd = accept(daemon->listener, NULL, NULL);
    assert_true(daemon->fd >= 0);
}

void fake_daemon_hang_up(struct fake_daemon *daemon)
{
    if (daemon->fd >= 0) {
        close(daemon->fd);
        daemon->fd = -1;
    }
}

void fake_daemon_expect_end(struct fake_daemon *daemon)
{
    char bytes[4096];
    ssize_t len;
    do {
        len = recv(daemon->fd, bytes, sizeof bytes, 0);
    } while (len > 0);
    fake_daemon_hang_up(daemon);
}

// Reads exactly len bytes. False where the client has hung up.
static bool hear_bytes(struct fake_daemon *daemon, void *buf, size_t len)
{
    return recv(daemon->fd, buf, len, MSG_WAITALL) == (ssize_t)len;
}

static void hear_frame(struct fake_daemon *daemon)
{
    uint8_t head[4];
    assert_true(hear_bytes(daemon, head, sizeof head));
    daemon->heard_len = (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    assert_true(head[0] == 0 && daemon->heard_len < sizeof daemon->heard);
    assert_true(hear_bytes(daemon, daemon->heard, daemon->heard_len));
    daemon->heard[daemon->heard_len] = '\0';
}

// Where a text stands in what was heard, binary as it may be.
static const char *find(const struct fake_daemon *daemon, const char *text)
{
    return memmem(daemon->heard, daemon->heard_len, text, strlen(text));
}

uint32_t fake_daemon_hear(struct fake_daemon *daemon)
{
    hear_frame(daemon);
    // The id stands behind the arguments: "1:ii7e1:q".
    const char *at = daemon->heard + daemon->heard_len;
    while (at > daemon->heard && strncmp(at, "1:ii", 4) != 0) {
        at--;
    }
    return (uint32_t)strtoul(at + 4, NULL, 10);
}

uint32_t fake_daemon_expect(struct fake_daemon *daemon, const char *word)
{
    char request[64];
    uint32_t id = fake_daemon_hear(daemon);
    snprintf(request, sizeof request, "1:q%zu:%se", strlen(word), word);
    if (find(daemon, request) == NULL) {
        fail_msg("not %s but %s", word, daemon->heard);
    }
    return id;
}

void fake_daemon_say(struct fake_daemon *daemon, const void *data, size_t len)
{
    assert_int_equal(send(daemon->fd, data, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void say_body(struct fake_daemon *daemon, const char *body, size_t len)
{
    uint8_t head[4] = {0, (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len};
    fake_daemon_say(daemon, head, sizeof head);
    fake_daemon_say(daemon, body, len);
}

void fake_daemon_greet(struct fake_daemon *daemon)
{
    static const char welcome[] = "d6:access7:control4:nodei0e7:versioni1ee";
    hear_frame(daemon);
    say_body(daemon, welcome, sizeof welcome - 1);
}

void fake_daemon_answer(struct fake_daemon *daemon, uint32_t id, const char *kind,
                        const char *fields)
{
    char body[4096];
    int len = snprintf(body, sizeof body, "d1:ii%ue1:o%zu:%s1:r%se", (unsigned)id, strlen(kind),
                       kind, fields);
    assert_true(len > 0 && (size_t)len < sizeof body);
    say_body(daemon, body, (size_t)len);
}
