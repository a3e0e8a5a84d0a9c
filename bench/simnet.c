// SPDX-License-Identifier: MIT
// How large and how fast a simulated internet is: real brains that join by the real protocol, at
// several sizes, each in a process of its own, beside a yardstick measured in the same run:
// machines without a brain that do nothing but answer, which is what the simulator itself costs.
//
//     bench_simnet [NODES...]        1,000 10,000 100,000 where none are named
#include "simnet/latency.h"
#include "simnet/pages.h"
#include "simnet/population.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SEED          1
#define JOIN_S_LEAST  60
#define JOINS_PER_S   5000 // of virtual time, at the largest sizes
#define IDLE_S        20
#define YARDSTICK_S   2
#define MEDIAN_RTT_US 100000
#define SIGMA         0.6
#define MIN_RTT_US    2000

static double cpu_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double resident_bytes(void)
{
    long total = 0;
    long resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%ld %ld", &total, &resident) != 2)
        resident = 0;
    if (file != NULL)
        fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static struct simnet_world *make_world(void)
{
    struct simnet_world *world = simnet_world_new(SEED);
    simnet_world_internet(world, simnet_latency_lognormal(SEED, MEDIAN_RTT_US, SIGMA, MIN_RTT_US));
    return world;
}

// ---- the yardstick ----

static void answer(struct simnet_actor *actor, struct simnet_world *world,
                   struct simnet_machine *machine, const struct dht_datagram *datagram, int engine)
{
    (void)actor;
    (void)world;
    simnet_machine_send(machine, engine, &datagram->addr, datagram->bytes);
}

// Messages a second between as many machines that only answer, one message under way for each.
static double yardstick(uint32_t nodes)
{
    static const struct simnet_actor_class class = {.name = "echo", .receive = answer};
    static struct simnet_actor actor = {&class};
    static const uint8_t bytes[110];
    struct simnet_profile profile;
    struct simnet_world *world = make_world();
    struct simnet_stream stream;
    simnet_profile_init(&profile);
    simnet_stream_init(&stream, SEED, "yardstick", 0);
    for (uint32_t i = 0; i < nodes; i++) {
        struct dht_addr addr = simnet_population_ipv4(SEED, i);
        struct simnet_machine *machine = simnet_world_add(world, &profile, &addr, 1, NULL);
        machine->actor = &actor;
        simnet_machine_start(machine, NULL, 0);
    }
    for (uint32_t i = 0; i < nodes; i++) {
        uint32_t other = (uint32_t)simnet_stream_below(&stream, nodes);
        simnet_machine_send(simnet_world_machine(world, i), 0,
                            &simnet_world_machine(world, other)->addrs[0],
                            (struct dht_span){bytes, sizeof bytes});
    }
    double begin_s = cpu_s();
    int64_t until_us = simnet_world_now(world);
    while (cpu_s() - begin_s < YARDSTICK_S)
        simnet_world_run(world, until_us += SIMNET_SECOND_US / 100);
    double rate = (double)simnet_world_counters(world)->delivered / (cpu_s() - begin_s);
    simnet_world_free(world);
    return rate;
}

// ---- brains ----

static void tell_network(struct simnet_world *world, uint32_t nodes)
{
    double contacts = 0;
    uint32_t joined = 0;
    for (uint32_t i = 0; i < nodes; i++) {
        struct dht_info info;
        dht_info(node_engine(simnet_world_machine(world, i)->node, 0), &info);
        contacts += info.contacts;
        joined += info.joined;
    }
    printf("%12s %10u joined, %.1f contacts each\n", "", joined, contacts / nodes);
}

static void tell_phase(const char *name, const struct simnet_counters *before,
                       const struct simnet_counters *after, double cpu, double virtual_s)
{
    double messages = (double)(after->delivered - before->delivered);
    printf("%12s %10.0f messages in %.1f CPU s: %.0f a second, %.1f us each; %.0f virtual s, "
           "%.2f times real time\n",
           name, messages, cpu, messages / cpu, cpu / messages * 1e6, virtual_s, virtual_s / cpu);
}

static void measure(uint32_t nodes)
{
    double echo = yardstick(nodes);
    struct simnet_profile profile;
    simnet_profile_init(&profile);
    simnet_profile_million(&profile);
    double memory = resident_bytes();
    struct simnet_world *world = make_world();
    int64_t join_s = nodes / JOINS_PER_S > JOIN_S_LEAST ? nodes / JOINS_PER_S : JOIN_S_LEAST;
    simnet_population_join(world, &profile, nodes, join_s * SIMNET_SECOND_US);
    struct simnet_counters born = *simnet_world_counters(world);
    double begin_s = cpu_s();
    int64_t joined_us = SIMNET_START_US + (join_s + JOIN_S_LEAST) * SIMNET_SECOND_US;
    simnet_world_run(world, joined_us);
    struct simnet_counters joined = *simnet_world_counters(world);
    double joined_s = cpu_s();
    simnet_world_run(world, joined_us + IDLE_S * SIMNET_SECOND_US);
    struct simnet_counters idled = *simnet_world_counters(world);
    double idled_s = cpu_s();
    printf("%12u nodes, %.0f bytes each, seed %d, trace %016llx\n", nodes,
           (resident_bytes() - memory) / nodes, SEED, (unsigned long long)simnet_world_hash(world));
    tell_network(world, nodes);
    tell_phase("joining", &born, &joined, joined_s - begin_s, (double)(join_s + JOIN_S_LEAST));
    tell_phase("idle", &joined, &idled, idled_s - joined_s, IDLE_S);
    double rate = (double)joined.delivered / (joined_s - begin_s);
    printf("%12s %10.0f a second without a brain; %.2f of it with\n\n", "yardstick", echo,
           rate / echo);
    fflush(stdout);
    _exit(0); // a million brains need not be taken apart
}

int main(int argc, char **argv)
{
    static const char *const usual[] = {"1000", "10000", "100000"};
    simnet_pages_large(argv);
    int count = argc > 1 ? argc - 1 : 3;
    for (int i = 0; i < count; i++) {
        const char *text = argc > 1 ? argv[i + 1] : usual[i];
        uint32_t nodes = (uint32_t)strtoul(text, NULL, 10);
        if (nodes == 0) {
            fprintf(stderr, "bench_simnet: %s is no number of nodes\n", text);
            return 2;
        }
        pid_t child = fork();
        if (child == 0)
            measure(nodes);
        int status = 1;
        if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0)
            return 1;
    }
    return 0;
}
