// SPDX-License-Identifier: MIT
#include "node/cli/file.h"
#include "node/cli/json.h"
#include "node/cli/session.h"
#include "node/cli/table.h"

#include <string.h>

#define LIMIT_MS     10000 // the daemon reads and writes one file
#define JSON_PEM_MAX (2 * PNR_PEM_MAX + 128)

// ---- showing ----

static void print_json(const struct cli_output *output, const struct pnr_key *key)
{
    json_t *object = cli_json_object("key");
    cli_json_text(object, "label", key->label);
    cli_json_text(object, "z32", key->z32);
    cli_json_text(object, "hex40", key->hex40);
    cli_json_text(object, "path", key->path);
    cli_json_print(object, output);
}

static void print_line(const struct cli_output *output, const char *field, const char *text)
{
    char shown[4 * PNR_TEXT_MAX];
    printf("%s%-6s%s  %s\n", cli_output_style(output, CLI_STYLE_DIM), field,
           cli_output_style(output, CLI_STYLE_PLAIN),
           cli_text_printable(text, strlen(text), shown, sizeof shown));
}

static void print_people(const struct cli_output *output, const struct pnr_key *key)
{
    char shown[4 * PNR_AUTHORITY_MAX];
    if (output->verbosity < 0) {
        printf("%s\n", cli_text_printable(key->z32, strlen(key->z32), shown, sizeof shown));
        return;
    }
    print_line(output, "label", key->label);
    print_line(output, "z32", key->z32);
    print_line(output, "hex40", key->hex40);
    print_line(output, "path", key->path);
}

// Of key new, show and import: the one key is in "done".
static bool on_key(struct cli_context *context, void *state, const struct pnr_event *event)
{
    struct pnr_key key;
    (void)state;
    if (event->type != PNR_EVENT_DONE) {
        return true;
    }
    if (!pnr_read_key(event, &key)) {
        return false;
    }
    if (context->output.json) {
        print_json(&context->output, &key);
    } else {
        print_people(&context->output, &key);
    }
    return true;
}

// Of key list. With -q it is a table of labels and keys, else each key as key show has it.
struct listing {
    struct cli_table table;
    size_t count;
};

static bool on_listed_key(struct cli_context *context, void *state, const struct pnr_event *event)
{
    struct listing *listing = state;
    struct cli_table *table = &listing->table;
    struct pnr_key key;
    if (event->type != PNR_EVENT_RESULT) {
        return true;
    }
    if (!pnr_read_key(event, &key)) {
        return false;
    }
    if (context->output.json) {
        print_json(&context->output, &key);
        return true;
    }
    if (context->output.verbosity < 0) {
        cli_table_add(table, key.label);
        cli_table_add(table, key.z32);
    } else {
        printf("%s", listing->count > 0 ? "\n" : "");
        print_people(&context->output, &key);
    }
    listing->count++;
    return true;
}

// ---- commands ----

// Checks the label that the command names first, and connects.
static int begin(struct cli_context *context)
{
    char why[CLI_TEXT_WHY_MAX];
    if (!cli_text_check_label(context->args[0], why)) {
        cli_output_error(&context->output, "%s", why);
        return CLI_EXIT_USAGE;
    }
    return cli_session_open(context);
}

int cli_key_new(struct cli_context *context)
{
    int code = begin(context);
    if (code != CLI_EXIT_DONE) {
        return code;
    }
    struct cli_call call = {.limit_ms = LIMIT_MS, .on_event = on_key};
    call.begun = pnr_key_new(context->client, context->args[0], &call.request);
    return cli_session_run(context, &call);
}

int cli_key_show(struct cli_context *context)
{
    int code = begin(context);
    if (code != CLI_EXIT_DONE) {
        return code;
    }
    struct cli_call call = {.limit_ms = LIMIT_MS, .on_event = on_key};
    call.begun = pnr_key_show(context->client, context->args[0], &call.request);
    return cli_session_run(context, &call);
}

int cli_key_list(struct cli_context *context)
{
    static const char *const headings[] = {"LABEL", "KEY", NULL};
    struct listing listing = {.count = 0};
    int code = cli_session_open(context);
    if (code != CLI_EXIT_DONE) {
        return code;
    }
    cli_table_init(&listing.table, headings);
    struct cli_call call = {.limit_ms = LIMIT_MS, .on_event = on_listed_key, .state = &listing};
    call.begun = pnr_key_list(context->client, &call.request);
    code = cli_session_run(context, &call);
    if (context->output.verbosity < 0) {
        cli_table_print(&listing.table, &context->output);
    }
    cli_table_free(&listing.table);
    if (code == CLI_EXIT_DONE && listing.count == 0) {
        cli_output_note(&context->output, "no keys yet; 'pnr key new LABEL' makes one");
    }
    return code;
}

// Reads PEM text and a NUL behind it. The caller wipes pem.
static int read_pem(struct cli_context *context, char pem[PNR_PEM_MAX])
{
    char why[CLI_FILE_WHY_MAX];
    size_t len;
    if (!cli_file_read(context->args[1], (uint8_t *)pem, PNR_PEM_MAX - 1, &len, why)) {
        cli_output_error(&context->output, "%s", why);
        return CLI_EXIT_ERROR;
    }
    pem[len] = '\0';
    if (strlen(pem) != len || strstr(pem, "-----BEGIN") == NULL) {
        cli_output_error(&context->output, "this is no key: expected PKCS#8 in PEM, as 'openssl "
                                           "genpkey -algorithm ed25519' writes it");
        return CLI_EXIT_USAGE;
    }
    return CLI_EXIT_DONE;
}

int cli_key_import(struct cli_context *context)
{
    char pem[PNR_PEM_MAX];
    struct cli_call call = {.limit_ms = LIMIT_MS, .on_event = on_key};
    int code = read_pem(context, pem);
    if (code == CLI_EXIT_DONE) {
        code = begin(context);
    }
    if (code == CLI_EXIT_DONE) {
        call.begun = pnr_key_import(context->client, context->args[0], pem, &call.request);
        cli_file_wipe(pem, sizeof pem);
        code = cli_session_run(context, &call);
    }
    cli_file_wipe(pem, sizeof pem);
    return code;
}

// ---- export ----

struct handover {
    const char *file; // NULL: stdout
    int code;
};

// Writes the object by hand, for jansson would leave copies of the key in memory.
static bool write_pem_json(const char *label, const char *pem, char why[CLI_FILE_WHY_MAX])
{
    char line[JSON_PEM_MAX];
    size_t used = (size_t)snprintf(line, sizeof line,
                                   "{\"schema\":%d,\"type\":\"key_export\",\"label\":\"%s\","
                                   "\"pem\":\"",
                                   CLI_JSON_SCHEMA, label);
    for (const char *at = pem; *at != '\0'; at++) {
        // PEM is base64, dashes and line ends; anything else has no business here.
        if (*at == '\n') {
            line[used++] = '\\';
            line[used++] = 'n';
        } else if (*at >= ' ' && *at < 0x7f && *at != '"' && *at != '\\') {
            line[used++] = *at;
        }
    }
    memcpy(line + used, "\"}\n", 3);
    bool good = cli_file_write_stdout(line, used + 3, why);
    cli_file_wipe(line, sizeof line);
    return good;
}

static bool write_pem(struct cli_context *context, const struct handover *handover, const char *pem,
                      char why[CLI_FILE_WHY_MAX])
{
    const char *label = context->args[0];
    if (handover->file == NULL) {
        return context->output.json ? write_pem_json(label, pem, why)
                                    : cli_file_write_stdout(pem, strlen(pem), why);
    }
    if (!cli_file_create_secret(handover->file, pem, strlen(pem), why)) {
        return false;
    }
    if (context->output.json) {
        json_t *object = cli_json_object("key_export");
        cli_json_text(object, "label", label);
        cli_json_text(object, "file", handover->file);
        cli_json_print(object, &context->output);
    } else {
        cli_output_note(&context->output, "the secret key of %s is in %s", label, handover->file);
    }
    return true;
}

static bool on_exported(struct cli_context *context, void *state, const struct pnr_event *event)
{
    struct handover *handover = state;
    char why[CLI_FILE_WHY_MAX];
    char pem[PNR_PEM_MAX];
    if (event->type != PNR_EVENT_DONE) {
        return true;
    }
    bool good = pnr_field_text(event->fields, "pem", pem, sizeof pem);
    if (good && !write_pem(context, handover, pem, why)) {
        cli_output_error(&context->output, "%s", why);
        handover->code = CLI_EXIT_ERROR;
    }
    cli_file_wipe(pem, sizeof pem);
    return good;
}

int cli_key_export(struct cli_context *context)
{
    struct handover handover = {.code = CLI_EXIT_DONE};
    bool is_dash = context->arg_count > 1 && strcmp(context->args[1], "-") == 0;
    if (context->arg_count > 1 && !is_dash) {
        handover.file = context->args[1];
    } else if (!is_dash && context->output.out_is_terminal) {
        cli_output_error(&context->output,
                         "this would show the secret key on the terminal; name a file, or - if "
                         "that is what you want");
        return CLI_EXIT_USAGE;
    }
    int code = begin(context);
    if (code != CLI_EXIT_DONE) {
        return code;
    }
    struct cli_call call = {.limit_ms = LIMIT_MS, .on_event = on_exported, .state = &handover};
    call.begun = pnr_key_export(context->client, context->args[0], &call.request);
    code = cli_session_run(context, &call);
    return code != CLI_EXIT_DONE ? code : handover.code;
}
