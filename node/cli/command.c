// SPDX-License-Identifier: MIT
#include "node/cli/command.h"

#include <string.h>

#define PUBLISH_OPTIONS                                                                            \
    (CLI_OPTION_ENDPOINT | CLI_OPTION_COMMENT | CLI_OPTION_PAYLOAD | CLI_OPTION_PAYLOAD_TYPE |     \
     CLI_OPTION_TTL | CLI_OPTION_CLOUD)

// In the order of --help: what people come for first.
static const struct cli_command table[] = {
    {
        .name = "resolve",
        .usage = "NAME [--wait cache|first|settled|all] [--criteria C] [--max N] [--timeout S] "
                 "[--trace] [--cloud NAME]",
        .summary = "find out what a name stands for",
        .help =
            "Prints the endpoints, one a line, and under them how they were found.\n"
            "NAME is KEY.CLASSIFIER, KEY alone, or begins with the label of a key held here; or\n"
            "0.CLASSIFIER, which anyone may publish: each of its publishers is asked himself.\n"
            "\n"
            "  --wait cache     what the daemon knows already, no network\n"
            "  --wait first     the first answer whose signature is good\n"
            "  --wait settled   until the closest nodes agree (the default)\n"
            "  --wait all       the whole lookup\n"
            "  --criteria C     which publishers: any (the default), remote (not this daemon),\n"
            "                   nearest or nearest-remote (sorted, the nearest first)\n"
            "  --hint ADDRESS   nearest to this address, by prefix; or else by round trip, which\n"
            "                   of the machines of a secured name is that of the contacts at\n"
            "                   their addresses: where there is none, it is not known\n"
            "  --max N          at most so many results\n"
            "  --timeout S      give up after so long (30 s)\n"
            "  --trace          tell the lookup hop by hop, and how dense the network is around\n"
            "                   the name\n"
            "  --cloud NAME     in this cloud (Global_)\n"
            "\n"
            "Examples:\n"
            "  pnr resolve laptop.web\n"
            "  pnr resolve yg4gxe7z1r7mr6orids9fh95y7gxhdsxjqi6nngsxxtakqaxr5no\n"
            "  pnr resolve 0.printer --criteria nearest --max 1\n"
            "  pnr -q resolve laptop.web          # the endpoints alone\n"
            "  pnr --json resolve laptop.web | jq -r .endpoints[0].address\n",
        .options = CLI_OPTION_WAIT | CLI_OPTION_TRACE | CLI_OPTION_CRITERIA | CLI_OPTION_HINT |
                   CLI_OPTION_MAX | CLI_OPTION_CLOUD,
        .args_min = 1,
        .args_max = 1,
        .function = cli_resolve,
    },
    {
        .name = "watch",
        .usage = "NAME [--criteria C] [--count N] [--timeout S] [--cloud NAME]",
        .summary = "show what a name stands for, and each change of it",
        .help = "Prints a line for each publisher of the name when it comes (+), says something\n"
                "else (~) or goes (-). The first lines are what there is now.\n"
                "\n"
                "  --criteria C     which publishers: any (the default), or remote (not this\n"
                "                   daemon); nothing is sorted: nearest is any here, and\n"
                "                   nearest-remote is remote\n"
                "  --count N        end after so many lines\n"
                "  --timeout S      end after so long, with code 4 where --count is not reached\n"
                "  --cloud NAME     in this cloud (Global_)\n"
                "\n"
                "Examples:\n"
                "  pnr watch laptop.web\n"
                "  pnr -q watch laptop.web            # signs and endpoints alone\n"
                "  pnr --json watch laptop.web | jq -r 'select(.type == \"change\") | .event'\n",
        .options = CLI_OPTION_CRITERIA | CLI_OPTION_COUNT | CLI_OPTION_CLOUD,
        .args_min = 1,
        .args_max = 1,
        .function = cli_watch,
    },
    {
        .name = "publish",
        .usage =
            "NAME --endpoint tcp:192.0.2.7:443 ... [--comment TEXT] [--payload FILE] [--ttl S] "
            "[--cloud NAME]",
        .summary = "publish a name, until it is unpublished",
        .help =
            "NAME is LABEL or LABEL.CLASSIFIER, LABEL being that of a key held here; the key\n"
            "itself may stand in its place. 0.CLASSIFIER needs no key, and others may publish it\n"
            "too. What the name had before is replaced.\n"
            "\n"
            "  --endpoint E         where the name leads: PROTOCOL:ADDRESS:PORT, up to 10 times,\n"
            "                       or none beside a payload;\n"
            "                       tcp, udp, sctp, dccp, any or a number; without one it is tcp\n"
            "  --comment TEXT       at most 39 UTF-16 units\n"
            "  --payload FILE       at most 4096 bytes; - is stdin\n"
            "  --payload-type TYPE  binary (the default), or string: the file is UTF-8 text\n"
            "  --ttl S              how long others may keep the answer\n"
            "  --cloud NAME         in this cloud (Global_)\n"
            "\n"
            "Examples:\n"
            "  pnr publish laptop.web --endpoint tcp:192.0.2.7:443\n"
            "  pnr publish laptop.dns --endpoint udp:[2001:db8::1]:53 --ttl 1h\n"
            "  pnr publish laptop 192.0.2.7:22 udp:192.0.2.7:51820 --comment 'at home'\n",
        .options = PUBLISH_OPTIONS,
        .args_min = 1,
        .args_max = CLI_OPTIONS_ARGS_MAX, // more than ten endpoints are refused, not misread
        .function = cli_publish,
    },
    {
        .name = "unpublish",
        .usage = "NAME [--cloud NAME]",
        .summary = "withdraw a name that is published here",
        .help = "  --cloud NAME   in this cloud (Global_); it stays where else it is published\n"
                "\n"
                "Examples:\n"
                "  pnr unpublish laptop.web\n",
        .options = CLI_OPTION_CLOUD,
        .args_min = 1,
        .args_max = 1,
        .function = cli_unpublish,
    },
    {
        .name = "publications",
        .usage = "",
        .summary = "list what is published here, and how well",
        .help = "STORED is on how many nodes the last round put the name, COPIES how many held it\n"
                "when last looked. With -v, or not on a terminal, names are shown whole.\n"
                "\n"
                "Examples:\n"
                "  pnr publications\n"
                "  pnr --json publications | jq -r 'select(.state != \"kept\") | .name'\n",
        .function = cli_publications,
    },
    {
        .name = "key new",
        .usage = "LABEL",
        .summary = "make a key",
        .help =
            "LABEL is 1 to 32 of a-z, 0-9 and -. It stays on this machine; others know the key\n"
            "by its z32 form.\n"
            "\n"
            "Examples:\n"
            "  pnr key new laptop\n"
            "  KEY=$(pnr -q key new laptop)\n",
        .args_min = 1,
        .args_max = 1,
        .function = cli_key_new,
    },
    {
        .name = "key list",
        .usage = "",
        .summary = "list the keys held here",
        .help = "With -q a line for each: label and key.\n"
                "\n"
                "Examples:\n"
                "  pnr key list\n",
        .function = cli_key_list,
    },
    {
        .name = "key show",
        .usage = "LABEL",
        .summary = "show the public side of a key",
        .help = "Examples:\n"
                "  pnr key show laptop\n",
        .args_min = 1,
        .args_max = 1,
        .function = cli_key_show,
    },
    {
        .name = "key import",
        .usage = "LABEL FILE|-",
        .summary = "take in a key from a file or stdin",
        .help = "The key is an Ed25519 key as PKCS#8 in PEM, without a password.\n"
                "\n"
                "Examples:\n"
                "  pnr key import laptop laptop.pem\n"
                "  openssl genpkey -algorithm ed25519 | pnr key import laptop -\n",
        .args_min = 2,
        .args_max = 2,
        .function = cli_key_import,
    },
    {
        .name = "key export",
        .usage = "LABEL [FILE|-]",
        .summary = "write a secret key to a file or a pipe",
        .help = "FILE is made new, readable by its owner alone. To a terminal the key goes only\n"
                "where - asks for it.\n"
                "\n"
                "Examples:\n"
                "  pnr key export laptop laptop.pem\n"
                "  pnr key export laptop | age -p > laptop.pem.age\n",
        .args_min = 1,
        .args_max = 2,
        .function = cli_key_export,
    },
    {
        .name = "status",
        .usage = "[--cloud NAME]",
        .summary = "how the daemon and its networks stand",
        .help = "CONTACTS is good ones/all, NODES an estimate of the whole network. With -v also\n"
                "ids and counters.\n"
                "\n"
                "  --cloud NAME   of this cloud alone\n"
                "\n"
                "Examples:\n"
                "  pnr status\n"
                "  pnr --node 3 status                # of a testnet\n",
        .options = CLI_OPTION_CLOUD,
        .function = cli_status,
    },
    {
        .name = "clouds",
        .usage = "[--watch]",
        .summary = "list the networks that the daemon takes part in",
        .help =
            "STATE is active, alone (nobody else is there), synchronising (it joins), dead (none\n"
            "of the others answers any more), no-net (there is no address to use), disabled, or\n"
            "virtual (not begun). SCOPE is how far the cloud reaches; a link's has the number of\n"
            "its interface.\n"
            "\n"
            "  --watch   go on with each change, a line each: + there, ~ changed, - gone\n"
            "\n"
            "Examples:\n"
            "  pnr clouds\n"
            "  pnr --json clouds --watch\n",
        .options = CLI_OPTION_WATCH,
        .function = cli_clouds,
    },
    {
        .name = "peers",
        .usage = "[--cloud NAME]",
        .summary = "list the DHT nodes that the daemon knows",
        .options = CLI_OPTION_CLOUD,
        .help = "SECURE is whether a node's id fits its address (BEP 42). With -v ids are whole.\n"
                "\n"
                "Examples:\n"
                "  pnr peers\n"
                "  pnr --json peers | jq -s 'map(.rtt_ms // empty) | sort'\n",
        .function = cli_peers,
    },
    {
        .name = "ping",
        .usage = "HOST:PORT [--timeout S] [--cloud NAME]",
        .summary = "ask one DHT node whether it is there",
        .help = "Gives up after 5 s, or --timeout.\n"
                "\n"
                "  --cloud NAME   from this cloud's address (Global_)\n"
                "\n"
                "Examples:\n"
                "  pnr ping 192.0.2.1:6881\n"
                "  pnr ping [2001:db8::1]:6881 --timeout 500ms\n",
        .args_min = 1,
        .args_max = 1,
        .options = CLI_OPTION_CLOUD,
        .function = cli_ping,
    },
    {
        .name = "doctor",
        .usage = "",
        .summary = "check what can go wrong, and say what to do about it",
        .help =
            "Checks keys and their modes, the state directory, the clock, bootstrap nodes, UDP "
            "out\n"
            "and in, the external address, the kind of NAT, and reads what is published here back\n"
            "from the network. Each line is ok, warn or fail; -q leaves out those that are ok.\n"
            "The exit code is 1 where one has failed.\n"
            "\n"
            "Examples:\n"
            "  pnr doctor\n"
            "  pnr --json doctor | jq -r 'select(.state != \"ok\") | .remedy'\n",
        .function = cli_doctor,
    },
    {
        .name = "testnet",
        .usage = "N [--listen ADDR] [--port BASE]",
        .summary = "run a whole DHT of N nodes on this machine",
        .help =
            "Runs pnrd --testnet N until it is stopped. Other commands speak to its nodes with\n"
            "--control and --node.\n"
            "\n"
            "Examples:\n"
            "  pnr --control /tmp/testnet.sock testnet 20\n"
            "  pnr --control /tmp/testnet.sock --node 7 status\n",
        .options = CLI_OPTION_LISTEN | CLI_OPTION_PORT,
        .args_min = 1,
        .args_max = 1,
        .function = cli_testnet,
    },
};

#define COMMAND_COUNT (sizeof table / sizeof table[0])

static const char global_help[] = "Options, before or behind the command:\n"
                                  "  --control ADDR  the daemon's socket (or PNR_CONTROL)\n"
                                  "  --node I        node I of a testnet\n"
                                  "  --timeout S     give up after so long: 5, 500ms, 2m\n"
                                  "  --json          one JSON object a line (docs/json.md)\n"
                                  "  --color WHEN    auto, always or never; NO_COLOR is heeded\n"
                                  "  -q, -v          say less, say more\n"
                                  "  --help          of pnr, or of a command\n"
                                  "  --version\n";

static const char exit_help[] =
    "Exit codes: 0 done, 1 error, 2 usage, 3 not found, 4 timed out, 5 daemon not\n"
    "reachable, 6 refused.\n";

// ---- finding ----

// Whether args begin with the words of name; ret_words is how many those are.
static bool begins_with(const char *name, const char *const args[], size_t arg_count,
                        size_t *ret_words)
{
    size_t first_len = strcspn(name, " ");
    bool has_second = name[first_len] == ' ';
    if (arg_count < (has_second ? 2u : 1u) || strlen(args[0]) != first_len ||
        strncmp(args[0], name, first_len) != 0) {
        return false;
    }
    *ret_words = has_second ? 2 : 1;
    return !has_second || strcmp(args[1], name + first_len + 1) == 0;
}

const struct cli_command *cli_command_find(const char *const args[], size_t arg_count,
                                           size_t *ret_words)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        size_t words;
        if (begins_with(table[i].name, args, arg_count, &words)) {
            *ret_words = words;
            return &table[i];
        }
    }
    return NULL;
}

const char *cli_command_guess(const char *typed)
{
    const char *names[COMMAND_COUNT + 2] = {NULL};
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        names[i] = table[i].name;
    }
    names[COMMAND_COUNT] = "key";
    return cli_options_guess(typed, names);
}

static bool is_of_family(const struct cli_command *command, const char *family)
{
    size_t len = strlen(family);
    return strncmp(command->name, family, len) == 0 && command->name[len] == ' ';
}

bool cli_command_is_family(const char *word)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (is_of_family(&table[i], word)) {
            return true;
        }
    }
    return false;
}

// ---- help ----

static void print_title(const struct cli_output *output, const char *title)
{
    printf("%s%s%s", cli_output_style(output, CLI_STYLE_BOLD), title,
           cli_output_style(output, CLI_STYLE_PLAIN));
}

void cli_command_print_help(const struct cli_output *output, const char *family)
{
    if (family == NULL) {
        print_title(output, "pnr");
        printf(" - names for peers, over the BitTorrent DHT\n\n");
    }
    print_title(output, "Usage:");
    printf(" pnr [OPTIONS] %s ...\n\n", family == NULL ? "COMMAND" : family);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (family == NULL || is_of_family(&table[i], family)) {
            printf("  %-14s  %s\n", table[i].name, table[i].summary);
        }
    }
    printf("\n'pnr COMMAND --help' has examples.\n");
    if (family == NULL) {
        printf("\n%s\n%s", global_help, exit_help);
    }
}

void cli_command_print_one(const struct cli_output *output, const struct cli_command *command)
{
    print_title(output, "pnr");
    printf(" %s - %s\n\n", command->name, command->summary);
    print_title(output, "Usage:");
    printf(" pnr %s%s%s\n\n%s", command->name, command->usage[0] != '\0' ? " " : "", command->usage,
           command->help);
}
