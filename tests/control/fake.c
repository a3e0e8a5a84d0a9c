// SPDX-License-Identifier: MIT
#define _DEFAULT_SOURCE
#include "tests/control/fake.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct fake *fake_listen(int backlog)
{
    struct fake *fake = calloc(1, sizeof *fake);
    assert_non_null(fake);
    fake->listener = fake->fd = -1;
    strcpy(fake->dir, "/tmp/pnr-control-XXXXXX");
    assert_non_null(mkdtemp(fake->dir));
    snprintf(fake->path, sizeof fake->path, "%s/s", fake->dir);
    if (backlog >= 0) {
        struct sockaddr_un addr = {.sun_family = AF_UNIX};
        strcpy(addr.sun_path, fake->path);
        fake->listener = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_int_equal(bind(fake->listener, (struct sockaddr *)&addr, sizeof addr), 0);
        assert_int_equal(listen(fake->listener, backlog), 0);
    }
    return fake;
}

struct fake *fake_start(void)
{
    struct fake *fake = fake_listen(5);
    struct pnr_options options = {.address = fake->path};
    assert_int_equal(pnr_client_new(&options, 60000, &fake->client), PNR_OK);
    fake_accept(fake);
    fake_hears(fake, "d4:nodei0e7:versioni1ee");
    fake_welcome(fake, "control");
    assert_int_equal(pnr_client_wait_ready(fake->client), PNR_OK);
    return fake;
}

void fake_stop(struct fake *fake)
{
    char command[64];
    pnr_client_close(fake->client);
    fake_hang_up(fake);
    if (fake->listener >= 0) {
        close(fake->listener);
    }
    snprintf(command, sizeof command, "rm -r %s", fake->dir);
    assert_int_equal(system(command), 0);
    free(fake);
}

void fake_accept(struct fake *fake)
{
    fake->fd = accept(fake->listener, NULL, NULL);
    assert_true(fake->fd >= 0);
}

void fake_hang_up(struct fake *fake)
{
    if (fake->fd >= 0) {
        close(fake->fd);
        fake->fd = -1;
    }
}

void fake_say(struct fake *fake, const void *data, size_t len)
{
    assert_int_equal(send(fake->fd, data, len, MSG_NOSIGNAL), (ssize_t)len);
}

// Says a body with its length before it.
static void say_body(struct fake *fake, const char *body, size_t len)
{
    uint8_t head[4] = {0, (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len};
    fake_say(fake, head, sizeof head);
    fake_say(fake, body, len);
}

void fake_answer(struct fake *fake, uint32_t id, const char *kind, const char *fields)
{
    char body[8192];
    int len = snprintf(body, sizeof body, "d1:ii%ue1:o%zu:%s1:r%se", (unsigned)id, strlen(kind),
                       kind, fields);
    assert_true(len > 0 && (size_t)len < sizeof body);
    say_body(fake, body, (size_t)len);
}

void fake_welcome(struct fake *fake, const char *access)
{
    char body[128];
    int len = snprintf(body, sizeof body, "d6:access%zu:%s4:nodei0e7:versioni1ee", strlen(access),
                       access);
    say_body(fake, body, (size_t)len);
}

// Reads exactly len bytes, letting the client write as long as they are not there.
static void hear_bytes(struct fake *fake, uint8_t *buf, size_t len)
{
    size_t at = 0;
    while (at < len) {
        struct pollfd wanted = {.fd = fake->fd, .events = POLLIN};
        if (poll(&wanted, 1, 0) == 0) {
            (void)pnr_client_process(fake->client);
        }
        ssize_t part = recv(fake->fd, buf + at, len - at, 0);
        assert_true(part > 0);
        at += (size_t)part;
    }
}

void fake_hear(struct fake *fake)
{
    uint8_t head[4];
    hear_bytes(fake, head, sizeof head);
    fake->heard_len = (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    assert_int_equal(head[0], 0);
    assert_true(fake->heard_len <= sizeof fake->heard);
    hear_bytes(fake, fake->heard, fake->heard_len);
}

void fake_hears(struct fake *fake, const char *body)
{
    fake_hear(fake);
    if (fake->heard_len != strlen(body) || memcmp(fake->heard, body, fake->heard_len) != 0) {
        fail_msg("heard %.*s\ninstead of %s", (int)fake->heard_len, (const char *)fake->heard,
                 body);
    }
}
