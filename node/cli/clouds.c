// SPDX-License-Identifier: MIT
#include "pnr/clouds.h"
#include "node/cli/json.h"
#include "node/cli/session.h"
#include "node/cli/table.h"

#include <string.h>

#define LIMIT_MS      10000 // the daemon answers from memory
#define NAME_COLUMNS  12    // of lines that come one by one; longer ones stand out
#define STATE_COLUMNS 13    // "synchronising"
#define SCOPE_COLUMNS 6

static const char *const scopes[] = {
    [PNR_SCOPE_GLOBAL] = "global", [PNR_SCOPE_SITE] = "site", [PNR_SCOPE_LINK] = "link"};
static const char *const states[] = {
    [PNR_CLOUD_STATE_VIRTUAL] = "virtual",   [PNR_CLOUD_STATE_SYNCHRONISING] = "synchronising",
    [PNR_CLOUD_STATE_ACTIVE] = "active",     [PNR_CLOUD_STATE_DEAD] = "dead",
    [PNR_CLOUD_STATE_DISABLED] = "disabled", [PNR_CLOUD_STATE_NO_NET] = "no-net",
    [PNR_CLOUD_STATE_ALONE] = "alone",
};

static const char *families_of(const struct pnr_cloud_info *cloud)
{
    if (cloud->has_ipv4 && cloud->has_ipv6) {
        return "IPv4 IPv6";
    }
    return cloud->has_ipv4 ? "IPv4" : cloud->has_ipv6 ? "IPv6" : "-";
}

static void print_json(const struct cli_output *output, const struct pnr_cloud_info *cloud)
{
    static const char *const events[] = {"", "added", "changed", "gone"};
    json_t *object = cli_json_object("cloud_state");
    json_t *families = cli_json_array();
    if (cloud->has_ipv4) {
        cli_json_append(families, json_integer(4));
    }
    if (cloud->has_ipv6) {
        cli_json_append(families, json_integer(6));
    }
    cli_json_text(object, "name", cloud->name);
    cli_json_text(object, "scope", scopes[cloud->scope]);
    cli_json_int(object, "scope_id", cloud->scope_id);
    cli_json_text(object, "state", states[cloud->state]);
    cli_json_value(object, "families", families);
    if (cloud->event != PNR_CLOUD_EVENT_NONE) {
        cli_json_text(object, "event", events[cloud->event]);
    }
    cli_json_print(object, output);
}

// "fe80" has a scope: the interface that a link's cloud is of.
static void scope_text(const struct pnr_cloud_info *cloud, char *text, size_t text_len)
{
    if (cloud->scope_id != 0) {
        snprintf(text, text_len, "%s %u", scopes[cloud->scope], cloud->scope_id);
    } else {
        snprintf(text, text_len, "%s", scopes[cloud->scope]);
    }
}

static void add_row(struct cli_table *table, const struct pnr_cloud_info *cloud)
{
    char scope[32];
    scope_text(cloud, scope, sizeof scope);
    cli_table_add(table, cloud->name);
    cli_table_add(table, states[cloud->state]);
    cli_table_add(table, scope);
    cli_table_add(table, families_of(cloud));
}

// One line for each cloud and each change: + there, ~ changed, - gone.
static void print_line(const struct pnr_cloud_info *cloud)
{
    char name[PNR_WORD_MAX * 4];
    char scope[32];
    char mark = cloud->event == PNR_CLOUD_EVENT_GONE      ? '-'
                : cloud->event == PNR_CLOUD_EVENT_CHANGED ? '~'
                                                          : '+';
    scope_text(cloud, scope, sizeof scope);
    cli_text_printable(cloud->name, strlen(cloud->name), name, sizeof name);
    if (cloud->event == PNR_CLOUD_EVENT_GONE) {
        printf("%c %s\n", mark, name);
    } else {
        size_t columns = cli_text_columns(name);
        int pad = columns < NAME_COLUMNS ? NAME_COLUMNS - (int)columns : 0;
        printf("%c %s%*s  %-*s  %-*s  %s\n", mark, name, pad, "", STATE_COLUMNS,
               states[cloud->state], SCOPE_COLUMNS, scope, families_of(cloud));
    }
    fflush(stdout);
}

static bool on_event(struct cli_context *context, void *state, const struct pnr_event *event)
{
    struct pnr_cloud_info cloud;
    if (event->type != PNR_EVENT_RESULT) {
        return true;
    }
    if (!pnr_read_cloud_info(event, &cloud)) {
        return false;
    }
    if (context->output.json) {
        print_json(&context->output, &cloud);
        fflush(stdout);
    } else if (context->options->watch) {
        print_line(&cloud);
    } else {
        add_row(state, &cloud);
    }
    return true;
}

int cli_clouds(struct cli_context *context)
{
    static const char *const headings[] = {"CLOUD", "STATE", "SCOPE", "FAMILIES", NULL};
    struct cli_table table;
    bool watch = context->options->watch;
    int code = cli_session_open(context);
    if (code != CLI_EXIT_DONE) {
        return code;
    }
    cli_table_init(&table, headings);
    struct cli_call call = {.limit_ms = watch ? 0 : LIMIT_MS,
                            .on_event = on_event,
                            .state = &table,
                            .ends_in_time = watch};
    call.begun = pnr_clouds(context->client, watch, &call.request);
    code = cli_session_run(context, &call);
    if (watch) {
        cli_table_free(&table);
    } else {
        cli_table_end(&table, &context->output, code == CLI_EXIT_DONE, "no clouds");
    }
    return code;
}
