// SPDX-License-Identifier: MIT
#include "node/cli/json.h"
#include "node/cli/session.h"
#include "node/cli/table.h"

#define LIMIT_MS 10000 // the daemon answers from memory

struct tables {
    struct cli_table publications;
    struct cli_table errors;
};

static const char *state_word(enum pnr_state state)
{
    static const char *const words[] = {
        [PNR_STATE_READING] = "reading",   [PNR_STATE_SAVING] = "saving",
        [PNR_STATE_STORING] = "storing",   [PNR_STATE_KEPT] = "kept",
        [PNR_STATE_FAILED] = "failed",     [PNR_STATE_WITHDRAWING] = "withdrawing",
        [PNR_STATE_CHECKING] = "checking",
    };
    return words[state];
}

static void print_json(const struct cli_output *output, const struct pnr_publication *publication)
{
    json_t *object = cli_json_object("publication");
    cli_json_text(object, "name", publication->name);
    cli_json_endpoints(object, publication->endpoints, publication->endpoint_count);
    cli_json_comment(object, publication->comment, publication->comment_len);
    if (publication->seq >= 0) {
        cli_json_int(object, "seq", publication->seq);
    }
    cli_json_int(object, "stored", publication->stored);
    cli_json_int(object, "targets", publication->targets);
    cli_json_int(object, "copies", publication->copies);
    if (publication->renew_s >= 0) {
        cli_json_int(object, "renew_s", publication->renew_s);
    }
    cli_json_text(object, "state", state_word(publication->state));
    if (publication->last_error[0] != '\0') {
        cli_json_text(object, "last_error", publication->last_error);
    }
    cli_json_bool(object, "session", publication->session);
    cli_json_text(object, "cloud", publication->cloud);
    cli_json_print(object, output);
}

static void add_renewal(struct cli_table *table, const struct pnr_publication *publication)
{
    struct cli_text duration;
    struct cli_text text = {"-"};
    if (publication->renew_s == 0) {
        snprintf(text.text, sizeof text.text, "now");
    } else if (publication->renew_s > 0) {
        snprintf(text.text, sizeof text.text, "in %.50s",
                 cli_text_seconds(publication->renew_s, &duration));
    }
    cli_table_add(table, text.text);
}

static void add_endpoints(struct cli_table *table, const struct pnr_publication *publication)
{
    struct cli_text endpoint;
    char text[sizeof endpoint.text + 16];
    size_t count = publication->endpoint_count;
    if (count == 0) {
        cli_table_add(table, "-");
        return;
    }
    cli_text_endpoint(&publication->endpoints[0], &endpoint);
    snprintf(text, sizeof text, count > 1 ? "%s +%zu" : "%s", endpoint.text, count - 1);
    cli_table_add(table, text);
}

static void add_row(const struct cli_output *output, struct tables *tables,
                    const struct pnr_publication *publication)
{
    char short_name[PNR_NAME_MAX];
    struct cli_text text;
    struct cli_table *table = &tables->publications;
    const char *name = publication->name;
    // On a terminal the table is for the eye; whoever pipes it on wants the names whole.
    if (output->out_is_terminal && output->verbosity <= 0) {
        name = cli_text_short_name(name, short_name);
    }
    cli_table_add(table, name);
    cli_table_add(table, state_word(publication->state));
    snprintf(text.text, sizeof text.text, "%u/%u", publication->stored, publication->targets);
    cli_table_add(table, text.text);
    snprintf(text.text, sizeof text.text, "%u", publication->copies);
    cli_table_add(table, text.text);
    add_renewal(table, publication);
    add_endpoints(table, publication);
    cli_table_add(table, publication->cloud);
    if (publication->last_error[0] != '\0') {
        cli_table_add(&tables->errors, name);
        cli_table_add(&tables->errors, publication->last_error);
        cli_table_add(&tables->errors, publication->cloud);
    }
}

static bool on_event(struct cli_context *context, void *state, const struct pnr_event *event)
{
    struct pnr_publication publication;
    if (event->type != PNR_EVENT_RESULT) {
        return true;
    }
    if (!pnr_read_publication(event, &publication)) {
        return false;
    }
    if (context->output.json) {
        print_json(&context->output, &publication);
    } else {
        add_row(&context->output, state, &publication);
    }
    return true;
}

int cli_publications(struct cli_context *context)
{
    static const char *const headings[] = {"NAME",    "STATE",     ">STORED", ">COPIES",
                                           "RENEWAL", "ENDPOINTS", "CLOUD",   NULL};
    static const char *const error_headings[] = {"NAME", "LAST ERROR", "CLOUD", NULL};
    struct tables tables;
    int code = cli_session_open(context);
    if (code != CLI_EXIT_DONE) {
        return code;
    }
    cli_table_init(&tables.publications, headings);
    cli_table_init(&tables.errors, error_headings);
    struct cli_call call = {.limit_ms = LIMIT_MS, .on_event = on_event, .state = &tables};
    call.begun = pnr_publications(context->client, &call.request);
    code = cli_session_run(context, &call);
    cli_table_drop_last(&tables.publications, "Global_");
    cli_table_end(&tables.publications, &context->output, code == CLI_EXIT_DONE,
                  "nothing is published here");
    if (tables.errors.cell_count > 0 && code == CLI_EXIT_DONE) {
        cli_table_drop_last(&tables.errors, "Global_");
        putchar('\n');
        cli_table_print(&tables.errors, &context->output);
    }
    cli_table_free(&tables.errors);
    return code;
}
