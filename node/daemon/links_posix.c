// SPDX-License-Identifier: MIT
#include "node/daemon/links.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#endif

// ---- the list ----

static struct daemon_links_one *find_or_add(struct daemon_links_one *links, size_t *count,
                                            const char *name)
{
    for (size_t i = 0; i < *count; i++) {
        if (strcmp(links[i].link.name, name) == 0)
            return &links[i];
    }
    if (*count == DAEMON_LINKS_MAX || strlen(name) >= sizeof links->link.name)
        return NULL;
    struct daemon_links_one *one = &links[(*count)++];
    memset(one, 0, sizeof *one);
    memcpy(one->link.name, name, strlen(name));
    one->link.index = if_nametoindex(name);
    return one;
}

size_t daemon_links_list(struct daemon_links_one ret_links[DAEMON_LINKS_MAX])
{
    struct ifaddrs *list;
    size_t count = 0;
    if (getifaddrs(&list) != 0)
        return 0;
    for (const struct ifaddrs *at = list; at != NULL; at = at->ifa_next) {
        if ((at->ifa_flags & IFF_LOOPBACK) != 0 || (at->ifa_flags & IFF_MULTICAST) == 0)
            continue;
        struct daemon_links_one *one = find_or_add(ret_links, &count, at->ifa_name);
        if (one == NULL)
            continue;
        one->is_up = (at->ifa_flags & IFF_UP) != 0 && (at->ifa_flags & IFF_RUNNING) != 0;
        if (at->ifa_addr != NULL)
            daemon_links_note(one, at->ifa_addr);
    }
    freeifaddrs(list);
    return count;
}

// ---- changes ----

struct daemon_links {
    int fd;
    struct event *event;
    void (*changed)(void *ctx);
    void *ctx;
};

#ifdef __linux__

// What it says is not looked at: the list is read again.
static void on_netlink(evutil_socket_t fd, short what, void *ctx)
{
    struct daemon_links *links = ctx;
    uint8_t buf[8192];
    (void)what;
    for (int i = 0; i < 64 && recv(fd, buf, sizeof buf, 0) > 0; i++)
        continue;
    links->changed(links->ctx);
}

static int open_netlink(void)
{
    struct sockaddr_nl addr = {.nl_family = AF_NETLINK,
                               .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&addr, sizeof addr) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

#else

static void on_netlink(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    (void)ctx;
}

static int open_netlink(void)
{
    return -1;
}

#endif

struct daemon_links *daemon_links_new(struct daemon_loop *loop, void (*changed)(void *ctx),
                                      void *ctx)
{
    struct daemon_links *links = calloc(1, sizeof *links);
    if (links == NULL)
        return NULL;
    links->changed = changed;
    links->ctx = ctx;
    links->fd = open_netlink();
    if (links->fd >= 0)
        links->event =
            event_new(daemon_loop_base(loop), links->fd, EV_READ | EV_PERSIST, on_netlink, links);
    if (links->event == NULL || event_add(links->event, NULL) != 0) {
        daemon_links_free(links);
        return NULL;
    }
    return links;
}

void daemon_links_free(struct daemon_links *links)
{
    if (links == NULL)
        return;
    if (links->event != NULL)
        event_free(links->event);
    if (links->fd >= 0)
        close(links->fd);
    free(links);
}
