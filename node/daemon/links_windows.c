// SPDX-License-Identifier: MIT
#include "node/daemon/links.h"

#include "node/daemon/wake.h"
#include "node/daemon/wide_windows.h"

#include <stdlib.h>
#include <string.h>

// clang-format off
#include <winsock2.h>
#include <ws2tcpip.h>
#include <iphlpapi.h>
// clang-format on

#include <netioapi.h>

#define LIST_BYTES 16384 // to begin with
#define LIST_TRIES 3     // it may grow between two calls

// ---- the list ----

static IP_ADAPTER_ADDRESSES *read_adapters(void)
{
    ULONG bytes = LIST_BYTES;
    for (int i = 0; i < LIST_TRIES; i++) {
        IP_ADAPTER_ADDRESSES *list = malloc(bytes);
        if (list == NULL)
            return NULL;
        ULONG error = GetAdaptersAddresses(
            AF_UNSPEC, GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST | GAA_FLAG_SKIP_DNS_SERVER,
            NULL, list, &bytes);
        if (error == ERROR_SUCCESS)
            return list;
        free(list);
        if (error != ERROR_BUFFER_OVERFLOW)
            return NULL;
    }
    return NULL;
}

size_t daemon_links_list(struct daemon_links_one ret_links[DAEMON_LINKS_MAX])
{
    IP_ADAPTER_ADDRESSES *list = read_adapters();
    size_t count = 0;
    for (const IP_ADAPTER_ADDRESSES *at = list; at != NULL && count < DAEMON_LINKS_MAX;
         at = at->Next) {
        if (at->IfType == IF_TYPE_SOFTWARE_LOOPBACK || at->NoMulticast)
            continue;
        struct daemon_links_one *one = &ret_links[count++];
        memset(one, 0, sizeof *one);
        one->link.index = at->IfIndex != 0 ? at->IfIndex : at->Ipv6IfIndex;
        // People's names of adapters are long, and not unique when cut.
        snprintf(one->link.name, sizeof one->link.name, "if%u", (unsigned)one->link.index);
        one->is_up = at->OperStatus == IfOperStatusUp;
        for (const IP_ADAPTER_UNICAST_ADDRESS *address = at->FirstUnicastAddress; address != NULL;
             address = address->Next)
            daemon_links_note(one, address->Address.lpSockaddr);
    }
    free(list);
    return count;
}

// ---- changes ----

struct daemon_links {
    int wake_fds[2]; // rung by a thread of the system's
    HANDLE interfaces;
    HANDLE addresses;
    struct event *event;
    void (*changed)(void *ctx);
    void *ctx;
};

static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
    struct daemon_links *links = ctx;
    (void)what;
    daemon_wake_hush((int)fd);
    links->changed(links->ctx);
}

static void WINAPI on_interface(void *ctx, MIB_IPINTERFACE_ROW *row, MIB_NOTIFICATION_TYPE type)
{
    struct daemon_links *links = ctx;
    (void)row;
    (void)type;
    daemon_wake_ring(links->wake_fds[1]);
}

static void WINAPI on_address(void *ctx, MIB_UNICASTIPADDRESS_ROW *row, MIB_NOTIFICATION_TYPE type)
{
    struct daemon_links *links = ctx;
    (void)row;
    (void)type;
    daemon_wake_ring(links->wake_fds[1]);
}

struct daemon_links *daemon_links_new(struct daemon_loop *loop, void (*changed)(void *ctx),
                                      void *ctx)
{
    struct daemon_links *links = calloc(1, sizeof *links);
    if (links == NULL || !daemon_wake_open(links->wake_fds)) {
        free(links);
        return NULL;
    }
    links->changed = changed;
    links->ctx = ctx;
    links->event =
        event_new(daemon_loop_base(loop), links->wake_fds[0], EV_READ | EV_PERSIST, on_wake, links);
    if (links->event != NULL && event_add(links->event, NULL) == 0 &&
        NotifyIpInterfaceChange(AF_UNSPEC, on_interface, links, FALSE, &links->interfaces) ==
            NO_ERROR &&
        NotifyUnicastIpAddressChange(AF_UNSPEC, on_address, links, FALSE, &links->addresses) ==
            NO_ERROR)
        return links;
    daemon_links_free(links);
    return NULL;
}

void daemon_links_free(struct daemon_links *links)
{
    if (links == NULL)
        return;
    // Each waits for a call that is under way.
    if (links->interfaces != NULL)
        CancelMibChangeNotify2(links->interfaces);
    if (links->addresses != NULL)
        CancelMibChangeNotify2(links->addresses);
    if (links->event != NULL)
        event_free(links->event);
    daemon_wake_close(links->wake_fds[0]);
    daemon_wake_close(links->wake_fds[1]);
    free(links);
}
