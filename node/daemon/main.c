// SPDX-License-Identifier: MIT
// pnrd: see daemon_options_print_help().

#include "node/daemon/daemon.h"
#include "node/daemon/limits.h"
#include "node/daemon/log.h"
#include "node/daemon/service.h"
#include "node/daemon/startup.h"
#include "node/daemon/testnet.h"

#include <event2/event.h>
#include <openssl/crypto.h>
#include <stdlib.h>

static void log_libevent(int severity, const char *text)
{
    daemon_log(severity >= EVENT_LOG_WARN ? DAEMON_LOG_WARN : DAEMON_LOG_DEBUG, "libevent: %s",
               text);
}

// What has to be so before anything else happens.
static void prepare(void)
{
    daemon_log_open(2, DAEMON_LOG_INFO);
    event_set_log_callback(log_libevent);
    // The few threads allocate little: one arena for them saves megabytes.
    daemon_limits_share_memory();
    // Neither openssl.cnf nor the texts of its errors are of use here; both cost memory.
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS, NULL);
}

// To whoever reads: a service has no stderr.
static void complain(const char *text, const char *more)
{
    if (daemon_log_is_kept())
        daemon_log(DAEMON_LOG_ERROR, "%s", text);
    else
        fprintf(stderr, "pnrd: %s%s\n", text, more);
}

static void report(void *ctx, const char *text)
{
    (void)ctx;
    complain(text, "");
}

// With the configuration read.
static enum daemon_exit act(const struct daemon_options *options,
                            const struct daemon_config *config)
{
    switch (options->action) {
    case DAEMON_OPTIONS_TESTNET:
        return daemon_testnet_run(options, config);
    case DAEMON_OPTIONS_CHECK_CONFIG:
        puts("the configuration is good");
        return DAEMON_EXIT_CLEAN;
    case DAEMON_OPTIONS_DUMP_CONFIG:
        daemon_config_dump(config, stdout);
        return DAEMON_EXIT_CLEAN;
    default:
        return daemon_run(options, config);
    }
}

// pnrd with its own options.
static enum daemon_exit run(int argc, char **argv)
{
    static struct daemon_options options;
    static struct daemon_config config;
    struct daemon_error why;
    if (!daemon_options_parse(argc, argv, &options, &why)) {
        complain(why.text, "; see pnrd --help");
        return DAEMON_EXIT_USAGE;
    }
    if (options.action == DAEMON_OPTIONS_HELP) {
        daemon_options_print_help(stdout);
        return DAEMON_EXIT_CLEAN;
    }
    if (options.action == DAEMON_OPTIONS_VERSION) {
        puts("pnrd " PNR_VERSION);
        return DAEMON_EXIT_CLEAN;
    }
    if (!daemon_options_config(&options, report, NULL, &config, &why)) {
        complain(why.text, "");
        return DAEMON_EXIT_USAGE;
    }
    return act(&options, &config);
}

static int run_service(int argc, char **argv)
{
    struct daemon_service_options options;
    struct daemon_error why;
    if (!daemon_service_options_parse(argc, argv, &options, &why)) {
        complain(why.text, "; see pnrd service --help");
        return DAEMON_EXIT_USAGE;
    }
    if (options.verb == DAEMON_SERVICE_HELP) {
        daemon_service_options_print_help(stdout);
        return DAEMON_EXIT_CLEAN;
    }
    return daemon_service_act(&options, run);
}

int main(int argc, char **argv)
{
    if (!daemon_startup(&argc, &argv)) {
        fputs("pnrd: the system has no sockets\n", stderr);
        return DAEMON_EXIT_FAILED;
    }
    prepare();
    return daemon_service_options_are(argc, argv) ? run_service(argc, argv) : (int)run(argc, argv);
}
