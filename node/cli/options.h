// SPDX-License-Identifier: MIT
#ifndef PNR_CLI_OPTIONS_H
#define PNR_CLI_OPTIONS_H

// The command line as values. Options may stand anywhere, before the command or behind it, as
// --name VALUE or --name=VALUE; "--" ends them. Which of them a command takes is told by its table
// entry (command.h). Pure: nothing is opened, nothing printed. Texts are borrowed from argv.

#include "node/cli/text.h"

#define CLI_OPTIONS_ARGS_MAX       32 // words that are no options: the command's and its arguments
#define CLI_OPTIONS_WHY_MAX        256
#define CLI_OPTIONS_TIMEOUT_MS_MAX 600000 // the protocol's bound

// One bit for each option, also for the sets that commands take.
enum cli_option {
    CLI_OPTION_CONTROL = 1u << 0,
    CLI_OPTION_NODE = 1u << 1,
    CLI_OPTION_JSON = 1u << 2,
    CLI_OPTION_COLOR = 1u << 3,
    CLI_OPTION_QUIET = 1u << 4,
    CLI_OPTION_VERBOSE = 1u << 5,
    CLI_OPTION_TIMEOUT = 1u << 6,
    CLI_OPTION_HELP = 1u << 7,
    CLI_OPTION_VERSION = 1u << 8,
    CLI_OPTION_ENDPOINT = 1u << 9,
    CLI_OPTION_COMMENT = 1u << 10,
    CLI_OPTION_PAYLOAD = 1u << 11,
    CLI_OPTION_PAYLOAD_TYPE = 1u << 12,
    CLI_OPTION_TTL = 1u << 13,
    CLI_OPTION_WAIT = 1u << 14,
    CLI_OPTION_LISTEN = 1u << 15,
    CLI_OPTION_PORT = 1u << 16,
    CLI_OPTION_TRACE = 1u << 17,
    CLI_OPTION_COUNT = 1u << 18,
    CLI_OPTION_CRITERIA = 1u << 19,
    CLI_OPTION_HINT = 1u << 20,
    CLI_OPTION_MAX = 1u << 21,
    CLI_OPTION_CLOUD = 1u << 22,
    CLI_OPTION_WATCH = 1u << 23,
};

// Those that every command takes.
#define CLI_OPTIONS_GLOBAL ((CLI_OPTION_VERSION << 1) - 1u)

enum cli_color {
    CLI_COLOR_AUTO, // on a terminal, unless NO_COLOR is set
    CLI_COLOR_ALWAYS,
    CLI_COLOR_NEVER,
};

struct cli_options {
    unsigned used; // which options stood there: bits of enum cli_option
    const char *control;
    uint32_t node;
    bool json;
    enum cli_color color;
    int verbosity;       // -1 with -q, 1 with -v
    uint32_t timeout_ms; // 0: not given
    struct pnr_endpoint endpoints[PNR_ENDPOINTS_MAX];
    size_t endpoint_count;
    size_t endpoints_over; // further ones than a name can have: well-formed, and left out
    uint8_t comment[PNR_COMMENT_MAX]; // UTF-16LE
    size_t comment_len;
    const char *payload; // a file, or "-"
    enum pnr_payload payload_type;
    uint32_t ttl_s; // 0: not given
    enum pnr_wait wait;
    bool trace;
    uint32_t count; // 0: not given
    enum pnr_criteria criteria;
    uint8_t hint[16];
    size_t hint_len;   // 0: not given
    uint32_t max;      // 0: not given
    const char *cloud; // NULL: not given
    bool watch;
    const char *listen;
    const char *port;
    const char *args[CLI_OPTIONS_ARGS_MAX];
    size_t arg_count;
};

// Reads argv behind the program's name. False: ret_why says what is wrong; ret_options then holds
// what was read up to there, so that --json and --color count for the message too.
bool cli_options_parse(int argc, char *const argv[], struct cli_options *ret_options,
                       char ret_why[CLI_OPTIONS_WHY_MAX]);

// Adds one endpoint as it is typed, or counts it in endpoints_over. False: ret_why.
bool cli_options_add_endpoint(struct cli_options *options, const char *text,
                              char ret_why[CLI_OPTIONS_WHY_MAX]);

// The name of the lowest option in a set, with its dashes: "--endpoint". NULL where it is empty.
const char *cli_options_name(unsigned set);

// The word of a table that is closest to a mistyped one; NULL where none is close. words ends in
// NULL.
const char *cli_options_guess(const char *typed, const char *const words[]);

#endif
