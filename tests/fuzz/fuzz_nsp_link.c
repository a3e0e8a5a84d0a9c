// SPDX-License-Identifier: MIT
// A hostile daemon from its first byte: the input decides what comes over the connection, raw bytes
// and frames that are almost right, where it breaks off and is made again, and what the program
// does with a few lookups, of names and of clouds, and registrations meanwhile. Whatever it says:
// no entry says what it may not, nothing waits, each notification that was promised has come when
// its lookup has ended, a name is withdrawn if and only if it was registered, and no memory is
// left. What a single lookup makes of well-formed answers is fuzz_nsp_daemon.c.
//
// The link's thread runs only while the input's does not, so that an input is the same each time.
// Where a call waits, the daemon speaks, the link's thread runs, and time is over in the end.
#include "node/control/transport.h"
#include "nsp/link.h"
#include "nsp/lookup.h"
#include "nsp/query.h"
#include "nsp/registration.h"
#include "tests/fuzz/fuzz.h"
#include "tests/nsp/failing_memory.h"

#include <semaphore.h>
#include <stdio.h>

#define LOOKUPS   4
#define NAMES     4 // that are registered
#define PATIENCE  8 // times that the daemon is heard within a registration
#define ARMED_MAX 8
#define SAID_MAX  8192
#define SOCKET    77 // what libpnr takes for its socket

// ---- a connection without a system ----

static struct {
    uint8_t said[SAID_MAX]; // by the daemon
    size_t said_len, heard_len;
    bool hung_up;
} wire;

static struct {
    sem_t rests, goes_on;
    atomic_bool ends;
} thread;

// What happens while the program waits.
struct program;
static struct {
    struct program *program;
    struct fuzz_input *input;
    struct nsp_lookup *clouds; // a Next of them, which has no time: End comes
    unsigned patience;         // of a registration
} meanwhile;

static void let_run(struct program *program);
static void speak(struct fuzz_input *input, uint8_t what);

enum control_transport_state __wrap_control_transport_connect_unix(const char *path,
                                                                   intptr_t *ret_socket);
ptrdiff_t __wrap_control_transport_receive(intptr_t socket, void *buf, size_t buf_len);
ptrdiff_t __wrap_control_transport_send(intptr_t socket, const void *data, size_t len);
void __wrap_control_transport_close(intptr_t socket);
bool __wrap_pnr_client_has_place(const struct pnr_options *options);
unsigned __wrap_nsp_platform_wait(intptr_t socket, unsigned wants, struct nsp_wake *wake,
                                  int timeout_ms);
bool __wrap_nsp_condition_wait_until(struct nsp_condition *condition, struct nsp_lock *lock,
                                     int64_t deadline_ms);

enum control_transport_state __wrap_control_transport_connect_unix(const char *path,
                                                                   intptr_t *ret_socket)
{
    (void)path;
    memset(&wire, 0, sizeof wire);
    *ret_socket = SOCKET;
    return CONTROL_TRANSPORT_DONE;
}

ptrdiff_t __wrap_control_transport_receive(intptr_t socket, void *buf, size_t buf_len)
{
    size_t left = wire.said_len - wire.heard_len;
    size_t len = left < buf_len ? left : buf_len;
    FUZZ_CHECK(socket == SOCKET);
    memcpy(buf, wire.said + wire.heard_len, len);
    wire.heard_len += len;
    return len == 0 && wire.hung_up ? -1 : (ptrdiff_t)len;
}

ptrdiff_t __wrap_control_transport_send(intptr_t socket, const void *data, size_t len)
{
    (void)data;
    FUZZ_CHECK(socket == SOCKET);
    return wire.hung_up ? -1 : (ptrdiff_t)len;
}

void __wrap_control_transport_close(intptr_t socket)
{
    FUZZ_CHECK(socket == SOCKET);
}

bool __wrap_pnr_client_has_place(const struct pnr_options *options)
{
    (void)options;
    return true;
}

unsigned __wrap_nsp_platform_wait(intptr_t socket, unsigned wants, struct nsp_wake *wake,
                                  int timeout_ms)
{
    (void)socket;
    (void)wants;
    (void)wake;
    (void)timeout_ms;
    if (!thread.ends) {
        sem_post(&thread.rests);
        sem_wait(&thread.goes_on);
    }
    return NSP_WAIT_WOKEN | NSP_WAIT_READY;
}

// The time of a search is over at once where nothing waits. A name's Next has no other wait.
bool __wrap_nsp_condition_wait_until(struct nsp_condition *condition, struct nsp_lock *lock,
                                     int64_t deadline_ms)
{
    (void)condition;
    FUZZ_CHECK(deadline_ms != NSP_NEVER || meanwhile.clouds != NULL);
    if (deadline_ms == NSP_NEVER) {
        nsp_lock_give(lock);
        nsp_lookup_end(meanwhile.clouds);
        nsp_lock_take(lock);
        return true;
    }
    if (meanwhile.patience == 0) {
        return false;
    }
    meanwhile.patience--;
    nsp_lock_give(lock);
    speak(meanwhile.input, fuzz_u8(meanwhile.input));
    let_run(meanwhile.program);
    nsp_lock_take(lock);
    return true;
}

// ---- a program ----

struct armed {
    OVERLAPPED overlapped;
    bool is_promised;
};

struct program {
    struct failing_memory memory;
    struct nsp_link *link;
    struct nsp_lookup_set set;
    struct nsp_registration_set registrations;
    bool is_registered[NAMES];
    struct nsp_lookup *lookups[LOOKUPS];
    bool is_of_clouds[LOOKUPS];
    struct armed armed[LOOKUPS][ARMED_MAX];
    size_t armed_count[LOOKUPS];
    bool has_thread;
};

// Everything that the link has to do, until it would wait.
static void let_run(struct program *program)
{
    if (program->has_thread) {
        sem_post(&thread.goes_on);
        sem_wait(&thread.rests);
    }
}

static bool is_one_of(int code, const int *codes)
{
    while (*codes != 0 && *codes != code) {
        codes++;
    }
    return *codes == code;
}

static void begin(struct program *program, size_t index, struct nsp_query *query)
{
    bool is_cloud = query->kind == NSP_QUERY_CLOUD;
    struct nsp_lookup_options options = {.source = is_cloud ? &nsp_source_cloud : &nsp_source_name,
                                         .link = program->link,
                                         .set = &program->set,
                                         .memory = &program->memory.memory};
    program->is_of_clouds[index] = is_cloud;
    FUZZ_CHECK(nsp_lookup_new(&options, query, &program->lookups[index]) == 0);
    FUZZ_CHECK(nsp_lookup_begin(program->lookups[index]) == 0);
    if (!program->has_thread) {
        program->has_thread = true;
        sem_wait(&thread.rests);
    }
}

static void begin_name(struct program *program, size_t index, uint8_t how)
{
    static const WCHAR name[] = {'0', '.', 'n', 'a', 'm', 'e', 0};
    struct nsp_query query = {.kind = NSP_QUERY_NAME,
                              .version = 2,
                              .mask = LUP_RETURN_ALL,
                              .name = name,
                              .name_utf8 = "0.name",
                              .name_units = 6,
                              .max_resolve = 1u + how % 8,
                              .timeout_s = 1,
                              .criteria = (enum pnr_criteria)(how % 7)};
    begin(program, index, &query);
}

static void begin_clouds(struct program *program, size_t index, uint8_t how)
{
    static const INT families[] = {AF_UNSPEC, AF_INET, AF_INET6, AF_UNSPEC};
    struct nsp_query query = {.kind = NSP_QUERY_CLOUD,
                              .version = 1,
                              .mask = LUP_RETURN_ALL,
                              .max_resolve = NSP_QUERY_RESULTS_MAX,
                              .timeout_s = 1,
                              .filter = {.family = families[how & 3],
                                         .scope = (PNRP_SCOPE)(how >> 2 & 3),
                                         .scope_id = how >> 4 & 3}};
    begin(program, index, &query);
}

static void end(struct program *program, size_t index);

static void next(struct program *program, size_t index, uint8_t how)
{
    static const int codes[] = {
        WSA_E_NO_MORE,
        WSAEFAULT,
        WSAENETDOWN,
        WSASYSNOTREADY,
        WSA_NOT_ENOUGH_MEMORY,
        WSAEINVAL,
        WSAEACCES,
        WSANO_DATA,
        WSA_PNRP_CLOUD_DISABLED,
        WSA_PNRP_TOO_MUCH_LOAD,
        0,
    };
    static _Alignas(16) uint8_t buf[8192];
    DWORD len = how < 250 ? how * 4u : sizeof buf;
    struct nsp_lookup *lookup = program->lookups[index];
    meanwhile.clouds = program->is_of_clouds[index] ? lookup : NULL;
    int code = nsp_lookup_next(lookup, how & 1 ? LUP_FLUSHPREVIOUS : 0, &len, buf);
    bool has_ended = meanwhile.clouds != NULL && code == WSA_E_CANCELLED;
    meanwhile.clouds = NULL;
    FUZZ_CHECK(has_ended || is_one_of(code, codes));
    FUZZ_CHECK(code != WSAEFAULT || len <= sizeof buf);
    if (has_ended) {
        end(program, index);
    }
}

static void poll_it(struct nsp_lookup *lookup)
{
    static const int codes[] = {WSAEWOULDBLOCK, WSAENETDOWN, 0};
    FUZZ_CHECK(is_one_of(nsp_lookup_poll(lookup), codes));
}

static void arm(struct program *program, size_t index)
{
    static const int codes[] = {WSA_IO_PENDING, WSAENETDOWN, 0};
    WSACOMPLETION how;
    if (program->armed_count[index] == ARMED_MAX) {
        return;
    }
    struct armed *armed = &program->armed[index][program->armed_count[index]++];
    memset(armed, 0, sizeof *armed);
    memset(&how, 0, sizeof how);
    armed->overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    how.Type = NSP_NOTIFY_EVENT;
    how.Parameters.Event.lpOverlapped = &armed->overlapped;
    int code = nsp_lookup_arm(program->lookups[index], &how, NULL);
    FUZZ_CHECK(is_one_of(code, codes));
    armed->is_promised = code != WSAENETDOWN;
}

static void end(struct program *program, size_t index)
{
    nsp_lookup_end(program->lookups[index]);
    nsp_lookup_release(program->lookups[index]);
    program->lookups[index] = NULL;
    while (program->armed_count[index] > 0) {
        struct armed *armed = &program->armed[index][--program->armed_count[index]];
        bool has_come = WaitForSingleObject(armed->overlapped.hEvent, 0) == WAIT_OBJECT_0;
        FUZZ_CHECK(has_come == armed->is_promised);
        CloseHandle(armed->overlapped.hEvent);
    }
}

// Names in clouds, unsecured and secured.
static struct nsp_offer offer_of(size_t which)
{
    struct nsp_offer offer;
    memset(&offer, 0, sizeof offer);
    strcpy(offer.name, (which & 1) == 0 ? "0.name" : "own.name");
    strcpy(offer.cloud, (which & 2) == 0 ? "" : "lab");
    strcpy(offer.label, "own");
    offer.is_secured = (which & 1) != 0;
    offer.endpoint_count = 1;
    offer.endpoints[0] = (struct pnr_endpoint){.ip_len = 4, .port = 1, .proto = 6};
    return offer;
}

static void set_service(struct program *program, size_t which, uint8_t how)
{
    static const int codes[] = {
        WSAENETDOWN,
        WSASYSNOTREADY,
        WSA_NOT_ENOUGH_MEMORY,
        WSAEINVAL,
        WSAEACCES,
        WSA_PNRP_INVALID_IDENTITY,
        WSA_PNRP_CLOUD_NOT_FOUND,
        WSA_PNRP_CLOUD_DISABLED,
        WSA_PNRP_CLOUD_IS_SEARCH_ONLY,
        WSA_PNRP_DUPLICATE_PEER_NAME,
        WSA_PNRP_TOO_MUCH_LOAD,
        0,
    };
    struct nsp_offer offer = offer_of(which);
    struct nsp_registration_options options = {.set = &program->registrations,
                                               .link = program->link,
                                               .memory = &program->memory.memory,
                                               .wait_ms = 1000};
    meanwhile.patience = how % PATIENCE;
    if ((how & 0x80) == 0) {
        int code = nsp_registration_make(&options, &offer);
        FUZZ_CHECK(code == 0 || is_one_of(code, codes));
        program->is_registered[which] = program->is_registered[which] || code == 0;
    } else {
        int wanted = program->is_registered[which] ? 0 : WSASERVICE_NOT_FOUND;
        FUZZ_CHECK(nsp_registration_withdraw(&options, &offer) == wanted);
        program->is_registered[which] = false;
    }
    meanwhile.patience = 0;
}

// ---- a daemon ----

static void say(const void *data, size_t len)
{
    if (wire.said_len + len <= sizeof wire.said) {
        memcpy(wire.said + wire.said_len, data, len);
        wire.said_len += len;
    }
}

static void say_frame(const char *body, size_t len)
{
    uint8_t head[4] = {0, 0, (uint8_t)(len >> 8), (uint8_t)len};
    say(head, sizeof head);
    say(body, len);
}

static void greet(void)
{
    static const char welcome[] = "d6:access7:control4:nodei0e7:versioni1ee";
    say_frame(welcome, sizeof welcome - 1);
}

// An answer to one of the first requests, with fields that the input has.
static void answer(struct fuzz_input *input)
{
    static const char *const kinds[] = {"result", "progress", "done", "error"};
    char body[512];
    const uint8_t *fields;
    uint8_t how = fuzz_u8(input);
    size_t fields_len = fuzz_take(input, fuzz_u8(input), &fields);
    const char *kind = kinds[how & 3];
    int len = snprintf(body, sizeof body, "d1:ii%ue1:o%zu:%s1:rd", (unsigned)how >> 4, strlen(kind),
                       kind);
    memcpy(body + len, fields, fields_len);
    memcpy(body + len + fields_len, "ee", 2);
    say_frame(body, (size_t)len + fields_len + 2);
}

// One publisher of a few, who says one thing of a few, in a search or in a watch.
static void tell(struct fuzz_input *input)
{
    static const char *const events[] = {"", "5:event5:added", "5:event7:changed", "5:event4:gone"};
    char body[512];
    uint8_t how = fuzz_u8(input);
    uint8_t what = fuzz_u8(input);
    char who = (char)('A' + (what & 7));
    char mark = (char)('1' + (what >> 3 & 3));
    int len = snprintf(body, sizeof body,
                       "d1:ii%ue1:o6:result1:rd9:endpointsld2:ip4:abcd4:porti%ue5:protoi6eee%s"
                       "4:mark8:%c23456784:name6:0.name9:publisher16:%cBCDEFGHIJKLMNOP"
                       "6:source3:dhtee",
                       (unsigned)how >> 4, (unsigned)what, events[how & 3], mark, who);
    say_frame(body, (size_t)len);
}

// One cloud of a few.
static void tell_cloud(struct fuzz_input *input)
{
    static const char *const events[] = {"", "5:event5:added", "5:event7:changed", "5:event4:gone"};
    static const char *const states[] = {"6:active", "13:synchronising", "6:no-net", "8:disabled"};
    static const char *const scopes[] = {"6:global", "4:site", "4:link", "4:many"};
    char body[512];
    uint8_t how = fuzz_u8(input);
    uint8_t what = fuzz_u8(input);
    int len = snprintf(body, sizeof body,
                       "d1:ii%ue1:o6:result1:rd%s8:familiesli4ee4:name5:lab-%c5:scope%s5:state%see",
                       (unsigned)how >> 4, events[how & 3], 'a' + (what & 3), scopes[what >> 2 & 3],
                       states[what >> 4 & 3]);
    say_frame(body, (size_t)len);
}

// What the daemon does next: the lower half of what a step can be.
static void speak(struct fuzz_input *input, uint8_t what)
{
    const uint8_t *bytes;
    size_t len;
    switch (what & 7) {
    case 0:
        len = fuzz_take(input, fuzz_u8(input), &bytes);
        say(bytes, len);
        break;
    case 1:
    case 2:
        answer(input);
        break;
    case 3:
    case 4:
        if ((what & 0x40) != 0) {
            tell_cloud(input);
        } else {
            tell(input);
        }
        break;
    case 5:
        greet();
        break;
    case 6:
        wire.hung_up = true;
        break;
    default:
        break;
    }
}

static void step(struct program *program, struct fuzz_input *input)
{
    uint8_t what = fuzz_u8(input);
    size_t index = what >> 4 & 3;
    struct nsp_lookup *lookup = program->lookups[index];
    switch (what & 15) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
        speak(input, what);
        break;
    case 7:
    case 8:
        if (lookup == NULL && (what & 0x40) != 0) {
            begin_clouds(program, index, fuzz_u8(input));
        } else if (lookup == NULL) {
            begin_name(program, index, fuzz_u8(input));
        }
        break;
    case 9:
    case 10:
        if (lookup != NULL) {
            next(program, index, fuzz_u8(input));
        }
        break;
    case 11:
        if (lookup != NULL) {
            poll_it(lookup);
        }
        break;
    case 12:
        if (lookup != NULL) {
            arm(program, index);
        }
        break;
    case 13:
        if (lookup != NULL) {
            end(program, index);
        }
        break;
    case 14:
        if ((what & 0x40) != 0) {
            set_service(program, index, fuzz_u8(input));
            break;
        }
        let_run(program);
        break;
    default:
        let_run(program);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, data + size};
    struct program program = {.set = NSP_LOOKUP_SET_INIT,
                              .registrations = NSP_REGISTRATION_SET_INIT};
    failing_memory_init(&program.memory, 0);
    struct nsp_link_options options = {&program.memory.memory, "unix:/daemon"};
    FUZZ_CHECK(nsp_link_new(&options, &program.link) == 0);
    memset(&wire, 0, sizeof wire);
    sem_init(&thread.rests, 0, 0);
    sem_init(&thread.goes_on, 0, 0);
    thread.ends = false;
    memset(&meanwhile, 0, sizeof meanwhile);
    meanwhile.program = &program;
    meanwhile.input = &input;
    begin_name(&program, 0, fuzz_u8(&input));
    if ((fuzz_u8(&input) & 3) != 0) {
        greet();
        let_run(&program);
    }
    while (fuzz_left(&input) > 0) {
        step(&program, &input);
    }
    let_run(&program);
    for (size_t i = 0; i < LOOKUPS; i++) {
        if (program.lookups[i] != NULL) {
            end(&program, i);
        }
    }
    nsp_registration_end_all(&program.registrations);
    thread.ends = true;
    sem_post(&thread.goes_on);
    nsp_link_close(program.link);
    FUZZ_CHECK(failing_memory_live(&program.memory) == 0);
    sem_destroy(&thread.rests);
    sem_destroy(&thread.goes_on);
    return 0;
}
