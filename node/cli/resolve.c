// SPDX-License-Identifier: MIT
#include "node/cli/result.h"
#include "node/cli/trace.h"

#include <stdlib.h>
#include <string.h>

#define PENDING_MAX   64 // publishers whose last word is waited for; past it they are shown at once
#define PAYLOAD_SHOWN 24 // bytes of a binary payload on a line

// A result that may yet be bettered, kept until its publisher's last one or the end.
struct pending {
    struct pending *next;
    struct pnr_result result; // its payload is the one behind it
    uint8_t payload[];
};

struct lookup {
    struct pending *first;
    size_t pending_count;
    struct pending *told; // its endpoints are; what its record says of all is still to come
    bool is_shared;       // by another machine, told as well
    size_t printed_count;
    struct cli_trace trace;
    struct pnr_tally tally; // of the end, where it had one
    bool has_tally;
};

static void print_json(const struct cli_output *output, const struct pnr_result *result)
{
    json_t *object = cli_json_object("result");
    cli_result_json(object, result);
    cli_json_int(object, "age_s", result->age_s);
    cli_json_text(object, "source", cli_result_source(result->source));
    cli_json_int(object, "nodes_asked", result->tally.nodes_asked);
    cli_json_int(object, "nodes_answered", result->tally.nodes_answered);
    cli_json_int(object, "copies", result->tally.copies);
    cli_json_int(object, "hops", result->tally.hops);
    if (result->tally.density > 0) {
        cli_json_int(object, "density_percent", result->tally.density);
    }
    cli_json_bool(object, "suspect", result->tally.suspect);
    if (result->rtt_us >= 0) {
        cli_json_ms(object, "rtt_ms", result->rtt_us);
    }
    cli_json_ms(object, "elapsed_ms", result->tally.elapsed_us);
    cli_json_bool(object, "final", result->final);
    cli_json_print(object, output);
}

// ---- for people ----

static void print_comment(const struct cli_output *output, const struct pnr_result *result)
{
    char text[PNR_COMMENT_MAX / 2 * 3 + 1];
    char shown[4 * sizeof text];
    char hex[2 * PNR_COMMENT_MAX + 1];
    size_t len;
    if (result->comment_len == 0) {
        return;
    }
    printf("%scomment:%s ", cli_output_style(output, CLI_STYLE_DIM),
           cli_output_style(output, CLI_STYLE_PLAIN));
    if (cli_text_from_utf16(result->comment, result->comment_len, text, sizeof text, &len)) {
        printf("%s\n", cli_text_printable(text, len, shown, sizeof shown));
    } else {
        printf("no text: %s\n", cli_text_hex(result->comment, result->comment_len, hex));
    }
}

static void print_payload(const struct cli_output *output, const struct pnr_result *result)
{
    size_t len;
    if (result->payload_type == PNR_PAYLOAD_NONE) {
        return;
    }
    printf("%spayload:%s ", cli_output_style(output, CLI_STYLE_DIM),
           cli_output_style(output, CLI_STYLE_PLAIN));
    char *text = cli_result_payload_text(result, &len);
    if (text != NULL) {
        size_t room = 4 * len + 8;
        char *shown = cli_output_alloc(room);
        printf("%s\n", cli_text_printable(text, len, shown, room));
        free(shown);
        free(text);
    } else {
        char hex[2 * PAYLOAD_SHOWN + 1];
        size_t shown_len =
            result->payload_len < PAYLOAD_SHOWN ? result->payload_len : PAYLOAD_SHOWN;
        printf("%zu bytes, %s%s\n", result->payload_len,
               cli_text_hex(result->payload, shown_len, hex),
               shown_len < result->payload_len ? "\xe2\x80\xa6" : "");
    }
}

// "signed by tbaj5h…1o9y, seq 17, ttl 5 min"
static void write_signature(const struct pnr_result *result, bool whole, char *buf, size_t buf_len)
{
    char authority[PNR_NAME_MAX];
    char shown[4 * PNR_AUTHORITY_MAX];
    char cloud[4 * PNR_WORD_MAX];
    struct cli_text ttl;
    size_t used;
    snprintf(authority, sizeof authority, "%s", result->authority);
    if (!whole) {
        cli_text_short_name(result->authority, authority);
    }
    cli_text_printable(authority, strlen(authority), shown, sizeof shown);
    if (strcmp(result->authority, "0") == 0) {
        used = (size_t)snprintf(buf, buf_len, "unsigned");
    } else {
        used = (size_t)snprintf(buf, buf_len, "signed by %s", shown);
    }
    if (result->seq >= 0) {
        used += (size_t)snprintf(buf + used, buf_len - used, ", seq %lld", (long long)result->seq);
    }
    used += (size_t)snprintf(buf + used, buf_len - used, ", ttl %s",
                             cli_text_seconds(result->ttl_s, &ttl));
    if (result->cloud[0] != '\0') {
        snprintf(buf + used, buf_len - used, ", in %s",
                 cli_text_printable(result->cloud, strlen(result->cloud), cloud, sizeof cloud));
    }
}

// "from the DHT: 21 asked, 18 answered, 8 copies, 3 hops, 143 ms"
static void write_origin(const struct pnr_result *result, char *buf, size_t buf_len)
{
    const struct pnr_tally *tally = &result->tally;
    struct cli_text elapsed;
    struct cli_text age;
    cli_text_duration(tally->elapsed_us, &elapsed);
    if (result->source == PNR_SOURCE_LOCAL) {
        snprintf(buf, buf_len, "published by this daemon, %s", elapsed.text);
    } else if (result->source == PNR_SOURCE_CACHE) {
        snprintf(buf, buf_len, "from the cache: verified %s%s, %s",
                 result->age_s == 0 ? "just now" : cli_text_seconds(result->age_s, &age),
                 result->age_s == 0 ? "" : " ago", elapsed.text);
    } else if (result->rtt_us >= 0) {
        snprintf(buf, buf_len, "from its publisher, %s away: %u asked, %u answered, %u hop%s, %s",
                 cli_text_duration(result->rtt_us, &age), tally->nodes_asked, tally->nodes_answered,
                 tally->hops, tally->hops == 1 ? "" : "s", elapsed.text);
    } else {
        snprintf(buf, buf_len, "from the DHT: %u asked, %u answered, %u cop%s, %u hop%s, %s",
                 tally->nodes_asked, tally->nodes_answered, tally->copies,
                 tally->copies == 1 ? "y" : "ies", tally->hops, tally->hops == 1 ? "" : "s",
                 elapsed.text);
    }
}

static void print_trailer(const struct cli_output *output, const struct pnr_result *result)
{
    char signature[768];
    char origin[256];
    write_signature(result, output->verbosity > 0, signature, sizeof signature);
    write_origin(result, origin, sizeof origin);
    size_t columns = cli_text_columns(signature) + cli_text_columns(origin) + 3;
    bool breaks = output->width > 0 && columns > output->width;
    printf("%s%s%s%s%s\n", cli_output_style(output, CLI_STYLE_DIM), signature,
           breaks ? "\n" : " \xc2\xb7 ", origin, cli_output_style(output, CLI_STYLE_PLAIN));
}

// Whether two machines' results come from one record, so that all but their endpoints is the same.
static bool is_same_record(const struct pnr_result *a, const struct pnr_result *b)
{
    const struct pnr_tally *x = &a->tally;
    const struct pnr_tally *y = &b->tally;
    bool same_way = a->source == b->source && a->age_s == b->age_s && a->rtt_us < 0 &&
                    b->rtt_us < 0 && x->nodes_asked == y->nodes_asked &&
                    x->nodes_answered == y->nodes_answered && x->copies == y->copies &&
                    x->hops == y->hops && x->elapsed_us == y->elapsed_us;
    bool same_content =
        a->comment_len == b->comment_len && a->payload_type == b->payload_type &&
        a->payload_len == b->payload_len && memcmp(a->comment, b->comment, a->comment_len) == 0 &&
        (a->payload_len == 0 || memcmp(a->payload, b->payload, a->payload_len) == 0);
    return same_way && same_content && a->seq >= 0 && a->seq == b->seq && a->ttl_s == b->ttl_s &&
           strcmp(a->authority, b->authority) == 0 && strcmp(a->name, b->name) == 0 &&
           strcmp(a->cloud, b->cloud) == 0;
}

static void print_name(const struct cli_output *output, const struct pnr_result *result)
{
    char name[4 * PNR_NAME_MAX];
    if (output->verbosity > 0) {
        printf("%s\n", cli_text_printable(result->name, strlen(result->name), name, sizeof name));
    }
}

static void print_endpoints(const struct cli_output *output, const struct pnr_result *result)
{
    struct cli_text text;
    for (size_t i = 0; i < result->endpoint_count; i++) {
        printf("%s%s%s\n", cli_output_style(output, CLI_STYLE_BOLD),
               cli_text_endpoint(&result->endpoints[i], &text),
               cli_output_style(output, CLI_STYLE_PLAIN));
    }
    if (result->endpoint_count == 0 && output->verbosity >= 0) {
        printf("no endpoints\n");
    }
}

// What the record says of all its machines stands once, below the last of them.
static void print_told(const struct cli_output *output, struct lookup *lookup)
{
    struct pending *told = lookup->told;
    lookup->told = NULL;
    if (told != NULL && output->verbosity >= 0) {
        if (lookup->is_shared) { // or it would look like the last one's alone
            putchar('\n');
        }
        print_comment(output, &told->result);
        print_payload(output, &told->result);
        print_trailer(output, &told->result);
    }
    free(told);
}

static struct pending *copy_result(const struct pnr_result *result)
{
    struct pending *pending = cli_output_alloc(sizeof *pending + result->payload_len);
    pending->result = *result;
    pending->next = NULL;
    if (result->payload_len > 0) {
        memcpy(pending->payload, result->payload, result->payload_len);
    }
    pending->result.payload = pending->payload;
    return pending;
}

static void print_people(const struct cli_output *output, struct lookup *lookup,
                         const struct pnr_result *result)
{
    bool goes_on = lookup->told != NULL && is_same_record(&lookup->told->result, result);
    bool is_first = lookup->printed_count + lookup->trace.count == 0;
    if (!goes_on) {
        print_told(output, lookup);
    }
    if (!is_first && output->verbosity >= 0) {
        putchar('\n');
    }
    if (!goes_on) {
        print_name(output, result);
    }
    print_endpoints(output, result);
    lookup->is_shared = goes_on;
    if (!goes_on) {
        lookup->told = copy_result(result);
    }
    if (result->seq < 0) { // a publisher of its own: of an unsecured name the next may be long
        print_told(output, lookup);
    }
}

static void print_result(struct cli_context *context, struct lookup *lookup,
                         const struct pnr_result *result)
{
    cli_output_progress_end(&context->output);
    if (context->output.json) {
        print_json(&context->output, result);
    } else {
        print_people(&context->output, lookup, result);
        fflush(stdout);
    }
    lookup->printed_count++;
}

// ---- results that may be bettered ----

static bool is_same_publisher(const struct pnr_result *a, const struct pnr_result *b)
{
    bool is_known = a->machine_len > 0 || a->seq >= 0;
    return is_known && a->machine_len == b->machine_len &&
           memcmp(a->machine, b->machine, a->machine_len) == 0 && strcmp(a->name, b->name) == 0;
}

// Forgets what a newer result of the same publisher replaces.
static void drop_older(struct lookup *lookup, const struct pnr_result *result)
{
    for (struct pending **at = &lookup->first; *at != NULL;) {
        struct pending *pending = *at;
        if (is_same_publisher(&pending->result, result)) {
            *at = pending->next;
            free(pending);
            lookup->pending_count--;
        } else {
            at = &pending->next;
        }
    }
}

static void keep(struct lookup *lookup, const struct pnr_result *result)
{
    struct pending **end = &lookup->first;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = copy_result(result);
    lookup->pending_count++;
}

// What has come in so far is shown also where the lookup ends badly.
static void print_pending(struct cli_context *context, struct lookup *lookup)
{
    while (lookup->first != NULL) {
        struct pending *pending = lookup->first;
        lookup->first = pending->next;
        print_result(context, lookup, &pending->result);
        free(pending);
    }
    lookup->pending_count = 0;
    cli_output_progress_end(&context->output);
    print_told(&context->output, lookup);
}

// The end's counts, of a "done" or of a "not found".
static bool on_end(struct cli_context *context, void *state, const struct pnr_event *event)
{
    struct lookup *lookup = state;
    (void)context;
    lookup->has_tally = pnr_read_tally(event, &lookup->tally);
    return lookup->has_tally;
}

static bool on_event(struct cli_context *context, void *state, const struct pnr_event *event)
{
    struct lookup *lookup = state;
    struct pnr_result result;
    if (event->type == PNR_EVENT_DONE) {
        return on_end(context, state, event);
    }
    if (event->type == PNR_EVENT_PROGRESS) {
        (void)cli_trace_hop(context, &lookup->trace, event);
        return true;
    }
    if (!pnr_read_result(event, &result)) {
        return false;
    }
    drop_older(lookup, &result);
    // A program gets each result when it is there, and tells by "final" whether more may follow.
    // For people they stand below the trace, which goes on meanwhile for an unsecured name.
    bool waits = !result.final || context->options->trace;
    if (!waits || context->output.json || lookup->pending_count >= PENDING_MAX) {
        print_result(context, lookup, &result);
    } else {
        keep(lookup, &result);
    }
    return true;
}

int cli_resolve(struct cli_context *context)
{
    const struct cli_options *options = context->options;
    struct pnr_resolve resolve = {
        .cloud = context->options->cloud,
        .name = context->args[0],
        .wait = options->wait,
        .timeout_ms = options->timeout_ms,
        .trace = options->trace,
        .criteria = options->criteria,
        .hint_len = options->hint_len,
        .max = options->max,
    };
    memcpy(resolve.hint, options->hint, sizeof resolve.hint);
    struct lookup lookup = {.first = NULL};
    char shown[96];
    char doing[128];
    int code = cli_session_open(context);
    if (code != CLI_EXIT_DONE) {
        return code;
    }
    cli_text_printable(resolve.name, strlen(resolve.name), shown, sizeof shown);
    snprintf(doing, sizeof doing, "resolving %s", shown);
    struct cli_call call = {
        .doing = doing, .on_event = on_event, .on_error = on_end, .state = &lookup};
    call.begun = pnr_resolve(context->client, &resolve, &call.request);
    code = cli_session_run(context, &call);
    if (options->trace && lookup.has_tally && lookup.trace.count > 0) {
        cli_trace_end(context, &lookup.tally);
    }
    print_pending(context, &lookup);
    if (lookup.has_tally) {
        cli_trace_warn(context, &lookup.tally);
    }
    return code;
}
