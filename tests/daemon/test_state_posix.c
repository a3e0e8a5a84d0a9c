// SPDX-License-Identifier: MIT
#include "tests/daemon/state_helper.h"
#include "tests/daemon/unit_posix.h"

#include "node/daemon/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

// ---- a disk that the tests can break ----

static _Atomic int write_errno; // what SQLite's next writes fail with; 0: they work
static _Atomic unsigned syncs;  // how often a file was synced

// The disk takes its time: its writes wait until the gate opens.
static pthread_mutex_t gate_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_opened = PTHREAD_COND_INITIALIZER;
static bool gate_closed;

static void set_gate(bool closed)
{
    pthread_mutex_lock(&gate_mutex);
    gate_closed = closed;
    pthread_cond_broadcast(&gate_opened);
    pthread_mutex_unlock(&gate_mutex);
}

// These stand in front of the C library's, also for SQLite.
__attribute__((visibility("default"))) int fdatasync(int fd)
{
    syncs++;
    return (int)syscall(SYS_fdatasync, fd);
}

__attribute__((visibility("default"))) int fsync(int fd)
{
    syncs++;
    return (int)syscall(SYS_fsync, fd);
}

static ssize_t faulty_pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
    pthread_mutex_lock(&gate_mutex);
    while (gate_closed)
        pthread_cond_wait(&gate_opened, &gate_mutex);
    pthread_mutex_unlock(&gate_mutex);
    int fault = write_errno;
    if (fault != 0) {
        errno = fault;
        return -1;
    }
    return (ssize_t)syscall(SYS_pwrite64, fd, bytes, len, offset);
}

static int make_dir_and_disk(void **state)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    sqlite3_syscall_ptr faulty = (sqlite3_syscall_ptr)faulty_pwrite;
    write_errno = 0;
    set_gate(false);
    // Which of the two SQLite calls depends on how it was built.
    vfs->xSetSystemCall(vfs, "pwrite", faulty);
    vfs->xSetSystemCall(vfs, "pwrite64", faulty);
    return unit_dir_make(state);
}

// ---- durability ----

static void test_syncs(void **unused)
{
    (void)unused;
    static const struct row {
        const char *name;
        bool durable;
    } rows[] = {{"not durable", false},
                {"durable", true},
                {"not durable again", false},
                {"durable again", true}};
    struct daemon_state *state = open_with(true, 0);
    put(state, 0, true, "first", "1"); // makes the WAL
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        unsigned before = syncs;
        put(state, 0, rows[i].durable, "key", rows[i].name);
        if ((syncs > before) != rows[i].durable)
            fail_msg("row %s: %u syncs", rows[i].name, syncs - before);
    }
    assert_int_equal(counters_of(state).commits, 5);
    assert_int_equal(counters_of(state).commits_durable, 3);
    daemon_state_close(state);
}

// What waits goes into one transaction, durable if one of its rows is.
static void test_grouping(void **unused)
{
    (void)unused;
    struct daemon_state *state = open_with(false, 0);
    char key[16];
    set_gate(true); // the first write is held up, the others gather behind it
    for (int i = 0; i < 101; i++) {
        snprintf(key, sizeof key, "%d", i);
        assert_int_equal(put(state, (uint64_t)i + 1, i == 50, key, "x"), DAEMON_STATE_TAKEN);
    }
    set_gate(false);
    daemon_state_flush(state);
    assert_int_equal(counters_of(state).written, 101);
    // One if the writer began only after the last, else those it began with and the rest.
    assert_in_range(counters_of(state).commits, 1, 2);
    assert_int_equal(counters_of(state).commits_durable, 1);
    for (uint64_t id = 1; id <= 101; id++)
        expect_done(state, id, true);
    expect_none(state);
    daemon_state_close(state);
}

// The child writes durable rows and names each completed one in the pipe; it is killed in the
// middle. What it named has to be there.
static void test_kill(void **unused)
{
    (void)unused;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct daemon_state *state = open_with(false, 0);
        struct daemon_state_done done;
        char key[16];
        for (uint32_t i = 1;; i++) {
            snprintf(key, sizeof key, "%06u", i);
            put(state, i, true, key, "x");
            daemon_state_flush(state);
            while (daemon_state_next(state, &done)) {
                uint32_t id = done.ok ? (uint32_t)done.id : 0;
                if (write(ends[1], &id, sizeof id) != sizeof id)
                    _exit(1);
            }
        }
    }
    close(ends[1]);
    uint32_t id = 0;
    uint32_t last = 0;
    while (last < 50 && read(ends[0], &id, sizeof id) == sizeof id)
        last = id;
    kill(child, SIGKILL);
    while (read(ends[0], &id, sizeof id) == sizeof id)
        last = id;
    waitpid(child, NULL, 0);
    close(ends[0]);
    assert_true(last >= 50);
    struct daemon_state *state = open_with(true, 0); // the lock went with the child
    char text[1024] = "";
    int count = 0;
    assert_true(daemon_state_load(state, DAEMON_STATE_SEQUENCE, append_row, text, NULL));
    assert_memory_equal(text, "000001=x;000002=x;", 18);
    daemon_state_close(state);
    char query[128];
    sqlite3 *sql = NULL;
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_open(unit_path("state/state.db"), &sql), SQLITE_OK);
    snprintf(query, sizeof query, "SELECT count(*) FROM state WHERE CAST(key AS TEXT) <= '%06u'",
             last);
    assert_int_equal(sqlite3_prepare_v2(sql, query, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    count = sqlite3_column_int(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_close(sql);
    assert_int_equal(count, last);
}

// ---- bounds ----

static void test_queue_full(void **unused)
{
    (void)unused;
    struct daemon_state *state = open_with(false, 8);
    struct daemon_state_done done;
    char key[16];
    set_gate(true);
    for (uint64_t i = 1; i <= 6; i++) { // three quarters of 8
        snprintf(key, sizeof key, "n%d", (int)i);
        assert_int_equal(put(state, i, false, key, "x"), DAEMON_STATE_TAKEN);
    }
    assert_int_equal(put(state, 7, false, "n7", "x"), DAEMON_STATE_DROPPED);
    assert_int_equal(put(state, 8, true, "d1", "x"), DAEMON_STATE_TAKEN);
    assert_int_equal(put(state, 9, true, "d2", "x"), DAEMON_STATE_TAKEN);
    assert_int_equal(put(state, 10, true, "d3", "x"), DAEMON_STATE_REFUSED);
    set_gate(false);
    daemon_state_flush(state);
    // Slots are free again only once their completions are taken.
    assert_int_equal(put(state, 11, true, "d4", "x"), DAEMON_STATE_REFUSED);
    static const uint64_t wanted[] = {1, 2, 3, 4, 5, 6, 8, 9};
    for (size_t i = 0; i < UNIT_COUNT(wanted); i++)
        expect_done(state, wanted[i], true);
    assert_false(daemon_state_next(state, &done));
    assert_int_equal(put(state, 12, false, "n8", "x"), DAEMON_STATE_TAKEN);
    daemon_state_flush(state);
    assert_int_equal(counters_of(state).dropped, 1);
    assert_int_equal(counters_of(state).refused, 2);
    daemon_state_close(state);
}

static void test_bytes_bound(void **unused)
{
    (void)unused;
    struct daemon_state_options options = {.dir = unit_path("state"), .bytes_max = 4000};
    struct daemon_state *state = daemon_state_open(&options, NULL);
    static char value[DAEMON_STATE_VALUE_MAX + 2];
    static char key[DAEMON_STATE_KEY_MAX + 2];
    assert_non_null(state);
    memset(value, 'x', 2000);
    set_gate(true);
    assert_int_equal(put(state, 1, false, "a", value), DAEMON_STATE_TAKEN);
    assert_int_equal(put(state, 2, false, "b", value), DAEMON_STATE_DROPPED);
    value[1990] = '\0';
    assert_int_equal(put(state, 3, true, "c", value), DAEMON_STATE_TAKEN);
    assert_int_equal(put(state, 4, true, "d", value), DAEMON_STATE_REFUSED);
    set_gate(false);
    daemon_state_flush(state);
    assert_int_equal(put(state, 5, false, "b", value), DAEMON_STATE_TAKEN);
    daemon_state_close(state);

    state = open_with(true, 0);
    memset(value, 'x', sizeof value - 1);
    memset(key, 'k', sizeof key - 1);
    assert_int_equal(put(state, 1, false, "big", value), DAEMON_STATE_REFUSED);
    assert_int_equal(put(state, 2, false, key, "x"), DAEMON_STATE_REFUSED);
    value[sizeof value - 2] = '\0';
    key[sizeof key - 2] = '\0';
    assert_int_equal(put(state, 3, false, key, value), DAEMON_STATE_TAKEN);
    expect_done(state, 3, true);
    daemon_state_close(state);
}

// ---- a disk in trouble ----

static void test_disk_trouble(void **unused)
{
    (void)unused;
    static const struct row {
        const char *name;
        int fault;
        const char *wanted;
    } rows[] = {
        {"full", ENOSPC, "full"},
        {"broken", EIO, "disk I/O error"},
        {"read-only", EROFS, "disk I/O error"},
        {"over a quota", EDQUOT, "disk I/O error"},
    };
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        struct daemon_state *state = open_with(false, 0);
        struct daemon_error why = {.text = ""};
        char last[16];
        print_message("row %s\n", rows[i].name);
        assert_int_equal(put(state, 1, true, "before", rows[i].name), DAEMON_STATE_TAKEN);
        daemon_state_flush(state);
        write_errno = rows[i].fault;
        put(state, 2, true, "during", "x");
        put(state, 3, false, "during", "y");
        daemon_state_flush(state);
        expect_done(state, 1, true);
        expect_done(state, 2, false);
        expect_done(state, 3, false);
        assert_true(daemon_state_failing(state, &why));
        unit_has(rows[i].name, why.text, rows[i].wanted);
        unit_has(rows[i].name, why.text, "state.db");
        write_errno = 0;
        snprintf(last, sizeof last, "%zu", i);
        put(state, 4, true, "after", last);
        daemon_state_flush(state);
        expect_done(state, 4, true);
        assert_false(daemon_state_failing(state, NULL));
        assert_int_equal(counters_of(state).failed, 2);
        daemon_state_close(state);
        state = open_with(true, 0);
        char wanted[64];
        snprintf(wanted, sizeof wanted, "after=%s;before=%s;", last, rows[i].name);
        expect_rows(state, DAEMON_STATE_SEQUENCE, wanted);
        daemon_state_close(state);
    }
}

// A row that does not fit fails alone: the durable ones of its batch are written by themselves.
static void test_one_too_big(void **unused)
{
    (void)unused;
    static char big[60000];
    struct rlimit before;
    struct rlimit small;
    struct stat status;
    memset(big, 'x', sizeof big - 1);
    signal(SIGXFSZ, SIG_IGN);
    struct daemon_state *state = open_with(false, 0);
    put(state, 1, true, "a", "1");
    daemon_state_flush(state);
    assert_int_equal(stat(unit_path("state/state.db-wal"), &status), 0);
    set_gate(true);
    put(state, 2, true, "b", "2"); // held up; the next two gather behind it
    put(state, 3, true, "big", big);
    put(state, 4, true, "c", "3");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = (rlim_t)status.st_size + 40000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    set_gate(false);
    daemon_state_flush(state);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    expect_done(state, 1, true);
    expect_done(state, 2, true);
    expect_done(state, 3, false);
    expect_done(state, 4, true);
    expect_rows(state, DAEMON_STATE_SEQUENCE, "a=1;b=2;c=3;");
    daemon_state_close(state);
}

// ---- what is refused at the start ----

static void test_damage(void **unused)
{
    (void)unused;
    struct daemon_state *state = open_with(true, 0);
    char key[16];
    for (int i = 0; i < 2000; i++) {
        snprintf(key, sizeof key, "%d", i);
        put(state, 0, false, key, "some value that takes a little room");
    }
    daemon_state_close(state);
    int fd = open(unit_path("state/state.db"), O_RDWR);
    char junk[4096];
    memset(junk, 0x5a, sizeof junk);
    assert_int_equal(pwrite(fd, junk, sizeof junk, 2 * 4096), sizeof junk);
    expect_refused("a page", "is damaged");
    expect_refused("a page", "move it aside to start without it");
    assert_int_equal(pwrite(fd, junk, sizeof junk, 0), sizeof junk);
    close(fd);
    expect_refused("the header", "is damaged");
    assert_int_equal(access(unit_path("state/state.db"), F_OK), 0); // nobody moved it
    unit_write(unit_path("state/state.db"), "not a database, but long enough to be looked at as "
                                            "if it were one, which takes 100 bytes and more ...");
    expect_refused("no database", "is damaged");
}

static void test_directory(void **unused)
{
    (void)unused;
    char wanted[64];
    struct stat status;
    struct daemon_state *state = open_with(false, 0);
    assert_int_equal(stat(unit_path("state"), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    snprintf(wanted, sizeof wanted, "in use by process %d; remedy: stop", (int)getpid());
    expect_refused("held", wanted);
    daemon_state_close(state);
    daemon_state_close(open_with(false, 0)); // let go
    assert_int_equal(unlink(unit_path("state/state.db")), 0);
    assert_int_equal(mkdir(unit_path("state/state.db"), 0700), 0);
    expect_refused("a directory in the file's place", "cannot open");
    assert_int_equal(rmdir(unit_path("state/state.db")), 0);
    assert_int_equal(unlink(unit_path("state/lock")), 0);
    assert_int_equal(rmdir(unit_path("state")), 0);
    unit_write(unit_path("state"), "a file in its place");
    expect_refused("a file in its place", "cannot write in the state directory");
    assert_int_equal(unlink(unit_path("state")), 0);
    assert_int_equal(symlink("nowhere/at/all", unit_path("state")), 0);
    expect_refused("a dangling link", "cannot write in the state directory");
}

static void test_mode(void **unused)
{
    (void)unused;
    daemon_state_close(open_with(true, 0));
    assert_int_equal(unit_mode_of(unit_path("state/state.db")), 0600);
}

static int silence(void **state)
{
    (void)state;
    daemon_log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), DAEMON_LOG_ERROR);
    return 0;
}

#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir_and_disk, unit_dir_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIR(test_syncs),       IN_DIR(test_grouping),    IN_DIR(test_kill),
        IN_DIR(test_queue_full),  IN_DIR(test_bytes_bound), IN_DIR(test_disk_trouble),
        IN_DIR(test_one_too_big), IN_DIR(test_damage),      IN_DIR(test_directory),
        IN_DIR(test_mode),
    };
    return cmocka_run_group_tests_name("daemon/state_posix", tests, silence, NULL);
}
