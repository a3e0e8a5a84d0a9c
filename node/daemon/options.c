// SPDX-License-Identifier: MIT
#include "node/daemon/options.h"

#include "dht/addr.h"
#include "node/daemon/config_keys.h"
#include "node/daemon/file.h"
#include "node/daemon/paths.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum option_code {
    OPTION_CONFIG = 256, // behind the short ones
    OPTION_STATE,
    OPTION_CONTROL,
    OPTION_LISTEN,
    OPTION_BOOTSTRAP,
    OPTION_LAB,
    OPTION_READ_ONLY,
    OPTION_SET,
    OPTION_PUBLIC,
    OPTION_UNLIMITED,
    OPTION_CHECK_CONFIG,
    OPTION_DUMP_CONFIG,
    OPTION_VERSION,
    OPTION_HELP,
    OPTION_LOG,
    OPTION_RECORD,
    OPTION_SEED,
    OPTION_WALL_OFFSET,
    OPTION_TESTNET,
    OPTION_PORT,
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"state", required_argument, NULL, OPTION_STATE},
    {"control", required_argument, NULL, OPTION_CONTROL},
    {"listen", required_argument, NULL, OPTION_LISTEN},
    {"bootstrap", required_argument, NULL, OPTION_BOOTSTRAP},
    {"read-only", no_argument, NULL, OPTION_READ_ONLY},
    {"set", required_argument, NULL, OPTION_SET},
    {"lab", no_argument, NULL, OPTION_LAB},
    {"public", no_argument, NULL, OPTION_PUBLIC},
    {"unlimited", no_argument, NULL, OPTION_UNLIMITED},
    {"check-config", no_argument, NULL, OPTION_CHECK_CONFIG},
    {"dump-config", no_argument, NULL, OPTION_DUMP_CONFIG},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, OPTION_HELP},
    {"log", required_argument, NULL, OPTION_LOG},
    {"record", required_argument, NULL, OPTION_RECORD},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"wall-offset", required_argument, NULL, OPTION_WALL_OFFSET},
    {"testnet", required_argument, NULL, OPTION_TESTNET},
    {"port", required_argument, NULL, OPTION_PORT},
    {NULL, 0, NULL, 0},
};

static const char help_text[] =
    "pnrd - takes part in the DHT, publishes the names of this machine, resolves those of others\n"
    "\n"
    "usage: pnrd [options]               run, in the foreground\n"
    "       pnrd --testnet N [options]   run N nodes: a DHT of its own, without the internet\n"
    "       pnrd service VERB            as a service of Windows: see pnrd service --help\n"
    "\n"
    "  --config FILE          the configuration (" DAEMON_OPTIONS_CONFIG_PATH
    ", where it is there)\n"
    "  --state DIR            where keys, publications and contacts are kept\n"
    "  --control ADDRESS      where clients reach pnrd: unix:PATH, tcp:FILE or\n"
    "                         tcp:127.0.0.1:PORT; up to 4 times\n"
    "  --listen ADDRESS:PORT  the UDP address to use; once of IPv4 and once of IPv6\n"
    "  --bootstrap HOST:PORT  who is asked for first contacts; again for more\n"
    "  --read-only            asks other nodes, never answers: role = client in every cloud\n"
    "  --set SECTION.KEY=VALUE\n"
    "                         a key of the configuration, such as node.log-level=debug or\n"
    "                         'cloud lab.role=client'; cloud.KEY is of Global_; again for more\n"
    "  --lab                  a closed network, without protection against hostile nodes\n"
    "  --unlimited            without the rate limits, for measurements\n"
    "  --log LEVEL            error, warn, info or debug\n"
    "  --record FILE          writes down all that the node is told, for simnet replay\n"
    "  --check-config         says whether the configuration is good\n"
    "  --dump-config          prints the configuration in force, every key explained\n"
    "  --version, --help\n"
    "\n"
    "for a testnet\n"
    "  --listen ADDRESS       the address of all nodes (127.0.0.1)\n"
    "  --port BASE            the port of the first, those of the others follow (the system's "
    "choice)\n"
    "  --control ADDRESS      one for all nodes (in a folder that is removed at the end)\n"
    "  --state DIR            a folder for each node in it (nothing is kept)\n"
    "  --public               allows an address that is not local, with all limits on\n"
    "\n"
    "for tests\n"
    "  --seed HEX             32 bytes in place of the system's randomness\n"
    "  --wall-offset SECONDS  shifts the wall clock\n"
    "\n"
    "SIGHUP reads configuration and keys again; SIGTERM ends pnrd.\n"
    "exit codes: 0 ended as asked, 1 it failed, 2 options or configuration make no sense\n";

void daemon_options_print_help(FILE *out)
{
    fputs(help_text, out);
}

// ---- values ----

static bool parse_number(const char *text, int64_t min, int64_t max, int64_t *ret_number)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < min || number > max)
        return false;
    *ret_number = number;
    return true;
}

static int hex_digit(char digit)
{
    const char *digits = "0123456789abcdef";
    const char *found = digit == '\0' ? NULL : strchr(digits, digit | 0x20);
    return found == NULL ? -1 : (int)(found - digits);
}

static bool parse_seed(const char *text, uint8_t ret_seed[32])
{
    if (strlen(text) != 64)
        return false;
    for (size_t i = 0; i < 32; i++) {
        int high = hex_digit(text[2 * i]);
        int low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        ret_seed[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

// An address with a port, or without: then port 0.
static bool parse_listen(struct daemon_options *options, const char *text)
{
    char whole[DHT_ADDR_TEXT_MAX + 8];
    struct dht_addr addr;
    bool ok = strlen(text) < DHT_ADDR_TEXT_MAX && dht_addr_from_text(text, &addr);
    for (int i = 0; !ok && i < 2 && strlen(text) < DHT_ADDR_TEXT_MAX; i++) {
        snprintf(whole, sizeof whole, i == 0 ? "%s:0" : "[%s]:0", text);
        ok = dht_addr_from_text(whole, &addr);
    }
    if (!ok || options->listen.count == DAEMON_CONFIG_ADDRS_MAX)
        return false;
    options->listen.list[options->listen.count++] = addr;
    return true;
}

static bool parse_control(struct daemon_options *options, const char *text)
{
    if (options->control_count == DAEMON_OPTIONS_CONTROLS_MAX ||
        !control_address_parse(text, &options->controls[options->control_count]))
        return false;
    options->control_count++;
    return true;
}

// What else can be wrong with a value.
static const char *remark(int code)
{
    if (code == OPTION_CONTROL)
        return "; expected unix:PATH of at most 99 bytes, tcp:FILE, or tcp:HOST:PORT with the "
               "loopback address 127.0.0.1 as HOST, up to 4 times";
    if (code == OPTION_LISTEN)
        return "; expected ADDRESS:PORT, once of IPv4 and once of IPv6";
    if (code == OPTION_SEED)
        return "; expected 64 hex digits";
    return "";
}

static bool parse_bootstrap(struct daemon_options *options, const char *text)
{
    if (options->bootstrap_count == DAEMON_CONFIG_HOSTS_MAX)
        return false;
    options->bootstrap[options->bootstrap_count++] = text;
    return true;
}

static bool add_setting(struct daemon_options *options, const char *text)
{
    if (options->settings.count == DAEMON_CONFIG_SETTINGS_MAX)
        return false;
    options->settings.list[options->settings.count++] = text;
    return true;
}

// ---- the command line ----

// Options without a value. False where code is none.
static bool take_flag(struct daemon_options *options, int code)
{
    switch (code) {
    case OPTION_READ_ONLY:
        return options->read_only = true;
    case OPTION_LAB:
        return options->lab = true;
    case OPTION_PUBLIC:
        return options->is_public = true;
    case OPTION_UNLIMITED:
        return options->unlimited = true;
    case OPTION_CHECK_CONFIG:
        options->action = DAEMON_OPTIONS_CHECK_CONFIG;
        return true;
    case OPTION_DUMP_CONFIG:
        options->action = DAEMON_OPTIONS_DUMP_CONFIG;
        return true;
    case OPTION_VERSION:
        options->action = DAEMON_OPTIONS_VERSION;
        return true;
    case OPTION_HELP:
        options->action = DAEMON_OPTIONS_HELP;
        return true;
    default:
        return false;
    }
}

// Options with a value. False where it makes no sense.
static bool take_value(struct daemon_options *options, int code, const char *text)
{
    int64_t number = 0;
    bool ok = true;
    switch (code) {
    case OPTION_CONFIG:
        options->config_path = text;
        return true;
    case OPTION_STATE:
        options->state_dir = text;
        return text[0] != '\0';
    case OPTION_LOG:
        options->log_level = text;
        return true;
    case OPTION_RECORD:
        options->record_path = text;
        return text[0] != '\0';
    case OPTION_CONTROL:
        return parse_control(options, text);
    case OPTION_LISTEN:
        return parse_listen(options, text);
    case OPTION_BOOTSTRAP:
        return parse_bootstrap(options, text);
    case OPTION_SET:
        return add_setting(options, text);
    case OPTION_SEED:
        return options->has_seed = parse_seed(text, options->seed);
    case OPTION_WALL_OFFSET:
        ok = parse_number(text, -INT32_MAX, INT32_MAX, &number);
        options->wall_offset_us = number * 1000000;
        return ok;
    case OPTION_TESTNET:
        ok = parse_number(text, 1, DAEMON_OPTIONS_NODES_MAX, &number);
        options->action = DAEMON_OPTIONS_TESTNET;
        options->testnet_nodes = (uint32_t)number;
        return ok;
    case OPTION_PORT:
        ok = parse_number(text, 0, UINT16_MAX, &number);
        options->testnet_port = (uint16_t)number;
        return ok;
    default:
        return false;
    }
}

static const char *option_name(int code)
{
    const struct option *option = long_options;
    while (option->name != NULL && option->val != code)
        option++;
    return option->name == NULL ? "" : option->name;
}

bool daemon_options_parse(int argc, char **argv, struct daemon_options *ret_options,
                          struct daemon_error *ret_error)
{
    struct daemon_options options = {.action = DAEMON_OPTIONS_RUN};
    int code;
    optind = 0; // begins anew
    while ((code = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
        if (code == '?' || code == ':') {
            daemon_error_set(ret_error,
                             code == ':' ? "%.100s needs a value" : "%.100s is no option of pnrd",
                             argv[optind - 1]);
            return false;
        }
        if (!take_flag(&options, code) && !take_value(&options, code, optarg)) {
            daemon_error_set(ret_error, "--%s %.200s makes no sense, or was given too often%s",
                             option_name(code), optarg, remark(code));
            return false;
        }
    }
    if (optind < argc) {
        daemon_error_set(ret_error, "%.100s is no option of pnrd", argv[optind]);
        return false;
    }
    if (options.action == DAEMON_OPTIONS_TESTNET && options.record_path != NULL) {
        daemon_error_set(ret_error, "--record is of a node, not of a testnet");
        return false;
    }
    *ret_options = options;
    return true;
}

// ---- the configuration ----

static bool set_key(void *base, const char *section, const char *name, const char *text,
                    struct daemon_error *ret_error)
{
    const struct daemon_config_key *key = daemon_config_key_find(section, name);
    struct daemon_error why;
    if (daemon_config_value_add(key, base, text, &why))
        return true;
    daemon_error_set(ret_error, "%s: %.300s", name, why.text);
    return false;
}

// Somebody who is not root and runs pnrd by hand has a state directory and a socket of his own.
static void use_own_places(struct daemon_config *config)
{
    struct daemon_config standard;
    char path[DAEMON_PATHS_MAX];
    daemon_config_init(&standard);
    bool is_standard = strcmp(config->state_dir.text, standard.state_dir.text) == 0;
    if (daemon_paths_is_service() || !is_standard)
        return;
    if (daemon_paths_own_state(path))
        snprintf(config->state_dir.text, sizeof config->state_dir.text, "%.*s",
                 (int)sizeof config->state_dir.text - 1, path);
    is_standard = config->control.count == 1 &&
                  strcmp(config->control.list[0].text, standard.control.list[0].text) == 0;
    if (is_standard && daemon_paths_own_control(path))
        snprintf(config->control.list[0].text, sizeof config->control.list[0].text,
                 "unix:%.120s/control.sock", path);
}

// The folder of the rendezvous file of a fixed port: where the default socket would be, so that
// clients look there; but a state directory of its own keeps one pnrd out of the way of another.
static void control_folder(const struct daemon_config *config,
                           char ret_folder[CONTROL_ADDRESS_PATH_MAX])
{
    struct daemon_config standard;
    char path[DAEMON_PATHS_MAX];
    daemon_config_init(&standard);
    use_own_places(&standard);
    bool is_standard = strcmp(config->state_dir.text, standard.state_dir.text) == 0;
    const char *folder = config->state_dir.text;
    if (is_standard && daemon_paths_is_service())
        folder = daemon_paths_standard("/run/pnr", path);
    else if (is_standard && daemon_paths_own_control(path))
        folder = path;
    snprintf(ret_folder, CONTROL_ADDRESS_PATH_MAX, "%.*s", CONTROL_ADDRESS_PATH_MAX - 1, folder);
}

// Their rendezvous files have one name.
static bool at_most_one_port(const struct daemon_options *options,
                             const struct daemon_config *config)
{
    struct control_address controls[DAEMON_OPTIONS_CONTROLS_MAX];
    size_t ports = 0;
    size_t count = daemon_options_controls(options, config, controls);
    for (size_t i = 0; i < count; i++)
        ports += controls[i].port != 0;
    return ports <= 1;
}

static bool apply(const struct daemon_options *options, struct daemon_config *config,
                  struct daemon_error *ret_error)
{
    struct daemon_config_cloud *cloud = &config->clouds[0];
    if (options->state_dir == NULL)
        use_own_places(config);
    // Made absolute: clients, which have other working directories, are told the paths of keys.
    else if (!daemon_paths_make_absolute(options->state_dir, config->state_dir.text,
                                         sizeof config->state_dir.text, ret_error))
        return false;
    if (options->log_level != NULL &&
        !set_key(config, "node", "log-level", options->log_level, ret_error))
        return false;
    if (options->listen.count > 0)
        cloud->listen = options->listen;
    if (options->bootstrap_count > 0)
        cloud->bootstrap.count = 0;
    for (size_t i = 0; i < options->bootstrap_count; i++) {
        if (!set_key(cloud, "cloud", "bootstrap", options->bootstrap[i], ret_error))
            return false;
    }
    for (size_t i = 0; options->read_only && i < config->cloud_count; i++)
        config->clouds[i].role = DHT_ROLE_CLIENT;
    if (!at_most_one_port(options, config)) {
        daemon_error_set(ret_error, "more than one control address tcp:HOST:PORT");
        return false;
    }
    if (options->lab)
        cloud->lab = DAEMON_CONFIG_LAB_YES;
    // One node of each family: the engines of a cloud.
    if (cloud->listen.count == 2 && cloud->listen.list[0].ip_len == cloud->listen.list[1].ip_len) {
        daemon_error_set(ret_error, "two addresses of one family to listen at");
        return false;
    }
    return true;
}

bool daemon_options_config(const struct daemon_options *options, daemon_config_error_fn report,
                           void *ctx, struct daemon_config *ret_config,
                           struct daemon_error *ret_error)
{
    struct daemon_config config;
    char buf[DAEMON_PATHS_MAX];
    const char *standard = daemon_paths_standard(DAEMON_OPTIONS_CONFIG_PATH, buf);
    const char *path = options->config_path;
    if (path == NULL && daemon_file_exists(standard))
        path = standard;
    if (!daemon_config_load(path, &options->settings, &config, report, ctx)) {
        daemon_error_set(ret_error, "the configuration %.300s is not used",
                         path == NULL ? "of the options" : path);
        return false;
    }
    if (!apply(options, &config, ret_error))
        return false;
    *ret_config = config;
    return true;
}

size_t daemon_options_controls(const struct daemon_options *options,
                               const struct daemon_config *config,
                               struct control_address ret_controls[DAEMON_OPTIONS_CONTROLS_MAX])
{
    char folder[CONTROL_ADDRESS_PATH_MAX];
    size_t count = options->control_count;
    memcpy(ret_controls, options->controls, count * sizeof options->controls[0]);
    for (size_t i = 0; options->control_count == 0 && i < config->control.count; i++)
        count += control_address_parse(config->control.list[i].text, &ret_controls[count]);
    control_folder(config, folder);
    for (size_t i = 0; i < count; i++) {
        // One that is too long is told when the place is opened.
        if (!control_address_put(&ret_controls[i], folder))
            snprintf(ret_controls[i].path, sizeof ret_controls[i].path, "%s", folder);
    }
    return count;
}
