// SPDX-License-Identifier: MIT
#include "simnet/story.h"

#include "dht/addr.h"
#include "node/control/fields.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define REPLIES_MAX  64 // the last packets of the asker, in a ring
#define COMPACT_IPV4 26 // bytes of a contact: id, address, port
#define COMPACT_IPV6 38
#define ID_SHOWN     12 // hex digits
#define STAMP_WIDTH  10

struct reply {
    struct dht_addr from;
    uint16_t len;
    uint8_t bytes[DHT_DATAGRAM_MAX];
};

struct simnet_story {
    struct simnet_run *run;
    struct simnet_world *world;
    uint32_t number;
    FILE *out;
    const struct simnet_application_lookup *lookup; // NULL: not begun
    struct dht_id target;
    uint32_t machine;
    int who_width;                 // of addresses
    uint32_t hops, answers, depth; // told; the greatest depth of them
    bool has_first, is_over;
    struct reply replies[REPLIES_MAX];
    uint32_t reply_count; // ever
    struct simnet_tap tap;
};

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
    return (double)(simnet_world_now(story->world) - story->lookup->asked_us) / 1e3;
}

// ---- what replies say ----

static void see(void *ctx, struct simnet_world *world, enum simnet_tap_event event,
                const struct simnet_machine *machine, const struct simnet_element *element,
                const struct simnet_packet *packet)
{
    struct simnet_story *story = ctx;
    (void)world;
    (void)element;
    if (event != SIMNET_TAP_DELIVERED || story->lookup == NULL ||
        machine->number != story->machine || packet->len > DHT_DATAGRAM_MAX)
        return;
    struct reply *reply = &story->replies[story->reply_count++ % REPLIES_MAX];
    reply->from = packet->from;
    reply->len = packet->len;
    memcpy(reply->bytes, packet->bytes, packet->len);
}

// The last reply from there; its "r". False where there is none.
static bool find_reply(const struct simnet_story *story, const struct dht_addr *from,
                       struct dht_span *ret_dict)
{
    uint32_t held = story->reply_count < REPLIES_MAX ? story->reply_count : REPLIES_MAX;
    for (uint32_t i = 1; i <= held; i++) {
        const struct reply *reply = &story->replies[(story->reply_count - i) % REPLIES_MAX];
        struct dht_span whole = {reply->bytes, reply->len};
        struct dht_span dict;
        if (!dht_addr_equal(&reply->from, from) || !control_fields_check(whole) ||
            !control_fields_find(whole, "r", &dict) || !control_fields_check(dict))
            continue;
        *ret_dict = dict;
        return true;
    }
    return false;
}

// The contact of a compact list that is closest to the target.
static void find_closest(const struct simnet_story *story, struct dht_span list, size_t step,
                         int *inout_bits, struct dht_id *inout_id)
{
    for (size_t at = 0; at + step <= list.len; at += step) {
        struct dht_id id;
        memcpy(id.bytes, list.data + at, DHT_ID_LEN);
        int bits = shared_bits(&id, &story->target);
        if (bits > *inout_bits) {
            *inout_bits = bits;
            *inout_id = id;
        }
    }
}

static void tell_named(const struct simnet_story *story, const struct dht_addr *from,
                       uint32_t named)
{
    struct dht_span dict;
    struct dht_span list;
    struct dht_id closest = {{0}};
    char text[2 * DHT_ID_LEN + 1];
    int bits = -1;
    if (find_reply(story, from, &dict)) {
        if (control_fields_string(dict, "nodes", &list))
            find_closest(story, list, COMPACT_IPV4, &bits, &closest);
        if (control_fields_string(dict, "nodes6", &list))
            find_closest(story, list, COMPACT_IPV6, &bits, &closest);
    }
    fprintf(story->out, "%" PRIu32 " node%s", named, plural(named));
    if (bits >= 0)
        fprintf(story->out, ", the closest at %d bits: %.*s", bits, ID_SHOWN,
                id_text(&closest, text));
}

// ---- the story ----

static void begin(void *ctx, const struct simnet_application_lookup *lookup,
                  const struct simnet_publisher *publisher)
{
    struct simnet_story *story = ctx;
    const struct simnet_machine *machine = simnet_world_machine(story->world, lookup->machine);
    int64_t at_us =
        simnet_run_now(story->run) - simnet_scenario_t0(simnet_run_scenario(story->run));
    char addr[DHT_ADDR_TEXT_MAX];
    char text[2 * DHT_ID_LEN + 1];
    story->lookup = lookup;
    story->machine = lookup->machine;
    story->target = publisher->target;
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
    if (simnet_run_scenario(story->run)->resolve.wait == CONTROL_WAIT_FIRST)
        fprintf(story->out,
                "The measured lookup ends with its first answer. This one goes on until "
                "it is settled, for\nits hops to be told; \"* the first answer\" comes "
                "when it is handed out then.\n\n");
    fprintf(story->out, "%*s %11s %5s %5s  %-*s %-*s  %s\n", STAMP_WIDTH, "after", "round trip",
            "depth", "bits", story->who_width, "who", ID_SHOWN, "id", "what came back");
}

static void tell_hop(struct simnet_story *story, struct dht_span fields)
{
    struct simnet_answer_hop hop;
    struct dht_addr addr = {0};
    char who[64];
    char id[2 * DHT_ID_LEN + 1];
    char rtt[32] = "-";
    char bits[16] = "?";
    if (!simnet_answer_hop(fields, &hop))
        return;
    snprintf(who, sizeof who, "%.*s", (int)hop.addr.len, (const char *)hop.addr.data);
    dht_addr_from_text(who, &addr);
    if (hop.rtt_us >= 0)
        snprintf(rtt, sizeof rtt, "%.1f ms", (double)hop.rtt_us / 1e3);
    if (hop.has_id)
        snprintf(bits, sizeof bits, "%d", shared_bits(&hop.id, &story->target));
    story->hops++;
    story->answers += hop.outcome != CONTROL_OUTCOME_SILENT;
    if (hop.outcome != CONTROL_OUTCOME_SILENT && hop.depth > story->depth)
        story->depth = hop.depth;
    fprintf(story->out, "%*.1f ms %11s %5" PRIu32 " %5s  %-*s %-*.*s  ", STAMP_WIDTH - 3,
            since_ms(story), rtt, hop.depth, bits, story->who_width, who, ID_SHOWN, ID_SHOWN,
            hop.has_id ? id_text(&hop.id, id) : "unknown");
    if (hop.outcome == CONTROL_OUTCOME_SILENT)
        fprintf(story->out, "silent");
    else if (hop.outcome == CONTROL_OUTCOME_ERROR)
        fprintf(story->out, "an error");
    else
        tell_named(story, &addr, hop.named);
    if (hop.outcome == CONTROL_OUTCOME_FOUND)
        fprintf(story->out, ", and THE RECORD");
    fputc('\n', story->out);
}

static void tell_result(struct simnet_story *story, struct dht_span fields)
{
    struct simnet_answer_result result;
    if (!simnet_answer_result(fields, &result))
        return;
    fprintf(story->out,
            "%*.1f ms   * %s answer, verified: sequence number %" PRId64
            ", %zu endpoint%s, from %s\n",
            STAMP_WIDTH - 3, since_ms(story), story->has_first ? "another" : "the first",
            result.seq, result.endpoint_count, plural(result.endpoint_count),
            result.source == CONTROL_SOURCE_DHT ? "the network" : "the asker's own memory");
    story->has_first = true;
}

static void answered(void *ctx, enum control_answer kind, struct dht_span fields)
{
    struct simnet_story *story = ctx;
    if (kind == CONTROL_ANSWER_PROGRESS)
        tell_hop(story, fields);
    else if (kind == CONTROL_ANSWER_RESULT)
        tell_result(story, fields);
    else
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
           (story->lookup != NULL && story->lookup->outcome != SIMNET_APPLICATION_WAITING);
}

void simnet_story_end(struct simnet_story *story)
{
    const struct simnet_application_lookup *lookup = story->lookup;
    if (lookup == NULL) {
        fprintf(story->out, "lookup   %" PRIu32 " was not made\n", story->number);
        return;
    }
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
