// SPDX-License-Identifier: MIT
// Of a checker: what honest brains send. Sequence numbers, the budget of those who have proven
// nothing, and the form of datagrams.
#include "simnet/checker_part.h"

#include "dht/krpc.h"

#include <string.h>

#define TOKENS       4
#define PROVEN_US    (10 * SIMNET_MINUTE_US)
#define BURST        4096 // bytes, at once and in a minute
#define BURST_STEP   ((double)BURST / (60e6))
#define MACHINE_SALT 7

// An address that a brain talks to, in one of its lives.
struct source {
    bool was_asked;
    bool is_proven;
    int64_t proven_us;       // when it last echoed something
    uint64_t tokens[TOKENS]; // hashes of those handed out to it, the last ones
    uint32_t token_count;
};

// What a brain sent to those of a prefix who had proven nothing, as a bucket that leaks: above
// BURST, more went out than came in.
struct prefix {
    double level;
    int64_t at_us;
    bool is_over; // told once
};

struct put {
    int64_t seq;
    uint64_t value;
    bool is_used;
};

void simnet_checker_traffic_init(struct simnet_checker *checker)
{
    simnet_ledger_init(&checker->sources, sizeof(struct source));
    simnet_ledger_init(&checker->prefixes, sizeof(struct prefix));
    simnet_ledger_init(&checker->puts, sizeof(struct put));
}

// ---- sequence numbers ----

static void see_put(struct simnet_checker *checker, const struct simnet_machine *machine,
                    const struct dht_krpc *msg)
{
    if (!msg->has_seq || msg->key.data == NULL)
        return;
    uint64_t name = simnet_ledger_hash(machine->number + MACHINE_SALT, msg->key.data, msg->key.len);
    if (msg->salt.data != NULL)
        name = simnet_ledger_hash(name, msg->salt.data, msg->salt.len);
    uint64_t value = simnet_ledger_hash(0, msg->value.data, msg->value.len);
    struct put *put = simnet_ledger_take(&checker->puts, name);
    if (put->is_used && msg->seq < put->seq)
        simnet_checker_fail(checker, machine, "a sequence number goes back from %lld to %lld",
                            (long long)put->seq, (long long)msg->seq);
    if (put->is_used && msg->seq == put->seq && value != put->value)
        simnet_checker_fail(checker, machine, "sequence number %lld is used for two values",
                            (long long)put->seq);
    if (!put->is_used || msg->seq > put->seq)
        *put = (struct put){msg->seq, value, true};
}

// ---- budgets ----

static struct source *source_of(struct simnet_checker *checker,
                                const struct simnet_machine *machine, const struct dht_addr *addr)
{
    uint64_t hash = simnet_ledger_hash(simnet_checker_life(machine), addr->ip, addr->ip_len);
    return simnet_ledger_take(&checker->sources,
                              simnet_ledger_hash(hash, &addr->port, sizeof addr->port));
}

static struct prefix *prefix_of(struct simnet_checker *checker,
                                const struct simnet_machine *machine, const struct dht_addr *addr)
{
    uint64_t hash =
        simnet_ledger_hash(simnet_checker_life(machine) + 1, addr->ip, addr->ip_len == 4 ? 3 : 6);
    struct prefix *prefix = simnet_ledger_take(&checker->prefixes, hash);
    int64_t now_us = simnet_machine_now(machine);
    if (prefix->at_us != 0)
        prefix->level -= (double)(now_us - prefix->at_us) * BURST_STEP;
    if (prefix->level < 0)
        prefix->level = 0;
    prefix->at_us = now_us;
    return prefix;
}

static void see_reply(struct simnet_checker *checker, const struct simnet_machine *machine,
                      const struct simnet_packet *packet, const struct dht_krpc *msg)
{
    struct source *source = source_of(checker, machine, &packet->to);
    if (msg->token.data != NULL) {
        uint64_t token = simnet_ledger_hash(0, msg->token.data, msg->token.len);
        if (source->token_count == 0 || source->tokens[(source->token_count - 1) % TOKENS] != token)
            source->tokens[source->token_count++ % TOKENS] = token;
    }
    if (source->is_proven && simnet_machine_now(machine) - source->proven_us <= PROVEN_US)
        return;
    struct prefix *prefix = prefix_of(checker, machine, &packet->to);
    prefix->level += packet->len;
    if (prefix->level <= BURST || prefix->is_over)
        return;
    prefix->is_over = true;
    simnet_checker_fail(checker, machine,
                        "sends %.0f bytes more than 1.5 times what came from %u.%u.%u/24",
                        prefix->level, packet->to.ip[0], packet->to.ip[1], packet->to.ip[2]);
}

static void prove(struct source *source, const struct simnet_machine *machine)
{
    source->is_proven = true;
    source->proven_us = simnet_machine_now(machine);
}

static void see_delivered(struct simnet_checker *checker, const struct simnet_machine *machine,
                          const struct simnet_packet *packet, const struct dht_krpc *msg)
{
    struct source *source = source_of(checker, machine, &packet->from);
    if (msg->type != DHT_KRPC_QUERY) {
        if (source->was_asked)
            prove(source, machine);
        return;
    }
    if (msg->token.data != NULL) {
        uint64_t token = simnet_ledger_hash(0, msg->token.data, msg->token.len);
        for (uint32_t i = 0; i < TOKENS && i < source->token_count; i++)
            if (source->tokens[i] == token) {
                prove(source, machine);
                break;
            }
    }
    struct prefix *prefix = prefix_of(checker, machine, &packet->from);
    prefix->level -= 1.5 * packet->len;
    if (prefix->level < 0)
        prefix->level = 0;
}

// ---- all of it ----

static void judge_form(struct simnet_checker *checker, const struct simnet_machine *machine,
                       const struct simnet_packet *packet)
{
    enum dht_family family = packet->to.ip_len == 4 ? DHT_IPV4 : DHT_IPV6;
    const char *fault =
        checker->config.judge((struct dht_span){packet->bytes, packet->len}, family);
    if (fault != NULL)
        simnet_checker_fail(checker, machine, "sends a datagram of %u bytes: %s", packet->len,
                            fault);
}

static void see_sent(struct simnet_checker *checker, const struct simnet_machine *machine,
                     const struct simnet_packet *packet, const struct dht_krpc *msg)
{
    bool is_put = msg->type == DHT_KRPC_QUERY && msg->method == DHT_KRPC_PUT;
    if ((checker->config.parts & SIMNET_CHECKER_SEQUENCE) != 0 && is_put)
        see_put(checker, machine, msg);
    if ((checker->config.parts & SIMNET_CHECKER_BOUNDS) == 0)
        return;
    if (msg->type == DHT_KRPC_QUERY)
        source_of(checker, machine, &packet->to)->was_asked = true;
    else
        see_reply(checker, machine, packet, msg);
}

void simnet_checker_traffic_see(struct simnet_checker *checker, enum simnet_tap_event event,
                                const struct simnet_machine *machine,
                                const struct simnet_packet *packet)
{
    struct dht_krpc msg;
    int parts = checker->config.parts;
    if (event == SIMNET_TAP_SENT && (parts & SIMNET_CHECKER_DATAGRAMS) != 0)
        judge_form(checker, machine, packet);
    if ((parts & (SIMNET_CHECKER_SEQUENCE | SIMNET_CHECKER_BOUNDS)) == 0 ||
        (event == SIMNET_TAP_DELIVERED && (parts & SIMNET_CHECKER_BOUNDS) == 0) ||
        !dht_krpc_parse((struct dht_span){packet->bytes, packet->len}, &msg))
        return;
    if (event == SIMNET_TAP_SENT)
        see_sent(checker, machine, packet, &msg);
    else
        see_delivered(checker, machine, packet, &msg);
}
