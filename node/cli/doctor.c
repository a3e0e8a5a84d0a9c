// SPDX-License-Identifier: MIT
#include "node/cli/json.h"
#include "node/cli/session.h"

#include <string.h>

#define LIMIT_MS   120000 // names are read back one after the other
#define CHECK_WIDE 10     // columns of what was checked

struct visit {
    int64_t warnings;
    int64_t failures;
};

static const char *state_word(enum pnr_finding_state state)
{
    static const char *const words[] = {
        [PNR_FINDING_OK] = "ok", [PNR_FINDING_WARN] = "warn", [PNR_FINDING_FAIL] = "fail"};
    return words[state];
}

static enum cli_style state_style(enum pnr_finding_state state)
{
    static const enum cli_style styles[] = {[PNR_FINDING_OK] = CLI_STYLE_GOOD,
                                            [PNR_FINDING_WARN] = CLI_STYLE_WARN,
                                            [PNR_FINDING_FAIL] = CLI_STYLE_BAD};
    return styles[state];
}

static void print_json(const struct cli_output *output, const struct pnr_finding *finding)
{
    json_t *object = cli_json_object("finding");
    cli_json_text(object, "check", finding->check);
    cli_json_text(object, "state", state_word(finding->state));
    cli_json_text(object, "text", finding->text);
    if (finding->remedy[0] != '\0') {
        cli_json_text(object, "remedy", finding->remedy);
    }
    cli_json_print(object, output);
}

static void print_people(const struct cli_output *output, const struct pnr_finding *finding)
{
    char check[4 * PNR_WORD_MAX];
    char text[4 * PNR_TEXT_MAX];
    if (output->verbosity < 0 && finding->state == PNR_FINDING_OK) {
        return;
    }
    printf("%s%-4s%s  %-*s  %s\n", cli_output_style(output, state_style(finding->state)),
           state_word(finding->state), cli_output_style(output, CLI_STYLE_PLAIN), CHECK_WIDE,
           cli_text_printable(finding->check, strlen(finding->check), check, sizeof check),
           cli_text_printable(finding->text, strlen(finding->text), text, sizeof text));
    if (finding->remedy[0] != '\0') {
        printf("%*s%s\xe2\x86\x92 %s%s\n", 4 + 2 + CHECK_WIDE + 2, "",
               cli_output_style(output, CLI_STYLE_DIM),
               cli_text_printable(finding->remedy, strlen(finding->remedy), text, sizeof text),
               cli_output_style(output, CLI_STYLE_PLAIN));
    }
}

static bool on_event(struct cli_context *context, void *state, const struct pnr_event *event)
{
    struct visit *visit = state;
    struct pnr_finding finding;
    if (event->type == PNR_EVENT_DONE) {
        return pnr_field_int(event->fields, "warnings", &visit->warnings) &&
               pnr_field_int(event->fields, "failures", &visit->failures);
    }
    if (event->type != PNR_EVENT_RESULT) {
        return true;
    }
    if (!pnr_read_finding(event, &finding)) {
        return false;
    }
    cli_output_progress_end(&context->output);
    if (context->output.json) {
        print_json(&context->output, &finding);
    } else {
        print_people(&context->output, &finding);
    }
    fflush(stdout);
    return true;
}

int cli_doctor(struct cli_context *context)
{
    struct visit visit = {0, 0};
    int code = cli_session_open(context);
    if (code != CLI_EXIT_DONE) {
        return code;
    }
    struct cli_call call = {
        .limit_ms = LIMIT_MS, .doing = "looking", .on_event = on_event, .state = &visit};
    call.begun = pnr_doctor(context->client, &call.request);
    code = cli_session_run(context, &call);
    if (code != CLI_EXIT_DONE) {
        return code;
    }
    cli_output_note(&context->output, "%lld failure%s, %lld warning%s", (long long)visit.failures,
                    visit.failures == 1 ? "" : "s", (long long)visit.warnings,
                    visit.warnings == 1 ? "" : "s");
    return visit.failures == 0 ? CLI_EXIT_DONE : CLI_EXIT_ERROR;
}
