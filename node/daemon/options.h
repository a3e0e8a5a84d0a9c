// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_OPTIONS_H
#define PNR_DAEMON_OPTIONS_H

// pnrd's command line. Options go before the configuration file, which goes before the defaults.

#include "node/control/address.h"
#include "node/daemon/config.h"

#include <stdio.h>

#define DAEMON_OPTIONS_CONTROLS_MAX 4
#define DAEMON_OPTIONS_NODES_MAX    10000               // of a testnet
#define DAEMON_OPTIONS_CONFIG_PATH  "/etc/pnr/pnr.conf" // read where it is there

enum daemon_options_action {
    DAEMON_OPTIONS_RUN,
    DAEMON_OPTIONS_TESTNET,
    DAEMON_OPTIONS_CHECK_CONFIG,
    DAEMON_OPTIONS_DUMP_CONFIG,
    DAEMON_OPTIONS_VERSION,
    DAEMON_OPTIONS_HELP,
};

// Texts are those of the command line.
struct daemon_options {
    enum daemon_options_action action;
    const char *config_path; // NULL: not told
    const char *state_dir;   // NULL: not told
    const char *log_level;   // NULL: not told
    const char *record_path; // NULL: not recorded
    struct control_address controls[DAEMON_OPTIONS_CONTROLS_MAX];
    size_t control_count; // 0: not told
    struct daemon_config_addrs listen;
    const char *bootstrap[DAEMON_CONFIG_HOSTS_MAX];
    size_t bootstrap_count;
    struct daemon_config_settings settings; // over the file, under the options above
    bool read_only;
    bool lab;
    bool is_public;
    bool unlimited;
    bool has_seed;
    uint8_t seed[32];
    int64_t wall_offset_us;
    uint32_t testnet_nodes;
    uint16_t testnet_port; // of the first node; 0: the system chooses
};

// False where the command line makes no sense; the error says why.
bool daemon_options_parse(int argc, char **argv, struct daemon_options *ret_options,
                          struct daemon_error *ret_error);

// The configuration as the file and the options have it. report is told what is wrong with the
// file or a --set. False where it, or an option, makes no sense; the error is then set, in one
// sentence.
bool daemon_options_config(const struct daemon_options *options, daemon_config_error_fn report,
                           void *ctx, struct daemon_config *ret_config,
                           struct daemon_error *ret_error);

// The control addresses: the options' or else the configuration's. Returns how many.
size_t daemon_options_controls(const struct daemon_options *options,
                               const struct daemon_config *config,
                               struct control_address ret_controls[DAEMON_OPTIONS_CONTROLS_MAX]);

void daemon_options_print_help(FILE *out);

#endif
