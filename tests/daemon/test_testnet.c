// SPDX-License-Identifier: MIT
// A whole testnet, of real engines under the fake brain, in a child process: what it prints, what
// its commands do, and what it leaves behind.
#include "node/daemon/testnet.h"
#include "tests/daemon/unit_posix.h"

#include <dirent.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

struct child {
    pid_t pid;
    FILE *in;  // its stdin
    FILE *out; // its stdout
    char line[512];
};

// Runs pnrd with these options, its temporary files in unit_dir.
static void start(struct child *child, const struct daemon_options *options)
{
    int in[2], out[2];
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    fflush(NULL);
    child->pid = fork();
    if (child->pid == 0) {
        static struct daemon_config config;
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        daemon_config_init(&config);
        if (options->state_dir != NULL)
            snprintf(config.state_dir.text, sizeof config.state_dir.text, "%s", options->state_dir);
        setenv("TMPDIR", unit_dir, 1);
        signal(SIGPIPE, SIG_IGN);
        _exit(daemon_testnet_run(options, &config));
    }
    close(in[0]);
    close(out[1]);
    child->in = fdopen(in[1], "w");
    child->out = fdopen(out[0], "r");
}

static const char *read_line(struct child *child)
{
    child->line[0] = '\0';
    if (fgets(child->line, sizeof child->line, child->out) == NULL)
        return "";
    child->line[strcspn(child->line, "\n")] = '\0';
    return child->line;
}

static const char *command(struct child *child, const char *text)
{
    fprintf(child->in, "%s\n", text);
    fflush(child->in);
    return read_line(child);
}

// Ends it by signal, or waits where that is 0. Returns its exit code.
static int end(struct child *child, int number)
{
    int status;
    if (number != 0)
        kill(child->pid, number);
    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    fclose(child->in);
    fclose(child->out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int count_files(void)
{
    int count = -2; // . and ..
    DIR *dir = opendir(unit_dir);
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

static const struct options_row {
    const char *name;
    uint32_t nodes;
    struct dht_addr listen;
} size_rows[] = {
    {"alone", 1, {.ip_len = 0}},
    {"two", 2, {.ip_len = 0}},
    {"twenty", 20, {.ip_len = 0}},
    {"another address", 5, {.ip = {127, 0, 0, 9}, .ip_len = 4}},
    {"IPv6", 5, {.ip = {[15] = 1}, .ip_len = 16}},
};

static void test_ready(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(size_rows); i++) {
        const struct options_row *row = &size_rows[i];
        struct daemon_options options = {.testnet_nodes = row->nodes};
        struct child child;
        char bootstrap[64], control[256];
        unsigned nodes = 0;
        options.listen.count = row->listen.ip_len != 0;
        options.listen.list[0] = row->listen;
        start(&child, &options);
        int fields = sscanf(read_line(&child), "ready bootstrap=%63s control=unix:%255s nodes=%u",
                            bootstrap, control, &nodes);
        if (fields != 3 || nodes != row->nodes || access(control, F_OK) != 0)
            fail_msg("row %s: %s", row->name, child.line);
        if (end(&child, SIGINT) != DAEMON_EXIT_CLEAN || count_files() != 0)
            fail_msg("row %s: did not end cleanly", row->name);
    }
}

static const struct command_row {
    const char *text;
    const char *answer;
} command_rows[] = {
    {"stop 1 2 3", "stopped 3"},
    {"stop 3", "stopped 1"}, // is already
    {"start 2 1", "started 2"},
    {"stop 0 4 5 6 7 8 9", "stopped 7"}, // the bootstrap node with them
    {"start 9", "started 1"},            // by way of 1
    {"stop", "stopped 0"},
    {"  stop \t 2 \r", "stopped 1"},
    {"stop 10", "error there is no node 10"},
    {"stop -1", "error numbers of nodes are expected"},
    {"stop 1x", "error numbers of nodes are expected"},
    {"jump 1", "error commands are stop and start"},
};

// Whether somebody listens at this UDP port of loopback.
static bool is_taken(uint16_t port)
{
    struct sockaddr_in addr = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    bool taken = bind(fd, (struct sockaddr *)&addr, sizeof addr) != 0;
    close(fd);
    return taken;
}

// A stopped node's port is free, and is its own again when it starts.
static void test_ports(void **state)
{
    struct daemon_options options = {.testnet_nodes = 1};
    struct child child;
    unsigned port = 0;
    (void)state;
    start(&child, &options);
    assert_int_equal(sscanf(read_line(&child), "ready bootstrap=127.0.0.1:%u ", &port), 1);
    assert_true(is_taken((uint16_t)port));
    assert_string_equal(command(&child, "stop 0"), "stopped 1");
    assert_false(is_taken((uint16_t)port));
    assert_string_equal(command(&child, "start 0"), "started 1");
    assert_true(is_taken((uint16_t)port));
    assert_int_equal(end(&child, SIGTERM), DAEMON_EXIT_CLEAN);
}

static void test_commands(void **state)
{
    struct daemon_options options = {.testnet_nodes = 10};
    struct child child;
    (void)state;
    start(&child, &options);
    unit_has("ready", read_line(&child), "ready ");
    for (size_t i = 0; i < UNIT_COUNT(command_rows); i++) {
        const struct command_row *row = &command_rows[i];
        if (strcmp(command(&child, row->text), row->answer) != 0)
            fail_msg("row %s: %s", row->text, child.line);
    }
    // A line longer than any command is refused and the next one taken.
    for (int i = 0; i < 10000; i++)
        fputs("stop 1 2 3 ", child.in);
    assert_string_equal(command(&child, ""), "error the line is too long");
    assert_string_equal(command(&child, "start 3"), "started 1");
    assert_int_equal(end(&child, SIGTERM), DAEMON_EXIT_CLEAN);
    assert_int_equal(count_files(), 0);
}

// With --state each node has its folder, and no temporary file of the nodes is left.
static void test_state(void **state)
{
    struct daemon_options options = {.testnet_nodes = 3};
    struct child child;
    char path[128];
    (void)state;
    snprintf(path, sizeof path, "%s", unit_path("state"));
    options.state_dir = path;
    for (int i = 0; i < 2; i++) {
        start(&child, &options);
        unit_has("ready", read_line(&child), "ready ");
        assert_int_equal(end(&child, SIGTERM), DAEMON_EXIT_CLEAN);
        assert_int_equal(access(unit_path("state/node-2/state.db"), F_OK), 0);
    }
}

static const struct refused_row {
    const char *name;
    struct dht_addr listen;
    uint16_t port;
    bool is_public;
    int exit_code;
} refused_rows[] = {
    {"everywhere", {.ip_len = 4}, 0, false, DAEMON_EXIT_USAGE},
    {"public", {.ip = {192, 0, 2, 1}, .ip_len = 4}, 0, false, DAEMON_EXIT_USAGE},
    {"not ours", {.ip = {192, 0, 2, 1}, .ip_len = 4}, 0, true, DAEMON_EXIT_FAILED},
    {"ports", {.ip = {127, 0, 0, 1}, .ip_len = 4}, 65530, false, DAEMON_EXIT_USAGE},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(refused_rows); i++) {
        const struct refused_row *row = &refused_rows[i];
        struct daemon_options options = {
            .testnet_nodes = 10, .testnet_port = row->port, .is_public = row->is_public};
        struct child child;
        options.listen.count = 1;
        options.listen.list[0] = row->listen;
        start(&child, &options);
        int code = end(&child, 0);
        if (code != row->exit_code || count_files() != 0)
            fail_msg("row %s: exit code %d", row->name, code);
    }
}

#define CHILD_TEST(function)                                                                       \
    cmocka_unit_test_setup_teardown(function, unit_dir_make, unit_dir_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHILD_TEST(test_ready), CHILD_TEST(test_commands), CHILD_TEST(test_ports),
        CHILD_TEST(test_state), CHILD_TEST(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
