// SPDX-License-Identifier: MIT
#include "bench/testnet.h"

#include "bench/process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NODES     "16"
#define PUBLISHER 5
#define TRIES     1000

// Waits for the line that the testnet writes when its nodes know each other.
static void wait_until_ready(const char *log_path)
{
    for (int i = 0; i < TRIES; i++) {
        struct timespec pause = {0, 10000000};
        char line[200] = "";
        FILE *file = fopen(log_path, "r");
        bool has_line = file != NULL && fgets(line, sizeof line, file) != NULL;
        if (file != NULL)
            fclose(file);
        if (has_line && strncmp(line, "ready ", 6) == 0)
            return;
        nanosleep(&pause, NULL);
    }
    bench_die(log_path, "the testnet does not get ready");
}

struct pnr_client *bench_testnet_open(const struct bench_testnet *net, uint32_t node)
{
    struct pnr_options options = {.address = net->address, .node = node};
    struct pnr_client *client;
    enum pnr_error error = pnr_client_open(&options, 5000, &client);
    if (error != PNR_OK)
        bench_die(net->address, pnr_error_text(error));
    return client;
}

static void finish(struct pnr_client *client, uint32_t id, struct pnr_event *ret_event)
{
    enum pnr_error error = pnr_client_finish(client, id, 30000, ret_event);
    if (error != PNR_OK)
        bench_die("testnet", pnr_error_text(error));
}

// Publishes a name of a key of its own.
static void publish(struct bench_testnet *net)
{
    struct pnr_client *client = bench_testnet_open(net, PUBLISHER);
    struct pnr_endpoint endpoint = {.ip = {192, 0, 2, 7}, .ip_len = 4, .proto = 6, .port = 443};
    struct pnr_publish publish = {.name = "bench.web", .endpoints = &endpoint, .endpoint_count = 1};
    struct pnr_event event;
    struct pnr_key key;
    uint32_t id;
    if (pnr_key_new(client, "bench", &id) != PNR_OK)
        bench_die("testnet", "takes no key");
    finish(client, id, &event);
    if (!pnr_read_key(&event, &key))
        bench_die("testnet", "has made no key");
    snprintf(net->name, sizeof net->name, "%s.web", key.z32);
    if (pnr_publish(client, &publish, &id) != PNR_OK)
        bench_die("testnet", "takes no name");
    finish(client, id, &event);
    pnr_client_close(client);
}

// The first node looks it up, and has it from then on.
static void resolve(const struct bench_testnet *net)
{
    struct pnr_client *client = bench_testnet_open(net, 0);
    struct pnr_resolve resolve = {.name = net->name};
    struct pnr_event event;
    uint32_t id;
    if (pnr_resolve(client, &resolve, &id) != PNR_OK)
        bench_die("testnet", "takes no lookup");
    finish(client, id, &event);
    pnr_client_close(client);
}

void bench_testnet_start(struct bench_testnet *net, const char *pnrd)
{
    char log_path[80];
    *net = (struct bench_testnet){.dir = "/tmp/pnr-bench-XXXXXX"};
    if (mkdtemp(net->dir) == NULL)
        bench_die(net->dir, strerror(errno));
    snprintf(net->address, sizeof net->address, "unix:%s/control", net->dir);
    snprintf(log_path, sizeof log_path, "%s/log", net->dir);
    const char *argv[] = {pnrd, "--testnet", NODES, "--unlimited", "--control", net->address, NULL};
    net->pid = bench_process_start((char *const *)(uintptr_t)argv, -1, log_path);
    wait_until_ready(log_path);
    publish(net);
    resolve(net);
}

void bench_testnet_stop(struct bench_testnet *net)
{
    char command[100];
    bench_process_stop(net->pid);
    snprintf(command, sizeof command, "rm -r '%s'", net->dir);
    if (system(command) != 0)
        fprintf(stderr, "bench: %s is left behind\n", net->dir);
}
