// SPDX-License-Identifier: MIT
#include "node/cli/trace.h"

#include "node/cli/json.h"
#include "pnr/clouds.h"

#include <string.h>

#define STATUS_LIMIT_MS 10000 // the daemon answers from memory

static const char *outcome_word(enum pnr_outcome outcome)
{
    static const char *const words[] = {[PNR_OUTCOME_ANSWERED] = "answered",
                                        [PNR_OUTCOME_FOUND] = "found",
                                        [PNR_OUTCOME_ERROR] = "error",
                                        [PNR_OUTCOME_SILENT] = "silent"};
    return words[outcome];
}

// The length in bits of the distance between two ids, Kademlia's XOR: 160 for those that share no
// first bit, 0 for equal ones.
static int distance_bits(const uint8_t a[PNR_NODE_ID_LEN], const uint8_t b[PNR_NODE_ID_LEN])
{
    for (int i = 0; i < PNR_NODE_ID_LEN; i++) {
        unsigned differs = (unsigned)(a[i] ^ b[i]);
        int bits = 8 * (PNR_NODE_ID_LEN - i);
        for (unsigned bit = 128; differs != 0 && (differs & bit) == 0; bit >>= 1) {
            bits--;
        }
        if (differs != 0) {
            return bits;
        }
    }
    return 0;
}

// Of a node that was asked what it publishes.
static void print_asked_json(const struct cli_output *output, const struct pnr_hop *hop)
{
    json_t *object = cli_json_object("asked");
    cli_json_text(object, "addr", hop->addr);
    cli_json_hex(object, "id", hop->id, hop->id_len);
    cli_json_hex(object, "target", hop->target, hop->target_len);
    cli_json_text(object, "outcome", outcome_word(hop->outcome));
    cli_json_int(object, "publishers", hop->named);
    cli_json_ms(object, "rtt_ms", hop->rtt_us);
    cli_json_print(object, output);
}

static void print_json(const struct cli_output *output, const struct pnr_hop *hop)
{
    json_t *object = cli_json_object("hop");
    cli_json_text(object, "addr", hop->addr);
    cli_json_hex(object, "id", hop->id, hop->id_len);
    cli_json_hex(object, "target", hop->target, hop->target_len);
    if (hop->id_len > 0 && hop->target_len > 0) {
        cli_json_int(object, "distance_bits", distance_bits(hop->id, hop->target));
    }
    cli_json_int(object, "depth", hop->depth);
    cli_json_text(object, "outcome", outcome_word(hop->outcome));
    cli_json_int(object, "named", hop->named);
    cli_json_ms(object, "rtt_ms", hop->rtt_us);
    cli_json_print(object, output);
}

// What came: "found, 8 named", "error", "silent"; of a publisher "publishes it".
static const char *came(const struct pnr_hop *hop, struct cli_text *ret_text)
{
    bool answered = hop->outcome == PNR_OUTCOME_ANSWERED || hop->outcome == PNR_OUTCOME_FOUND;
    if (hop->is_publisher && answered && hop->named > 1) {
        snprintf(ret_text->text, sizeof ret_text->text, "%u publishers", hop->named);
        return ret_text->text;
    }
    if (hop->is_publisher && answered) {
        return hop->named == 1 ? "publishes it" : "publishes nothing";
    }
    snprintf(ret_text->text, sizeof ret_text->text, answered ? "%s, %u named" : "%s",
             outcome_word(hop->outcome), hop->named);
    return ret_text->text;
}

static enum cli_style style_of(enum pnr_outcome outcome)
{
    switch (outcome) {
    case PNR_OUTCOME_FOUND:
        return CLI_STYLE_GOOD;
    case PNR_OUTCOME_ERROR:
        return CLI_STYLE_WARN;
    case PNR_OUTCOME_SILENT:
        return CLI_STYLE_DIM;
    case PNR_OUTCOME_ANSWERED:
        break;
    }
    return CLI_STYLE_PLAIN;
}

static void print_people(const struct cli_output *output, const struct pnr_hop *hop, size_t number)
{
    struct cli_text rtt = {"-"};
    struct cli_text what;
    char distance[16] = "?";
    char depth[16] = "-";
    char id[2 * PNR_NODE_ID_LEN + 1];
    char addr[4 * PNR_ADDR_MAX];
    if (hop->is_publisher) { // wherever its id is, it is there for what it publishes
        snprintf(distance, sizeof distance, "-");
    } else if (hop->id_len > 0 && hop->target_len > 0) {
        int bits = distance_bits(hop->id, hop->target);
        snprintf(distance, sizeof distance, bits > 0 ? "2^%d" : "0", bits);
    }
    if (!hop->is_publisher) {
        snprintf(depth, sizeof depth, "%u", hop->depth);
    }
    if (hop->rtt_us >= 0) {
        cli_text_duration(hop->rtt_us, &rtt);
    }
    cli_text_printable(hop->addr, strlen(hop->addr), addr, sizeof addr);
    size_t id_shown = output->verbosity > 0 || hop->id_len < 4 ? hop->id_len : 4;
    printf("%s%3zu %5s  %-8s  %10s  %-18s  %s%s%s%s%s\n",
           cli_output_style(output, style_of(hop->outcome)), number, depth, distance, rtt.text,
           came(hop, &what), addr, hop->id_len > 0 ? "  " : "", cli_text_hex(hop->id, id_shown, id),
           id_shown < hop->id_len ? "\xe2\x80\xa6" : "", cli_output_style(output, CLI_STYLE_PLAIN));
}

static void print_heading(const struct cli_output *output, const struct cli_trace *trace)
{
    char hex[2 * PNR_NODE_ID_LEN + 1];
    printf("%slooking for %s\n%3s %5s  %-8s  %10s  %-18s  %s%s\n",
           cli_output_style(output, CLI_STYLE_DIM),
           cli_text_hex(trace->target, trace->target_len, hex), "#", "DEPTH", "DISTANCE",
           "ROUND TRIP", "CAME", "NODE", cli_output_style(output, CLI_STYLE_PLAIN));
}

bool cli_trace_hop(struct cli_context *context, struct cli_trace *trace,
                   const struct pnr_event *event)
{
    struct pnr_hop hop;
    if (!pnr_read_hop(event, &hop)) {
        return false;
    }
    bool is_new = trace->count == 0 || trace->target_len != hop.target_len ||
                  memcmp(trace->target, hop.target, hop.target_len) != 0;
    memcpy(trace->target, hop.target, sizeof trace->target);
    trace->target_len = hop.target_len;
    cli_output_progress_end(&context->output);
    if (context->output.json) {
        if (hop.is_publisher) {
            print_asked_json(&context->output, &hop);
        } else {
            print_json(&context->output, &hop);
        }
    } else {
        if (is_new && context->output.verbosity >= 0) {
            print_heading(&context->output, trace);
        }
        print_people(&context->output, &hop, trace->count + 1);
    }
    fflush(stdout);
    trace->count++;
    return true;
}

// ---- the end ----

// Where none is named the daemon means this one, and where it is not there the first.
#define DEFAULT_CLOUD "Global_"

// The larger estimate of the cloud's address families; 0: unknown.
static bool on_status(struct cli_context *context, void *state, const struct pnr_event *event)
{
    int64_t *nodes = state;
    struct pnr_cloud cloud;
    char meant[PNR_WORD_MAX] = "";
    (void)context;
    for (size_t i = 0; event->type == PNR_EVENT_DONE && pnr_read_cloud(event, i, &cloud); i++) {
        bool is_default = strcmp(cloud.name, DEFAULT_CLOUD) == 0;
        if (i == 0 || (is_default && strcmp(meant, DEFAULT_CLOUD) != 0)) {
            memcpy(meant, cloud.name, sizeof meant);
            *nodes = 0;
        }
        if (strcmp(cloud.name, meant) == 0 && cloud.nodes_estimate > *nodes) {
            *nodes = cloud.nodes_estimate;
        }
    }
    return true;
}

void cli_trace_end(struct cli_context *context, const struct pnr_tally *tally)
{
    int64_t nodes = 0;
    struct cli_text count;
    struct cli_call call = {.limit_ms = STATUS_LIMIT_MS, .on_event = on_status, .state = &nodes};
    if (context->output.json) {
        return;
    }
    call.begun = pnr_status_in(context->client, context->options->cloud, &call.request);
    if (cli_session_run(context, &call) != CLI_EXIT_DONE) {
        return;
    }
    if (context->output.verbosity >= 0) {
        putchar('\n');
    }
    if (tally->density == 0 || nodes == 0) {
        printf("how dense the network is around the name is not known: its size is not yet\n");
    } else {
        printf("around the name the network is %u %% as dense as one of about %s nodes is\n",
               tally->density, cli_text_count(nodes, &count));
    }
}

void cli_trace_warn(struct cli_context *context, const struct pnr_tally *tally)
{
    if (tally->suspect) {
        cli_output_error(&context->output,
                         "warning: far more nodes are packed around this name than chance would "
                         "put there, which looks like a Sybil attack");
        cli_output_hint(&context->output, "what was found is signed, but may not be the newest; "
                                          "\"not found\" may be a lie");
    }
}
