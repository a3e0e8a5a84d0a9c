// SPDX-License-Identifier: MIT
#include "bench/crowd.h"

#include "bench/message.h"
#include "bench/process.h"
#include "dht/addr.h"
#include "dht/id.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_BUCKET 128
#define BUCKET       8
#define NODES_MAX    8 // in a find_node reply

struct bench_crowd {
    struct dht_id *ids; // contact i has the address 127.1 + i / 200 . i % 200 + 1 . 1
    size_t count;
    int fd;
    uint16_t port;
    struct sockaddr_in node;
    pthread_t thread;
};

static uint32_t ip_of(size_t index)
{
    return UINT32_C(127) << 24 | (uint32_t)(1 + index / 200) << 16 |
           (uint32_t)(index % 200 + 1) << 8 | 1;
}

// The contact with that address, or SIZE_MAX.
static size_t index_of(const struct bench_crowd *crowd, uint32_t ip)
{
    size_t index = ((ip >> 16 & 0xff) - 1) * 200 + (ip >> 8 & 0xff) - 1;
    return index < crowd->count && ip_of(index) == ip ? index : SIZE_MAX;
}

// ---- ids ----

static size_t bucket_capacity(unsigned depth)
{
    size_t wide = depth < 8 ? FIRST_BUCKET >> depth : 0;
    return wide > BUCKET ? wide : BUCKET;
}

// An id that shares exactly `depth` leading bits with own; number tells those of a depth apart and
// spreads them evenly.
static struct dht_id id_at(const struct dht_id *own, unsigned depth, uint32_t number)
{
    struct dht_id id = *own;
    id.bytes[depth / 8] ^= (uint8_t)(0x80 >> depth % 8);
    // The 8 bits after that one: the number with its bits turned round.
    for (unsigned i = 0; i < 8; i++) {
        unsigned bit = depth + 1 + i;
        uint8_t mask = (uint8_t)(0x80 >> bit % 8);
        id.bytes[bit / 8] =
            (uint8_t)((id.bytes[bit / 8] & ~mask) | ((number >> i & 1) != 0 ? mask : 0));
    }
    for (size_t i = depth / 8 + 3; i < DHT_ID_LEN; i++)
        id.bytes[i] = (uint8_t)(number * 37 + i * 101 + depth);
    return id;
}

static void make_ids(struct bench_crowd *crowd, const struct dht_id *own)
{
    for (unsigned depth = 0; depth < BENCH_CROWD_DEPTHS; depth++)
        crowd->count += bucket_capacity(depth);
    crowd->ids = calloc(crowd->count, sizeof *crowd->ids);
    if (crowd->ids == NULL)
        bench_die("crowd", "no memory");
    size_t at = 0;
    for (unsigned depth = 0; depth < BENCH_CROWD_DEPTHS; depth++)
        for (uint32_t i = 0; i < bucket_capacity(depth); i++)
            crowd->ids[at++] = id_at(own, depth, i);
}

// ---- datagrams with many source addresses ----

union control {
    struct cmsghdr header;
    uint8_t bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
};

static void send_as(const struct bench_crowd *crowd, size_t index, struct dht_span bytes)
{
    union control control = {.bytes = {0}};
    struct iovec part = {(void *)(uintptr_t)bytes.data, bytes.len};
    struct sockaddr_in node = crowd->node;
    struct msghdr message = {.msg_name = &node,
                             .msg_namelen = sizeof node,
                             .msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = IPPROTO_IP;
    header->cmsg_type = IP_PKTINFO;
    header->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
    struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(ip_of(index))};
    memcpy(CMSG_DATA(header), &info, sizeof info);
    (void)sendmsg(crowd->fd, &message, 0);
}

// Receives a datagram; index: the contact that it is for, or SIZE_MAX.
static ssize_t receive_as(const struct bench_crowd *crowd, uint8_t *bytes, size_t *ret_index)
{
    union control control;
    struct iovec part = {bytes, DHT_DATAGRAM_MAX};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t len = recvmsg(crowd->fd, &message, 0);
    *ret_index = SIZE_MAX;
    if (len <= 0)
        return len;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL;
         header = CMSG_NXTHDR(&message, header)) {
        struct in_pktinfo info;
        if (header->cmsg_level != IPPROTO_IP || header->cmsg_type != IP_PKTINFO)
            continue;
        memcpy(&info, CMSG_DATA(header), sizeof info);
        *ret_index = index_of(crowd, ntohl(info.ipi_addr.s_addr));
    }
    return len;
}

// ---- answering ----

// The contacts closest to target, in compact form; returns how many bytes.
static size_t closest(const struct bench_crowd *crowd, const struct dht_id *target,
                      uint8_t ret_nodes[NODES_MAX * 26])
{
    size_t best[NODES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < crowd->count; i++) {
        const struct dht_id *id = &crowd->ids[i];
        if (count == NODES_MAX && dht_id_compare(target, id, &crowd->ids[best[count - 1]]) >= 0)
            continue;
        size_t at = count < NODES_MAX ? count++ : count - 1;
        for (; at > 0 && dht_id_compare(target, id, &crowd->ids[best[at - 1]]) < 0; at--)
            best[at] = best[at - 1];
        best[at] = i;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t ip = htonl(ip_of(best[i]));
        uint16_t port = htons(crowd->port);
        memcpy(ret_nodes + i * 26, crowd->ids[best[i]].bytes, DHT_ID_LEN);
        memcpy(ret_nodes + i * 26 + DHT_ID_LEN, &ip, 4);
        memcpy(ret_nodes + i * 26 + DHT_ID_LEN + 4, &port, 2);
    }
    return count * 26;
}

static void answer(const struct bench_crowd *crowd, size_t index, const struct dht_krpc *query)
{
    uint8_t bytes[DHT_DATAGRAM_MAX];
    struct dht_bencode_writer writer = dht_bencode_writer(bytes, sizeof bytes);
    struct dht_krpc_envelope envelope = {
        .id = &crowd->ids[index], .tid = query->tid, .version = "BN\0\1"};
    dht_krpc_open_reply(&writer, &envelope);
    if (query->target.data != NULL) {
        uint8_t nodes[NODES_MAX * 26];
        struct dht_id target;
        memcpy(target.bytes, query->target.data, DHT_ID_LEN);
        size_t len = closest(crowd, &target, nodes);
        dht_bencode_pair_string(&writer, "nodes", nodes, len);
    }
    dht_krpc_close_reply(&writer, &envelope);
    send_as(crowd, index, (struct dht_span){bytes, dht_bencode_written(&writer)});
}

static void *run(void *ctx)
{
    const struct bench_crowd *crowd = ctx;
    uint8_t bytes[DHT_DATAGRAM_MAX];
    for (;;) {
        size_t index;
        struct dht_krpc query;
        ssize_t len = receive_as(crowd, bytes, &index);
        if (len == 0)
            return NULL; // bench_crowd_stop()
        if (len < 0 && errno != EINTR && errno != ECONNREFUSED)
            return NULL;
        if (len > 0 && index != SIZE_MAX &&
            dht_krpc_parse((struct dht_span){bytes, (size_t)len}, &query) &&
            query.type == DHT_KRPC_QUERY)
            answer(crowd, index, &query);
    }
}

// ---- life ----

static void open_socket(struct bench_crowd *crowd)
{
    int on = 1;
    struct sockaddr_in addr = {.sin_family = AF_INET};
    socklen_t len = sizeof addr;
    crowd->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (crowd->fd < 0 || setsockopt(crowd->fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on) != 0 ||
        bind(crowd->fd, (struct sockaddr *)&addr, sizeof addr) != 0 ||
        getsockname(crowd->fd, (struct sockaddr *)&addr, &len) != 0)
        bench_die("crowd", strerror(errno));
    crowd->port = ntohs(addr.sin_port);
}

struct bench_crowd *bench_crowd_start(const struct dht_id *node_id, const struct dht_addr *node)
{
    struct bench_crowd *crowd = calloc(1, sizeof *crowd);
    if (crowd == NULL)
        bench_die("crowd", "no memory");
    make_ids(crowd, node_id);
    open_socket(crowd);
    crowd->node.sin_family = AF_INET;
    crowd->node.sin_port = htons(node->port);
    memcpy(&crowd->node.sin_addr, node->ip, 4);
    if (pthread_create(&crowd->thread, NULL, run, crowd) != 0)
        bench_die("crowd", "no thread");
    return crowd;
}

void bench_crowd_stop(struct bench_crowd *crowd)
{
    // An empty datagram to itself ends the thread.
    struct sockaddr_in self = {.sin_family = AF_INET,
                               .sin_port = htons(crowd->port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    (void)sendto(crowd->fd, "", 0, 0, (struct sockaddr *)&self, sizeof self);
    pthread_join(crowd->thread, NULL);
    close(crowd->fd);
    free(crowd->ids);
    free(crowd);
}

size_t bench_crowd_count(const struct bench_crowd *crowd)
{
    return crowd->count;
}

const struct dht_id *bench_crowd_id(const struct bench_crowd *crowd, size_t index)
{
    return &crowd->ids[index];
}

void bench_crowd_knock(struct bench_crowd *crowd, size_t first, size_t count)
{
    for (size_t i = first; i < first + count && i < crowd->count; i++) {
        uint8_t bytes[DHT_DATAGRAM_MAX];
        struct bench_query query = {
            .method = DHT_KRPC_PING, .id = &crowd->ids[i], .tid = (uint32_t)i};
        size_t len = bench_message_write(&query, bytes);
        send_as(crowd, i, (struct dht_span){bytes, len});
    }
}
