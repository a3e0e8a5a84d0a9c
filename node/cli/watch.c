// SPDX-License-Identifier: MIT
#include "node/cli/result.h"
#include "node/cli/session.h"

#include <stdlib.h>
#include <string.h>

#define ENDPOINTS_LEN (PNR_ENDPOINTS_MAX * (CLI_TEXT_ENDPOINT_MAX + 1))

// What was printed last of a publisher, for the line that says that it is gone.
struct publisher {
    struct publisher *next;
    uint8_t id[PNR_PUBLISHER_LEN];
    char endpoints[ENDPOINTS_LEN];
};

struct watch {
    struct cli_call *call;
    const char *name;             // as it was typed
    struct publisher *publishers; // as many as the daemon tells of: PNR_KNOWN_MAX
    uint32_t printed;
    uint32_t wanted; // 0: no end
};

// ---- publishers ----

static struct publisher **find(struct watch *watch, const struct pnr_result *result)
{
    struct publisher **link = &watch->publishers;
    while (*link != NULL && memcmp((*link)->id, result->publisher, PNR_PUBLISHER_LEN) != 0) {
        link = &(*link)->next;
    }
    return link;
}

static const char *write_endpoints(const struct pnr_result *result, char text[ENDPOINTS_LEN])
{
    size_t used = 0;
    struct cli_text endpoint;
    snprintf(text, ENDPOINTS_LEN, "no endpoints");
    for (size_t i = 0; i < result->endpoint_count; i++) {
        used += (size_t)snprintf(text + used, ENDPOINTS_LEN - used, "%s%s", i > 0 ? " " : "",
                                 cli_text_endpoint(&result->endpoints[i], &endpoint));
    }
    return text;
}

// Remembers what is printed of the publisher, or forgets it. Returns what was or is to be printed.
static const char *endpoints_of(struct watch *watch, enum pnr_change change,
                                const struct pnr_result *result, char text[ENDPOINTS_LEN])
{
    struct publisher **link = find(watch, result);
    struct publisher *publisher = *link;
    if (change == PNR_CHANGE_GONE && publisher == NULL) {
        return "no endpoints";
    }
    if (change == PNR_CHANGE_GONE) {
        memcpy(text, publisher->endpoints, ENDPOINTS_LEN);
        *link = publisher->next;
        free(publisher);
        return text;
    }
    if (publisher == NULL) {
        publisher = *link = cli_output_alloc(sizeof *publisher);
        publisher->next = NULL;
        memcpy(publisher->id, result->publisher, PNR_PUBLISHER_LEN);
    }
    return write_endpoints(result, publisher->endpoints);
}

static void forget_all(struct watch *watch)
{
    while (watch->publishers != NULL) {
        struct publisher *publisher = watch->publishers;
        watch->publishers = publisher->next;
        free(publisher);
    }
}

// ---- JSON ----

static void print_json(const struct cli_output *output, enum pnr_change change,
                       const struct pnr_result *result)
{
    static const char *const words[] = {
        [PNR_CHANGE_ADDED] = "added", [PNR_CHANGE_CHANGED] = "changed", [PNR_CHANGE_GONE] = "gone"};
    json_t *object = cli_json_object("change");
    cli_json_text(object, "event", words[change]);
    if (change == PNR_CHANGE_GONE) {
        cli_json_text(object, "name", result->name);
        cli_json_hex(object, "publisher", result->publisher, result->publisher_len);
        cli_json_hex(object, "mark", result->mark, result->mark_len);
        cli_result_cloud_json(object, result);
    } else {
        cli_result_json(object, result);
        cli_json_text(object, "source", cli_result_source(result->source));
    }
    cli_json_print(object, output);
}

// ---- for people ----

static void print_comment(const struct pnr_result *result)
{
    char text[PNR_COMMENT_MAX / 2 * 3 + 1];
    char shown[4 * sizeof text];
    size_t len;
    if (result->comment_len > 0 &&
        cli_text_from_utf16(result->comment, result->comment_len, text, sizeof text, &len)) {
        printf(" \xc2\xb7 %s", cli_text_printable(text, len, shown, sizeof shown));
    }
}

static void print_people(const struct cli_output *output, enum pnr_change change,
                         const struct pnr_result *result, const char *endpoints)
{
    static const struct sign {
        char sign;
        enum cli_style style;
    } signs[] = {[PNR_CHANGE_ADDED] = {'+', CLI_STYLE_GOOD},
                 [PNR_CHANGE_CHANGED] = {'~', CLI_STYLE_WARN},
                 [PNR_CHANGE_GONE] = {'-', CLI_STYLE_BAD}};
    char hex[2 * PNR_MACHINE_MAX + 1];
    char cloud[4 * PNR_WORD_MAX];
    printf("%s%c%s %s", cli_output_style(output, signs[change].style), signs[change].sign,
           cli_output_style(output, CLI_STYLE_PLAIN), endpoints);
    if (output->verbosity >= 0 && change != PNR_CHANGE_GONE) {
        print_comment(result);
        if (result->payload_len > 0) {
            printf(" \xc2\xb7 payload of %zu bytes", result->payload_len);
        }
    }
    if (output->verbosity > 0 && result->machine_len > 0) {
        printf(" \xc2\xb7 machine %s", cli_text_hex(result->machine, result->machine_len, hex));
    }
    if (output->verbosity > 0 && result->seq >= 0) {
        printf(" \xc2\xb7 seq %lld", (long long)result->seq);
    }
    if (output->verbosity > 0 && result->cloud[0] != '\0') {
        printf(" \xc2\xb7 in %s",
               cli_text_printable(result->cloud, strlen(result->cloud), cloud, sizeof cloud));
    }
    putchar('\n');
    fflush(stdout);
}

// ---- events ----

// What there is has been told: nothing is waited for any more that could be told to be waited for.
static void all_told(struct cli_context *context, struct watch *watch)
{
    char shown[96];
    cli_session_say(context, watch->call, NULL);
    cli_output_progress_end(&context->output);
    if (context->output.json) {
        json_t *object = cli_json_object("watching");
        cli_json_text(object, "name", watch->name);
        cli_json_print(object, &context->output);
    } else if (watch->printed == 0) {
        cli_output_note(&context->output, "nobody publishes %s now",
                        cli_text_printable(watch->name, strlen(watch->name), shown, sizeof shown));
    }
}

static bool on_event(struct cli_context *context, void *state, const struct pnr_event *event)
{
    struct watch *watch = state;
    struct pnr_result result;
    struct pnr_progress progress;
    enum pnr_change change;
    char text[ENDPOINTS_LEN];
    if (event->type != PNR_EVENT_RESULT) {
        if (pnr_read_step(event, &progress) && progress.step == PNR_STEP_WATCHING) {
            all_told(context, watch);
        }
        return true;
    }
    if (!pnr_read_change(event, &change, &result)) {
        return false;
    }
    cli_output_progress_end(&context->output);
    const char *endpoints = endpoints_of(watch, change, &result, text);
    if (context->output.json) {
        print_json(&context->output, change, &result);
    } else {
        print_people(&context->output, change, &result, endpoints);
    }
    watch->printed++;
    watch->call->is_enough = watch->printed == watch->wanted;
    return true;
}

int cli_watch(struct cli_context *context)
{
    const struct cli_options *options = context->options;
    struct pnr_watch wanted = {
        .name = context->args[0], .cloud = options->cloud, .criteria = options->criteria};
    struct cli_call call = {.on_event = on_event, .limit_ms = options->timeout_ms};
    struct watch watch = {.call = &call, .name = wanted.name, .wanted = options->count};
    char shown[96];
    char doing[128];
    int code = cli_session_open(context);
    if (code != CLI_EXIT_DONE) {
        return code;
    }
    cli_text_printable(wanted.name, strlen(wanted.name), shown, sizeof shown);
    snprintf(doing, sizeof doing, "looking for %s", shown);
    call.doing = doing;
    call.state = &watch;
    call.ends_in_time = options->count == 0;
    call.begun = pnr_watch(context->client, &wanted, &call.request);
    code = cli_session_run(context, &call);
    forget_all(&watch);
    return code;
}
