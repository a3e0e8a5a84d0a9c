// SPDX-License-Identifier: MIT
#include "node/cli/json.h"
#include "node/cli/session.h"
#include "node/cli/table.h"
#include "pnr/clouds.h"

#include <string.h>

#define LIMIT_MS 10000 // the daemon answers from memory

static const char *role_word(enum pnr_role role)
{
    return role == PNR_ROLE_SERVER ? "server" : "client";
}

// ---- JSON ----

static json_t *cloud_json(const struct pnr_cloud *cloud)
{
    json_t *object = cli_json_part();
    cli_json_text(object, "name", cloud->name);
    cli_json_int(object, "family", cloud->family);
    cli_json_hex(object, "id", cloud->id, cloud->id_len);
    cli_json_text(object, "listen", cloud->listen);
    if (cloud->external[0] != '\0') {
        cli_json_text(object, "external", cloud->external);
    }
    cli_json_text(object, "role", role_word(cloud->role));
    cli_json_bool(object, "joined", cloud->joined);
    cli_json_int(object, "contacts", cloud->contacts);
    cli_json_int(object, "contacts_good", cloud->contacts_good);
    if (cloud->nodes_estimate > 0) {
        cli_json_int(object, "nodes_estimate", cloud->nodes_estimate);
    }
    cli_json_int(object, "ops", cloud->ops);
    cli_json_int(object, "items", cloud->items);
    cli_json_int(object, "items_bytes", cloud->items_bytes);
    cli_json_counters(object, "counters", cloud->counters);
    return object;
}

static void print_json(const struct cli_output *output, const struct pnr_event *event,
                       const struct pnr_status *status)
{
    struct pnr_cloud cloud;
    json_t *object = cli_json_object("status");
    json_t *clouds = cli_json_array();
    cli_json_text(object, "version", status->version);
    cli_json_int(object, "node", status->node);
    cli_json_int(object, "nodes", status->nodes);
    cli_json_int(object, "uptime_s", status->uptime_s);
    for (size_t i = 0; pnr_read_cloud(event, i, &cloud); i++) {
        cli_json_append(clouds, cloud_json(&cloud));
    }
    cli_json_value(object, "clouds", clouds);
    cli_json_int(object, "publications", status->publications);
    cli_json_int(object, "keys", status->keys);
    cli_json_int(object, "sessions", status->sessions);
    cli_json_int(object, "requests", status->requests);
    cli_json_counters(object, "counters", status->counters);
    cli_json_print(object, output);
}

// ---- for people ----

static const char *plural(uint32_t count)
{
    return count == 1 ? "" : "s";
}

static void print_head(const struct cli_output *output, const struct pnr_status *status)
{
    struct cli_text uptime;
    char version[PNR_WORD_MAX * 4];
    printf("%spnrd %s%s, up %s", cli_output_style(output, CLI_STYLE_BOLD),
           cli_text_printable(status->version, strlen(status->version), version, sizeof version),
           cli_output_style(output, CLI_STYLE_PLAIN), cli_text_seconds(status->uptime_s, &uptime));
    if (status->nodes > 1) {
        printf(", node %u of %u", status->node, status->nodes);
    }
    printf("\n%u publication%s, %u key%s, %u client%s connected, %u request%s under way\n",
           status->publications, plural(status->publications), status->keys, plural(status->keys),
           status->sessions, plural(status->sessions), status->requests, plural(status->requests));
}

static void add_cloud(struct cli_table *table, const struct pnr_cloud *cloud)
{
    struct cli_text text;
    cli_table_add(table, cloud->name);
    cli_table_add(table, cloud->family == 6 ? "IPv6" : "IPv4");
    cli_table_add(table, cloud->joined ? role_word(cloud->role) : "joining");
    snprintf(text.text, sizeof text.text, "%u/%u", cloud->contacts_good, cloud->contacts);
    cli_table_add(table, text.text);
    cli_table_add(table,
                  cloud->nodes_estimate > 0 ? cli_text_count(cloud->nodes_estimate, &text) : "?");
    cli_table_add(table, cli_text_count(cloud->items, &text));
    // What others see says more than where the socket is bound, where it is known.
    cli_table_add(table, cloud->external[0] != '\0' ? cloud->external : cloud->listen);
}

static void print_counters(const struct cli_output *output, const char *title,
                           struct pnr_fields counters)
{
    struct pnr_counter counter;
    struct cli_text value;
    char shown[4 * PNR_WORD_MAX];
    for (size_t i = 0; pnr_read_counter(counters, i, &counter); i++) {
        if (i == 0) {
            printf("\n%s%s%s\n", cli_output_style(output, CLI_STYLE_BOLD), title,
                   cli_output_style(output, CLI_STYLE_PLAIN));
        }
        snprintf(value.text, sizeof value.text, "%lld", (long long)counter.value);
        cli_text_printable(counter.name, strlen(counter.name), shown, sizeof shown);
        printf("  %-32s %12s\n", shown, value.text);
    }
}

static void print_details(const struct cli_output *output, const struct pnr_event *event,
                          const struct pnr_status *status)
{
    struct pnr_cloud cloud;
    for (size_t i = 0; pnr_read_cloud(event, i, &cloud); i++) {
        char id[2 * PNR_NODE_ID_LEN + 1];
        char shown[4 * PNR_WORD_MAX];
        char listen[4 * PNR_ADDR_MAX];
        cli_text_printable(cloud.name, strlen(cloud.name), shown, sizeof shown);
        cli_text_printable(cloud.listen, strlen(cloud.listen), listen, sizeof listen);
        printf("\n%s IPv%u: id %s, listening at %s\n", shown, cloud.family,
               cli_text_hex(cloud.id, cloud.id_len, id), listen);
        print_counters(output, "its counters", cloud.counters);
    }
    print_counters(output, "counters of the daemon", status->counters);
}

static void print_people(const struct cli_output *output, const struct pnr_event *event,
                         const struct pnr_status *status)
{
    static const char *const headings[] = {"CLOUD",  "FAMILY", "ROLE",    ">CONTACTS",
                                           ">NODES", ">ITEMS", "ADDRESS", NULL};
    struct cli_table table;
    struct pnr_cloud cloud;
    print_head(output, status);
    cli_table_init(&table, headings);
    for (size_t i = 0; pnr_read_cloud(event, i, &cloud); i++) {
        add_cloud(&table, &cloud);
    }
    if (table.cell_count > 0) {
        putchar('\n');
        cli_table_print(&table, output);
    }
    cli_table_free(&table);
    if (output->verbosity > 0) {
        print_details(output, event, status);
    }
}

static bool on_event(struct cli_context *context, void *state, const struct pnr_event *event)
{
    struct pnr_status status;
    (void)state;
    if (event->type != PNR_EVENT_DONE) {
        return true;
    }
    if (!pnr_read_status(event, &status)) {
        return false;
    }
    if (context->output.json) {
        print_json(&context->output, event, &status);
    } else {
        print_people(&context->output, event, &status);
    }
    return true;
}

int cli_status(struct cli_context *context)
{
    int code = cli_session_open(context);
    if (code != CLI_EXIT_DONE) {
        return code;
    }
    struct cli_call call = {.limit_ms = LIMIT_MS, .on_event = on_event};
    call.begun = pnr_status_in(context->client, context->options->cloud, &call.request);
    return cli_session_run(context, &call);
}
