// SPDX-License-Identifier: MIT
#include "node/daemon/listener.h"

#include "node/control/secret.h"
#include "node/daemon/log.h"
#include "node/daemon/random.h"
#include "node/daemon/stream.h"

#include <stdlib.h>

#define ACCEPTS_PER_TURN 32
#define REST_US          1000000 // where there are no descriptors

struct door {
    struct daemon_listener *listener;
    const struct daemon_place *place;
    int fd;
    struct event *event;
    enum control_access granted; // of a Unix socket
};

struct daemon_listener {
    struct daemon_loop *loop;
    struct daemon_session_set *sessions;
    struct daemon_listener_options options;
    struct daemon_place places[DAEMON_LISTENER_PLACES_MAX];
    size_t place_count;
    struct door doors[2 * DAEMON_LISTENER_PLACES_MAX];
    size_t door_count;
    struct daemon_loop_alarm rest;
};

static void on_rest_over(struct daemon_loop_alarm *alarm)
{
    struct daemon_listener *listener = alarm->ctx;
    for (size_t i = 0; i < listener->door_count; i++)
        event_add(listener->doors[i].event, NULL);
}

// The kernel would call us over and over for a client that cannot be accepted.
static void take_a_rest(struct daemon_listener *listener, const struct daemon_error *why)
{
    daemon_log(DAEMON_LOG_WARN, "clients have to wait why=\"%s\"", why->text);
    for (size_t i = 0; i < listener->door_count; i++)
        event_del(listener->doors[i].event);
    daemon_loop_set(listener->loop, &listener->rest, daemon_loop_now_us(listener->loop) + REST_US);
}

static void greet(struct door *door, int fd)
{
    const struct daemon_place *place = door->place;
    struct control_handshake_server server = {.node_count = door->listener->options.node_count,
                                              .granted = door->granted};
    if (place->type == CONTROL_ADDRESS_TCP) {
        server.control_secret = place->control_secret;
        server.resolve_secret = place->resolve_secret;
        if (!daemon_random(server.nonce, sizeof server.nonce)) {
            daemon_stream_close(fd);
            return;
        }
    }
    daemon_session_add(door->listener->sessions, fd, &server);
    control_secret_wipe(server.nonce, sizeof server.nonce);
}

static void on_client(evutil_socket_t fd, short what, void *ctx)
{
    struct door *door = ctx;
    (void)what;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        int client;
        struct daemon_error why;
        enum daemon_stream_accepted accepted = daemon_stream_accept((int)fd, &client, &why);
        if (accepted == DAEMON_STREAM_ACCEPTED)
            greet(door, client);
        if (accepted == DAEMON_STREAM_EXHAUSTED)
            take_a_rest(door->listener, &why);
        if (accepted == DAEMON_STREAM_EXHAUSTED || accepted == DAEMON_STREAM_NOBODY)
            return;
    }
}

static bool open_door(struct daemon_listener *listener, const struct daemon_place *place, int fd,
                      enum control_access granted)
{
    struct door *door = &listener->doors[listener->door_count];
    *door = (struct door){.listener = listener, .place = place, .fd = fd, .granted = granted};
    door->event =
        event_new(daemon_loop_base(listener->loop), fd, EV_READ | EV_PERSIST, on_client, door);
    if (door->event == NULL)
        return false;
    listener->door_count++;
    return event_add(door->event, NULL) == 0;
}

struct daemon_listener *daemon_listener_new(struct daemon_loop *loop,
                                            struct daemon_session_set *sessions,
                                            const struct daemon_listener_options *options)
{
    struct daemon_listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL)
        return NULL;
    listener->loop = loop;
    listener->sessions = sessions;
    listener->options = *options;
    listener->rest = (struct daemon_loop_alarm){.ring = on_rest_over, .ctx = listener};
    return listener;
}

void daemon_listener_free(struct daemon_listener *listener)
{
    if (listener == NULL)
        return;
    daemon_loop_set(listener->loop, &listener->rest, INT64_MAX);
    for (size_t i = 0; i < listener->door_count; i++)
        event_free(listener->doors[i].event);
    for (size_t i = 0; i < listener->place_count; i++)
        daemon_place_close(&listener->places[i]);
    free(listener);
}

bool daemon_listener_add(struct daemon_listener *listener, const struct control_address *address,
                         struct daemon_error *ret_error)
{
    if (listener->place_count == DAEMON_LISTENER_PLACES_MAX) {
        daemon_error_set(ret_error, "more than %d control addresses", DAEMON_LISTENER_PLACES_MAX);
        return false;
    }
    struct daemon_place *place = &listener->places[listener->place_count];
    if (!daemon_place_open(address, listener->options.group, place, ret_error))
        return false;
    listener->place_count++; // from here on daemon_listener_free() cleans up
    bool is_tcp = place->type == CONTROL_ADDRESS_TCP;
    if (is_tcp)
        daemon_log(DAEMON_LOG_INFO, "control tcp=127.0.0.1:%u file=%s", place->port,
                   place->control_file.path);
    bool ok = open_door(listener, place, place->control_fd,
                        is_tcp ? CONTROL_ACCESS_NONE : CONTROL_ACCESS_CONTROL);
    if (ok && !is_tcp)
        ok = open_door(listener, place, place->resolve_fd, CONTROL_ACCESS_RESOLVE);
    if (!ok)
        daemon_error_set(ret_error, "no memory for a control address");
    return ok;
}
