// SPDX-License-Identifier: MIT
// pnrd as a service manager sees it: a child process that says when it is ready, reloads and ends.
#include "node/daemon/daemon.h"
#include "node/daemon/links.h"
#include "node/daemon/log.h"
#include "node/daemon/signals.h"
#include "node/daemon/state.h"
#include "tests/daemon/unit_posix.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

static int manager; // the service manager's socket
static char log_text[65536];

// ---- the machine of the child, as the parent has it ----

static struct machine {
    _Atomic int64_t asleep_us; // for how long its clock went on and its processes did not
    _Atomic uint8_t host;      // of its address 192.0.2.host; 0: it has none
} * machine;

int64_t __real_daemon_clock_now_us(void);
int64_t __wrap_daemon_clock_now_us(void);
bool __wrap_daemon_udp_outgoing(enum dht_family family, struct dht_addr *ret_addr);
struct daemon_links *__wrap_daemon_links_new(struct daemon_loop *loop, void (*changed)(void *ctx),
                                             void *ctx);
void __wrap_daemon_links_free(struct daemon_links *links);
void __real_node_network_changed(struct node *node, int64_t now_us);
void __wrap_node_network_changed(struct node *node, int64_t now_us);

int64_t __wrap_daemon_clock_now_us(void)
{
    return __real_daemon_clock_now_us() + machine->asleep_us;
}

bool __wrap_daemon_udp_outgoing(enum dht_family family, struct dht_addr *ret_addr)
{
    uint8_t host = machine->host;
    if (family != DHT_IPV4 || host == 0)
        return false;
    *ret_addr = (struct dht_addr){.ip_len = 4, .ip = {192, 0, 2, host}};
    return true;
}

// Word of a change is SIGUSR2.
struct daemon_links {
    struct event *event;
    void (*changed)(void *ctx);
    void *ctx;
};

static void on_links(evutil_socket_t number, short what, void *ctx)
{
    struct daemon_links *links = ctx;
    (void)number;
    (void)what;
    links->changed(links->ctx);
}

struct daemon_links *__wrap_daemon_links_new(struct daemon_loop *loop, void (*changed)(void *ctx),
                                             void *ctx)
{
    struct daemon_links *links = calloc(1, sizeof *links);
    *links = (struct daemon_links){
        .event = evsignal_new(daemon_loop_base(loop), SIGUSR2, on_links, links),
        .changed = changed,
        .ctx = ctx};
    event_add(links->event, NULL);
    return links;
}

void __wrap_daemon_links_free(struct daemon_links *links)
{
    event_free(links->event);
    free(links);
}

// The system's word that the machine was asleep is SIGUSR1.
static struct daemon_signals_calls signals_calls;
static struct event *signals_word;

struct daemon_signals *__real_daemon_signals_new(struct event_base *base,
                                                 const struct daemon_signals_calls *calls);
struct daemon_signals *__wrap_daemon_signals_new(struct event_base *base,
                                                 const struct daemon_signals_calls *calls);
void __real_daemon_signals_free(struct daemon_signals *signals);
void __wrap_daemon_signals_free(struct daemon_signals *signals);

static void on_word(evutil_socket_t number, short what, void *ctx)
{
    (void)number;
    (void)what;
    (void)ctx;
    signals_calls.resumed(signals_calls.ctx);
}

struct daemon_signals *__wrap_daemon_signals_new(struct event_base *base,
                                                 const struct daemon_signals_calls *calls)
{
    signals_calls = *calls;
    signals_word = evsignal_new(base, SIGUSR1, on_word, NULL);
    event_add(signals_word, NULL);
    return __real_daemon_signals_new(base, calls);
}

void __wrap_daemon_signals_free(struct daemon_signals *signals)
{
    event_free(signals_word);
    __real_daemon_signals_free(signals);
}

// The parent hears of it where it hears of the rest.
void __wrap_node_network_changed(struct node *node, int64_t now_us)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    snprintf(addr.sun_path, sizeof addr.sun_path, "%s", unit_path("manager"));
    sendto(manager, "RENEWED=1", 9, 0, (struct sockaddr *)&addr, sizeof addr);
    __real_node_network_changed(node, now_us);
}

static int setup(void **state)
{
    machine->asleep_us = 0;
    machine->host = 1;
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    unit_dir_make(state);
    manager = socket(AF_UNIX, SOCK_DGRAM, 0);
    snprintf(addr.sun_path, sizeof addr.sun_path, "%s", unit_path("manager"));
    return bind(manager, (struct sockaddr *)&addr, sizeof addr);
}

static int teardown(void **state)
{
    close(manager);
    return unit_dir_remove(state);
}

static void report(void *ctx, const char *text)
{
    (void)ctx;
    daemon_log(DAEMON_LOG_ERROR, "%s", text);
}

// Writes a configuration with `more` in it and runs pnrd with it. Its log goes to the file `log`.
static pid_t start(const char *more)
{
    char text[2048];
    snprintf(text, sizeof text,
             "[node]\nstate-dir = %s\ncontrol = unix:%s\n%s\n[cloud Global_]\n"
             "listen = 127.0.0.1:0\nbootstrap = 127.0.0.1:9\n",
             unit_path("state"), unit_path("control"), more);
    unit_write(unit_path("conf"), text);
    fflush(NULL);
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    static struct daemon_options options;
    static struct daemon_config config;
    struct daemon_error why;
    setenv("NOTIFY_SOCKET", unit_path("manager"), 1);
    setenv("WATCHDOG_USEC", "200000", 1);
    unsetenv("WATCHDOG_PID");
    signal(SIGPIPE, SIG_IGN);
    int fd = open(unit_path("log"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    daemon_log_open(fd, DAEMON_LOG_INFO);
    options.config_path = unit_path("conf");
    if (!daemon_options_config(&options, report, NULL, &config, &why)) {
        daemon_log(DAEMON_LOG_ERROR, "%s", why.text);
        _exit(DAEMON_EXIT_USAGE);
    }
    _exit(daemon_run(&options, &config));
}

static int end(pid_t pid, int number)
{
    int status;
    if (number != 0)
        kill(pid, number);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Waits for a message to the manager that has text in it.
static void wait_for(const char *text)
{
    char message[512];
    do {
        ssize_t len = recv(manager, message, sizeof message - 1, 0);
        assert_true(len >= 0);
        message[len] = '\0';
    } while (strstr(message, text) == NULL);
}

static const char *read_log(void)
{
    FILE *file = fopen(unit_path("log"), "r");
    log_text[fread(log_text, 1, sizeof log_text - 1, file)] = '\0';
    fclose(file);
    return log_text;
}

static void test_life(void **state)
{
    (void)state;
    pid_t pid = start("log-level = info");
    wait_for("READY=1");
    assert_int_equal(access(unit_path("control"), F_OK), 0); // ready means: can be reached
    assert_int_equal(access(unit_path("control.resolve"), F_OK), 0);
    wait_for("WATCHDOG=1");
    kill(pid, SIGTERM);
    wait_for("STOPPING=1");
    assert_int_equal(end(pid, 0), DAEMON_EXIT_CLEAN);
    assert_int_equal(access(unit_path("control"), F_OK), -1);
    assert_int_equal(access(unit_path("control.resolve"), F_OK), -1);
    // SIGINT is as good, and what the first left is no hindrance.
    pid = start("log-level = info");
    wait_for("READY=1");
    assert_int_equal(end(pid, SIGINT), DAEMON_EXIT_CLEAN);
}

// SIGKILL cleans nothing up; the next start does.
static void test_after_kill(void **state)
{
    (void)state;
    pid_t pid = start("");
    wait_for("READY=1");
    assert_int_equal(end(pid, SIGKILL), -1);
    assert_int_equal(access(unit_path("control"), F_OK), 0);
    pid = start("");
    wait_for("READY=1");
    assert_int_equal(end(pid, SIGTERM), DAEMON_EXIT_CLEAN);
}

static void test_second(void **state)
{
    (void)state;
    pid_t first = start("");
    wait_for("READY=1");
    pid_t second = start("");
    assert_int_equal(end(second, 0), DAEMON_EXIT_FAILED);
    unit_has("second", read_log(), "in use by process");
    assert_int_equal(access(unit_path("control"), F_OK), 0); // the first one's
    assert_int_equal(end(first, SIGTERM), DAEMON_EXIT_CLEAN);
}

static void reload(pid_t pid, const char *from, const char *to)
{
    char text[2048];
    FILE *file = fopen(unit_path("conf"), "r");
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    char *place = strstr(text, from);
    assert_non_null(place);
    char whole[4096];
    snprintf(whole, sizeof whole, "%.*s%s%s", (int)(place - text), text, to, place + strlen(from));
    unit_write(unit_path("conf"), whole);
    kill(pid, SIGHUP);
    wait_for("RELOADING=1");
    wait_for("READY=1");
}

// What can change does, the rest is told, and a broken file changes nothing.
static void test_reload(void **state)
{
    (void)state;
    pid_t pid = start("clients-max = 7");
    wait_for("READY=1");
    reload(pid, "clients-max = 7", "clients-max = 9");
    unit_has("changed", read_log(), "clients-max");
    reload(pid, "127.0.0.1:0", "127.0.0.2:0");
    unit_has("restart", read_log(), "before a restart");
    reload(pid, "clients-max = 9", "clients-max = nine");
    unit_has("broken", read_log(), "configuration not read again");
    assert_int_equal(end(pid, SIGTERM), DAEMON_EXIT_CLEAN);
}

// ---- clouds that are taken out of the configuration ----

static const char *const clouds[] = {"", "red", "blue", "lan%eth0", "old"}; // "": Global_

static bool count_row(void *ctx, struct dht_span key, struct dht_span value)
{
    (void)value;
    for (size_t i = 0; i < UNIT_COUNT(clouds); i++)
        if (key.len == 2 + strlen(clouds[i]) &&
            memcmp(key.data + 2, clouds[i], strlen(clouds[i])) == 0)
            ((int *)ctx)[i]++;
    return true;
}

// Which of `clouds` have a contact on disk, as digits; writes one for each first where asked to.
static int contacts(bool write)
{
    struct daemon_state_options options = {.dir = unit_path("state"), .synchronous = true};
    struct daemon_state *state = daemon_state_open(&options, NULL);
    int there[UNIT_COUNT(clouds)] = {0};
    int digits = 0;
    assert_non_null(state);
    for (size_t i = 0; write && i < UNIT_COUNT(clouds); i++) {
        uint8_t key[34] = {4, 0};
        memcpy(key + 2, clouds[i], strlen(clouds[i]));
        struct dht_span span = {key, 2 + strlen(clouds[i])};
        struct daemon_state_row row = {.kind = DAEMON_STATE_CONTACT, .key = span, .value = span};
        assert_int_equal(daemon_state_write(state, 0, true, &row), DAEMON_STATE_TAKEN);
    }
    assert_true(daemon_state_load(state, DAEMON_STATE_CONTACT, count_row, there, NULL));
    daemon_state_close(state);
    for (size_t i = 0; i < UNIT_COUNT(clouds); i++)
        digits = 10 * digits + there[i];
    return digits;
}

#define RED  "[cloud red]\nlisten = 127.0.0.1:0\n"
#define BLUE "[cloud blue]\nenabled = no\n"
#define LAN  "[cloud lan]\nscope = link\nenabled = no\n"

// What they left goes at the start and on reload; of those that are only switched off it stays.
static void test_removed_clouds(void **state)
{
    (void)state;
    assert_int_equal(mkdir(unit_path("state"), 0700), 0);
    assert_int_equal(contacts(true), 11111);
    pid_t pid = start(RED BLUE LAN);
    wait_for("READY=1");
    assert_int_equal(end(pid, SIGTERM), DAEMON_EXIT_CLEAN);
    assert_int_equal(contacts(false), 11110);
    pid = start(RED BLUE LAN);
    wait_for("READY=1");
    reload(pid, "[cloud red]", "[cloud red"); // cannot be read, and changes nothing
    reload(pid, "[cloud red\nlisten = 127.0.0.1:0\n", "");
    reload(pid, BLUE, "");
    assert_int_equal(end(pid, SIGTERM), DAEMON_EXIT_CLEAN);
    assert_int_equal(contacts(false), 10010);
    unit_has("told", read_log(), "are forgotten rows=1");
    pid = start("");
    wait_for("READY=1");
    assert_int_equal(end(pid, SIGTERM), DAEMON_EXIT_CLEAN);
    assert_int_equal(contacts(false), 10000);
}

static int times_in_log(const char *text)
{
    int times = 0;
    for (const char *at = read_log(); (at = strstr(at, text)) != NULL; at++)
        times++;
    return times;
}

// After a sleep, and after a change of address, what is kept alive is renewed at once, not when it
// is due, nor when the network is looked at anyway.
static void test_renewal(void **state)
{
    (void)state;
    pid_t pid = start("");
    wait_for("READY=1");
    wait_for("WATCHDOG=1");
    machine->asleep_us = INT64_C(3600000000);
    wait_for("RENEWED=1");
    unit_has("asleep", read_log(), "this machine was asleep");
    machine->host = 2;
    kill(pid, SIGUSR2);
    wait_for("RENEWED=1");
    unit_has("changed", read_log(), "this machine's address has changed");
    // A change that leaves the address alone is no reason, nor is it to have none.
    kill(pid, SIGUSR2);
    wait_for("WATCHDOG=1");
    machine->host = 0;
    kill(pid, SIGUSR2);
    wait_for("WATCHDOG=1");
    assert_int_equal(times_in_log("this machine's address has changed"), 1);
    machine->host = 2;
    kill(pid, SIGUSR2);
    wait_for("RENEWED=1");
    assert_int_equal(end(pid, SIGTERM), DAEMON_EXIT_CLEAN);
    assert_int_equal(times_in_log("this machine was asleep"), 1);
}

// Where the system has word of a sleep, it is believed; what it says twice is one sleep.
static void test_word_of_sleep(void **state)
{
    (void)state;
    pid_t pid = start("");
    wait_for("READY=1");
    kill(pid, SIGUSR1);
    wait_for("RENEWED=1");
    kill(pid, SIGUSR1);
    wait_for("WATCHDOG=1");
    wait_for("WATCHDOG=1");
    assert_int_equal(times_in_log("this machine was asleep"), 1);
    machine->asleep_us = INT64_C(15000000);
    kill(pid, SIGUSR1);
    wait_for("RENEWED=1");
    assert_int_equal(end(pid, SIGTERM), DAEMON_EXIT_CLEAN);
    assert_int_equal(times_in_log("this machine was asleep"), 2);
}

static const struct refused_row {
    const char *more;
    int exit_code;
    const char *why;
} refused_rows[] = {
    {"control-group = no-such-group-here", DAEMON_EXIT_FAILED, "there is no group"},
    {"nonsense = 1", DAEMON_EXIT_USAGE, "is not used"},
    {"control = unix:/no/such/folder/at/all", DAEMON_EXIT_USAGE, "is not used"}, // given twice
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(refused_rows); i++) {
        const struct refused_row *row = &refused_rows[i];
        int code = end(start(row->more), 0);
        if (code != row->exit_code)
            fail_msg("row %s: exit code %d", row->more, code);
        unit_has(row->more, read_log(), row->why);
        unlink(unit_path("log"));
    }
}

int main(void)
{
    machine =
        mmap(NULL, sizeof *machine, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (machine == MAP_FAILED)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_life, setup, teardown),
        cmocka_unit_test_setup_teardown(test_after_kill, setup, teardown),
        cmocka_unit_test_setup_teardown(test_second, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reload, setup, teardown),
        cmocka_unit_test_setup_teardown(test_removed_clouds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_renewal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_word_of_sleep, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
