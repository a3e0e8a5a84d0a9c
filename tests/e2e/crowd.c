// SPDX-License-Identifier: MIT
// Many threads of one program use the provider at once, as no program should: lookups that others
// end, buffers of any size, notifications of every kind, in an order drawn from a seed. Now and
// then one of them cleans up under all the others and starts the provider anew.
//
//     crowd SEED THREADS LOOKUPS NAME...
//
// Prints "LOOKUPS lookups, R results, C ended in Next, N notifications, S starts" and ends with 0
// where every code was one that the entry may say, every notification that was promised came
// exactly once, and the cleanup left none behind. Else it says what was wrong.
#define _DEFAULT_SOURCE
#include "pnr/winsock.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS_MAX 256
#define BUF_LEN     2048
#define RESTARTS    25

struct member {
    pthread_t thread;
    uint64_t random;
    HANDLE port;
    unsigned promised; // completions, of whatever kind
    unsigned port_told;
    unsigned apc_told;
    unsigned event_told;
    unsigned results;
    unsigned cancelled;
    _Atomic(uintptr_t) handle; // its lookup, for others to end
};

static GUID provider;
static NSP_ROUTINE nsp;
static char **names;
static unsigned name_count;
static unsigned member_count;
static struct member members[THREADS_MAX];
static atomic_int lookups_left;
static int restart_each; // so many lookups
static atomic_int faults;

static _Thread_local struct member *me;

static unsigned draw(unsigned below)
{
    me->random ^= me->random << 13;
    me->random ^= me->random >> 7;
    me->random ^= me->random << 17;
    return (unsigned)(me->random >> 33) % below;
}

// Whether an entry may say this. codes ends with 0.
static bool is_one_of(int code, const int *codes)
{
    while (*codes != 0 && *codes != code)
        codes++;
    return *codes == code;
}

static int check(const char *entry, INT status, const int *codes)
{
    int code = status == NO_ERROR ? 0 : WSAGetLastError();
    if (code != 0 && !is_one_of(code, codes)) {
        fprintf(stderr, "%s says %d\n", entry, code);
        atomic_fetch_add(&faults, 1);
    }
    return code;
}

static const int begin_codes[] = {WSA_NOT_ENOUGH_MEMORY, WSASYSNOTREADY, 0};
static const int next_codes[] = {WSA_E_NO_MORE, WSA_E_CANCELLED, WSA_INVALID_HANDLE, WSAEFAULT, 0};
static const int life_codes[] = {0};
static const int end_codes[] = {WSA_INVALID_HANDLE, 0};
static const int poll_codes[] = {WSAEWOULDBLOCK, WSA_INVALID_HANDLE, 0};
static const int arm_codes[] = {WSA_IO_PENDING, WSA_INVALID_HANDLE, WSA_NOT_ENOUGH_MEMORY, 0};

// ---- notifications ----

// An event of its own for each, which frees itself with whoever waits for it.
struct told_event {
    OVERLAPPED overlapped;
    struct told_event *next;
};
static _Thread_local struct told_event *events; // promised

static void CALLBACK run_routine(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags)
{
    (void)error;
    (void)bytes;
    (void)overlapped;
    (void)flags;
    me->apc_told++;
}

static bool notify(HANDLE handle, WSACOMPLETION *how, WSATHREADID *thread)
{
    DWORD bytes;
    int code =
        check("arming",
              nsp.NSPIoctl(handle, SIO_NSP_NOTIFY_CHANGE, NULL, 0, NULL, 0, &bytes, how, thread),
              arm_codes);
    bool promised = code == 0 || code == WSA_IO_PENDING;
    me->promised += promised;
    memset(how, 0xee, sizeof *how);
    return promised;
}

static void arm_port(HANDLE handle)
{
    WSACOMPLETION how;
    memset(&how, 0, sizeof how);
    how.Type = NSP_NOTIFY_PORT;
    how.Parameters.Port.hPort = me->port;
    how.Parameters.Port.Key = 1;
    (void)notify(handle, &how, NULL);
}

static void arm_apc(HANDLE handle)
{
    WSATHREADID thread = {NULL, 0};
    WSACOMPLETION how;
    memset(&how, 0, sizeof how);
    how.Type = NSP_NOTIFY_APC;
    how.Parameters.Apc.lpfnCompletionProc = run_routine;
    if (DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(),
                        &thread.ThreadHandle, 0, FALSE, DUPLICATE_SAME_ACCESS)) {
        (void)notify(handle, &how, &thread);
        CloseHandle(thread.ThreadHandle);
    }
}

static void arm_event(HANDLE handle)
{
    struct told_event *event = calloc(1, sizeof *event);
    WSACOMPLETION how;
    memset(&how, 0, sizeof how);
    event->overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    how.Type = NSP_NOTIFY_EVENT;
    how.Parameters.Event.lpOverlapped = &event->overlapped;
    if (notify(handle, &how, NULL)) {
        event->next = events;
        events = event;
    } else {
        CloseHandle(event->overlapped.hEvent);
        free(event);
    }
}

// Takes what has been told so far; all: waits for it, as every lookup has ended.
static void take_told(bool all)
{
    DWORD bytes;
    ULONG_PTR key = 1;
    LPOVERLAPPED overlapped;
    while (key == 1) {
        key = 0;
        (void)GetQueuedCompletionStatus(me->port, &bytes, &key, &overlapped, 0);
        me->port_told += key == 1;
    }
    while (SleepEx(0, TRUE) == WAIT_IO_COMPLETION) {
    }
    while (all && events != NULL) {
        struct told_event *event = events;
        events = event->next;
        me->event_told += WaitForSingleObject(event->overlapped.hEvent, 10000) == WAIT_OBJECT_0;
        CloseHandle(event->overlapped.hEvent);
        free(event);
    }
}

// ---- lookups ----

static int begin(HANDLE *ret_handle)
{
    WCHAR units[128];
    const char *name = names[draw(name_count)];
    GUID class_id = draw(2) == 0 ? SVCID_PNRPNAME_V1 : SVCID_PNRPNAME_V2;
    PNRPINFO_V1 info;
    BLOB blob = {sizeof info, (BYTE *)&info};
    WSAQUERYSETW set;
    size_t len = strlen(name);
    memset(&info, 0, sizeof info);
    memset(&set, 0, sizeof set);
    info.dwSize = sizeof info;
    info.nMaxResolve = 1 + draw(5);
    for (size_t i = 0; i <= len; i++)
        units[i] = (WCHAR)(unsigned char)name[i];
    set.dwSize = sizeof set;
    set.lpszServiceInstanceName = units;
    set.lpServiceClassId = &class_id;
    set.dwNameSpace = NS_PNRPNAME;
    set.lpBlob = draw(2) == 0 ? &blob : NULL;
    int code =
        check("Begin", nsp.NSPLookupServiceBegin(&provider, &set, NULL, LUP_RETURN_ALL, ret_handle),
              begin_codes);
    memset(units, 0xee, sizeof units);
    return code;
}

static int next(HANDLE handle)
{
    // In memory of its own, so that a byte too far is seen.
    DWORD len = draw(3) == 0 ? draw(600) : BUF_LEN;
    DWORD given = len;
    void *buf = malloc(len);
    DWORD flags = draw(20) == 0 ? LUP_FLUSHPREVIOUS : 0;
    int code = check("Next", nsp.NSPLookupServiceNext(handle, flags, &len, buf), next_codes);
    if (code == WSAEFAULT && len <= given) {
        fprintf(stderr, "%u bytes are too little, and %u enough\n", given, len);
        atomic_fetch_add(&faults, 1);
    }
    free(buf);
    me->results += code == 0;
    me->cancelled += code == WSA_E_CANCELLED;
    return code;
}

static void poll_it(HANDLE handle)
{
    DWORD bytes;
    check("poll", nsp.NSPIoctl(handle, SIO_NSP_NOTIFY_CHANGE, NULL, 0, NULL, 0, &bytes, NULL, NULL),
          poll_codes);
}

static void end_other(void)
{
    struct member *other = &members[draw(member_count)];
    HANDLE handle = (HANDLE)atomic_load(&other->handle);
    check("End", nsp.NSPLookupServiceEnd(handle), end_codes);
}

static void look_up(void)
{
    HANDLE handle;
    int code;
    while ((code = begin(&handle)) == WSASYSNOTREADY)
        sched_yield(); // somebody is cleaning up
    if (code != 0)
        return;
    atomic_store(&me->handle, (uintptr_t)handle);
    for (unsigned steps = 1 + draw(8); steps > 0 && code != WSA_INVALID_HANDLE; steps--) {
        switch (draw(12)) {
        case 0:
            arm_port(handle);
            break;
        case 1:
            arm_apc(handle);
            break;
        case 2:
            arm_event(handle);
            break;
        case 3:
        case 4:
            poll_it(handle);
            break;
        case 5:
            end_other();
            break;
        default:
            code = next(handle);
            break;
        }
    }
    // Some are left to the cleanup, or to others.
    if (draw(40) != 0)
        check("End", nsp.NSPLookupServiceEnd(handle), end_codes);
    take_told(false);
}

static pthread_mutex_t restarting = PTHREAD_MUTEX_INITIALIZER;
static unsigned starts;

static void start(NSP_ROUTINE *ret_nsp)
{
    starts++;
    ret_nsp->cbSize = sizeof *ret_nsp;
    check("Startup", NSPStartup(&provider, ret_nsp), life_codes);
}

// Whatever the others are in the middle of.
static void restart(void)
{
    NSP_ROUTINE same;
    pthread_mutex_lock(&restarting);
    check("Cleanup", nsp.NSPCleanup(&provider), life_codes);
    start(&same);
    pthread_mutex_unlock(&restarting);
}

static pthread_barrier_t looked_up, cleaned_up;

static void *take_part(void *ctx)
{
    int left;
    me = ctx;
    while ((left = atomic_fetch_sub(&lookups_left, 1)) > 0) {
        look_up();
        if (left % restart_each == 0)
            restart();
    }
    pthread_barrier_wait(&looked_up);
    pthread_barrier_wait(&cleaned_up);
    take_told(true);
    take_told(true);
    unsigned told = me->port_told + me->apc_told + me->event_told;
    if (told != me->promised) {
        fprintf(stderr, "%u of %u notifications have come\n", told, me->promised);
        atomic_fetch_add(&faults, 1);
    }
    CloseHandle(me->port);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    uint64_t seed = strtoull(argv[1], NULL, 10);
    unsigned results = 0, cancelled = 0, promised = 0;
    int lookups = atoi(argv[3]);
    member_count = (unsigned)atoi(argv[2]);
    names = argv + 4;
    name_count = (unsigned)argc - 4;
    provider = NS_PROVIDER_PNRPNAME;
    if (member_count > THREADS_MAX || lookups < RESTARTS)
        return 2;
    start(&nsp);
    restart_each = lookups / RESTARTS;
    atomic_store(&lookups_left, lookups);
    pthread_barrier_init(&looked_up, NULL, member_count + 1);
    pthread_barrier_init(&cleaned_up, NULL, member_count + 1);
    for (unsigned i = 0; i < member_count; i++) {
        members[i].random = (seed * 1000 + i + 1) * 0x9E3779B97F4A7C15u;
        members[i].port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
        if (pthread_create(&members[i].thread, NULL, take_part, &members[i]) != 0)
            return 1;
    }
    pthread_barrier_wait(&looked_up);
    check("Cleanup", nsp.NSPCleanup(&provider), life_codes);
    pthread_barrier_wait(&cleaned_up);
    for (unsigned i = 0; i < member_count; i++) {
        pthread_join(members[i].thread, NULL);
        results += members[i].results;
        cancelled += members[i].cancelled;
        promised += members[i].promised;
    }
    pthread_barrier_destroy(&looked_up);
    pthread_barrier_destroy(&cleaned_up);
    printf("%d lookups, %u results, %u ended in Next, %u notifications, %u starts\n", lookups,
           results, cancelled, promised, starts);
    return atomic_load(&faults) == 0 ? 0 : 1;
}
