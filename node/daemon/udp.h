// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_UDP_H
#define PNR_DAEMON_UDP_H

// A UDP socket that is read and written in batches: by recvmmsg() and sendmmsg() where the system
// has them, by a loop over recvmsg() and sendmsg() elsewhere. It never blocks.
//
// A loop turn, when the descriptor is readable: daemon_udp_receive() until it returns 0 or the
// turn's share of work is done, then daemon_udp_unreachable() until that returns 0. The socket's
// error queue makes the descriptor readable too, so leaving it out would spin.
//
// Bounds: DAEMON_UDP_BATCH datagrams of DAEMON_UDP_DATAGRAM_MAX bytes are read at once, into one
// buffer that is used again. A longer datagram is dropped and counted, as is what the system's send
// buffer does not take: UDP promises nothing, and the engine asks again.

#include "node/daemon/error.h"
#include "pnr/dht.h"

#define DAEMON_UDP_BATCH        64
#define DAEMON_UDP_DATAGRAM_MAX 2048

// Everything countable. X-macro: name, meaning.
#define DAEMON_UDP_COUNTERS(X)                                                                     \
    X(received, "datagrams received")                                                              \
    X(receive_calls, "system calls that received some")                                            \
    X(truncated, "datagrams dropped, being longer than any of ours")                               \
    X(sent, "datagrams sent")                                                                      \
    X(send_calls, "system calls that sent some")                                                   \
    X(send_full, "datagrams dropped, the send buffer being full")                                  \
    X(send_failed, "datagrams that the system refused, such as for want of a route")               \
    X(unreachable, "datagrams that came back as unreachable")

struct daemon_udp_counters {
#define DAEMON_UDP_COUNTER_FIELD(name, meaning) uint64_t name;
    DAEMON_UDP_COUNTERS(DAEMON_UDP_COUNTER_FIELD)
#undef DAEMON_UDP_COUNTER_FIELD
};

struct daemon_udp;

#define DAEMON_UDP_LINK_NAME_MAX 16 // its NUL included

// A network interface that a socket is bound to. What it sends by multicast goes out there, no
// further than the link, and comes back to this machine's other programs.
struct daemon_udp_link {
    char name[DAEMON_UDP_LINK_NAME_MAX];
    uint32_t index;
    bool is_shared; // several sockets may bind the same address: a group's
};

struct daemon_udp_info {
    struct dht_addr addr;        // bound to; with the port that the system chose for port 0
    size_t receive_buffer_bytes; // what the system granted
    size_t send_buffer_bytes;
    struct daemon_udp_counters counters;
};

// Binds a socket to addr, on one interface or, link being NULL, on any, with buffers of
// buffer_bytes each way, or as much as the system grants. An IPv6 socket takes no IPv4. NULL where
// the port is taken, may not be used, or the machine has no such address or family.
struct daemon_udp *daemon_udp_open(const struct dht_addr *addr, const struct daemon_udp_link *link,
                                   size_t buffer_bytes, struct daemon_error *ret_error);
void daemon_udp_close(struct daemon_udp *udp);

// Has the socket hear what is sent to a group on an interface. False with the system's reason.
bool daemon_udp_join(struct daemon_udp *udp, const struct dht_addr *group, uint32_t link_index,
                     struct daemon_error *ret_why);

// The descriptor to poll for reading.
int daemon_udp_fd(const struct daemon_udp *udp);

void daemon_udp_info(const struct daemon_udp *udp, struct daemon_udp_info *ret_info);

// Reads up to DAEMON_UDP_BATCH datagrams. Returns how many ret_datagrams has; they are borrowed
// until the next call. 0: no more are there, as far as known, or all read were too long.
size_t daemon_udp_receive(struct daemon_udp *udp, const struct dht_datagram **ret_datagrams);

// Sends datagrams, all of the socket's family (asserted). One that the system refuses is skipped,
// the others go out; once the send buffer is full the rest is dropped. Returns how many were sent.
size_t daemon_udp_send(struct daemon_udp *udp, const struct dht_datagram *datagrams, size_t count);

// Takes addresses that ICMP says cannot be reached, up to max, each once for each such message;
// for dht_unreachable(). Costs no system call where there are none. The system believes ICMP only
// about datagrams that went out through this socket, but who can guess those could forge it.
size_t daemon_udp_unreachable(struct daemon_udp *udp, struct dht_addr *ret_addrs, size_t max);

// The address of this machine that datagrams to the internet would carry, with port 0: for an IPv6
// socket, which has to be bound to one address (BEP 32), and to see when it changes. Sends nothing.
// False where there is no way to the internet in that family.
bool daemon_udp_outgoing(enum dht_family family, struct dht_addr *ret_addr);

#endif
