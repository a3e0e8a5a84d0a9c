// SPDX-License-Identifier: MIT
#include "node/cli/json.h"
#include "node/cli/names.h"
#include "node/cli/session.h"
#include "pnr/clouds.h"

#include <string.h>

#define TIMEOUT_MS 5000 // without --timeout

// Cuts "HOST:PORT" or "[HOST]:PORT". False where it is neither.
static bool cut(const char *text, char host[256], char port[8])
{
    bool is_bracketed = text[0] == '[';
    const char *begin = is_bracketed ? text + 1 : text;
    const char *colon = strrchr(text, ':');
    uint32_t number;
    if (colon == NULL || !cli_text_parse_number(colon + 1, 1, 65535, &number)) {
        return false;
    }
    const char *end = is_bracketed ? colon - 1 : colon;
    if (end <= begin || (is_bracketed && *end != ']') || (size_t)(end - begin) > 255 ||
        (!is_bracketed && memchr(begin, ':', (size_t)(end - begin)) != NULL)) {
        return false;
    }
    memcpy(host, begin, (size_t)(end - begin));
    host[end - begin] = '\0';
    snprintf(port, 8, "%u", number);
    return true;
}

// Looks the host up where it is a name, for the daemon takes addresses only. Returns an exit code.
static int find_address(struct cli_context *context, char ret_addr[PNR_ADDR_MAX])
{
    char host[256];
    char port[8];
    char address[CLI_NAMES_IP_TEXT_MAX];
    uint8_t ip[16];
    size_t ip_len;
    if (!cut(context->args[0], host, port)) {
        cli_output_error(&context->output, "expected HOST:PORT, such as 192.0.2.1:6881 or "
                                           "[2001:db8::1]:6881");
        return CLI_EXIT_USAGE;
    }
    const char *why = cli_names_find(host, ip, &ip_len);
    if (why != NULL) {
        cli_output_error(&context->output, "cannot find %s: %s", host, why);
        return CLI_EXIT_NOT_FOUND;
    }
    cli_names_write_ip(ip, ip_len, address);
    snprintf(ret_addr, PNR_ADDR_MAX, ip_len == 16 ? "[%s]:%s" : "%s:%s", address, port);
    return CLI_EXIT_DONE;
}

static bool on_event(struct cli_context *context, void *state, const struct pnr_event *event)
{
    const char *addr = state;
    struct pnr_peer peer;
    struct cli_text rtt;
    char id[2 * PNR_NODE_ID_LEN + 1];
    if (event->type != PNR_EVENT_DONE) {
        return true;
    }
    if (!pnr_read_peer(event, &peer)) {
        return false;
    }
    if (context->output.json) {
        json_t *object = cli_json_object("ping");
        cli_json_text(object, "addr", addr);
        cli_json_hex(object, "id", peer.id, peer.id_len);
        cli_json_ms(object, "rtt_ms", peer.rtt_us);
        cli_json_print(object, &context->output);
    } else {
        cli_output_progress_end(&context->output);
        printf("%s answered in %s%s%s\n", addr, cli_text_duration(peer.rtt_us, &rtt),
               peer.id_len > 0 ? ", id " : "", cli_text_hex(peer.id, peer.id_len, id));
    }
    return true;
}

int cli_ping(struct cli_context *context)
{
    char addr[PNR_ADDR_MAX];
    char doing[PNR_ADDR_MAX + 16];
    uint32_t timeout_ms = context->options->timeout_ms;
    int code = find_address(context, addr);
    if (code != CLI_EXIT_DONE) {
        return code;
    }
    code = cli_session_open(context);
    if (code != CLI_EXIT_DONE) {
        return code;
    }
    snprintf(doing, sizeof doing, "pinging %s", addr);
    struct cli_call call = {.doing = doing, .on_event = on_event, .state = addr};
    call.begun = pnr_ping_in(context->client, context->options->cloud, addr,
                             timeout_ms != 0 ? timeout_ms : TIMEOUT_MS, &call.request);
    return cli_session_run(context, &call);
}
