// SPDX-License-Identifier: MIT
#include "node/daemon/testnet.h"

#include "dht/addr.h"
#include "node/daemon/commands.h"
#include "node/daemon/file.h"
#include "node/daemon/log.h"
#include "node/daemon/process.h"
#include "node/daemon/stream.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define STARTING_MAX        64   // nodes on their way into the network at a time
#define LOOK_EVERY_US       2000 // whether they have arrived
#define TELL_EVERY_US       1000000
#define CONTACTS_ENOUGH     8 // that a node of a large testnet has to know
#define SOCKET_BUFFER_BYTES (1 << 20)
#define SPARE_DESCRIPTORS   512 // for clients and the rest
#define PATH_BYTES          (CONTROL_ADDRESS_PATH_MAX + 64)

enum seat_state {
    SEAT_EMPTY,    // never started
    SEAT_STARTING, // on its way into the network
    SEAT_JOINED,   // knows enough others
    SEAT_STOPPED,
};

// What is kept of a node, whether it runs or not.
struct seat {
    enum seat_state state;
    struct dht_addr addr; // at its first start: the port is then kept
    uint32_t starts;
};

struct testnet {
    struct daemon_process process;
    const struct daemon_options *options;
    const struct daemon_config *config;
    struct dht_addr addr; // of node 0, before it was bound
    struct seat *seats;
    uint32_t count;
    uint32_t next;     // the seat to be filled next
    uint32_t starting; // how many are
    bool is_ready;
    int64_t told_us; // when it was last logged how far they are
    struct control_address control;
    char folder[PATH_BYTES]; // of temporary files; "" before it is made
    struct daemon_loop_alarm look;
    struct daemon_commands *commands;
};

// ---- files ----

static void remove_folder(struct testnet *testnet)
{
    if (testnet->folder[0] != '\0')
        daemon_file_remove_folder(testnet->folder);
}

static bool make_folder(struct testnet *testnet, struct daemon_error *ret_error)
{
    struct daemon_error why;
    if (daemon_file_make_temporary("pnr-testnet", testnet->folder, sizeof testnet->folder, &why))
        return true;
    testnet->folder[0] = '\0';
    daemon_error_set(ret_error, "cannot make a folder for temporary files: %.200s", why.text);
    return false;
}

// Where states are kept, in a folder for each node; NULL: nowhere.
static const char *kept_in(const struct testnet *testnet)
{
    return testnet->options->state_dir == NULL ? NULL : testnet->config->state_dir.text;
}

static bool choose_control(struct testnet *testnet, struct daemon_error *ret_error)
{
    char path[PATH_BYTES + 16];
    if (testnet->options->control_count > 0) {
        testnet->control = testnet->options->controls[0];
        (void)control_address_put(&testnet->control, testnet->folder); // folders are short
        return true;
    }
    if (daemon_stream_unix_max() > 0)
        snprintf(path, sizeof path, "unix:%s/control.sock", testnet->folder);
    else
        snprintf(path, sizeof path, "tcp:%s/" CONTROL_ADDRESS_FILE, testnet->folder);
    if (control_address_parse(path, &testnet->control))
        return true;
    daemon_error_set(ret_error, "the path of the control socket is too long: %.200s", path);
    return false;
}

// ---- nodes ----

static void fill_engine(const struct testnet *testnet, uint32_t index,
                        struct daemon_node_engine *ret_engine)
{
    const struct seat *seat = &testnet->seats[index];
    struct daemon_node_engine engine = {.socket_buffer_bytes = SOCKET_BUFFER_BYTES};
    struct dht_config *config = &engine.config;
    dht_config_init(config, testnet->addr.ip_len == 4 ? DHT_IPV4 : DHT_IPV6);
    daemon_config_cloud_apply(&testnet->config->clouds[0], config);
    config->role = DHT_ROLE_SERVER;
    config->lab = dht_addr_is_local(&testnet->addr);
    config->unlimited = testnet->options->unlimited;
    config->outbox_keep = 0; // many queues, seldom full
    config->addr = testnet->addr;
    if (config->addr.port != 0)
        config->addr.port = (uint16_t)(config->addr.port + index);
    if (seat->starts > 0)
        config->addr = seat->addr;
    *ret_engine = engine;
}

static void fill_config(const struct testnet *testnet, uint32_t index,
                        struct node_config *ret_config)
{
    node_config_init(ret_config);
    daemon_config_node_apply(testnet->config, ret_config);
    snprintf(ret_config->version, sizeof ret_config->version, "%s", PNR_VERSION);
    ret_config->node_index = index;
    ret_config->node_count = testnet->count;
    if (testnet->options->state_dir == NULL)
        ret_config->snapshot_us = 0;
}

static struct daemon_node *open_node(struct testnet *testnet, uint32_t index,
                                     struct daemon_error *ret_error)
{
    static struct daemon_node_options options; // large, and used by one call at a time
    char state_dir[PATH_BYTES];
    char keys_dir[PATH_BYTES];
    const char *base = kept_in(testnet);
    memset(&options, 0, sizeof options);
    if (base != NULL) {
        snprintf(state_dir, sizeof state_dir, "%.400s/node-%u", base, index);
        snprintf(keys_dir, sizeof keys_dir, "%.400s/node-%u/keys", base, index);
        options.state_dir = state_dir;
    } else {
        snprintf(keys_dir, sizeof keys_dir, "%.400s/keys-%u", testnet->folder, index);
    }
    options.keys_dir = keys_dir;
    options.keys_lazy = true;
    options.cloud.engine_count = 1;
    fill_engine(testnet, index, &options.cloud.engines[0]);
    fill_config(testnet, index, &options.config);
    uint32_t numbers[2] = {index, testnet->seats[index].starts};
    if (!daemon_process_seed(&testnet->process, testnet->options, numbers, options.seed)) {
        daemon_error_set(ret_error, "the system has no random numbers");
        return NULL;
    }
    struct daemon_node *node = daemon_node_open(&testnet->process.shared, &options, ret_error);
    OPENSSL_cleanse(options.seed, sizeof options.seed);
    return node;
}

// Whom a node asks first: node 0, or, where that is stopped or meant, another that runs.
static bool find_bootstrap(const struct testnet *testnet, uint32_t index, struct dht_addr *ret_addr)
{
    for (uint32_t i = 0; i < testnet->count; i++) {
        if (i == index || testnet->process.nodes[i] == NULL)
            continue;
        *ret_addr = testnet->seats[i].addr;
        return true;
    }
    return false;
}

static bool start_node(struct testnet *testnet, uint32_t index, struct daemon_error *ret_error)
{
    struct seat *seat = &testnet->seats[index];
    struct daemon_node *node = open_node(testnet, index, ret_error);
    struct dht_addr first;
    if (node == NULL)
        return false;
    testnet->process.nodes[index] = node;
    seat->addr = daemon_node_addr(node, 0);
    seat->state = SEAT_STARTING;
    seat->starts++;
    testnet->starting++;
    daemon_node_start(node);
    if (find_bootstrap(testnet, index, &first))
        daemon_node_bootstrap(node, &first, 1);
    // The first has nobody to ask before there is a second.
    if (index == 1 && testnet->process.nodes[0] != NULL)
        daemon_node_bootstrap(testnet->process.nodes[0], &seat->addr, 1);
    return true;
}

static void stop_node(struct testnet *testnet, uint32_t index)
{
    struct seat *seat = &testnet->seats[index];
    testnet->starting -= seat->state == SEAT_STARTING;
    seat->state = SEAT_STOPPED;
    daemon_process_stop_node(&testnet->process, index);
}

static bool knows_enough(struct testnet *testnet, uint32_t index)
{
    struct dht_info info;
    uint32_t others = testnet->count - 1;
    uint32_t enough = others < CONTACTS_ENOUGH ? others : CONTACTS_ENOUGH;
    dht_info(node_engine(daemon_node_brain(testnet->process.nodes[index]), 0), &info);
    return others == 0 || (info.joined && info.contacts >= enough);
}

// ---- joining ----

static void say_ready(struct testnet *testnet)
{
    char text[DHT_ADDR_TEXT_MAX];
    bool is_unix = testnet->control.type == CONTROL_ADDRESS_UNIX;
    dht_addr_to_text(&testnet->seats[0].addr, text);
    testnet->is_ready = true;
    printf("ready bootstrap=%s control=%s:%s nodes=%u\n", text, is_unix ? "unix" : "tcp",
           testnet->control.path, testnet->count);
    fflush(stdout);
}

static void see_who_joined(struct testnet *testnet)
{
    for (uint32_t i = 0; testnet->starting > 0 && i < testnet->next; i++) {
        struct seat *seat = &testnet->seats[i];
        if (seat->state != SEAT_STARTING || !knows_enough(testnet, i))
            continue;
        seat->state = SEAT_JOINED;
        testnet->starting--;
    }
}

// Says how far they are, and whom all wait for.
static void tell_progress(struct testnet *testnet)
{
    int64_t now_us = daemon_loop_now_us(testnet->process.loop);
    uint32_t first = 0;
    struct dht_info info;
    if (now_us - testnet->told_us < TELL_EVERY_US || testnet->starting == 0)
        return;
    testnet->told_us = now_us;
    while (testnet->seats[first].state != SEAT_STARTING)
        first++;
    dht_info(node_engine(daemon_node_brain(testnet->process.nodes[first]), 0), &info);
    daemon_log(DAEMON_LOG_INFO, "joining started=%u joined=%u slowest=%u contacts=%u ops=%u",
               testnet->next, testnet->next - testnet->starting, first, info.contacts, info.ops);
}

// Starts as many as may be on their way. The first few cannot know enough before there are more.
static bool start_more(struct testnet *testnet)
{
    struct daemon_error why;
    while (testnet->next < testnet->count && testnet->starting < STARTING_MAX) {
        if (!start_node(testnet, testnet->next, &why)) {
            daemon_log(DAEMON_LOG_ERROR, "%s node=%u", why.text, testnet->next);
            return false;
        }
        testnet->next++;
    }
    return true;
}

static void on_look(struct daemon_loop_alarm *alarm)
{
    struct testnet *testnet = alarm->ctx;
    struct daemon_loop *loop = testnet->process.loop;
    see_who_joined(testnet);
    tell_progress(testnet);
    if (!start_more(testnet)) {
        daemon_loop_stop(loop);
        return;
    }
    if (testnet->next == testnet->count && testnet->starting == 0)
        say_ready(testnet);
    else
        daemon_loop_set(loop, alarm, daemon_loop_now_us(loop) + LOOK_EVERY_US);
}

// ---- commands ----

static bool do_start(struct testnet *testnet, uint32_t index, struct daemon_error *ret_error)
{
    if (testnet->process.nodes[index] != NULL)
        return true;
    if (!start_node(testnet, index, ret_error))
        return false;
    // Nobody waits for it to join.
    testnet->starting--;
    testnet->seats[index].state = SEAT_JOINED;
    return true;
}

static void on_command(void *ctx, const struct daemon_command *command)
{
    struct testnet *testnet = ctx;
    struct daemon_error why = {.text = ""};
    bool is_stop = command->type == DAEMON_COMMAND_STOP;
    uint32_t done = 0;
    if (!testnet->is_ready) {
        puts("error not ready yet");
        fflush(stdout);
        return;
    }
    for (size_t i = 0; i < command->count && why.text[0] == '\0'; i++) {
        uint32_t index = command->nodes[i];
        if (index >= testnet->count)
            daemon_error_set(&why, "there is no node %u", index);
        else if (is_stop)
            stop_node(testnet, index);
        else
            (void)do_start(testnet, index, &why);
        done += why.text[0] == '\0';
    }
    if (why.text[0] != '\0')
        printf("error %s\n", why.text);
    else
        printf("%s %u\n", is_stop ? "stopped" : "started", done);
    fflush(stdout);
}

// ---- life ----

// Where the nodes listen: refused on an address that others could reach, unless asked for.
static bool choose_addr(struct testnet *testnet, struct daemon_error *ret_error)
{
    const struct daemon_options *options = testnet->options;
    struct dht_addr addr = {.ip = {127, 0, 0, 1}, .ip_len = 4};
    if (options->listen.count > 0)
        addr = options->listen.list[0];
    if (options->testnet_port != 0)
        addr.port = options->testnet_port;
    if (options->listen.count > 1 || (addr.port != 0 && addr.port + testnet->count > 65536)) {
        daemon_error_set(ret_error, options->listen.count > 1
                                        ? "the nodes of a testnet listen at one address"
                                        : "there are not as many ports from the first one up");
        return false;
    }
    if (options->read_only) {
        daemon_error_set(ret_error, "the nodes of a testnet answer each other: --read-only makes "
                                    "no sense there");
        return false;
    }
    if (!dht_addr_is_local(&addr) && !options->is_public) {
        daemon_error_set(ret_error, "a testnet on an address that is not loopback or private is "
                                    "open to the internet; remedy: another --listen, or --public");
        return false;
    }
    testnet->addr = addr;
    return true;
}

static bool open_all(struct testnet *testnet, struct daemon_error *ret_error)
{
    struct daemon_process_options process = {
        .node_count = testnet->count,
        .clients_max = (uint32_t)testnet->config->clients_max,
        .wall_offset_us = testnet->options->wall_offset_us,
    };
    // A state has a file, its journal, its lock and a pipe.
    size_t each = testnet->options->state_dir != NULL ? 10 : 1;
    const char *state_dir = kept_in(testnet);
    if (!daemon_process_raise_descriptors(testnet->count * each + SPARE_DESCRIPTORS, ret_error))
        return false;
    struct daemon_error why;
    if (state_dir != NULL && !daemon_file_make_folder(state_dir, DAEMON_FILE_OWNER, &why)) {
        daemon_error_set(ret_error, "cannot make %s: %.200s", state_dir, why.text);
        return false;
    }
    testnet->seats = calloc(testnet->count, sizeof *testnet->seats);
    if (testnet->seats == NULL) {
        daemon_error_set(ret_error, "no memory for a testnet");
        return false;
    }
    return make_folder(testnet, ret_error) && choose_control(testnet, ret_error) &&
           daemon_process_open(&testnet->process, &process, ret_error) &&
           daemon_process_listen(&testnet->process, &testnet->control, 1, "", ret_error);
}

// Returns whether it came to be ready, or was told to end before.
static bool run(struct testnet *testnet)
{
    struct daemon_loop *loop = testnet->process.loop;
    testnet->look = (struct daemon_loop_alarm){.ring = on_look, .ctx = testnet};
    daemon_loop_set(loop, &testnet->look, daemon_loop_now_us(loop));
    testnet->commands = daemon_commands_new(daemon_loop_base(loop), 0, on_command, testnet);
    daemon_loop_run(loop);
    daemon_commands_free(testnet->commands);
    daemon_loop_set(loop, &testnet->look, INT64_MAX);
    return testnet->next == testnet->count;
}

enum daemon_exit daemon_testnet_run(const struct daemon_options *options,
                                    const struct daemon_config *config)
{
    struct testnet testnet = {
        .options = options, .config = config, .count = options->testnet_nodes};
    struct daemon_error why;
    daemon_log_set_level(options->log_level == NULL ? DAEMON_LOG_WARN
                                                    : (enum daemon_log_level)config->log_level);
    if (!choose_addr(&testnet, &why)) {
        daemon_log(DAEMON_LOG_ERROR, "%s", why.text);
        return DAEMON_EXIT_USAGE;
    }
    bool ok = open_all(&testnet, &why);
    if (!ok)
        daemon_log(DAEMON_LOG_ERROR, "%s", why.text);
    ok = ok && run(&testnet);
    if (testnet.process.loop != NULL)
        daemon_process_close(&testnet.process);
    free(testnet.seats);
    remove_folder(&testnet);
    return ok ? DAEMON_EXIT_CLEAN : DAEMON_EXIT_FAILED;
}
