// SPDX-License-Identifier: MIT
#include "bench/node.h"

#include "bench/process.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_TRIES  100
#define KNOCK_ROUNDS  200
#define KNOCK_AT_ONCE 32

static void sleep_ms(long ms)
{
    struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

uint16_t bench_node_free_port(void)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof addr;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof addr) != 0 ||
        getsockname(fd, (struct sockaddr *)&addr, &len) != 0)
        bench_die("port", strerror(errno));
    close(fd);
    return ntohs(addr.sin_port);
}

// Unlimited: capacities that let the largest run in, with room for the fresh items.
static void write_config(const char *path, enum bench_node_kind kind)
{
    FILE *file = fopen(path, "w");
    if (file == NULL)
        bench_die(path, strerror(errno));
    fputs("[cloud Global_]\nrole = server\n", file);
    fputs(kind == BENCH_NODE_LIMITED ? "lab = no\n"
                                     : "items-max = 400000\nitems-bytes-max = 512M\n"
                                       "swarms-max = 200000\npeers-max = 400000\n",
          file);
    fclose(file);
}

// Its id, by a ping; false where it does not answer yet.
static bool ask_id(const struct dht_addr *node, struct dht_id *ret_id)
{
    static const struct dht_id own = {{0x80, 1, 2, 3}};
    uint8_t bytes[DHT_DATAGRAM_MAX];
    struct timeval wait = {.tv_usec = 100000};
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(node->port)};
    struct bench_query query = {.method = DHT_KRPC_PING, .id = &own, .tid = 1, .read_only = true};
    struct dht_krpc msg;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memcpy(&addr.sin_addr, node->ip, 4);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    ssize_t len = (ssize_t)bench_message_write(&query, bytes);
    bool ok = connect(fd, (struct sockaddr *)&addr, sizeof addr) == 0 &&
              send(fd, bytes, (size_t)len, 0) == len;
    // It may ask us something before it answers.
    for (int i = 0; ok && i < 4; i++) {
        len = recv(fd, bytes, sizeof bytes, 0);
        ok = len > 0;
        if (ok && dht_krpc_parse((struct dht_span){bytes, (size_t)len}, &msg) &&
            msg.type == DHT_KRPC_REPLY && msg.id.data != NULL) {
            memcpy(ret_id->bytes, msg.id.data, DHT_ID_LEN);
            close(fd);
            return true;
        }
    }
    close(fd);
    return false;
}

static struct dht_id wait_for_id(const struct bench_node *node)
{
    struct dht_id id;
    for (int i = 0; i < ANSWER_TRIES; i++) {
        if (ask_id(&node->addr, &id))
            return id;
        sleep_ms(20);
    }
    fprintf(stderr, "bench: pnrd does not answer: see %s/log\n", node->dir);
    exit(1);
}

static void make_dir(struct bench_node *node)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(node->dir, sizeof node->dir, "%.100s/pnr-bench-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(node->dir) == NULL)
        bench_die(node->dir, strerror(errno));
}

void bench_node_start(struct bench_node *node, const char *pnrd, int processor,
                      enum bench_node_kind kind)
{
    static const char *const names[] = {"config", "state", "log"};
    char paths[3][160];
    char control[170];
    char listen[40];
    bool is_lab = kind == BENCH_NODE_UNLIMITED;
    *node = (struct bench_node){
        .addr = {.ip = {is_lab ? 127 : 10, 0, 0, 1}, .ip_len = 4, .port = bench_node_free_port()}};
    if (access(pnrd, X_OK) != 0)
        bench_die(pnrd, strerror(errno));
    make_dir(node);
    for (int i = 0; i < 3; i++)
        snprintf(paths[i], sizeof paths[i], "%s/%s", node->dir, names[i]);
    snprintf(control, sizeof control, "unix:%s/control", node->dir);
    snprintf(listen, sizeof listen, "%d.0.0.1:%u", node->addr.ip[0], node->addr.port);
    write_config(paths[0], kind);
    // The bootstrap host is nobody, so that the node speaks to the crowd alone.
    const char *argv[] = {pnrd,          "--config",    paths[0],      "--listen",
                          listen,        "--state",     paths[1],      "--control",
                          control,       "--bootstrap", "127.0.0.1:9", is_lab ? "--lab" : NULL,
                          "--unlimited", NULL};
    node->pid = bench_process_start((char *const *)(uintptr_t)argv, processor, paths[2]);
    (void)wait_for_id(node);
}

void bench_node_stop(struct bench_node *node)
{
    char command[160];
    bench_process_stop(node->pid);
    if (node->crowd != NULL)
        bench_crowd_stop(node->crowd);
    snprintf(command, sizeof command, "rm -r '%s'", node->dir);
    if (system(command) != 0)
        fprintf(stderr, "bench: %s is left behind\n", node->dir);
}

// ---- the table ----

struct census {
    const struct bench_crowd *crowd;
    size_t known;
};

static void count_found(void *ctx, size_t index, const struct bench_reply *reply, size_t len)
{
    struct census *census = ctx;
    (void)len;
    census->known +=
        reply->nodes.len >= DHT_ID_LEN &&
        memcmp(reply->nodes.data, bench_crowd_id(census->crowd, index)->bytes, DHT_ID_LEN) == 0;
}

// How many of the crowd are handed out as the closest to their own ids.
static size_t count_known(const struct bench_node *node, struct bench_load *load)
{
    static const struct dht_id own = {{0x80, 1, 2, 3}};
    struct bench_batch batch = {0};
    struct census census = {.crowd = node->crowd};
    for (size_t i = 0; i < bench_crowd_count(node->crowd); i++) {
        uint8_t bytes[DHT_DATAGRAM_MAX];
        struct bench_query query = {.method = DHT_KRPC_FIND_NODE,
                                    .id = &own,
                                    .target = bench_crowd_id(node->crowd, i),
                                    .tid = (uint32_t)i,
                                    .read_only = true};
        bench_batch_add(&batch, bytes, bench_message_write(&query, bytes));
    }
    bench_load_ask(load, &batch, count_found, &census);
    bench_batch_clear(&batch);
    return census.known;
}

size_t bench_node_fill(struct bench_node *node, struct bench_load *load)
{
    struct dht_id id = wait_for_id(node);
    node->crowd = bench_crowd_start(&id, &node->addr);
    size_t count = bench_crowd_count(node->crowd);
    size_t known = 0;
    bench_load_aim(load, node->addr.port);
    for (int round = 0; round < KNOCK_ROUNDS && known < count; round++) {
        for (size_t i = 0; i < count; i += KNOCK_AT_ONCE) {
            bench_crowd_knock(node->crowd, i, KNOCK_AT_ONCE);
            sleep_ms(2);
        }
        known = count_known(node, load);
    }
    return known;
}
