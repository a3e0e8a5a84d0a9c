// SPDX-License-Identifier: MIT
#include "node/daemon/service_run_windows.h"

#include "node/daemon/event_log_windows.h"
#include "node/daemon/log_file_windows.h"
#include "node/daemon/service_folders_windows.h"
#include "node/daemon/service_status_windows.h"
#include "node/daemon/signals_windows.h"
#include "node/daemon/wide_windows.h"

#include <stdio.h>

#define LOG_BYTES_MAX UINT64_C(4194304) // 4 MiB, and what log_file_windows.h keeps of full ones

// There is one service in a process, and its calls bring no context to the log.
static struct {
    const struct daemon_service_options *options;
    daemon_service_fn run;
    enum daemon_exit code;
    struct daemon_log_file *file; // NULL: it could not be opened
    HANDLE events;                // NULL: likewise
} the_service;

// ---- the log ----

static void keep_line(enum daemon_log_level level, struct dht_span line, size_t text_at)
{
    struct dht_span text = {line.data + text_at, line.len - text_at - 1}; // without its newline
    if (the_service.file != NULL)
        daemon_log_file_write(the_service.file, line);
    daemon_event_log_write(the_service.events, level, text);
}

static void open_log(void)
{
    char path[DAEMON_PATHS_MAX];
    const char *name = the_service.options->name;
    struct daemon_error why;
    the_service.events = daemon_event_log_open(name);
    the_service.file =
        daemon_log_file_open(daemon_service_folders_log(name, path), LOG_BYTES_MAX, &why);
    daemon_log_keep(keep_line);
    if (the_service.file != NULL)
        daemon_log_file_take_stderr(the_service.file);
    else
        daemon_log(DAEMON_LOG_WARN, "%s", why.text);
}

// No other thread of ours is left.
static void close_log(void)
{
    daemon_log_keep(NULL);
    daemon_log_file_close(the_service.file);
    daemon_event_log_close(the_service.events);
}

// ---- the manager ----

static DWORD WINAPI on_control(DWORD control, DWORD type, void *data, void *ctx)
{
    (void)data;
    (void)ctx;
    switch (control) {
    case SERVICE_CONTROL_STOP:
    case SERVICE_CONTROL_SHUTDOWN:
    case SERVICE_CONTROL_PRESHUTDOWN:
        daemon_service_status_tell(DAEMON_SERVICE_STATE_STOPPING);
        daemon_signals_tell(DAEMON_SIGNALS_END,
                            control == SERVICE_CONTROL_STOP ? "STOP" : "SHUTDOWN");
        return NO_ERROR;
    case SERVICE_CONTROL_PARAMCHANGE:
        daemon_signals_tell(DAEMON_SIGNALS_RELOAD, NULL);
        return NO_ERROR;
    case SERVICE_CONTROL_POWEREVENT:
        daemon_signals_tell_power(type);
        return NO_ERROR;
    case SERVICE_CONTROL_INTERROGATE: // the manager has what it was told last
        return NO_ERROR;
    default:
        return ERROR_CALL_NOT_IMPLEMENTED;
    }
}

// In a thread that the dispatcher makes. A configuration that makes no sense makes none a moment
// later, so that it is no failure after which to start again.
static void WINAPI service_main(DWORD argc, wchar_t **argv)
{
    wchar_t name[DAEMON_WIDE_PATH_MAX];
    struct daemon_service_options options = *the_service.options;
    (void)argc;
    (void)argv;
    (void)daemon_wide_path(options.name, name);
    SERVICE_STATUS_HANDLE handle = RegisterServiceCtrlHandlerExW(name, on_control, NULL);
    if (handle == NULL)
        return;
    daemon_service_status_begin(handle);
    open_log();
    the_service.code = the_service.run(options.word_count, options.words);
    close_log();
    daemon_service_status_end(the_service.code == DAEMON_EXIT_FAILED);
}

enum daemon_exit daemon_service_run(const struct daemon_service_options *options,
                                    daemon_service_fn run)
{
    wchar_t name[] = L""; // of a service with a process of its own it is not looked at
    SERVICE_TABLE_ENTRYW table[] = {{name, service_main}, {NULL, NULL}};
    struct daemon_error why;
    the_service.options = options;
    the_service.run = run;
    if (StartServiceCtrlDispatcherW(table))
        return the_service.code;
    bool by_hand = GetLastError() == ERROR_FAILED_SERVICE_CONTROLLER_CONNECT;
    daemon_wide_fail(&why);
    fprintf(stderr, "pnrd: the service manager does not run this: %s%s\n", why.text,
            by_hand ? "; remedy: pnrd service start" : "");
    return DAEMON_EXIT_FAILED;
}
