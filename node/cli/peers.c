// SPDX-License-Identifier: MIT
#include "node/cli/json.h"
#include "node/cli/session.h"
#include "node/cli/table.h"

#define LIMIT_MS       10000 // the daemon answers from memory
#define SHORT_ID_BYTES 5     // of an id, in the table

static void print_json(const struct cli_output *output, const struct pnr_peer *peer)
{
    json_t *object = cli_json_object("peer");
    cli_json_hex(object, "id", peer->id, peer->id_len);
    cli_json_text(object, "addr", peer->addr);
    cli_json_text(object, "cloud", peer->cloud);
    cli_json_int(object, "family", peer->family);
    cli_json_ms(object, "rtt_ms", peer->rtt_us);
    cli_json_bool(object, "good", peer->good);
    cli_json_bool(object, "secure", peer->secure);
    cli_json_print(object, output);
}

static void add_row(const struct cli_output *output, struct cli_table *table,
                    const struct pnr_peer *peer)
{
    char id[2 * PNR_NODE_ID_LEN + 1];
    struct cli_text rtt;
    // The first bytes of an id say in which part of the DHT it lies; all of it is seldom needed.
    size_t id_len =
        output->verbosity > 0 || peer->id_len < SHORT_ID_BYTES ? peer->id_len : SHORT_ID_BYTES;
    cli_table_add(table, peer->addr);
    cli_table_add(table, cli_text_hex(peer->id, id_len, id));
    cli_table_add(table, peer->rtt_us >= 0 ? cli_text_duration(peer->rtt_us, &rtt) : "-");
    cli_table_add(table, peer->good ? "good" : "doubtful");
    cli_table_add(table, peer->secure ? "yes" : "no");
    cli_table_add(table, peer->cloud);
}

static bool on_event(struct cli_context *context, void *state, const struct pnr_event *event)
{
    struct pnr_peer peer;
    if (event->type != PNR_EVENT_RESULT) {
        return true;
    }
    if (!pnr_read_peer(event, &peer) || peer.addr[0] == '\0') {
        return false;
    }
    if (context->output.json) {
        print_json(&context->output, &peer);
    } else {
        add_row(&context->output, state, &peer);
    }
    return true;
}

int cli_peers(struct cli_context *context)
{
    static const char *const headings[] = {"ADDRESS", "ID",    ">RTT", "STATE",
                                           "SECURE",  "CLOUD", NULL};
    struct cli_table table;
    int code = cli_session_open(context);
    if (code != CLI_EXIT_DONE) {
        return code;
    }
    cli_table_init(&table, headings);
    struct cli_call call = {.limit_ms = LIMIT_MS, .on_event = on_event, .state = &table};
    call.begun = pnr_peers(context->client, context->options->cloud, &call.request);
    code = cli_session_run(context, &call);
    cli_table_end(&table, &context->output, code == CLI_EXIT_DONE, "no contacts yet");
    return code;
}
