// SPDX-License-Identifier: MIT
// The provider as a guest in other people's processes: what it may cost them, and what it leaves
// behind. What must not call the system does so in a child that the kernel ends where it does all
// the same; time is the test's where it has to pass.
#define _GNU_SOURCE
#include "nsp/provider.h"
#include "tests/nsp/fake_unix.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <dirent.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT_OF(table) (sizeof(table) / sizeof((table)[0]))

static const GUID foreign = {
    0x22059d40, 0x7e9e, 0x11cf, {0xae, 0x5a, 0, 0xaa, 0, 0xa7, 0x11, 0x2b}};
static GUID name_guid, cloud_guid; // what programs pass is not const
static NSP_ROUTINE nsp;
static struct fake_daemon *server;

// ---- memory: every block of this program is counted ----

void *__real_malloc(size_t len);
void *__real_calloc(size_t count, size_t len);
void *__real_realloc(void *block, size_t len);
void __real_free(void *block);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t count, size_t len);
void *__wrap_realloc(void *block, size_t len);
void __wrap_free(void *block);

static atomic_long live_blocks;

static void *count_block(void *block)
{
    live_blocks += block != NULL;
    return block;
}

void *__wrap_malloc(size_t len)
{
    return count_block(__real_malloc(len));
}

void *__wrap_calloc(size_t count, size_t len)
{
    return count_block(__real_calloc(count, len));
}

void *__wrap_realloc(void *block, size_t len)
{
    void *moved = __real_realloc(block, len);
    live_blocks += block == NULL && moved != NULL;
    return moved;
}

void __wrap_free(void *block)
{
    live_blocks -= block != NULL;
    __real_free(block);
}

// ---- time ----

int64_t __real_nsp_platform_now_ms(void);
unsigned __real_nsp_platform_wait(intptr_t socket, unsigned wants, struct nsp_wake *wake,
                                  int timeout_ms);
bool __real_nsp_condition_wait_until(struct nsp_condition *condition, struct nsp_lock *lock,
                                     int64_t deadline_ms);
int64_t __wrap_nsp_platform_now_ms(void);
unsigned __wrap_nsp_platform_wait(intptr_t socket, unsigned wants, struct nsp_wake *wake,
                                  int timeout_ms);
bool __wrap_nsp_condition_wait_until(struct nsp_condition *condition, struct nsp_lock *lock,
                                     int64_t deadline_ms);

static atomic_llong passed_ms;  // by the test's will
static atomic_bool link_jumps;  // the link's waits pass at once where nothing happens
static atomic_bool next_jumps;  // Next's wait does
static atomic_bool has_stopped; // the real clock has, at this
static atomic_llong stopped_ms;

int64_t __wrap_nsp_platform_now_ms(void)
{
    return (has_stopped ? stopped_ms : __real_nsp_platform_now_ms()) + passed_ms;
}

unsigned __wrap_nsp_platform_wait(intptr_t socket, unsigned wants, struct nsp_wake *wake,
                                  int timeout_ms)
{
    if (!link_jumps || timeout_ms <= 0) {
        return __real_nsp_platform_wait(socket, wants, wake, timeout_ms);
    }
    unsigned seen = __real_nsp_platform_wait(socket, wants, wake, 0);
    passed_ms += seen == 0 ? timeout_ms : 0;
    return seen;
}

bool __wrap_nsp_condition_wait_until(struct nsp_condition *condition, struct nsp_lock *lock,
                                     int64_t deadline_ms)
{
    if (!next_jumps || deadline_ms == NSP_NEVER) {
        return __real_nsp_condition_wait_until(condition, lock, NSP_NEVER);
    }
    passed_ms += deadline_ms - __wrap_nsp_platform_now_ms();
    return false;
}

static void stop_clock(void)
{
    stopped_ms = __real_nsp_platform_now_ms();
    passed_ms = 0;
    has_stopped = true;
}

// ---- a program ----

static void start(struct fake_daemon *daemon)
{
    server = daemon;
    name_guid = NS_PROVIDER_PNRPNAME;
    cloud_guid = NS_PROVIDER_PNRPCLOUD;
    memset(&nsp, 0, sizeof nsp);
    link_jumps = next_jumps = has_stopped = false;
    passed_ms = 0;
    assert_int_equal(setenv("PNR_CONTROL", server->address, 1), 0);
    assert_int_equal(NSPStartup(&name_guid, &nsp), 0);
}

static void stop(void)
{
    assert_int_equal(nsp.NSPCleanup(&name_guid), 0);
    assert_int_equal(nsp_platform_pins(), 0);
    fake_daemon_stop(server);
}

static int code_of(INT status)
{
    return status == NO_ERROR ? 0 : WSAGetLastError();
}

static int begin_of(const GUID *class_id, HANDLE *ret_handle)
{
    WCHAR name[] = {'0', '.', 'n', 'a', 'm', 'e', 0};
    GUID own_class = *class_id;
    PNRPINFO info;
    BLOB blob = {sizeof info, (BYTE *)&info};
    WSAQUERYSETW set;
    memset(&info, 0, sizeof info);
    memset(&set, 0, sizeof set);
    info.dwSize = sizeof info;
    info.nMaxResolve = 3;
    info.dwTimeout = 7;
    set.dwSize = sizeof set;
    set.lpszServiceInstanceName = name;
    set.lpServiceClassId = &own_class;
    set.dwNameSpace = NS_ALL;
    set.lpBlob = &blob;
    return code_of(nsp.NSPLookupServiceBegin(&name_guid, &set, NULL, LUP_RETURN_ALL, ret_handle));
}

static HANDLE begin(void)
{
    HANDLE handle = NULL;
    assert_int_equal(begin_of(&SVCID_PNRPNAME_V2, &handle), 0);
    return handle;
}

static int begin_clouds(GUID *provider, const GUID *class_id, HANDLE *ret_handle)
{
    GUID own_class = *class_id;
    WSAQUERYSETW set;
    memset(&set, 0, sizeof set);
    set.dwSize = sizeof set;
    set.lpServiceClassId = &own_class;
    set.dwNameSpace = NS_ALL;
    return code_of(nsp.NSPLookupServiceBegin(provider, &set, NULL, LUP_RETURN_ALL, ret_handle));
}

// Registers 0.name, or withdraws it.
static int set_service(GUID *provider, const GUID *class_id, WSAESETSERVICEOP operation)
{
    WCHAR name[] = {'0', '.', 'n', 'a', 'm', 'e', 0};
    GUID own_class = *class_id;
    SOCKADDR_IN ipv4 = {.sin_family = AF_INET};
    CSADDR_INFO address;
    WSAQUERYSETW set;
    memset(&ipv4.sin_addr, 1, sizeof ipv4.sin_addr); // no NUL in what the daemon hears
    memset(&address, 0, sizeof address);
    memset(&set, 0, sizeof set);
    address.LocalAddr.lpSockaddr = (SOCKADDR *)(void *)&ipv4;
    address.LocalAddr.iSockaddrLength = sizeof ipv4;
    set.dwSize = sizeof set;
    set.lpszServiceInstanceName = name;
    set.lpServiceClassId = &own_class;
    set.dwNameSpace = NS_ALL;
    set.dwNumberOfCsAddrs = 1;
    set.lpcsaBuffer = &address;
    return code_of(nsp.NSPSetService(provider, NULL, &set, operation, 0));
}

static int next(HANDLE handle)
{
    uint64_t room[512];
    DWORD len = sizeof room;
    return code_of(nsp.NSPLookupServiceNext(handle, 0, &len, (LPWSAQUERYSETW)(void *)room));
}

static int notify(HANDLE handle, WSACOMPLETION *how)
{
    DWORD bytes;
    return code_of(
        nsp.NSPIoctl(handle, SIO_NSP_NOTIFY_CHANGE, NULL, 0, NULL, 0, &bytes, how, NULL));
}

// ---- calls that must not call the system ----

static HANDLE watched; // a lookup whose watch was begun
static HANDLE clouds;  // one of clouds
static HANDLE stale;   // one that was ended

static int begin_foreign(void)
{
    HANDLE handle;
    return begin_of(&foreign, &handle);
}

static int begin_ours(void)
{
    HANDLE handle;
    return begin_of(&SVCID_PNRPNAME_V1, &handle);
}

static int begin_foreign_of_clouds(void)
{
    HANDLE handle;
    return begin_clouds(&cloud_guid, &foreign, &handle);
}

static int begin_clouds_of_names(void)
{
    HANDLE handle;
    return begin_clouds(&name_guid, &SVCID_PNRPCLOUD, &handle);
}

static int begin_names_of_clouds(void)
{
    HANDLE handle;
    return begin_clouds(&cloud_guid, &SVCID_PNRPNAME_V2, &handle);
}

static int begin_our_clouds(void)
{
    HANDLE handle;
    return begin_clouds(&cloud_guid, &SVCID_PNRPCLOUD, &handle);
}

static int register_foreign(void)
{
    return set_service(&name_guid, &foreign, RNRSERVICE_REGISTER);
}

static int delete_foreign(void)
{
    return set_service(&name_guid, &foreign, RNRSERVICE_DELETE);
}

static int register_foreign_of_clouds(void)
{
    return set_service(&cloud_guid, &foreign, RNRSERVICE_REGISTER);
}

static int register_names_of_clouds(void)
{
    return set_service(&cloud_guid, &SVCID_PNRPNAME_V2, RNRSERVICE_REGISTER);
}

static int register_clouds(void)
{
    return set_service(&cloud_guid, &SVCID_PNRPCLOUD, RNRSERVICE_REGISTER);
}

static int delete_unknown(void)
{
    return set_service(&name_guid, &SVCID_PNRPNAME_V2, RNRSERVICE_DELETE);
}

static int register_ours(void)
{
    return set_service(&name_guid, &SVCID_PNRPNAME_V2, RNRSERVICE_REGISTER);
}

static int poll_watched(void)
{
    return notify(watched, NULL);
}

static int poll_immediately(void)
{
    WSACOMPLETION how;
    memset(&how, 0, sizeof how);
    how.Type = NSP_NOTIFY_IMMEDIATELY;
    return notify(watched, &how);
}

static int poll_clouds(void)
{
    return notify(clouds, NULL);
}

static int next_of_stale(void)
{
    return next(stale);
}

static int end_of_stale(void)
{
    return code_of(nsp.NSPLookupServiceEnd(stale));
}

static int poll_stale(void)
{
    return notify(stale, NULL);
}

// How a child's life ends that calls this after the kernel was told to allow it nothing but to
// write and to end: the code that the call says, or -1 where the kernel has ended it.
static int code_in_jail(int (*call)(void))
{
    int pipes[2], code = -1;
    assert_int_equal(pipe(pipes), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bool is_jailed = prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) == 0;
        code = is_jailed ? call() : -2;
        (void)!write(pipes[1], &code, sizeof code);
        (void)syscall(SYS_exit, 0);
    }
    close(pipes[1]);
    bool has_told = read(pipes[0], &code, sizeof code) == sizeof code;
    close(pipes[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    return has_told ? code : -1;
}

static const struct jail_row {
    const char *name;
    int (*call)(void);
    int code;
} jail_rows[] = {
    {"Begin of a foreign class", begin_foreign, WSASERVICE_NOT_FOUND},
    {"of the clouds' provider", begin_foreign_of_clouds, WSASERVICE_NOT_FOUND},
    {"Begin of clouds, of the names' provider", begin_clouds_of_names, WSASERVICE_NOT_FOUND},
    {"Begin of a name, of the clouds' provider", begin_names_of_clouds, WSASERVICE_NOT_FOUND},
    {"SetService of a foreign class", register_foreign, WSASERVICE_NOT_FOUND},
    {"to withdraw", delete_foreign, WSASERVICE_NOT_FOUND},
    {"SetService, of the clouds' provider", register_foreign_of_clouds, WSASERVICE_NOT_FOUND},
    {"of a name", register_names_of_clouds, WSASERVICE_NOT_FOUND},
    {"SetService of a cloud", register_clouds, WSAEOPNOTSUPP},
    {"to withdraw what is not there", delete_unknown, WSASERVICE_NOT_FOUND},
    {"a poll", poll_watched, WSAEWOULDBLOCK},
    {"a poll of clouds", poll_clouds, WSAEWOULDBLOCK},
    {"a poll by NSP_NOTIFY_IMMEDIATELY", poll_immediately, WSAEWOULDBLOCK},
    {"Next of a stale handle", next_of_stale, WSA_INVALID_HANDLE},
    {"End of a stale handle", end_of_stale, WSA_INVALID_HANDLE},
    {"a poll of a stale handle", poll_stale, WSA_INVALID_HANDLE},
    {"what does call the system", begin_ours, -1},
    {"likewise of clouds", begin_our_clouds, -1},
    {"likewise of a registration", register_ours, -1},
};

static void memory_alone_is_looked_at(void **state)
{
    (void)state;
    start(fake_unix_start());
    stale = begin();
    assert_int_equal(nsp.NSPLookupServiceEnd(stale), 0);
    watched = begin();
    assert_int_equal(notify(watched, NULL), WSAEWOULDBLOCK);
    assert_int_equal(begin_clouds(&cloud_guid, &SVCID_PNRPCLOUD, &clouds), 0);
    for (size_t i = 0; i < COUNT_OF(jail_rows); i++) {
        int code = code_in_jail(jail_rows[i].call);
        if (code != jail_rows[i].code) {
            fail_msg("%s: %d", jail_rows[i].name, code);
        }
    }
    stop();
}

// ---- calls that must neither wait nor open anything ----

#define FORBIDDEN_MAX 16

// From here on the kernel ends this process where this thread makes one of these calls (0 at their
// end).
static bool forbid(const long *calls)
{
    struct sock_filter steps[2 * FORBIDDEN_MAX + 2];
    unsigned short count = 0;
    steps[count++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (; *calls != 0; calls++) {
        steps[count++] =
            (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)*calls, 0, 1);
        steps[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    }
    steps[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog filter = {count, steps};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

static const long opening[] = {
    SYS_socket, SYS_socketpair, SYS_connect, SYS_clone, SYS_clone3, SYS_eventfd2, 0};
static const long waiting[] = {SYS_socket,
                               SYS_connect,
                               SYS_poll,
                               SYS_ppoll,
                               SYS_select,
                               SYS_pselect6,
                               SYS_recvfrom,
                               SYS_recvmsg,
                               SYS_sendto,
                               SYS_nanosleep,
                               SYS_clock_nanosleep,
                               SYS_epoll_wait,
                               0};

// What a test does in a child, and how the child ends: its exit code, or minus the signal.
static int end_of_child(int (*act)(void))
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        // Not by _exit(), where a sanitizer may want to sleep.
        (void)syscall(SYS_exit_group, act());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

#define SURVIVED 42 // an exit code that no sanitizer has

static int begin_name_and_open_nothing(void)
{
    return forbid(opening) && begin_ours() == WSASYSNOTREADY ? SURVIVED : 2;
}

static int begin_clouds_and_open_nothing(void)
{
    return forbid(opening) && begin_our_clouds() == WSASYSNOTREADY ? SURVIVED : 2;
}

static int register_and_open_nothing(void)
{
    return forbid(opening) && register_ours() == WSASYSNOTREADY ? SURVIVED : 2;
}

static const struct absent_row {
    const char *name;
    int (*act)(void);
} absent_rows[] = {
    {"Begin of a name", begin_name_and_open_nothing},
    {"Begin of clouds", begin_clouds_and_open_nothing},
    {"SetService", register_and_open_nothing},
};

static void check_ends(const struct absent_row *row, int end)
{
    int seen = end_of_child(row->act);
    if (seen != end) {
        fail_msg("%s: %d", row->name, seen);
    }
}

static void an_absent_daemon_opens_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(absent_rows); i++) {
        start(fake_unix_absent());
        check_ends(&absent_rows[i], SURVIVED);
        stop();
        // And where there is one, the kernel does end it.
        start(fake_unix_start());
        check_ends(&absent_rows[i], -SIGSYS);
        stop();
    }
}

// The thread is there since the first lookup, and not under the filter.
static int begin_and_wait_for_nothing(void)
{
    HANDLE first, second;
    if (NSPStartup(&name_guid, &nsp) != 0 || begin_of(&SVCID_PNRPNAME_V2, &first) != 0 ||
        next(first) != WSASYSNOTREADY || !forbid(waiting)) {
        return 1;
    }
    if (begin_of(&SVCID_PNRPNAME_V2, &second) != 0) {
        return 2;
    }
    return next(second) == WSASYSNOTREADY ? SURVIVED : 3;
}

// Opens a listener on loopback whose queue is full, so that nobody can connect to it.
static int listen_deaf(uint16_t *ret_port, int ret_callers[8])
{
    struct sockaddr_in addr = {.sin_family = AF_INET};
    socklen_t len = sizeof addr;
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof addr), 0);
    assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
    for (int i = 0; i < 8; i++) {
        ret_callers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(ret_callers[i], (struct sockaddr *)&addr, sizeof addr);
    }
    *ret_port = ntohs(addr.sin_port);
    return fd;
}

// A folder with the rendezvous file of a daemon that listened at this port.
static struct fake_daemon *stale_daemon(uint16_t port)
{
    struct fake_daemon *daemon = fake_daemon_absent();
    fake_daemon_write_rendezvous(daemon, port);
    return daemon;
}

static void a_stale_file_costs_its_250_ms_elsewhere(void **state)
{
    (void)state;
    uint16_t port;
    int callers[8];
    int listener = listen_deaf(&port, callers);
    start(stale_daemon(port));
    // In a process of its own: begin there.
    assert_int_equal(end_of_child(begin_and_wait_for_nothing), SURVIVED);
    stop_clock();
    link_jumps = true;
    HANDLE first = begin();
    assert_int_equal(next(first), WSASYSNOTREADY);
    assert_int_equal(passed_ms, 250);
    assert_int_equal(next(first), WSASYSNOTREADY);
    assert_int_equal(notify(first, NULL), WSAENETDOWN);
    stop();
    for (int i = 0; i < 8; i++) {
        close(callers[i]);
    }
    close(listener);
}

// ---- daemons that hang, die or talk nonsense ----

// What it says once it has the connection, a letter each: g greets, R a result, S one of another
// publisher, D done, x a result without sense, ? an answer that nobody waits for, N no bencoding, L
// a frame of 4 GiB, h the first half of a frame, ! hangs up, - waits for the request.
static void act(const char *script, uint32_t *id)
{
    static const uint8_t nonsense[] = {0, 0, 0, 3, 'x', 'y', 'z'};
    static const uint8_t endless[] = {0xff, 0xff, 0xff, 0xff, 'd'};
    static const uint8_t half[] = {0, 0, 0, 200, 'd', '1', ':', 'i'};
    for (; *script != '\0'; script++) {
        switch (*script) {
        case 'g':
            fake_daemon_greet(server);
            break;
        case '-':
            *id = fake_daemon_expect(server, "resolve");
            break;
        case 'R':
        case 'S':
            fake_daemon_answer(server, *id, "result", fake_daemon_result(*script, '1', 1, NULL));
            break;
        case 'D':
            fake_daemon_answer(server, *id, "done", "d5:counti1ee");
            break;
        case 'x':
            fake_daemon_answer(server, *id, "result", "d4:namei7e6:source5:nowhee");
            break;
        case '?':
            fake_daemon_answer(server, *id + 99, "result", fake_daemon_result('A', '1', 1, NULL));
            break;
        case 'N':
            fake_daemon_say(server, nonsense, sizeof nonsense);
            break;
        case 'L':
            fake_daemon_say(server, endless, sizeof endless);
            break;
        case 'h':
            fake_daemon_say(server, half, sizeof half);
            break;
        case '!':
            fake_daemon_hang_up(server);
            break;
        }
    }
}

static const struct fault_row {
    const char *name;
    const char *script;
    int results; // before the code
    int code;    // of the Next after them
    bool hangs;  // the code comes when the caller's own time is over, and not before
} fault_rows[] = {
    {"takes the connection and hangs", "", 0, WSA_E_NO_MORE, true},
    {"greets and hangs", "g", 0, WSA_E_NO_MORE, true},
    {"hears and hangs", "g-", 0, WSA_E_NO_MORE, true},
    {"hangs after a result", "g-R", 1, WSA_E_NO_MORE, true},
    {"hangs within a frame", "g-Rh", 1, WSA_E_NO_MORE, true},
    {"answers others", "g-??", 0, WSA_E_NO_MORE, true},
    {"a result without sense, and hangs", "g-x", 0, WSA_E_NO_MORE, true},
    {"hangs up at once", "!", 0, WSASYSNOTREADY, false},
    {"nonsense for a greeting", "N", 0, WSASYSNOTREADY, false},
    {"a greeting of 4 GiB", "L", 0, WSASYSNOTREADY, false},
    {"hangs up within the greeting", "h!", 0, WSASYSNOTREADY, false},
    {"hangs up after the greeting", "g-!", 0, WSAENETDOWN, false},
    {"hangs up after a result", "g-R!", 1, WSAENETDOWN, false},
    {"hangs up within a frame", "g-Rh!", 1, WSAENETDOWN, false},
    {"no bencoding", "g-RN", 1, WSAENETDOWN, false},
    {"a frame of 4 GiB", "g-RL", 1, WSAENETDOWN, false},
    {"a result without sense", "g-xRSD", 2, WSA_E_NO_MORE, false},
    {"a result after the end", "g-RDSD", 1, WSA_E_NO_MORE, false},
};

static void check_fault(const struct fault_row *row)
{
    uint32_t id = 0;
    start(fake_unix_start());
    stop_clock();
    HANDLE handle = begin();
    fake_daemon_accept(server);
    act(row->script, &id);
    for (int i = 0; i < row->results; i++) {
        assert_int_equal(next(handle), 0);
    }
    assert_int_equal(passed_ms, 0);
    next_jumps = row->hangs;
    int code = next(handle);
    if (code != row->code || passed_ms != (row->hangs ? 7000 : 0)) {
        fail_msg("%s: %d after %lld ms", row->name, code, (long long)passed_ms);
    }
    // It says so again, and nothing waits any more.
    next_jumps = false;
    assert_int_equal(next(handle), row->code);
    assert_int_equal(nsp.NSPLookupServiceEnd(handle), 0);
    stop();
}

static void a_bad_daemon_costs_no_more_than_the_time_asked_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(fault_rows); i++) {
        check_fault(&fault_rows[i]);
    }
}

// ---- what there is of it ----

// The program's: one, and under the thread sanitizer its own.
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ // as gcc has it
#endif
#endif
#ifdef __SANITIZE_THREAD__
#define OWN_THREADS 2
#else
#define OWN_THREADS 1
#endif

struct footprint {
    unsigned threads;
    unsigned fds;
    long blocks;
};

static unsigned count_entries(const char *path)
{
    unsigned count = 0;
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        count += entry->d_name[0] != '.';
    }
    closedir(dir);
    return count;
}

static struct footprint measure(void)
{
    long blocks = live_blocks;
    return (struct footprint){count_entries("/proc/self/task"), count_entries("/proc/self/fd"),
                              blocks};
}

// Waits until there are so many more threads and descriptors than before: a thread that was joined
// may be seen a moment longer, and a descriptor until its thread has closed it. ctest ends a wait
// in vain.
static void await_more(const struct footprint *before, unsigned threads, unsigned fds)
{
    struct footprint now;
    do {
        (void)sched_yield();
        now = measure();
    } while (now.threads != before->threads + threads || now.fds != before->fds + fds);
}

static void expect_more(const struct footprint *before, unsigned threads, unsigned fds)
{
    struct footprint now = measure();
    assert_int_equal(now.threads - before->threads, threads);
    assert_int_equal(now.fds - before->fds, fds);
}

static void register_name(void *ret_code)
{
    *(int *)ret_code = register_ours();
}

// A registration that the daemon has taken on, by another thread of the program's.
static void register_with_daemon(void)
{
    struct nsp_thread thread;
    int code = -1;
    assert_true(nsp_thread_start(&thread, register_name, &code));
    // The lookups' requests that came before have nobody who hears them here.
    uint32_t id = fake_daemon_hear(server);
    while (strstr(server->heard, "8:register") == NULL) {
        id = fake_daemon_hear(server);
    }
    fake_daemon_answer(server, id, "done", "de");
    nsp_thread_join(&thread);
    assert_int_equal(code, 0);
}

// A whole life, with everything under way at its end.
static void live(const struct footprint *before)
{
    HANDLE handles[20], own_clouds;
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    WSACOMPLETION how;
    uint32_t id;
    assert_int_equal(NSPStartup(&name_guid, &nsp), 0);
    assert_int_equal(NSPStartup(&cloud_guid, &nsp), 0);
    assert_int_equal(begin_foreign(), WSASERVICE_NOT_FOUND);
    assert_int_equal(register_foreign(), WSASERVICE_NOT_FOUND);
    assert_int_equal(delete_unknown(), WSASERVICE_NOT_FOUND);
    expect_more(before, 0, 0);
    handles[0] = begin();
    // The thread's wake, and both ends of the connection.
    fake_daemon_accept(server);
    act("g-R", &id);
    assert_int_equal(next(handles[0]), 0);
    expect_more(before, 1, 3);
    memset(&how, 0, sizeof how);
    how.Type = NSP_NOTIFY_EVENT;
    how.Parameters.Event.lpOverlapped = &overlapped;
    for (size_t i = 1; i < COUNT_OF(handles); i++) {
        handles[i] = begin();
        assert_int_equal(notify(handles[i], i == 7 ? &how : NULL),
                         i == 7 ? WSA_IO_PENDING : WSAEWOULDBLOCK);
    }
    assert_int_equal(begin_clouds(&cloud_guid, &SVCID_PNRPCLOUD, &own_clouds), 0);
    assert_int_equal(notify(own_clouds, NULL), WSAEWOULDBLOCK);
    expect_more(before, 1, 3);
    // The daemon goes away, and comes back for those who ask.
    fake_daemon_hang_up(server);
    assert_int_equal(next(handles[1]), WSAENETDOWN);
    await_more(before, 1, 1);
    handles[0] = begin();
    fake_daemon_accept(server);
    act("g-R", &id);
    assert_int_equal(notify(handles[0], NULL), WSAEWOULDBLOCK);
    assert_int_equal(begin_clouds(&cloud_guid, &SVCID_PNRPCLOUD, &own_clouds), 0);
    register_with_daemon();
    await_more(before, 1, 3);
    assert_int_equal(nsp.NSPCleanup(&name_guid), 0);
    expect_more(before, 1, 3);
    assert_int_equal(nsp.NSPCleanup(&cloud_guid), 0);
    fake_daemon_hang_up(server);
    CloseHandle(overlapped.hEvent);
}

static void nothing_is_left_behind(void **state)
{
    (void)state;
    start(fake_unix_start());
    assert_int_equal(nsp.NSPCleanup(&name_guid), 0);
    struct footprint before = measure();
    before.threads = OWN_THREADS;
    await_more(&before, 0, 0);
    // What the system keeps of a program's first calls is there after a first life.
    live(&before);
    await_more(&before, 0, 0);
    before = measure();
    for (int i = 0; i < 3; i++) {
        live(&before);
        await_more(&before, 0, 0);
        assert_int_equal(measure().blocks, before.blocks);
    }
    assert_int_equal(nsp_platform_pins(), 0);
    fake_daemon_stop(server);
}

// The one socket of this process that is neither end of the daemon's.
static int socket_of_link(void)
{
    int found = -1;
    for (int fd = 3; fd < 64; fd++) {
        struct stat status;
        if (fd != server->listener && fd != server->fd && fstat(fd, &status) == 0 &&
            S_ISSOCK(status.st_mode)) {
            assert_int_equal(found, -1);
            found = fd;
        }
    }
    assert_true(found >= 0);
    return found;
}

// The last WSACleanup closes every socket of the process before it tells a provider.
static void a_socket_that_others_close_is_a_lost_daemon(void **state)
{
    (void)state;
    uint32_t id;
    start(fake_unix_start());
    HANDLE first = begin();
    fake_daemon_accept(server);
    act("g-R", &id);
    assert_int_equal(next(first), 0);
    // Under its number is what is no socket any more, as Winsock then has it.
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    assert_true(dup2(null, socket_of_link()) >= 0);
    close(null);
    HANDLE second = begin();
    assert_int_equal(next(first), WSAENETDOWN);
    assert_int_equal(next(second), WSAENETDOWN);
    stop();
}

static void thread_ended(uint64_t thread_id)
{
    (void)thread_id;
}

// A thread that the program has suspended, or killed, in the middle of a call: the cleanup does not
// wait for ever, and what that thread may come back to stays where it is.
static void a_call_that_does_not_come_back_keeps_the_dll(void **state)
{
    (void)state;
    static struct nsp_provider_state own;
    WCHAR name[] = {'0', '.', 'n', 'a', 'm', 'e', 0};
    GUID class_id = SVCID_PNRPNAME_V1;
    WSAQUERYSETW set;
    HANDLE handle;
    void *lookup;
    start(fake_unix_start());
    assert_int_equal(nsp.NSPCleanup(&name_guid), 0);
    own = (struct nsp_provider_state)NSP_PROVIDER_INIT(&nsp_memory_default, server->address,
                                                       thread_ended);
    memset(&set, 0, sizeof set);
    set.dwSize = sizeof set;
    set.lpszServiceInstanceName = name;
    set.lpServiceClassId = &class_id;
    stop_clock();
    assert_int_equal(nsp_provider_start(&own, &NS_PROVIDER_PNRPNAME), 0);
    assert_int_equal(nsp_provider_begin(&own, NULL, &set, 0, &handle), 0);
    assert_int_equal(nsp_handle_take(&own.handles, handle, &lookup), 0);
    next_jumps = true;
    assert_int_equal(nsp_provider_stop(&own, &NS_PROVIDER_PNRPNAME), 0);
    assert_int_equal(passed_ms, NSP_PROVIDER_STOP_MS);
    assert_int_equal(nsp_platform_pins(), 1);
    // And it comes back.
    assert_int_equal(nsp_lookup_state(lookup), NSP_LOOKUP_CLOSED);
    nsp_handle_drop(&own.handles, handle);
    assert_int_equal(nsp_handle_count(&own.handles), 0);
    fake_daemon_stop(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_alone_is_looked_at),
        cmocka_unit_test(an_absent_daemon_opens_nothing),
        cmocka_unit_test(a_stale_file_costs_its_250_ms_elsewhere),
        cmocka_unit_test(a_bad_daemon_costs_no_more_than_the_time_asked_for),
        cmocka_unit_test(nothing_is_left_behind),
        cmocka_unit_test(a_socket_that_others_close_is_a_lost_daemon),
        cmocka_unit_test(a_call_that_does_not_come_back_keeps_the_dll),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
