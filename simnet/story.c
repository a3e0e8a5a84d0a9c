// SPDX-License-Identifier: MIT
#include "simnet/story.h"

#include "dht/addr.h"
#include "dht/engine.h"
#include "dht/id.h"
#include "node/control/fields.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define QUERIES_MAX  512  // of the lookup
#define NAMED_MAX    2048 // contacts that replies named
#define COMPACT_IPV4 26   // bytes of a contact: id, address, port
#define COMPACT_IPV6 38
#define ID_SHOWN     12 // hex digits
#define STAMP_WIDTH  10
#define TID_MAX      8

// A contact that the lookup began with, or that a reply to it named.
struct named {
    struct dht_addr addr;
    struct dht_id id;
    uint32_t depth; // 1: of the asker's own table; else of who named it first, and one
};

// A query of the lookup, as it went out.
struct query {
    struct named to; // as it was known then
    uint8_t tid[TID_MAX];
    size_t tid_len;
    int64_t sent_us;
    bool is_over;      // a reply came
    bool is_again;     // the node was asked before
    bool has_answered; // the first one to a node: one of them was answered
    bool is_aside;     // it seeks others than the lookup's target: only what it names is of use
};

// What one reply names.
struct naming {
    uint32_t count, depth;
    int bits; // of the closest; -1: none
    struct dht_id closest;
};

struct simnet_story {
    struct simnet_run *run;
    struct simnet_world *world;
    uint32_t number;
    FILE *out;
    bool is_begun;
    int64_t asked_us;
    struct dht_id target;
    uint32_t machine;
    int who_width;                 // of addresses
    uint32_t hops, answers, depth; // nodes told of; those that answered, the greatest depth of them
    bool has_first, is_over;
    struct query queries[QUERIES_MAX];
    struct named named[NAMED_MAX];
    size_t query_count, named_count;
    uint32_t untold; // queries beyond QUERIES_MAX
    struct simnet_tap tap;
};

static const struct simnet_application_lookup *lookup_of(const struct simnet_story *story)
{
    return simnet_application_lookup(simnet_run_application(story->run), story->number);
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static int shared_bits(const struct dht_id *a, const struct dht_id *b)
{
    for (int i = 0; i < DHT_ID_LEN; i++) {
        unsigned differ = a->bytes[i] ^ b->bytes[i];
        if (differ != 0)
            return 8 * i + __builtin_clz(differ) - 24;
    }
    return 8 * DHT_ID_LEN;
}

static const char *id_text(const struct dht_id *id, char ret_text[2 * DHT_ID_LEN + 1])
{
    for (int i = 0; i < DHT_ID_LEN; i++)
        snprintf(ret_text + 2 * (size_t)i, 3, "%02x", id->bytes[i]);
    return ret_text;
}

static double since_ms(const struct simnet_story *story)
{
    return (double)(simnet_world_now(story->world) - story->asked_us) / 1e3;
}

// ---- what goes out ----

static const struct named *find_named(const struct simnet_story *story, const struct dht_addr *addr)
{
    for (size_t i = 0; i < story->named_count; i++)
        if (dht_addr_equal(&story->named[i].addr, addr))
            return &story->named[i];
    return NULL;
}

static bool is_string(struct dht_span dict, const char *key, const void *text, size_t len)
{
    struct dht_span found;
    return control_fields_string(dict, key, &found) && found.len == len &&
           memcmp(found.data, text, len) == 0;
}

// The first query of the lookup to a node, or NULL.
static struct query *first_query(struct simnet_story *story, const struct dht_addr *to)
{
    for (size_t i = 0; i < story->query_count; i++)
        if (!story->queries[i].is_aside && dht_addr_equal(&story->queries[i].to.addr, to))
            return &story->queries[i];
    return NULL;
}

// Whether it asks for contacts or the record; ret_target: next to what, or of what.
static bool is_search(struct dht_span whole, struct dht_id *ret_target)
{
    struct dht_span arguments, target;
    bool is_get = is_string(whole, "q", "get", 3);
    if (!is_string(whole, "y", "q", 1) || (!is_get && !is_string(whole, "q", "find_node", 9)) ||
        !control_fields_find(whole, "a", &arguments) || !control_fields_check(arguments) ||
        !control_fields_string(arguments, "target", &target) || target.len != DHT_ID_LEN)
        return false;
    memcpy(ret_target->bytes, target.data, DHT_ID_LEN);
    return true;
}

static void see_sent(struct simnet_story *story, const struct simnet_packet *packet)
{
    struct dht_span whole = {packet->bytes, packet->len};
    struct dht_span tid;
    struct dht_id target;
    if (!control_fields_check(whole) || !is_search(whole, &target) ||
        !control_fields_string(whole, "t", &tid) || tid.len > TID_MAX)
        return;
    // Who has answered is asked on for his neighbours, or for somebody else in the region.
    const struct query *first = first_query(story, &packet->to);
    bool is_aside = !dht_id_equal(&target, &story->target) ||
                    (first != NULL && first->has_answered && !is_string(whole, "q", "get", 3));
    if (is_aside && (first == NULL || !first->has_answered))
        return;
    if (story->query_count == QUERIES_MAX) {
        story->untold += !is_aside;
        return;
    }
    const struct named *known = find_named(story, &packet->to);
    struct query *query = &story->queries[story->query_count++];
    *query = (struct query){.tid_len = tid.len,
                            .sent_us = simnet_world_now(story->world),
                            .is_again = first != NULL,
                            .is_aside = is_aside};
    query->to = known != NULL ? *known : (struct named){.addr = packet->to, .depth = 1};
    memcpy(query->tid, tid.data, tid.len);
    story->hops += first == NULL;
}

// ---- what comes back ----

static struct query *find_query(struct simnet_story *story, const struct dht_addr *from,
                                struct dht_span tid)
{
    for (size_t i = 0; i < story->query_count; i++) {
        struct query *query = &story->queries[i];
        if (!query->is_over && dht_addr_equal(&query->to.addr, from) && query->tid_len == tid.len &&
            memcmp(query->tid, tid.data, tid.len) == 0)
            return query;
    }
    return NULL;
}

// Reads a compact list of contacts.
static void take_named(struct simnet_story *story, struct dht_span list, size_t step,
                       struct naming *naming)
{
    for (size_t at = 0; at + step <= list.len; at += step) {
        struct named named = {.depth = naming->depth + 1};
        memcpy(named.id.bytes, list.data + at, DHT_ID_LEN);
        int bits = shared_bits(&named.id, &story->target);
        naming->count++;
        if (bits > naming->bits) {
            naming->bits = bits;
            naming->closest = named.id;
        }
        if (dht_addr_from_compact(list.data + at + DHT_ID_LEN, step - DHT_ID_LEN, &named.addr) &&
            story->named_count < NAMED_MAX && find_named(story, &named.addr) == NULL)
            story->named[story->named_count++] = named;
    }
}

static struct naming take_reply(struct simnet_story *story, struct dht_span dict, uint32_t depth)
{
    struct naming naming = {.depth = depth, .bits = -1};
    struct dht_span list;
    if (control_fields_string(dict, "nodes", &list))
        take_named(story, list, COMPACT_IPV4, &naming);
    if (control_fields_string(dict, "nodes6", &list))
        take_named(story, list, COMPACT_IPV6, &naming);
    return naming;
}

static void tell_named(struct simnet_story *story, struct dht_span dict, uint32_t depth)
{
    struct naming naming = take_reply(story, dict, depth);
    struct dht_span list;
    struct control_fields_range any = {INT64_MIN, INT64_MAX};
    char text[2 * DHT_ID_LEN + 1];
    int64_t seq;
    fprintf(story->out, "%" PRIu32 " node%s", naming.count, plural(naming.count));
    if (naming.bits >= 0)
        fprintf(story->out, ", the closest at %d bits: %.*s", naming.bits, ID_SHOWN,
                id_text(&naming.closest, text));
    if (!control_fields_find(dict, "v", &list))
        return;
    fprintf(story->out, ", and A RECORD");
    if (control_fields_int(dict, "seq", any, &seq))
        fprintf(story->out, ", number %" PRId64, seq);
}

// The columns of a hop up to what came back.
static void tell_who(const struct simnet_story *story, double after_ms, const char *rtt,
                     const struct named *who)
{
    static const struct dht_id unknown = {{0}};
    char addr[DHT_ADDR_TEXT_MAX];
    char id[2 * DHT_ID_LEN + 1];
    char bits[16] = "?";
    bool has_id = !dht_id_equal(&who->id, &unknown);
    if (has_id)
        snprintf(bits, sizeof bits, "%d", shared_bits(&who->id, &story->target));
    dht_addr_to_text(&who->addr, addr);
    fprintf(story->out, "%*.1f ms %11s %5" PRIu32 " %5s  %-*s %-*.*s  ", STAMP_WIDTH - 3, after_ms,
            rtt, who->depth, bits, story->who_width, addr, ID_SHOWN, ID_SHOWN,
            has_id ? id_text(&who->id, id) : "unknown");
}

static void count_answer(struct simnet_story *story, const struct query *query)
{
    struct query *first = first_query(story, &query->to.addr);
    story->answers += !first->has_answered;
    first->has_answered = true;
    if (query->to.depth > story->depth)
        story->depth = query->to.depth;
}

// dict: what is in the reply; NULL data: it is none.
static void tell_hop(struct simnet_story *story, const struct query *query, struct dht_span dict)
{
    struct named who = query->to;
    struct dht_span id;
    char rtt[32];
    if (dict.data != NULL && control_fields_string(dict, "id", &id) && id.len == DHT_ID_LEN)
        memcpy(who.id.bytes, id.data, DHT_ID_LEN);
    snprintf(rtt, sizeof rtt, "%.1f ms",
             (double)(simnet_world_now(story->world) - query->sent_us) / 1e3);
    tell_who(story, since_ms(story), rtt, &who);
    if (query->is_again)
        fprintf(story->out, "again: ");
    if (dict.data != NULL)
        tell_named(story, dict, who.depth);
    else
        fprintf(story->out, "an error");
    fputc('\n', story->out);
}

static void see_delivered(struct simnet_story *story, const struct simnet_packet *packet)
{
    struct dht_span whole = {packet->bytes, packet->len};
    struct dht_span tid;
    if (!control_fields_check(whole) || is_string(whole, "y", "q", 1) ||
        !control_fields_string(whole, "t", &tid))
        return;
    struct query *query = find_query(story, &packet->from, tid);
    struct dht_span dict = {NULL, 0};
    if (query == NULL)
        return;
    if (!is_string(whole, "y", "r", 1) || !control_fields_find(whole, "r", &dict) ||
        !control_fields_check(dict))
        dict = (struct dht_span){NULL, 0};
    query->is_over = true;
    if (query->is_aside) {
        if (dict.data != NULL)
            take_reply(story, dict, query->to.depth);
        return;
    }
    count_answer(story, query);
    tell_hop(story, query, dict);
}

static void see(void *ctx, struct simnet_world *world, enum simnet_tap_event event,
                const struct simnet_machine *machine, const struct simnet_element *element,
                const struct simnet_packet *packet)
{
    struct simnet_story *story = ctx;
    (void)world;
    (void)element;
    if (event == SIMNET_TAP_DROPPED || !story->is_begun || story->is_over ||
        machine->number != story->machine)
        return;
    if (event == SIMNET_TAP_SENT)
        see_sent(story, packet);
    else
        see_delivered(story, packet);
}

// Those that had not answered when the lookup ended.
static void tell_silent(struct simnet_story *story)
{
    for (size_t i = 0; i < story->query_count; i++) {
        const struct query *query = &story->queries[i];
        struct named who = query->to;
        const struct named *known = find_named(story, &who.addr);
        if (query->is_over || query->is_aside)
            continue;
        if (known != NULL)
            who.id = known->id; // somebody has named it since
        tell_who(story, (double)(query->sent_us - story->asked_us) / 1e3, "-", &who);
        fprintf(story->out, "%sasked then, no answer by the end\n",
                query->is_again ? "again: " : "");
    }
    if (story->untold > 0)
        fprintf(story->out, "%" PRIu32 " more were asked\n", story->untold);
}

// ---- the story ----

// Whom the lookup begins with, as dht_search_start() picks them: all others are named by somebody,
// those of the asker's table too that are farther away.
static void look_into_table(struct simnet_story *story, const struct simnet_machine *machine)
{
    for (int engine = 0; machine->node != NULL && engine < machine->address_count; engine++) {
        const struct dht *dht = node_engine(machine->node, engine);
        struct dht_contact_ref refs[DHT_CLOSEST_MAX];
        size_t count = dht_table_closest(&dht->table, &story->target, DHT_CLOSEST_MAX, refs);
        for (size_t i = 0; i < count; i++)
            story->named[story->named_count++] =
                (struct named){.addr = dht_contact_addr(refs[i].contact, dht->table.contact_len),
                               .id = dht_contact_id(refs[i]),
                               .depth = 1};
    }
}

static void begin(void *ctx, const struct simnet_application_lookup *lookup,
                  const struct simnet_publisher *publisher)
{
    struct simnet_story *story = ctx;
    const struct simnet_machine *machine = simnet_world_machine(story->world, lookup->machine);
    int64_t at_us =
        simnet_run_now(story->run) - simnet_scenario_t0(simnet_run_scenario(story->run));
    char addr[DHT_ADDR_TEXT_MAX];
    char text[2 * DHT_ID_LEN + 1];
    story->is_begun = true;
    story->asked_us = lookup->asked_us;
    story->machine = lookup->machine;
    story->target = publisher->target;
    look_into_table(story, machine);
    dht_addr_to_text(&machine->addrs[0], addr);
    fprintf(story->out, "lookup   %" PRIu32 ", at t0 %c %.3f s\n", story->number,
            at_us < 0 ? '-' : '+', (double)(at_us < 0 ? -at_us : at_us) / 1e6);
    fprintf(story->out, "asker    machine %" PRIu32 ", %s\n", machine->number, addr);
    fprintf(story->out, "name     %s\n", publisher->name);
    fprintf(story->out, "target   %s\n", id_text(&publisher->target, text));
    fprintf(story->out,
            "kept by  %" PRIu32 " nodes as its publisher knows, machine %" PRIu32 "\n\n",
            publisher->stored, publisher->machine->number);
    bool is_ipv4 = simnet_run_scenario(story->run)->network.families == SIMNET_SCENARIO_IPV4;
    story->who_width = is_ipv4 ? 21 : 45;
    fprintf(story->out, "%*s %11s %5s %5s  %-*s %-*s  %s\n", STAMP_WIDTH, "after", "round trip",
            "depth", "bits", story->who_width, "who", ID_SHOWN, "id", "what came back");
}

static void tell_result(struct simnet_story *story, struct dht_span fields)
{
    struct simnet_answer_result result;
    if (!simnet_answer_result(fields, &result))
        return;
    fprintf(story->out,
            "%*.1f ms   * the asker is told %s answer, verified: sequence number %" PRId64
            ", %zu endpoint%s, from %s\n",
            STAMP_WIDTH - 3, since_ms(story), story->has_first ? "another" : "the first",
            result.seq, result.endpoint_count, plural(result.endpoint_count),
            result.source == CONTROL_SOURCE_DHT ? "the network" : "the asker's own memory");
    story->has_first = true;
}

static void answered(void *ctx, enum control_answer kind, struct dht_span fields)
{
    struct simnet_story *story = ctx;
    if (kind == CONTROL_ANSWER_RESULT)
        tell_result(story, fields);
    else if (kind != CONTROL_ANSWER_PROGRESS) // which are of lookups that are traced anyway
        story->is_over = true;
}

// ---- life ----

struct simnet_story *simnet_story_new(struct simnet_run *run, uint32_t lookup, FILE *out)
{
    struct simnet_story *story = simnet_world_need(calloc(1, sizeof *story));
    struct simnet_application_tracer tracer = {begin, answered, story};
    story->run = run;
    story->world = simnet_run_world(run);
    story->number = lookup;
    story->out = out;
    story->tap = (struct simnet_tap){see, NULL, story, NULL};
    simnet_application_trace(simnet_run_application(run), lookup, &tracer);
    simnet_world_tap(story->world, &story->tap);
    return story;
}

bool simnet_story_is_over(const struct simnet_story *story)
{
    // A lookup whose machine went away, or that was cancelled, has no last answer.
    return story->is_over ||
           (story->is_begun && lookup_of(story)->outcome != SIMNET_APPLICATION_WAITING);
}

void simnet_story_end(struct simnet_story *story)
{
    if (!story->is_begun) {
        fprintf(story->out, "lookup   %" PRIu32 " was not made\n", story->number);
        return;
    }
    const struct simnet_application_lookup *lookup = lookup_of(story);
    tell_silent(story);
    const char *outcome = simnet_application_outcome_word(lookup->outcome);
    fprintf(story->out, "\n%s", outcome);
    if (lookup->first_us >= 0)
        fprintf(story->out, " after %.1f ms", (double)lookup->first_us / 1e3);
    if (lookup->end_us >= 0)
        fprintf(story->out, ", at its end after %.1f ms", (double)lookup->end_us / 1e3);
    // Who goes away, cancels or times out hears of no work done, so this is what was told above.
    uint32_t hops = lookup->hops > 0 ? lookup->hops : story->depth;
    uint32_t asked = lookup->asked > 0 ? lookup->asked : story->hops;
    uint32_t answers = lookup->asked > 0 ? lookup->answered : story->answers;
    fprintf(story->out, ": %" PRIu32 " hop%s, %" PRIu32 " node%s asked, %" PRIu32 " answered\n",
            hops, plural(hops), asked, plural(asked), answers);
}

void simnet_story_free(struct simnet_story *story)
{
    if (story == NULL)
        return;
    simnet_world_untap(story->world, &story->tap);
    free(story);
}
