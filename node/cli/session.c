// SPDX-License-Identifier: MIT
#include "node/cli/session.h"

#include "node/cli/wait.h"

#include <stdlib.h>
#include <string.h>

#define GREETING_MS 5000 // for the daemon to greet us
#define CANCEL_MS   300  // for a cancel to leave
#define DRAW_MS     100  // between two drawings of the progress line

int cli_session_exit(enum pnr_error error)
{
    switch (error) {
    case PNR_OK:
        return CLI_EXIT_DONE;
    case PNR_ERROR_USAGE:
        return CLI_EXIT_USAGE;
    case PNR_ERROR_NOT_FOUND:
        return CLI_EXIT_NOT_FOUND;
    case PNR_ERROR_TIMED_OUT:
        return CLI_EXIT_TIMED_OUT;
    case PNR_ERROR_UNREACHABLE:
        return CLI_EXIT_UNREACHABLE;
    case PNR_ERROR_REFUSED:
    case PNR_ERROR_CONFLICT:
        return CLI_EXIT_REFUSED;
    case PNR_ERROR_FAILED:
    case PNR_ERROR_CANCELLED:
    case PNR_ERROR_FULL:
    case PNR_ERROR_PROTOCOL:
    case PNR_ERROR_MEMORY:
        break;
    }
    return CLI_EXIT_ERROR;
}

// ---- waiting ----

// Waits until the client has something to do, at most wait_ms (-1: for ever), and lets it.
static void process(struct pnr_client *client, int wait_ms)
{
    int timeout_ms = pnr_client_timeout_ms(client);
    if (timeout_ms < 0 || (wait_ms >= 0 && wait_ms < timeout_ms)) {
        timeout_ms = wait_ms;
    }
    cli_wait(client, timeout_ms);
    pnr_client_process(client);
}

// Cancels a request and gives the word a moment to leave.
static void cancel(struct pnr_client *client, uint32_t request)
{
    int64_t end_us = cli_wait_now_us() + CANCEL_MS * 1000;
    pnr_client_cancel(client, request);
    pnr_client_process(client);
    while (pnr_client_error(client) == PNR_OK &&
           (pnr_client_wants(client) & PNR_WANTS_WRITE) != 0 && cli_wait_now_us() < end_us) {
        process(client, 20);
    }
}

// ---- trouble ----

static int fail(struct cli_context *context, enum pnr_error error, const char *text)
{
    bool may_control =
        context->client != NULL && pnr_client_access(context->client) == PNR_ACCESS_CONTROL;
    cli_output_error(&context->output, "%s", text[0] != '\0' ? text : pnr_error_text(error));
    if (error == PNR_ERROR_UNREACHABLE) {
        cli_output_hint(&context->output,
                        "is pnrd running? --control or PNR_CONTROL names its socket");
    } else if (error == PNR_ERROR_REFUSED && !may_control) {
        cli_output_hint(&context->output,
                        "this user may only resolve; keys and publications take the control "
                        "socket (see pnr(1))");
    }
    return cli_session_exit(error);
}

static int fail_open(struct cli_context *context, enum pnr_error error)
{
    const char *text = pnr_client_error_text(context->client);
    // A daemon that takes the connection and then says nothing cannot be reached either.
    if (error == PNR_ERROR_TIMED_OUT) {
        error = PNR_ERROR_UNREACHABLE;
    }
    return fail(context, error, text);
}

int cli_session_open(struct cli_context *context)
{
    const struct cli_options *options = context->options;
    struct pnr_options wanted = {.address = options->control, .node = options->node};
    uint32_t timeout_ms = GREETING_MS;
    if (options->timeout_ms != 0 && options->timeout_ms < timeout_ms) {
        timeout_ms = options->timeout_ms;
    }
    enum pnr_error error = pnr_client_new(&wanted, timeout_ms, &context->client);
    if (error != PNR_OK) {
        context->client = NULL;
        return fail(context, error,
                    error == PNR_ERROR_USAGE ? "the address of --control or PNR_CONTROL makes no "
                                               "sense: expected unix:PATH, a path, tcp:FILE or "
                                               "tcp:127.0.0.1:PORT"
                                             : "");
    }
    cli_wait_hold();
    while (!cli_wait_is_stopped() && !pnr_client_ready(context->client)) {
        error = pnr_client_error(context->client);
        if (error != PNR_OK) {
            return fail_open(context, error);
        }
        process(context->client, -1);
    }
    return !cli_wait_is_stopped() ? CLI_EXIT_DONE : CLI_EXIT_ERROR;
}

void cli_session_close(struct cli_context *context)
{
    if (context->client != NULL) {
        cli_output_progress_end(&context->output);
        pnr_client_close(context->client);
        context->client = NULL;
        cli_wait_release();
    }
}

// ---- requests ----

static void draw(struct cli_context *context, const struct cli_call *call)
{
    struct cli_text elapsed;
    char line[256];
    // Whole tenths, so that the line does not flicker.
    int64_t passed_us = (cli_wait_now_us() - call->begun_us) / 100000 * 100000;
    if (call->doing != NULL && context->output.shows_progress) {
        snprintf(line, sizeof line, "%.200s \xc2\xb7 %s", call->doing,
                 cli_text_duration(passed_us, &elapsed));
        cli_output_progress(&context->output, line);
    }
}

void cli_session_say(struct cli_context *context, struct cli_call *call, const char *doing)
{
    call->doing = doing;
    draw(context, call);
}

// Waits for the next event of the call. False: a signal came, or the connection is gone.
static bool next_event(struct cli_context *context, const struct cli_call *call,
                       struct pnr_event *ret_event)
{
    int wait_ms = call->doing != NULL && context->output.shows_progress ? DRAW_MS : -1;
    while (!cli_wait_is_stopped()) {
        if (pnr_client_next(context->client, ret_event)) {
            if (ret_event->request == call->request) {
                return true;
            }
            continue;
        }
        if (pnr_client_error(context->client) != PNR_OK) {
            return false;
        }
        draw(context, call);
        process(context->client, wait_ms);
    }
    return false;
}

static int follow(struct cli_context *context, struct cli_call *call)
{
    struct pnr_event event;
    call->begun_us = cli_wait_now_us();
    while (next_event(context, call, &event)) {
        if (event.type == PNR_EVENT_ERROR && event.error == PNR_ERROR_TIMED_OUT &&
            call->ends_in_time) {
            return CLI_EXIT_DONE;
        }
        if (event.type == PNR_EVENT_ERROR) {
            if (call->on_error != NULL) {
                (void)call->on_error(context, call->state, &event);
            }
            return fail(context, event.error, event.text);
        }
        if (!call->on_event(context, call->state, &event)) {
            cancel(context->client, call->request);
            return fail(context, PNR_ERROR_PROTOCOL, "the daemon's answer makes no sense");
        }
        if (call->is_enough) {
            cancel(context->client, call->request);
            return CLI_EXIT_DONE;
        }
        if (event.type == PNR_EVENT_DONE) {
            return CLI_EXIT_DONE;
        }
    }
    if (!cli_wait_is_stopped()) {
        return fail(context, pnr_client_error(context->client),
                    pnr_client_error_text(context->client));
    }
    cancel(context->client, call->request);
    call->was_cancelled = true;
    if (call->ends_in_time) {
        return CLI_EXIT_DONE;
    }
    cli_output_error(&context->output, "cancelled");
    return CLI_EXIT_ERROR;
}

int cli_session_run(struct cli_context *context, struct cli_call *call)
{
    if (call->begun != PNR_OK) {
        return fail(context, call->begun, pnr_client_error_text(context->client));
    }
    // Requests that take their timeout along are given it by the library.
    if (call->limit_ms != 0) {
        uint32_t timeout_ms = context->options->timeout_ms;
        pnr_client_limit(context->client, call->request,
                         timeout_ms != 0 ? timeout_ms : call->limit_ms);
    }
    int code = follow(context, call);
    cli_output_progress_end(&context->output);
    return code;
}
