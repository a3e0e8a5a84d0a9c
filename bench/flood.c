// SPDX-License-Identifier: MIT
#include "bench/flood.h"

#include "bench/message.h"
#include "bench/process.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BURST       128
#define WAITING_MAX 65536 // bytes in the node's socket before more is sent

// ---- the network ----

static bool set_up(int fd, const char *name, const char ip[4])
{
    struct ifreq request = {0};
    struct sockaddr_in addr = {.sin_family = AF_INET};
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    memcpy(&addr.sin_addr, ip, 4);
    memcpy(&request.ifr_addr, &addr, sizeof addr);
    if (ioctl(fd, SIOCSIFADDR, &request) != 0)
        return false;
    request.ifr_flags = IFF_UP | IFF_RUNNING | IFF_LOOPBACK;
    return ioctl(fd, SIOCSIFFLAGS, &request) == 0;
}

bool bench_flood_enter_network(void)
{
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return false;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    // An address without a mask has that of its class, here /8, and on a loopback device all of it
    // is local.
    bool ok = fd >= 0 && set_up(fd, "lo", "\x7f\0\0\1") && set_up(fd, "lo:1", "\x0a\0\0\1");
    if (!ok)
        bench_die("network", strerror(errno));
    close(fd);
    return true;
}

// ---- the datagrams ----

// One of them. Of ten: a ping, two find_node, three get_peers, two get, a put with a false token,
// and one that is no message at all; each with an id, a target and a tid of its own.
static size_t make(struct dht_random *random, uint32_t number, uint8_t ret_bytes[DHT_DATAGRAM_MAX])
{
    static const enum dht_krpc_method methods[10] = {
        DHT_KRPC_PING,      DHT_KRPC_FIND_NODE, DHT_KRPC_FIND_NODE, DHT_KRPC_GET_PEERS,
        DHT_KRPC_GET_PEERS, DHT_KRPC_GET_PEERS, DHT_KRPC_GET,       DHT_KRPC_GET,
        DHT_KRPC_PUT,       DHT_KRPC_UNKNOWN};
    enum dht_krpc_method method = methods[number % 10];
    uint8_t bytes[100];
    struct dht_id ids[2];
    struct dht_item item = {.value = {bytes, sizeof bytes}};
    dht_random_bytes(random, ids, sizeof ids);
    dht_random_bytes(random, bytes, sizeof bytes);
    memcpy(bytes, "97:", 3);
    if (method == DHT_KRPC_UNKNOWN) {
        memcpy(ret_bytes, bytes, sizeof bytes);
        return sizeof bytes;
    }
    struct bench_query query = {.method = method,
                                .id = &ids[0],
                                .target = &ids[1],
                                .item = &item,
                                .token = {bytes + 3, 8},
                                .tid = number};
    return bench_message_write(&query, ret_bytes);
}

static void send_from(int fd, const struct sockaddr_in *to, uint32_t from_ip, struct dht_span bytes)
{
    union {
        struct cmsghdr header;
        uint8_t bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
    } control = {.bytes = {0}};
    struct sockaddr_in name = *to;
    struct iovec part = {(void *)(uintptr_t)bytes.data, bytes.len};
    struct msghdr message = {.msg_name = &name,
                             .msg_namelen = sizeof name,
                             .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(from_ip)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = IPPROTO_IP;
    header->cmsg_type = IP_PKTINFO;
    header->cmsg_len = CMSG_LEN(sizeof info);
    memcpy(CMSG_DATA(header), &info, sizeof info);
    if (sendmsg(fd, &message, 0) < 0)
        bench_die("flood", strerror(errno));
}

// What waits in the socket of that port, and what it could not take so far.
static void look(uint16_t port, size_t *ret_waiting, size_t *ret_dropped)
{
    char line[256];
    FILE *file = fopen("/proc/self/net/udp", "r");
    *ret_waiting = *ret_dropped = 0;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        unsigned own;
        size_t waiting;
        size_t dropped;
        if (sscanf(line, " %*d: %*x:%x %*x:%*x %*x %*x:%zx %*x:%*x %*x %*d %*d %*d %*d %*s %zu",
                   &own, &waiting, &dropped) == 3 &&
            own == port) {
            *ret_waiting = waiting;
            *ret_dropped = dropped;
        }
    }
    if (file != NULL)
        fclose(file);
}

static void wait_for_room(uint16_t port)
{
    struct timespec pause = {.tv_nsec = 200000};
    size_t waiting;
    size_t dropped;
    for (look(port, &waiting, &dropped); waiting > WAITING_MAX; look(port, &waiting, &dropped))
        nanosleep(&pause, NULL);
}

size_t bench_flood(const struct dht_addr *node, size_t count, struct dht_random *random)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(node->port)};
    size_t waiting;
    size_t dropped;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memcpy(&to.sin_addr, node->ip, 4);
    for (size_t i = 0; i < count; i++) {
        uint8_t bytes[DHT_DATAGRAM_MAX];
        size_t len = make(random, (uint32_t)i, bytes);
        // Neither the first nor the last address of the /8.
        uint32_t ip =
            (uint32_t)node->ip[0] << 24 | (uint32_t)(1 + dht_random_below(random, 0xfffffe));
        send_from(fd, &to, ip, (struct dht_span){bytes, len});
        if (i % BURST == 0)
            wait_for_room(node->port);
    }
    close(fd);
    look(node->port, &waiting, &dropped);
    return dropped;
}
