// SPDX-License-Identifier: MIT
#include "bench/load.h"

#include "bench/process.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH      64
#define BUFFER     2048
#define STUCK_NS   (2000 * INT64_C(1000000)) // so long without an answer: what is under way is lost
#define PER_SOCKET (BENCH_LOAD_WINDOW / BENCH_LOAD_SOCKETS)
#define TRIES      5

struct bench_load {
    int fds[BENCH_LOAD_SOCKETS];
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    uint8_t received[BATCH][BUFFER];
};

// ---- prepared datagrams ----

static void *grow(void *old, size_t count, size_t size)
{
    void *bigger = realloc(old, count * size);
    if (bigger == NULL)
        bench_die("load", "no memory");
    return bigger;
}

void bench_batch_add(struct bench_batch *batch, const void *bytes, size_t len)
{
    size_t start = batch->count == 0 ? 0 : batch->ends[batch->count - 1];
    if (batch->count == batch->capacity) {
        batch->capacity = batch->capacity == 0 ? 1024 : 2 * batch->capacity;
        batch->ends = grow(batch->ends, batch->capacity, sizeof *batch->ends);
    }
    if (start + len > batch->bytes_capacity) {
        batch->bytes_capacity = 2 * batch->bytes_capacity + BUFFER;
        batch->bytes = grow(batch->bytes, batch->bytes_capacity, 1);
    }
    memcpy(batch->bytes + start, bytes, len);
    batch->ends[batch->count++] = start + len;
}

struct dht_span bench_batch_at(const struct bench_batch *batch, size_t index)
{
    size_t start = index == 0 ? 0 : batch->ends[index - 1];
    return (struct dht_span){batch->bytes + start, batch->ends[index] - start};
}

void bench_batch_clear(struct bench_batch *batch)
{
    free(batch->bytes);
    free(batch->ends);
    *batch = (struct bench_batch){0};
}

// ---- life ----

struct bench_load *bench_load_new(void)
{
    int buffer_bytes = 4 << 20;
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct bench_load *load = calloc(1, sizeof *load);
    if (load == NULL)
        bench_die("load", "no memory");
    for (int i = 0; i < BENCH_LOAD_SOCKETS; i++) {
        load->fds[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (load->fds[i] < 0 || bind(load->fds[i], (struct sockaddr *)&addr, sizeof addr) != 0)
            bench_die("load", strerror(errno));
        setsockopt(load->fds[i], SOL_SOCKET, SO_RCVBUFFORCE, &buffer_bytes, sizeof buffer_bytes);
    }
    return load;
}

void bench_load_free(struct bench_load *load)
{
    for (int i = 0; i < BENCH_LOAD_SOCKETS; i++)
        close(load->fds[i]);
    free(load);
}

void bench_load_aim(struct bench_load *load, uint16_t port)
{
    struct sockaddr_in addr = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < BENCH_LOAD_SOCKETS; i++) {
        if (connect(load->fds[i], (struct sockaddr *)&addr, sizeof addr) != 0)
            bench_die("load", strerror(errno));
        // What an earlier server still has sent is not for the next one.
        while (recv(load->fds[i], load->received[0], BUFFER, MSG_DONTWAIT) >= 0)
            continue;
    }
}

// ---- moving datagrams ----

// The n-th datagram that a socket sends, as its index in the batch.
static size_t index_of(const struct bench_batch *batch, int socket, size_t n)
{
    size_t own = (batch->count - (size_t)socket + BENCH_LOAD_SOCKETS - 1) / BENCH_LOAD_SOCKETS;
    return (size_t)socket + n % own * BENCH_LOAD_SOCKETS;
}

// Sends a socket's datagrams n .. n + count - 1; count is at most BATCH. Returns how many left.
static size_t send_some(struct bench_load *load, const struct bench_batch *batch, int socket,
                        size_t n, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct dht_span bytes = bench_batch_at(batch, index_of(batch, socket, n + i));
        load->parts[i] = (struct iovec){(void *)(uintptr_t)bytes.data, bytes.len};
        load->messages[i].msg_hdr = (struct msghdr){.msg_iov = &load->parts[i], .msg_iovlen = 1};
    }
    int sent = sendmmsg(load->fds[socket], load->messages, (unsigned)count, 0);
    return sent > 0 ? (size_t)sent : 0;
}

static size_t receive_some(struct bench_load *load, int socket)
{
    for (size_t i = 0; i < BATCH; i++) {
        load->parts[i] = (struct iovec){load->received[i], BUFFER};
        load->messages[i].msg_hdr = (struct msghdr){.msg_iov = &load->parts[i], .msg_iovlen = 1};
    }
    int count = recvmmsg(load->fds[socket], load->messages, BATCH, MSG_DONTWAIT, NULL);
    return count > 0 ? (size_t)count : 0;
}

static struct dht_span received(const struct bench_load *load, size_t index)
{
    return (struct dht_span){load->received[index], load->messages[index].msg_len};
}

// A cheap look: all good replies end like this.
static bool looks_good(struct dht_span reply)
{
    static const char end[] = "1:y1:re";
    return reply.len > sizeof end &&
           memcmp(reply.data + reply.len - (sizeof end - 1), end, sizeof end - 1) == 0;
}

// ---- closed loop ----

struct closed {
    size_t left; // datagrams still to be sent
    size_t sent[BENCH_LOAD_SOCKETS];
    size_t under_way[BENCH_LOAD_SOCKETS];
    int64_t heard_ns;
};

static size_t serve_socket(struct bench_load *load, const struct bench_batch *batch, int socket,
                           struct closed *closed)
{
    size_t room = PER_SOCKET - closed->under_way[socket];
    size_t count = room < closed->left ? room : closed->left;
    if (count > 0 && batch->count > (size_t)socket) {
        size_t sent = send_some(load, batch, socket, closed->sent[socket], count);
        closed->sent[socket] += sent;
        closed->under_way[socket] += sent;
        closed->left -= sent;
    }
    size_t got = closed->under_way[socket] > 0 ? receive_some(load, socket) : 0;
    closed->under_way[socket] -= got < closed->under_way[socket] ? got : closed->under_way[socket];
    return got;
}

static void count_replies(const struct bench_load *load, size_t got, bool are_echoes,
                          struct bench_load_result *result)
{
    result->replies += got;
    for (size_t i = 0; i < got; i++) {
        result->bytes += load->messages[i].msg_len;
        result->errors += !are_echoes && !looks_good(received(load, i));
    }
}

static size_t all_under_way(const struct closed *closed)
{
    size_t sum = 0;
    for (int i = 0; i < BENCH_LOAD_SOCKETS; i++)
        sum += closed->under_way[i];
    return sum;
}

// Gives up what is under way.
static size_t forget(struct closed *closed)
{
    size_t sum = all_under_way(closed);
    memset(closed->under_way, 0, sizeof closed->under_way);
    return sum;
}

void bench_load_closed(struct bench_load *load, const struct bench_batch *batch, size_t first,
                       size_t count, struct bench_load_result *result)
{
    int64_t start_ns = bench_now_ns();
    struct closed closed = {.left = count, .heard_ns = start_ns};
    for (int socket = 0; socket < BENCH_LOAD_SOCKETS; socket++)
        closed.sent[socket] = first / BENCH_LOAD_SOCKETS;
    while (closed.left > 0 || all_under_way(&closed) > 0) {
        size_t got = 0;
        for (int socket = 0; socket < BENCH_LOAD_SOCKETS; socket++) {
            size_t some = serve_socket(load, batch, socket, &closed);
            count_replies(load, some, batch->are_echoes, result);
            got += some;
        }
        int64_t now_ns = bench_now_ns();
        if (got > 0)
            closed.heard_ns = now_ns;
        else if (now_ns - closed.heard_ns > STUCK_NS) {
            result->lost += forget(&closed);
            closed.heard_ns = now_ns;
        }
    }
    result->wall_ns += bench_now_ns() - start_ns;
}

// ---- open loop ----

struct open {
    int64_t *due_ns; // when each datagram of the batch was last due to leave
    uint32_t *times_ns;
    size_t answered;
};

static void note_answers(const struct bench_load *load, size_t got, struct open *open,
                         const struct bench_batch *batch)
{
    int64_t now_ns = bench_now_ns();
    for (size_t i = 0; i < got; i++) {
        struct bench_reply reply;
        if (!bench_message_read(received(load, i), &reply) || reply.tid >= batch->count)
            continue;
        int64_t took_ns = now_ns - open->due_ns[reply.tid];
        open->times_ns[open->answered++] = (uint32_t)(took_ns < UINT32_MAX ? took_ns : UINT32_MAX);
    }
}

static int compare_u32(const void *a, const void *b)
{
    const uint32_t *x = a;
    const uint32_t *y = b;
    return (*x > *y) - (*x < *y);
}

// Sends what is due, one socket after the other; returns how many have been sent by now.
static size_t send_due(struct bench_load *load, const struct bench_batch *batch, size_t sent,
                       size_t due, struct open *open, double gap_ns, int64_t start_ns)
{
    for (size_t burst = 0; sent < due && burst < BATCH; burst++, sent++) {
        int socket = (int)(sent % BENCH_LOAD_SOCKETS);
        size_t n = sent / BENCH_LOAD_SOCKETS;
        open->due_ns[index_of(batch, socket, n)] = start_ns + (int64_t)((double)sent * gap_ns);
        (void)send_some(load, batch, socket, n, 1);
    }
    return sent;
}

void bench_load_open(struct bench_load *load, const struct bench_batch *batch, size_t count,
                     double per_second, struct bench_load_latency *ret_latency)
{
    double gap_ns = 1e9 / per_second;
    struct open open = {.due_ns = grow(NULL, batch->count, sizeof *open.due_ns),
                        .times_ns = grow(NULL, count, sizeof *open.times_ns)};
    int64_t start_ns = bench_now_ns();
    int64_t end_ns = start_ns + (int64_t)(gap_ns * (double)count) + STUCK_NS;
    size_t sent = 0;
    while (open.answered < count && bench_now_ns() < end_ns) {
        size_t due = (size_t)((double)(bench_now_ns() - start_ns) / gap_ns) + 1;
        sent = send_due(load, batch, sent, due < count ? due : count, &open, gap_ns, start_ns);
        for (int socket = 0; socket < BENCH_LOAD_SOCKETS; socket++) {
            size_t got = receive_some(load, socket);
            got = got < count - open.answered ? got : count - open.answered;
            note_answers(load, got, &open, batch);
        }
    }
    qsort(open.times_ns, open.answered, sizeof *open.times_ns, compare_u32);
    *ret_latency = (struct bench_load_latency){.lost = count - open.answered};
    if (open.answered > 0) {
        ret_latency->p50_us = open.times_ns[open.answered / 2] / 1e3;
        ret_latency->p99_us = open.times_ns[open.answered * 99 / 100] / 1e3;
    }
    free(open.due_ns);
    free(open.times_ns);
}

// ---- asking ----

struct asking {
    bool *answered;
    size_t left;
    bench_load_take_fn take;
    void *ctx;
};

static void take_answers(const struct bench_load *load, size_t got, size_t count,
                         struct asking *asking)
{
    for (size_t i = 0; i < got; i++) {
        struct bench_reply reply;
        if (!bench_message_read(received(load, i), &reply) || reply.tid >= count ||
            asking->answered[reply.tid])
            continue;
        asking->answered[reply.tid] = true;
        asking->left--;
        asking->take(asking->ctx, reply.tid, &reply, load->messages[i].msg_len);
    }
}

// One pass over all that is not answered yet, PER_SOCKET at a time on each socket.
static void ask_round(struct bench_load *load, const struct bench_batch *batch,
                      struct asking *asking)
{
    for (size_t n = 0; n * BENCH_LOAD_SOCKETS < batch->count; n += PER_SOCKET) {
        size_t before = asking->left;
        size_t sent = 0;
        for (size_t i = n * BENCH_LOAD_SOCKETS;
             i < (n + PER_SOCKET) * BENCH_LOAD_SOCKETS && i < batch->count; i++)
            if (!asking->answered[i])
                sent += send_some(load, batch, (int)(i % BENCH_LOAD_SOCKETS),
                                  i / BENCH_LOAD_SOCKETS, 1);
        int64_t until_ns = bench_now_ns() + STUCK_NS;
        while (before - asking->left < sent && bench_now_ns() < until_ns)
            for (int socket = 0; socket < BENCH_LOAD_SOCKETS; socket++)
                take_answers(load, receive_some(load, socket), batch->count, asking);
    }
}

size_t bench_load_ask(struct bench_load *load, const struct bench_batch *batch,
                      bench_load_take_fn take, void *ctx)
{
    struct asking asking = {
        .answered = calloc(batch->count, 1), .left = batch->count, .take = take, .ctx = ctx};
    if (asking.answered == NULL)
        bench_die("load", "no memory");
    for (int i = 0; i < TRIES && asking.left > 0; i++)
        ask_round(load, batch, &asking);
    free(asking.answered);
    return asking.left;
}
