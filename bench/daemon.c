// SPDX-License-Identifier: MIT

// What the shell's leaves cost: hashes, signatures, durable rows, datagrams over loopback.
//
//   bench_daemon [DIRECTORY]   DIRECTORY: where rows are written; one on the disk in question

#include "node/daemon/crypto.h"
#include "node/daemon/ed25519.h"
#include "node/daemon/state.h"
#include "node/daemon/udp.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void die(const char *what, const char *why)
{
    fprintf(stderr, "bench_daemon: %s: %s\n", what, why);
    exit(1);
}

static void bench_hashes(const struct dht_crypto *crypto)
{
    static const size_t lens[] = {52, 116, 1000};
    enum { ROUNDS = 500000 };
    uint8_t bytes[1000] = {1};
    uint8_t digest[32];
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct dht_span part = {bytes, lens[i]};
        double start = now_ns();
        for (int round = 0; round < ROUNDS; round++) {
            crypto->sha1(crypto->ctx, &part, 1, digest);
            bytes[0] ^= digest[0]; // each waits for the one before
        }
        double sha1_ns = (now_ns() - start) / ROUNDS;
        start = now_ns();
        for (int round = 0; round < ROUNDS; round++) {
            crypto->sha256(crypto->ctx, &part, 1, digest);
            bytes[0] ^= digest[0];
        }
        printf("%4zu bytes: SHA-1 %.0f ns, SHA-256 %.0f ns\n", lens[i], sha1_ns,
               (now_ns() - start) / ROUNDS);
    }
}

static void bench_verify(const char *name, daemon_ed25519_fn verify, const uint8_t *key,
                         const uint8_t *sig, struct dht_span msg)
{
    enum { ROUNDS = 10000 };
    double start = now_ns();
    for (int round = 0; round < ROUNDS; round++) {
        if (!verify(key, sig, msg))
            die(name, "a good signature was refused");
    }
    printf("%s: %.0f verifies/s\n", name, ROUNDS * 1e9 / (now_ns() - start));
}

static void bench_signatures(const struct dht_crypto *crypto, struct daemon_keys *keys)
{
    enum { ROUNDS = 10000 };
    uint8_t key[DHT_KEY_LEN];
    uint8_t sig[DHT_SIG_LEN];
    uint8_t bytes[300] = {2};
    struct dht_span msg = {bytes, sizeof bytes};
    struct daemon_error error;
    if (!daemon_keys_create(keys, "bench", key, &error))
        die("key", error.text);
    double start = now_ns();
    for (int round = 0; round < ROUNDS; round++)
        crypto->sign(crypto->ctx, key, msg, sig);
    printf("OpenSSL: %.0f signatures/s\n", ROUNDS * 1e9 / (now_ns() - start));
    bench_verify("OpenSSL", daemon_ed25519_openssl, key, sig, msg);
#ifdef PNR_HAVE_SODIUM
    bench_verify("libsodium", daemon_ed25519_sodium, key, sig, msg);
#endif
}

// Writes rows with so many on the way at a time; each counts once its completion is there.
static void bench_state(struct daemon_state *state, bool durable, int on_the_way, int rows)
{
    int written = 0;
    int done = 0;
    double start = now_ns();
    while (done < rows) {
        struct daemon_state_done completion;
        while (written < rows && written - done < on_the_way) {
            char key[16];
            uint8_t value[120] = {3};
            snprintf(key, sizeof key, "%d", written % 1000);
            struct daemon_state_row row = {.kind = DAEMON_STATE_SEQUENCE,
                                           .key = {(const uint8_t *)key, strlen(key)},
                                           .value = {value, sizeof value}};
            written++;
            if (daemon_state_write(state, (uint64_t)written, durable, &row) != DAEMON_STATE_TAKEN)
                die("state", "a row was not taken");
        }
        struct pollfd pollfd = {.fd = daemon_state_fd(state), .events = POLLIN};
        poll(&pollfd, 1, -1);
        while (daemon_state_next(state, &completion)) {
            if (!completion.ok)
                die("state", "a row was not written");
            done++;
        }
    }
    printf("%s rows, %d on the way: %.0f/s\n", durable ? "durable" : "other", on_the_way,
           rows * 1e9 / (now_ns() - start));
}

static void bench_udp(void)
{
    enum { ROUNDS = 5000 };
    struct dht_addr loopback = {.ip = {127, 0, 0, 1}, .ip_len = 4};
    struct daemon_error error;
    struct daemon_udp *a = daemon_udp_open(&loopback, NULL, (size_t)2 << 20, &error);
    struct daemon_udp *b = daemon_udp_open(&loopback, NULL, (size_t)2 << 20, &error);
    if (a == NULL || b == NULL)
        die("udp", error.text);
    struct daemon_udp_info info;
    struct dht_datagram out[DAEMON_UDP_BATCH];
    uint8_t bytes[300] = {4};
    size_t received = 0;
    daemon_udp_info(b, &info);
    for (size_t i = 0; i < DAEMON_UDP_BATCH; i++)
        out[i] = (struct dht_datagram){info.addr, {bytes, sizeof bytes}};
    double start = now_ns();
    for (int round = 0; round < ROUNDS; round++) {
        const struct dht_datagram *got;
        daemon_udp_send(a, out, DAEMON_UDP_BATCH);
        received += daemon_udp_receive(b, &got);
    }
    printf("UDP: %.0f datagrams/s sent and received, in batches of %d\n",
           (double)received * 1e9 / (now_ns() - start), DAEMON_UDP_BATCH);
    daemon_udp_close(a);
    daemon_udp_close(b);
}

int main(int argc, char **argv)
{
    char dir[256];
    char path[300];
    char command[320];
    struct daemon_error error;
    snprintf(dir, sizeof dir, "%.200s/pnr-bench-XXXXXX", argc > 1 ? argv[1] : "/tmp");
    if (mkdtemp(dir) == NULL)
        die(dir, "cannot be made");
    snprintf(path, sizeof path, "%s/keys", dir);
    struct daemon_keys *keys = daemon_keys_open(path, 4, &error);
    struct daemon_crypto *crypto = keys == NULL ? NULL : daemon_crypto_open(keys, &error);
    snprintf(path, sizeof path, "%s/state", dir);
    struct daemon_state_options options = {.dir = path};
    struct daemon_state *state = crypto == NULL ? NULL : daemon_state_open(&options, &error);
    if (state == NULL)
        die(dir, error.text);
    struct dht_crypto table = daemon_crypto_table(crypto);
    bench_hashes(&table);
    bench_signatures(&table, keys);
    bench_state(state, true, 1, 2000);
    bench_state(state, true, 64, 50000);
    bench_state(state, false, 64, 100000);
    bench_udp();
    daemon_state_close(state);
    daemon_crypto_close(crypto);
    daemon_keys_close(keys);
    snprintf(command, sizeof command, "rm -r '%s'", dir);
    return system(command) != 0;
}
