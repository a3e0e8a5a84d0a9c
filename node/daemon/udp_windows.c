// SPDX-License-Identifier: MIT
#include "node/daemon/udp.h"

#include "dht/addr.h"
#include "node/daemon/socket_addr.h"
#include "node/daemon/wide_windows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// clang-format off
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
// clang-format on

#ifndef SIO_UDP_CONNRESET
#define SIO_UDP_CONNRESET _WSAIOW(IOC_VENDOR, 12)
#endif
#ifndef SIO_UDP_NETRESET
#define SIO_UDP_NETRESET _WSAIOW(IOC_VENDOR, 15)
#endif

struct daemon_udp {
    SOCKET socket;
    uint8_t ip_len;    // of its family
    uint32_t scope_id; // of an interface's socket; 0: of any
    struct dht_addr addr;
    size_t receive_buffer_bytes;
    size_t send_buffer_bytes;
    struct daemon_udp_counters counters;
    struct dht_datagram received[DAEMON_UDP_BATCH];
    uint8_t buffer[DAEMON_UDP_BATCH][DAEMON_UDP_DATAGRAM_MAX];
};

// ---- addresses ----

// The address that a socket is bound to.
static bool own_addr(SOCKET socket, struct dht_addr *ret_addr)
{
    struct daemon_socket_addr addr;
    int len = sizeof addr;
    if (getsockname(socket, (struct sockaddr *)&addr, &len) != 0)
        return false;
    return daemon_socket_addr_get(&addr, ret_addr);
}

// ---- opening ----

// Asks for a buffer of that size. Returns what was granted.
static size_t set_buffer(SOCKET socket, int option, size_t bytes)
{
    int wanted = bytes > INT32_MAX / 2 ? INT32_MAX / 2 : (int)bytes;
    int granted = 0;
    int len = sizeof granted;
    (void)setsockopt(socket, SOL_SOCKET, option, (const char *)&wanted, sizeof wanted);
    if (getsockopt(socket, SOL_SOCKET, option, (char *)&granted, &len) != 0 || granted < 0)
        return 0;
    return (size_t)granted;
}

static bool set_number(SOCKET socket, int level, int option, DWORD number)
{
    return setsockopt(socket, level, option, (const char *)&number, sizeof number) == 0;
}

static bool set_options(struct daemon_udp *udp, bool is_shared, size_t buffer_bytes)
{
    u_long nonblocking = 1;
    DWORD off = FALSE;
    DWORD len = 0;
    SetHandleInformation((HANDLE)udp->socket, HANDLE_FLAG_INHERIT, 0);
    udp->receive_buffer_bytes = set_buffer(udp->socket, SO_RCVBUF, buffer_bytes);
    udp->send_buffer_bytes = set_buffer(udp->socket, SO_SNDBUF, buffer_bytes);
    // An ICMP error would come as WSAECONNRESET of the next recvfrom() and not say whom it is
    // about, so it is of no use: switched off, and passed over where it cannot be.
    (void)WSAIoctl(udp->socket, SIO_UDP_CONNRESET, &off, sizeof off, NULL, 0, &len, NULL, NULL);
    (void)WSAIoctl(udp->socket, SIO_UDP_NETRESET, &off, sizeof off, NULL, 0, &len, NULL, NULL);
    if (udp->ip_len == 16)
        (void)set_number(udp->socket, IPPROTO_IPV6, IPV6_V6ONLY, TRUE);
    // Without the one or the other, another program could take the port over.
    if (!set_number(udp->socket, SOL_SOCKET, is_shared ? SO_REUSEADDR : SO_EXCLUSIVEADDRUSE, TRUE))
        return false;
    return ioctlsocket(udp->socket, FIONBIO, &nonblocking) == 0;
}

static void report_open(const struct dht_addr *addr, struct daemon_error *ret_error)
{
    char text[DHT_ADDR_TEXT_MAX];
    char reason[DAEMON_WIDE_REASON_MAX];
    int error = WSAGetLastError();
    const char *why = daemon_wide_reason((unsigned)error, reason);
    if (error == WSAEADDRINUSE)
        why = "the port is taken by another program; remedy: stop that one, or choose another port "
              "with listen";
    else if (error == WSAEACCES)
        why = "not allowed, or the port is taken or kept by the system; remedy: choose another "
              "port with listen";
    else if (error == WSAEADDRNOTAVAIL)
        why = "this machine has no such address; remedy: correct listen";
    else if (error == WSAEAFNOSUPPORT)
        why = "this machine has no such address family; remedy: take the address out of listen";
    dht_addr_to_text(addr, text);
    daemon_error_set(ret_error, "cannot use UDP %s: %s", text, why);
}

// Has what the socket sends by multicast go out on the interface, no further than the link, and
// come back to this machine's other programs.
static bool set_link(const struct daemon_udp *udp, const struct daemon_udp_link *link)
{
    if (udp->ip_len == 4) // the interface's index in the form of an address
        return set_number(udp->socket, IPPROTO_IP, IP_MULTICAST_IF, htonl(link->index)) &&
               set_number(udp->socket, IPPROTO_IP, IP_MULTICAST_TTL, 1) &&
               set_number(udp->socket, IPPROTO_IP, IP_MULTICAST_LOOP, TRUE);
    return set_number(udp->socket, IPPROTO_IPV6, IPV6_MULTICAST_IF, link->index) &&
           set_number(udp->socket, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1) &&
           set_number(udp->socket, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, TRUE);
}

// A group is not an address that can be bound here: its port on all addresses is.
static int bound_addr(const struct dht_addr *addr, uint32_t scope_id,
                      struct daemon_socket_addr *ret_addr)
{
    struct dht_addr at = *addr;
    bool is_group = addr->ip_len == 4 ? (addr->ip[0] & 0xf0) == 0xe0 : addr->ip[0] == 0xff;
    if (is_group)
        memset(at.ip, 0, sizeof at.ip);
    return daemon_socket_addr_put(&at, is_group ? 0 : scope_id, ret_addr);
}

struct daemon_udp *daemon_udp_open(const struct dht_addr *addr, const struct daemon_udp_link *link,
                                   size_t buffer_bytes, struct daemon_error *ret_error)
{
    assert(addr->ip_len == 4 || addr->ip_len == 16);
    struct daemon_udp *udp = calloc(1, sizeof *udp);
    if (udp == NULL) {
        daemon_error_set(ret_error, "no memory for a UDP socket");
        return NULL;
    }
    struct daemon_socket_addr bound;
    udp->ip_len = addr->ip_len;
    udp->scope_id = link != NULL ? link->index : 0;
    int bound_len = bound_addr(addr, udp->scope_id, &bound);
    udp->socket = socket(addr->ip_len == 4 ? AF_INET : AF_INET6, SOCK_DGRAM, IPPROTO_UDP);
    if (udp->socket != INVALID_SOCKET &&
        set_options(udp, link != NULL && link->is_shared, buffer_bytes) &&
        (link == NULL || set_link(udp, link)) &&
        bind(udp->socket, (struct sockaddr *)&bound, bound_len) == 0 &&
        own_addr(udp->socket, &udp->addr))
        return udp;
    report_open(addr, ret_error);
    daemon_udp_close(udp);
    return NULL;
}

void daemon_udp_close(struct daemon_udp *udp)
{
    if (udp == NULL)
        return;
    if (udp->socket != INVALID_SOCKET)
        closesocket(udp->socket);
    free(udp);
}

bool daemon_udp_join(struct daemon_udp *udp, const struct dht_addr *group, uint32_t link_index,
                     struct daemon_error *ret_why)
{
    struct ip_mreq v4;
    struct ipv6_mreq v6 = {.ipv6mr_interface = link_index};
    char reason[DAEMON_WIDE_REASON_MAX];
    int failed;
    if (group->ip_len == 4) {
        memcpy(&v4.imr_multiaddr, group->ip, 4);
        v4.imr_interface.s_addr = htonl(link_index);
        failed =
            setsockopt(udp->socket, IPPROTO_IP, IP_ADD_MEMBERSHIP, (const char *)&v4, sizeof v4);
    } else {
        memcpy(&v6.ipv6mr_multiaddr, group->ip, 16);
        failed = setsockopt(udp->socket, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, (const char *)&v6,
                            sizeof v6);
    }
    if (failed)
        daemon_error_set(ret_why, "%s", daemon_wide_reason((unsigned)WSAGetLastError(), reason));
    return !failed;
}

int daemon_udp_fd(const struct daemon_udp *udp)
{
    return (int)udp->socket;
}

void daemon_udp_info(const struct daemon_udp *udp, struct daemon_udp_info *ret_info)
{
    *ret_info = (struct daemon_udp_info){.addr = udp->addr,
                                         .receive_buffer_bytes = udp->receive_buffer_bytes,
                                         .send_buffer_bytes = udp->send_buffer_bytes,
                                         .counters = udp->counters};
}

// ---- receiving ----

// An earlier datagram's trouble, come back by ICMP although it was not wanted, or a lost network.
static bool is_news(int error)
{
    return error == WSAECONNRESET || error == WSAENETRESET || error == WSAENETUNREACH ||
           error == WSAEHOSTUNREACH || error == WSAETIMEDOUT;
}

size_t daemon_udp_receive(struct daemon_udp *udp, const struct dht_datagram **ret_datagrams)
{
    size_t kept = 0;
    // What was cut or was an error counts, so that a flood of it does not hold the loop up.
    for (size_t tries = 0; tries < DAEMON_UDP_BATCH; tries++) {
        struct daemon_socket_addr from;
        int from_len = sizeof from;
        int len = recvfrom(udp->socket, (char *)udp->buffer[kept], DAEMON_UDP_DATAGRAM_MAX, 0,
                           (struct sockaddr *)&from, &from_len);
        int error = len < 0 ? WSAGetLastError() : 0;
        udp->counters.truncated += error == WSAEMSGSIZE;
        if (error != 0 && error != WSAEMSGSIZE && !is_news(error))
            break;
        if (len < 0)
            continue;
        struct dht_datagram *datagram = &udp->received[kept];
        (void)daemon_socket_addr_get(&from, &datagram->addr);
        datagram->bytes = (struct dht_span){udp->buffer[kept++], (size_t)len};
    }
    udp->counters.receive_calls += kept;
    udp->counters.received += kept;
    *ret_datagrams = udp->received;
    return kept;
}

// ---- sending ----

size_t daemon_udp_send(struct daemon_udp *udp, const struct dht_datagram *datagrams, size_t count)
{
    size_t sent = 0;
    for (size_t i = 0; i < count; i++) {
        const struct dht_datagram *datagram = &datagrams[i];
        struct daemon_socket_addr to;
        assert(datagram->addr.ip_len == udp->ip_len);
        int to_len = daemon_socket_addr_put(&datagram->addr, udp->scope_id, &to);
        int len = sendto(udp->socket, (const char *)datagram->bytes.data, (int)datagram->bytes.len,
                         0, (struct sockaddr *)&to, to_len);
        if (len < 0 && is_news(WSAGetLastError())) // of an earlier one, perhaps
            len = sendto(udp->socket, (const char *)datagram->bytes.data, (int)datagram->bytes.len,
                         0, (struct sockaddr *)&to, to_len);
        int error = len < 0 ? WSAGetLastError() : 0;
        if (error == WSAEWOULDBLOCK || error == WSAENOBUFS) {
            udp->counters.send_full += count - i;
            break;
        }
        udp->counters.send_failed += error != 0;
        udp->counters.send_calls += error == 0;
        sent += error == 0;
    }
    udp->counters.sent += sent;
    return sent;
}

// ---- what could not be reached ----

size_t daemon_udp_unreachable(struct daemon_udp *udp, struct dht_addr *ret_addrs, size_t max)
{
    (void)udp;
    (void)ret_addrs;
    (void)max;
    return 0; // Winsock does not say who
}

bool daemon_udp_outgoing(enum dht_family family, struct dht_addr *ret_addr)
{
    // Any address of the internet will do: connecting a UDP socket only asks the routing table.
    // These are of a root name server, which will not move.
    static const struct dht_addr far_v4 = {.ip = {192, 33, 4, 12}, .port = 53, .ip_len = 4};
    static const struct dht_addr far_v6 = {
        .ip = {0x20, 0x01, 0x05, 0, 0, 2, [15] = 0x0c}, .port = 53, .ip_len = 16};
    struct daemon_socket_addr to;
    int to_len = daemon_socket_addr_put(family == DHT_IPV4 ? &far_v4 : &far_v6, 0, &to);
    struct dht_addr addr;
    SOCKET asking = socket(family == DHT_IPV4 ? AF_INET : AF_INET6, SOCK_DGRAM, IPPROTO_UDP);
    bool ok = asking != INVALID_SOCKET && connect(asking, (struct sockaddr *)&to, to_len) == 0 &&
              own_addr(asking, &addr);
    if (asking != INVALID_SOCKET)
        closesocket(asking);
    if (ok) {
        addr.port = 0;
        *ret_addr = addr;
    }
    return ok;
}
