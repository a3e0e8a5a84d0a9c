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

// An address that a brain has asked, or that has echoed a token, in one of the brain's lives. There
// are very many.
struct source {
    int64_t proven_us; // when it last echoed something; 0: never
    bool was_asked;
};

// What was handed out to a source: few ask for it.
struct handout {
    uint64_t tokens[TOKENS]; // hashes of the last ones
    uint64_t count;
};

// What a brain sent to those of a prefix who had proven nothing, as a bucket that leaks: above
// BURST, more went out than came in.
struct prefix {
    double level;
    int64_t at_us; // by the machine's clock, which may begin anew in another life
    const struct simnet_machine *machine;
    uint32_t life; // its starts
    bool is_over;  // told once
};

struct put {
    int64_t seq;
    uint64_t value;
    bool is_used;
};

void simnet_checker_traffic_init(struct simnet_checker *checker)
{
    simnet_ledger_init(&checker->sources, sizeof(struct source));
    simnet_ledger_init(&checker->handouts, sizeof(struct handout));
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

// What names a source, in the ledgers of sources and of handouts.
static uint64_t source_hash(const struct simnet_machine *machine, const struct dht_addr *addr)
{
    uint64_t hash = simnet_ledger_hash(simnet_checker_life(machine), addr->ip, addr->ip_len);
    return simnet_ledger_hash(hash, &addr->port, sizeof addr->port);
}

// Whether a new one would not do as well: it is of a life that goes on, and has not leaked out yet,
// or was told of.
static bool is_of_use(const void *entry)
{
    const struct prefix *prefix = entry;
    return prefix->life == prefix->machine->starts &&
           (prefix->is_over ||
            simnet_machine_now(prefix->machine) - prefix->at_us < 2 * SIMNET_MINUTE_US);
}

static struct prefix *prefix_of(struct simnet_checker *checker,
                                const struct simnet_machine *machine, const struct dht_addr *addr)
{
    uint64_t hash =
        simnet_ledger_hash(simnet_checker_life(machine) + 1, addr->ip, addr->ip_len == 4 ? 3 : 6);
    if (simnet_ledger_is_full(&checker->prefixes))
        simnet_ledger_sweep(&checker->prefixes, is_of_use);
    struct prefix *prefix = simnet_ledger_take(&checker->prefixes, hash);
    int64_t now_us = simnet_machine_now(machine);
    if (prefix->at_us != 0)
        prefix->level -= (double)(now_us - prefix->at_us) * BURST_STEP;
    if (prefix->level < 0)
        prefix->level = 0;
    prefix->at_us = now_us;
    prefix->machine = machine;
    prefix->life = machine->starts;
    return prefix;
}

static void note_token(struct handout *handout, struct dht_span bytes)
{
    uint64_t token = simnet_ledger_hash(0, bytes.data, bytes.len);
    if (handout->count == 0 || handout->tokens[(handout->count - 1) % TOKENS] != token)
        handout->tokens[handout->count++ % TOKENS] = token;
}

static bool was_handed_out(const struct handout *handout, struct dht_span bytes)
{
    uint64_t token = simnet_ledger_hash(0, bytes.data, bytes.len);
    for (uint32_t i = 0; handout != NULL && i < TOKENS && i < handout->count; i++)
        if (handout->tokens[i] == token)
            return true;
    return false;
}

// Bytes that others cause to be sent.
static void charge(struct simnet_checker *checker, const struct simnet_machine *machine,
                   const struct simnet_packet *packet)
{
    uint64_t name = source_hash(machine, &packet->to);
    const struct source *source = simnet_ledger_find(&checker->sources, name);
    bool is_proven = source != NULL && source->proven_us != 0 &&
                     simnet_machine_now(machine) - source->proven_us <= PROVEN_US;
    if (is_proven)
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

static void see_reply(struct simnet_checker *checker, const struct simnet_machine *machine,
                      const struct simnet_packet *packet, const struct dht_krpc *msg)
{
    uint64_t name = source_hash(machine, &packet->to);
    if (msg->token.data != NULL)
        note_token(simnet_ledger_take(&checker->handouts, name), msg->token);
    charge(checker, machine, packet);
}

static void see_delivered(struct simnet_checker *checker, const struct simnet_machine *machine,
                          const struct simnet_packet *packet, const struct dht_krpc *msg)
{
    uint64_t name = source_hash(machine, &packet->from);
    if (msg->type != DHT_KRPC_QUERY) {
        struct source *source = simnet_ledger_find(&checker->sources, name);
        if (source != NULL && source->was_asked)
            source->proven_us = simnet_machine_now(machine);
        return;
    }
    if (msg->token.data != NULL &&
        was_handed_out(simnet_ledger_find(&checker->handouts, name), msg->token)) {
        struct source *source = simnet_ledger_take(&checker->sources, name);
        source->proven_us = simnet_machine_now(machine);
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
    if (msg->type != DHT_KRPC_QUERY) {
        see_reply(checker, machine, packet, msg);
        return;
    }
    // A push is a query that others have caused.
    if (msg->method == DHT_KRPC_PNR_CHANGED)
        charge(checker, machine, packet);
    struct source *source =
        simnet_ledger_take(&checker->sources, source_hash(machine, &packet->to));
    source->was_asked = true;
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
