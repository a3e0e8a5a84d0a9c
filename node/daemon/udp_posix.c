// SPDX-License-Identifier: MIT
#include "node/daemon/udp.h"

#include "dht/addr.h"
#include "node/daemon/socket_addr.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#endif

#ifdef PNR_HAVE_MMSG
#define message mmsghdr
#else
struct message {
    struct msghdr msg_hdr;
    unsigned msg_len;
};
#endif

struct daemon_udp {
    int fd;
    uint8_t ip_len;    // of its family
    uint32_t scope_id; // of an interface's socket; 0: of any
    bool has_errors;   // the error queue may hold something
    struct dht_addr addr;
    size_t receive_buffer_bytes;
    size_t send_buffer_bytes;
    struct daemon_udp_counters counters;
    struct message messages[DAEMON_UDP_BATCH]; // for either direction
    struct iovec parts[DAEMON_UDP_BATCH];
    struct daemon_socket_addr addrs[DAEMON_UDP_BATCH];
    struct dht_datagram received[DAEMON_UDP_BATCH];
    uint8_t buffer[DAEMON_UDP_BATCH][DAEMON_UDP_DATAGRAM_MAX];
};

// ---- addresses ----

// The address that a socket is bound to.
static bool own_addr(int fd, struct dht_addr *ret_addr)
{
    struct daemon_socket_addr addr;
    socklen_t len = sizeof addr;
    if (getsockname(fd, (struct sockaddr *)&addr, &len) != 0)
        return false;
    return daemon_socket_addr_get(&addr, ret_addr);
}

// ---- opening ----

// Asks for a buffer of that size: first past the system's limit, which root may, then within it.
// Returns what was granted.
static size_t set_buffer(int fd, int forced_option, int option, size_t bytes)
{
    int wanted = bytes > INT32_MAX / 2 ? INT32_MAX / 2 : (int)bytes;
    int granted = 0;
    socklen_t len = sizeof granted;
    if (forced_option < 0 || setsockopt(fd, SOL_SOCKET, forced_option, &wanted, sizeof wanted) != 0)
        setsockopt(fd, SOL_SOCKET, option, &wanted, sizeof wanted);
    if (getsockopt(fd, SOL_SOCKET, option, &granted, &len) != 0 || granted < 0)
        return 0;
#ifdef __linux__
    granted /= 2; // Linux doubles it for its own needs, and tells the double
#endif
    return (size_t)granted;
}

static void set_options(struct daemon_udp *udp, size_t buffer_bytes)
{
    int on = 1;
#ifdef __linux__
    udp->receive_buffer_bytes = set_buffer(udp->fd, SO_RCVBUFFORCE, SO_RCVBUF, buffer_bytes);
    udp->send_buffer_bytes = set_buffer(udp->fd, SO_SNDBUFFORCE, SO_SNDBUF, buffer_bytes);
    // Asks for ICMP errors with the address they are about.
    if (udp->ip_len == 4)
        setsockopt(udp->fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
    else
        setsockopt(udp->fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
#else
    udp->receive_buffer_bytes = set_buffer(udp->fd, -1, SO_RCVBUF, buffer_bytes);
    udp->send_buffer_bytes = set_buffer(udp->fd, -1, SO_SNDBUF, buffer_bytes);
#endif
    if (udp->ip_len == 16)
        setsockopt(udp->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
}

static void report_open(const struct dht_addr *addr, struct daemon_error *ret_error)
{
    char text[DHT_ADDR_TEXT_MAX];
    const char *why = strerror(errno);
    if (errno == EADDRINUSE)
        why = "the port is taken by another program; remedy: stop that one, or choose another port "
              "with listen";
    else if (errno == EACCES)
        why = "not allowed; remedy: choose a port from 1024 up with listen";
    else if (errno == EADDRNOTAVAIL)
        why = "this machine has no such address; remedy: correct listen";
    else if (errno == EAFNOSUPPORT)
        why = "this machine has no such address family; remedy: take the address out of listen";
    dht_addr_to_text(addr, text);
    daemon_error_set(ret_error, "cannot use UDP %s: %s", text, why);
}

// Binds the socket to the interface, for what comes in and for what goes out. False with errno.
static bool set_link(const struct daemon_udp *udp, const struct daemon_udp_link *link)
{
    int one = 1; // hop: a router does not pass it on; and: this machine's other programs hear it
    int index = (int)link->index;
    struct ip_mreqn out = {.imr_ifindex = index};
    if (link->is_shared && setsockopt(udp->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0)
        return false;
#ifdef SO_BINDTODEVICE
    if (setsockopt(udp->fd, SOL_SOCKET, SO_BINDTODEVICE, link->name, strlen(link->name)) != 0)
        return false;
#endif
    if (udp->ip_len == 4)
        return setsockopt(udp->fd, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof out) == 0 &&
               setsockopt(udp->fd, IPPROTO_IP, IP_MULTICAST_TTL, &one, sizeof one) == 0 &&
               setsockopt(udp->fd, IPPROTO_IP, IP_MULTICAST_LOOP, &one, sizeof one) == 0;
    return setsockopt(udp->fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof index) == 0 &&
           setsockopt(udp->fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &one, sizeof one) == 0 &&
           setsockopt(udp->fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, &one, sizeof one) == 0;
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
    udp->scope_id = link != NULL ? link->index : 0;
    socklen_t bound_len = (socklen_t)daemon_socket_addr_put(addr, udp->scope_id, &bound);
    udp->ip_len = addr->ip_len;
    udp->fd = socket(addr->ip_len == 4 ? AF_INET : AF_INET6,
                     SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (udp->fd >= 0) {
        set_options(udp, buffer_bytes);
        if ((link == NULL || set_link(udp, link)) &&
            bind(udp->fd, (struct sockaddr *)&bound, bound_len) == 0 &&
            own_addr(udp->fd, &udp->addr))
            return udp;
    }
    report_open(addr, ret_error);
    daemon_udp_close(udp);
    return NULL;
}

void daemon_udp_close(struct daemon_udp *udp)
{
    if (udp == NULL)
        return;
    if (udp->fd >= 0)
        close(udp->fd);
    free(udp);
}

bool daemon_udp_join(struct daemon_udp *udp, const struct dht_addr *group, uint32_t link_index,
                     struct daemon_error *ret_why)
{
    struct ip_mreqn v4 = {.imr_ifindex = (int)link_index};
    struct ipv6_mreq v6 = {.ipv6mr_interface = link_index};
    int failed;
    if (group->ip_len == 4) {
        memcpy(&v4.imr_multiaddr, group->ip, 4);
        failed = setsockopt(udp->fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &v4, sizeof v4);
    } else {
        memcpy(&v6.ipv6mr_multiaddr, group->ip, 16);
        failed = setsockopt(udp->fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &v6, sizeof v6);
    }
    if (failed)
        daemon_error_set(ret_why, "%s", strerror(errno));
    return !failed;
}

int daemon_udp_fd(const struct daemon_udp *udp)
{
    return udp->fd;
}

void daemon_udp_info(const struct daemon_udp *udp, struct daemon_udp_info *ret_info)
{
    *ret_info = (struct daemon_udp_info){.addr = udp->addr,
                                         .receive_buffer_bytes = udp->receive_buffer_bytes,
                                         .send_buffer_bytes = udp->send_buffer_bytes,
                                         .counters = udp->counters};
}

// ---- receiving ----

static void prepare(struct daemon_udp *udp, size_t index, void *bytes, size_t len)
{
    udp->parts[index] = (struct iovec){.iov_base = bytes, .iov_len = len};
    memset(&udp->messages[index], 0, sizeof udp->messages[index]);
    struct msghdr *header = &udp->messages[index].msg_hdr;
    header->msg_name = &udp->addrs[index];
    header->msg_namelen = sizeof udp->addrs[index];
    header->msg_iov = &udp->parts[index];
    header->msg_iovlen = 1;
}

// Both return how many messages were moved, at least one, or -1 with errno where none was.
#ifdef PNR_HAVE_MMSG

static int receive_messages(struct daemon_udp *udp)
{
    return recvmmsg(udp->fd, udp->messages, DAEMON_UDP_BATCH, 0, NULL);
}

static int send_messages(struct daemon_udp *udp, size_t first, size_t count)
{
    return sendmmsg(udp->fd, udp->messages + first, (unsigned)(count - first), MSG_NOSIGNAL);
}

#else

static int receive_messages(struct daemon_udp *udp)
{
    int moved = 0;
    for (; moved < DAEMON_UDP_BATCH; moved++) {
        ssize_t len = recvmsg(udp->fd, &udp->messages[moved].msg_hdr, 0);
        if (len < 0)
            break;
        udp->messages[moved].msg_len = (unsigned)len;
    }
    return moved > 0 ? moved : -1;
}

static int send_messages(struct daemon_udp *udp, size_t first, size_t count)
{
    size_t moved = first;
    while (moved < count && sendmsg(udp->fd, &udp->messages[moved].msg_hdr, MSG_NOSIGNAL) >= 0)
        moved++;
    return moved > first ? (int)(moved - first) : -1;
}

#endif

// An error of receiving is an earlier datagram's, come back by ICMP. Each call clears one.
static int receive_past_errors(struct daemon_udp *udp)
{
    for (int tries = 0; tries < DAEMON_UDP_BATCH; tries++) {
        for (size_t i = 0; i < DAEMON_UDP_BATCH; i++)
            prepare(udp, i, udp->buffer[i], sizeof udp->buffer[i]);
        int count = receive_messages(udp);
        if (count >= 0 || errno == EAGAIN || errno == EWOULDBLOCK)
            return count;
        udp->has_errors = udp->has_errors || errno != EINTR;
    }
    return -1;
}

size_t daemon_udp_receive(struct daemon_udp *udp, const struct dht_datagram **ret_datagrams)
{
    int count = receive_past_errors(udp);
    size_t kept = 0;
    udp->counters.receive_calls += count > 0;
    for (int i = 0; i < count; i++) {
        const struct message *got = &udp->messages[i];
        if (got->msg_hdr.msg_flags & MSG_TRUNC) {
            udp->counters.truncated++;
            continue;
        }
        struct dht_datagram *datagram = &udp->received[kept++];
        (void)daemon_socket_addr_get(&udp->addrs[i], &datagram->addr);
        datagram->bytes = (struct dht_span){udp->buffer[i], got->msg_len};
    }
    udp->counters.received += kept;
    *ret_datagrams = udp->received;
    return kept;
}

// ---- sending ----

static bool is_full(int code)
{
    return code == EAGAIN || code == EWOULDBLOCK || code == ENOBUFS;
}

// Sends the prepared messages [0, count). Returns whether the send buffer still takes more.
static bool send_prepared(struct daemon_udp *udp, size_t count, size_t *sent)
{
    bool again = false; // the datagram at `at` failed before
    for (size_t at = 0; at < count;) {
        int moved = send_messages(udp, at, count);
        // Whatever stopped it part-way was not told, but may have been an ICMP error.
        udp->has_errors = udp->has_errors || (moved > 0 && (size_t)moved < count - at);
        if (moved > 0) {
            udp->counters.send_calls++;
            *sent += (size_t)moved;
            at += (size_t)moved;
            again = false;
        } else if (is_full(errno)) {
            udp->counters.send_full += count - at;
            return false;
        } else if (errno != EINTR) {
            // The first failure may be an earlier datagram's, come back by ICMP.
            udp->has_errors = true;
            udp->counters.send_failed += again;
            at += again;
            again = !again;
        }
    }
    return true;
}

size_t daemon_udp_send(struct daemon_udp *udp, const struct dht_datagram *datagrams, size_t count)
{
    size_t sent = 0;
    bool takes_more = true;
    size_t at = 0;
    while (takes_more && at < count) {
        size_t batch = count - at < DAEMON_UDP_BATCH ? count - at : DAEMON_UDP_BATCH;
        for (size_t i = 0; i < batch; i++) {
            const struct dht_datagram *datagram = &datagrams[at + i];
            assert(datagram->addr.ip_len == udp->ip_len);
            // sendmsg() does not write through it, though its type lets it.
            union {
                const uint8_t *data;
                void *base;
            } bytes = {.data = datagram->bytes.data};
            prepare(udp, i, bytes.base, datagram->bytes.len);
            udp->messages[i].msg_hdr.msg_namelen =
                daemon_socket_addr_put(&datagram->addr, udp->scope_id, &udp->addrs[i]);
        }
        takes_more = send_prepared(udp, batch, &sent);
        at += batch;
    }
    udp->counters.send_full += count - at;
    udp->counters.sent += sent;
    return sent;
}

// ---- what could not be reached ----

#ifdef __linux__

// Whether the message is an ICMP "destination unreachable", and not just "too big".
static bool is_unreachable(struct msghdr *header)
{
    for (struct cmsghdr *control = CMSG_FIRSTHDR(header); control != NULL;
         control = CMSG_NXTHDR(header, control)) {
        struct sock_extended_err error;
        bool is_v4 = control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_RECVERR;
        bool is_v6 = control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_RECVERR;
        if (!is_v4 && !is_v6)
            continue;
        memcpy(&error, CMSG_DATA(control), sizeof error);
        if (error.ee_origin == SO_EE_ORIGIN_ICMP)
            return error.ee_type == ICMP_DEST_UNREACH && error.ee_code != ICMP_FRAG_NEEDED;
        return error.ee_origin == SO_EE_ORIGIN_ICMP6 && error.ee_type == ICMP6_DST_UNREACH;
    }
    return false;
}

size_t daemon_udp_unreachable(struct daemon_udp *udp, struct dht_addr *ret_addrs, size_t max)
{
    size_t count = 0;
    while (udp->has_errors && count < max) {
        struct daemon_socket_addr addr = {0};
        _Alignas(struct cmsghdr) uint8_t control[512];
        struct msghdr header = {.msg_name = &addr,
                                .msg_namelen = sizeof addr,
                                .msg_control = control,
                                .msg_controllen = sizeof control};
        if (recvmsg(udp->fd, &header, MSG_ERRQUEUE) < 0) {
            udp->has_errors = errno == EINTR;
        } else if (is_unreachable(&header)) {
            (void)daemon_socket_addr_get(&addr, &ret_addrs[count]);
            count += ret_addrs[count].ip_len != 0;
        }
    }
    udp->counters.unreachable += count;
    return count;
}

#else

size_t daemon_udp_unreachable(struct daemon_udp *udp, struct dht_addr *ret_addrs, size_t max)
{
    (void)ret_addrs;
    (void)max;
    udp->has_errors = false;
    return 0;
}

#endif

bool daemon_udp_outgoing(enum dht_family family, struct dht_addr *ret_addr)
{
    // Any address of the internet will do: connecting a UDP socket only asks the routing table.
    // These are of a root name server, which will not move.
    static const struct dht_addr far_v4 = {.ip = {192, 33, 4, 12}, .port = 53, .ip_len = 4};
    static const struct dht_addr far_v6 = {
        .ip = {0x20, 0x01, 0x05, 0, 0, 2, [15] = 0x0c}, .port = 53, .ip_len = 16};
    struct daemon_socket_addr far;
    socklen_t far_len =
        (socklen_t)daemon_socket_addr_put(family == DHT_IPV4 ? &far_v4 : &far_v6, 0, &far);
    struct dht_addr addr;
    int fd = socket(family == DHT_IPV4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && connect(fd, (struct sockaddr *)&far, far_len) == 0 && own_addr(fd, &addr);
    if (fd >= 0)
        close(fd);
    if (ok) {
        addr.port = 0;
        *ret_addr = addr;
    }
    return ok;
}
