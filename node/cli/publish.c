// SPDX-License-Identifier: MIT
#include "node/cli/file.h"
#include "node/cli/json.h"
#include "node/cli/session.h"
#include "pnr/clouds.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT_MS     120000 // a lookup and a round of puts, on a bad day
#define REFUSALS_MAX 64     // the protocol's bound

// What a publish or unpublish is about, while it runs.
struct deed {
    struct cli_call call;
    const char *past; // "stored" or "withdrawn"
    const char *type; // of its JSON object
    bool is_withdrawal;
    bool is_storing; // past the point from which the daemon goes on by itself
    char shown[96];  // the name, for the progress line
    char doing[192];
};

// ---- reports ----

static const char *code_text(int64_t code)
{
    static const struct reason {
        int64_t code;
        const char *text;
    } reasons[] = {
        {0, "no answer"},           {201, "generic error"},  {202, "server error"},
        {203, "protocol error"},    {204, "method unknown"}, {205, "message too big"},
        {206, "invalid signature"}, {207, "salt too big"},   {301, "cas mismatch"},
        {302, "newer seq there"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reasons[i].code == code) {
            return reasons[i].text;
        }
    }
    return "unknown error";
}

static void print_json(const struct cli_output *output, const struct pnr_event *event,
                       const struct pnr_report *report, const char *type)
{
    struct pnr_refusal refusal;
    json_t *object = cli_json_object(type);
    json_t *refused = cli_json_array();
    cli_json_text(object, "name", report->name);
    cli_json_text(object, "authority", report->authority);
    if (report->seq >= 0) {
        cli_json_int(object, "seq", report->seq);
    }
    cli_json_int(object, "stored", report->stored);
    cli_json_int(object, "targets", report->targets);
    for (size_t i = 0; pnr_read_refusal(event, i, &refusal); i++) {
        json_t *part = cli_json_part();
        cli_json_text(part, "addr", refusal.addr);
        cli_json_int(part, "code", refusal.code);
        cli_json_append(refused, part);
    }
    cli_json_value(object, "refused", refused);
    if (report->renew_s >= 0) {
        cli_json_int(object, "renew_s", report->renew_s);
    }
    cli_json_int(object, "nodes_asked", report->tally.nodes_asked);
    cli_json_int(object, "nodes_answered", report->tally.nodes_answered);
    cli_json_int(object, "hops", report->tally.hops);
    cli_json_ms(object, "elapsed_ms", report->tally.elapsed_us);
    cli_json_print(object, output);
}

// "not stored: 2 newer seq there (302), 1 no answer": by code, in the order they came in.
static void print_refusals(const struct pnr_event *event)
{
    struct {
        int64_t code;
        unsigned count;
    } codes[REFUSALS_MAX] = {{0, 0}};
    size_t code_count = 0;
    struct pnr_refusal refusal;
    for (size_t i = 0; i < REFUSALS_MAX && pnr_read_refusal(event, i, &refusal); i++) {
        size_t at = 0;
        while (at < code_count && codes[at].code != refusal.code) {
            at++;
        }
        code_count += at == code_count;
        codes[at].code = refusal.code;
        codes[at].count++;
    }
    for (size_t i = 0; i < code_count; i++) {
        printf("%s%u %s", i == 0 ? "not stored: " : ", ", codes[i].count, code_text(codes[i].code));
        if (codes[i].code != 0) {
            printf(" (%lld)", (long long)codes[i].code);
        }
    }
    printf("%s", code_count > 0 ? "\n" : "");
}

static void print_each_refusal(const struct pnr_event *event)
{
    struct pnr_refusal refusal;
    for (size_t i = 0; pnr_read_refusal(event, i, &refusal); i++) {
        char addr[4 * PNR_ADDR_MAX];
        cli_text_printable(refusal.addr, strlen(refusal.addr), addr, sizeof addr);
        printf("  %-48s %s\n", addr, code_text(refusal.code));
    }
}

// "seq 1795222326770812 · 20 asked, 20 answered, 3 hops, 143 ms"; unsecured names have no seq
static void print_trailer(const struct cli_output *output, const struct pnr_report *report)
{
    const struct pnr_tally *tally = &report->tally;
    struct cli_text elapsed;
    char seq[40] = "";
    if (report->seq >= 0) {
        snprintf(seq, sizeof seq, "seq %lld \xc2\xb7 ", (long long)report->seq);
    }
    printf("%s%s%u asked, %u answered, %u hop%s, %s%s\n", cli_output_style(output, CLI_STYLE_DIM),
           seq, tally->nodes_asked, tally->nodes_answered, tally->hops, tally->hops == 1 ? "" : "s",
           cli_text_duration(tally->elapsed_us, &elapsed),
           cli_output_style(output, CLI_STYLE_PLAIN));
}

static void print_people(const struct cli_output *output, const struct pnr_event *event,
                         const struct pnr_report *report, const struct deed *deed)
{
    char name[4 * PNR_NAME_MAX];
    struct cli_text renewal;
    bool is_low = report->stored * 2 < report->targets;
    printf("%s%s%s\n", cli_output_style(output, CLI_STYLE_BOLD),
           cli_text_printable(report->name, strlen(report->name), name, sizeof name),
           cli_output_style(output, CLI_STYLE_PLAIN));
    if (output->verbosity < 0) {
        return;
    }
    if (report->targets == 0 && deed->is_withdrawal) { // an unsecured name: nobody held it
        printf("%s%s%s\n", cli_output_style(output, CLI_STYLE_GOOD), deed->past,
               cli_output_style(output, CLI_STYLE_PLAIN));
        return;
    }
    printf("%s%s on %u of %u nodes%s",
           cli_output_style(output, is_low ? CLI_STYLE_WARN : CLI_STYLE_GOOD), deed->past,
           report->stored, report->targets, cli_output_style(output, CLI_STYLE_PLAIN));
    if (report->renew_s >= 0 && !deed->is_withdrawal) { // of a tombstone: nobody waits for it
        printf(", next renewal in %s", cli_text_seconds(report->renew_s, &renewal));
    }
    putchar('\n');
    print_refusals(event);
    if (output->verbosity > 0) {
        print_each_refusal(event);
    }
    print_trailer(output, report);
}

// ---- running ----

static bool on_progress(struct cli_context *context, struct deed *deed,
                        const struct pnr_event *event)
{
    struct pnr_progress progress;
    if (!pnr_read_step(event, &progress)) {
        return false;
    }
    if (progress.step == PNR_STEP_STORING) {
        deed->is_storing = true;
        snprintf(deed->doing, sizeof deed->doing, "%s: %s on %u of %u nodes", deed->shown,
                 deed->past, progress.stored, progress.targets);
    } else {
        snprintf(deed->doing, sizeof deed->doing, "%s: %s", deed->shown,
                 progress.step == PNR_STEP_READING ? "reading what is there" : "saving");
    }
    cli_session_say(context, &deed->call, deed->doing);
    return true;
}

static bool on_event(struct cli_context *context, void *state, const struct pnr_event *event)
{
    struct deed *deed = state;
    struct pnr_report report;
    if (event->type == PNR_EVENT_PROGRESS) {
        return on_progress(context, deed, event);
    }
    if (event->type != PNR_EVENT_DONE) {
        return true;
    }
    if (!pnr_read_report(event, &report)) {
        return false;
    }
    cli_output_progress_end(&context->output);
    if (context->output.json) {
        print_json(&context->output, event, &report, deed->type);
    } else {
        print_people(&context->output, event, &report, deed);
    }
    return true;
}

static int run(struct cli_context *context, struct deed *deed)
{
    const char *name = context->args[0];
    cli_text_printable(name, strlen(name), deed->shown, sizeof deed->shown);
    snprintf(deed->doing, sizeof deed->doing, "%s", deed->shown);
    deed->call.doing = deed->doing;
    deed->call.limit_ms = LIMIT_MS;
    deed->call.on_event = on_event;
    deed->call.state = deed;
    int code = cli_session_run(context, &deed->call);
    if (deed->is_storing && (deed->call.was_cancelled || code == CLI_EXIT_TIMED_OUT)) {
        cli_output_note(&context->output, "the daemon goes on by itself; see 'pnr publications'");
    }
    return code;
}

static int check_name(struct cli_context *context)
{
    char why[CLI_TEXT_WHY_MAX];
    if (cli_text_check_name(context->args[0], why)) {
        return CLI_EXIT_DONE;
    }
    cli_output_error(&context->output, "%s", why);
    return CLI_EXIT_USAGE;
}

// Reads the payload's file into publish, whose payload the caller frees.
static int read_payload(struct cli_context *context, struct pnr_publish *publish)
{
    const struct cli_options *options = context->options;
    char why[CLI_FILE_WHY_MAX];
    uint8_t *data = cli_output_alloc(2 * PNR_PAYLOAD_MAX);
    size_t len;
    publish->payload = data;
    if (!cli_file_read(options->payload, data, PNR_PAYLOAD_MAX, &len, why)) {
        cli_output_error(&context->output, "payload: %s", why);
        return CLI_EXIT_ERROR;
    }
    if (options->payload_type == PNR_PAYLOAD_STRING) {
        size_t units = cli_text_utf16_units((const char *)data, len);
        if (units == SIZE_MAX || units > PNR_PAYLOAD_MAX / 2) {
            cli_output_error(&context->output, units == SIZE_MAX
                                                   ? "the payload is not valid UTF-8"
                                                   : "the payload has more than 2048 UTF-16 units");
            return CLI_EXIT_USAGE;
        }
        uint8_t *wide = cli_output_alloc(2 * PNR_PAYLOAD_MAX);
        len = cli_text_to_utf16((const char *)data, len, wide);
        free(data);
        publish->payload = wide;
    }
    publish->payload_len = len;
    publish->payload_type = options->payload_type;
    return CLI_EXIT_DONE;
}

// Further words behind the name are endpoints too, so that several can be given in one breath.
static int take_endpoints(struct cli_context *context, struct cli_options *options)
{
    char why[CLI_OPTIONS_WHY_MAX];
    *options = *context->options;
    for (size_t i = 1; i < context->arg_count; i++) {
        if (!cli_options_add_endpoint(options, context->args[i], why)) {
            cli_output_error(&context->output, "%s", why);
            return CLI_EXIT_USAGE;
        }
    }
    if (options->endpoints_over > 0) {
        cli_output_error(&context->output, "a name has at most %d endpoints; these are %zu",
                         PNR_ENDPOINTS_MAX, options->endpoint_count + options->endpoints_over);
        return CLI_EXIT_REFUSED;
    }
    if (options->endpoint_count == 0 && options->payload == NULL) {
        cli_output_error(&context->output,
                         "give at least one --endpoint, such as tcp:192.0.2.7:443, or a --payload");
        return CLI_EXIT_USAGE;
    }
    return CLI_EXIT_DONE;
}

static int publish_now(struct cli_context *context, struct pnr_publish *publish)
{
    struct deed deed = {.past = "stored", .type = "published"};
    int code = cli_session_open(context);
    if (code == CLI_EXIT_DONE) {
        deed.call.begun = pnr_publish(context->client, publish, &deed.call.request);
        code = run(context, &deed);
    }
    return code;
}

int cli_publish(struct cli_context *context)
{
    struct cli_options options;
    int code = check_name(context);
    if (code == CLI_EXIT_DONE) {
        code = take_endpoints(context, &options);
    }
    if (code != CLI_EXIT_DONE) {
        return code;
    }
    struct pnr_publish publish = {
        .cloud = context->options->cloud,
        .name = context->args[0],
        .endpoints = options.endpoints,
        .endpoint_count = options.endpoint_count,
        .comment = options.comment,
        .comment_len = options.comment_len,
        .ttl_s = options.ttl_s,
    };
    if (options.payload != NULL) {
        code = read_payload(context, &publish);
    }
    if (code == CLI_EXIT_DONE) {
        code = publish_now(context, &publish);
    }
    free((void *)(uintptr_t)publish.payload);
    return code;
}

int cli_unpublish(struct cli_context *context)
{
    struct deed deed = {.past = "withdrawn", .type = "unpublished", .is_withdrawal = true};
    int code = check_name(context);
    if (code == CLI_EXIT_DONE) {
        code = cli_session_open(context);
    }
    if (code == CLI_EXIT_DONE) {
        deed.call.begun = pnr_unpublish_in(context->client, context->options->cloud,
                                           context->args[0], &deed.call.request);
        code = run(context, &deed);
    }
    return code;
}
