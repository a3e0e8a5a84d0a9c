// SPDX-License-Identifier: MIT
#ifndef PNR_CLI_SESSION_H
#define PNR_CLI_SESSION_H

// A command's talk with the daemon: connect, one request at a time, its events, Ctrl-C. While a
// session is open, SIGINT and SIGTERM are held back: they cancel the request, and the program then
// ends by that signal, so that a shell sees it.

#include "node/cli/command.h"

// Connects to the daemon that the options name. Returns an exit code; trouble has been told.
int cli_session_open(struct cli_context *context);
// Closes the connection, if any, and ends the program by the signal that came, if any.
void cli_session_close(struct cli_context *context);

// Takes an event. False where it makes no sense, which ends the request.
typedef bool (*cli_session_function)(struct cli_context *context, void *state,
                                     const struct pnr_event *event);

struct cli_call {
    enum pnr_error begun; // what the request's function returned
    uint32_t request;
    uint32_t limit_ms;             // how long to wait without --timeout; 0: the library's
    const char *doing;             // for the progress line: "resolving laptop.web"; NULL: none
    cli_session_function on_event; // takes results, progress and "done"
    cli_session_function on_error; // sees the error before it is told; NULL: nobody
    void *state;
    bool is_enough;     // set by on_event: what came is all that is wanted
    bool ends_in_time;  // that it ends, by time or a signal, is no trouble
    int64_t begun_us;   // cli_session_run() sets these two
    bool was_cancelled; // by a signal
};

// Hands the request's events over until the last one. Returns an exit code; trouble has been told.
int cli_session_run(struct cli_context *context, struct cli_call *call);

// Replaces "doing" in the progress line, from on_event; doing is borrowed.
void cli_session_say(struct cli_context *context, struct cli_call *call, const char *doing);

// The exit code of an error: CONFLICT is refused; those of the inside are errors.
int cli_session_exit(enum pnr_error error);

#endif
