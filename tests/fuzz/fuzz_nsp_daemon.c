// SPDX-License-Identifier: MIT
// A lookup whose daemon says anything: frames of the input's own, or results that are well formed,
// to the search and to the watch, in any order with what the program does. Whatever comes, each
// entry says one of its codes, what is returned lies in the buffer, and each notification that was
// promised comes exactly once.
#include "node/control/frame.h"
#include "nsp/lookup.h"
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdio.h>

// The link below the lookup (LINKER:--wrap).
int __wrap_nsp_link_start(struct nsp_link *link, struct nsp_link_request *request);
void __wrap_nsp_link_cancel(struct nsp_link *link, struct nsp_link_request *request);

struct nsp_link {
    struct nsp_link_request *requests[2]; // search and watch
};

int __wrap_nsp_link_start(struct nsp_link *link, struct nsp_link_request *request)
{
    request->state = NSP_LINK_UNDER_WAY;
    link->requests[request->stays] = request;
    return 0;
}

static void release(struct nsp_link_request *request)
{
    request->state = NSP_LINK_IDLE;
    request->sink->released(request);
}

void __wrap_nsp_link_cancel(struct nsp_link *link, struct nsp_link_request *request)
{
    (void)link;
    if (request->state != NSP_LINK_IDLE) {
        release(request);
    }
}

struct program {
    struct nsp_link link;
    struct nsp_lookup_set set;
    struct nsp_lookup *lookup;
    HANDLE port;
    unsigned promised;
};

// ---- what the daemon says ----

static void tell(struct program *program, unsigned which, const struct control_frame_answer *answer)
{
    struct nsp_link_request *request = program->link.requests[which & 1];
    struct pnr_event event = {.request = 1, .text = ""};
    event.fields = (struct pnr_fields){answer->fields.data, answer->fields.len};
    event.type = (enum pnr_event_type)(answer->answer - CONTROL_ANSWER_RESULT);
    if (request == NULL || request->state == NSP_LINK_IDLE ||
        answer->answer == CONTROL_ANSWER_UNKNOWN) {
        return;
    }
    bool is_last = event.type == PNR_EVENT_DONE || event.type == PNR_EVENT_ERROR;
    if (event.type == PNR_EVENT_ERROR) {
        event.error = (enum pnr_error)(1 + which % 11);
    }
    request->sink->event(request, &event);
    if (is_last) {
        release(request);
    }
}

static void tell_frame(struct program *program, struct fuzz_input *input)
{
    struct control_frame_answer answer;
    const uint8_t *bytes;
    unsigned which = fuzz_u8(input);
    size_t len = fuzz_take(input, fuzz_u8(input), &bytes);
    if (control_frame_open_answer((struct dht_span){bytes, len}, &answer)) {
        tell(program, which, &answer);
    }
}

static void tell_result(struct program *program, struct fuzz_input *input)
{
    static const char *const events[] = {"", "5:event5:added", "5:event7:changed", "5:event4:gone"};
    char fields[512], publisher[17], mark[9];
    unsigned which = fuzz_u8(input);
    const char *event = events[fuzz_u8(input) % 4];
    memset(publisher, 'A' + fuzz_u8(input) % 4, 16);
    memset(mark, '0' + fuzz_u8(input) % 3, 8);
    publisher[16] = mark[8] = '\0';
    int len = snprintf(fields, sizeof fields,
                       "d9:endpointsld2:ip4:abcd4:porti7e5:protoi6eee%s4:mark8:%s4:name6:0.name"
                       "9:publisher16:%s6:source3:dhte",
                       event, mark, publisher);
    struct control_frame_answer answer = {.answer = CONTROL_ANSWER_RESULT,
                                          .fields = {(const uint8_t *)fields, (size_t)len}};
    tell(program, which, &answer);
}

static void lose(struct program *program, enum nsp_link_loss loss)
{
    for (int i = 0; i < 2; i++) {
        struct nsp_link_request *request = program->link.requests[i];
        if (request != NULL && request->state != NSP_LINK_IDLE) {
            request->sink->lost(request, loss);
            release(request);
        }
    }
}

// ---- what the program does ----

static bool arm(struct program *program)
{
    WSACOMPLETION how;
    memset(&how, 0, sizeof how);
    how.Type = NSP_NOTIFY_PORT;
    how.Parameters.Port.hPort = program->port;
    how.Parameters.Port.Key = 1;
    int code = nsp_lookup_arm(program->lookup, &how, NULL);
    FUZZ_CHECK(code == 0 || code == WSA_IO_PENDING || code == WSAENETDOWN ||
               code == WSA_NOT_ENOUGH_MEMORY);
    program->promised += code == 0 || code == WSA_IO_PENDING;
    return code == 0;
}

// Next does not have to wait.
static void next(struct program *program, DWORD given, DWORD flags)
{
    uint8_t *buf = malloc(given);
    DWORD len = given;
    int code = nsp_lookup_next(program->lookup, flags, &len, buf);
    FUZZ_CHECK(buf != NULL && code != WSA_E_CANCELLED && code != WSA_INVALID_HANDLE);
    FUZZ_CHECK(code == WSAEFAULT ? len > given : len == given);
    if (code == 0) {
        WSAQUERYSETW set;
        memcpy(&set, buf, sizeof set);
        const uint8_t *name = (const uint8_t *)set.lpszServiceInstanceName;
        FUZZ_CHECK(name >= buf && name < buf + given);
    }
    free(buf);
}

static void act(struct program *program, struct fuzz_input *input, bool may_wait)
{
    switch (fuzz_u8(input) % 8) {
    case 0:
        tell_frame(program, input);
        break;
    case 1:
    case 2:
        tell_result(program, input);
        break;
    case 3: {
        DWORD given = fuzz_u16(input) % 1024;
        DWORD flags = fuzz_u8(input) % 4 == 0 ? LUP_FLUSHPREVIOUS : 0;
        // A flush may drop what there is, and the rest would be worth waiting for.
        if (may_wait || (flags == 0 && arm(program))) {
            next(program, given, flags);
        }
        break;
    }
    case 4: {
        int code = nsp_lookup_poll(program->lookup);
        FUZZ_CHECK(code == 0 || code == WSAEWOULDBLOCK || code == WSAENETDOWN);
        break;
    }
    case 5:
        (void)arm(program);
        break;
    case 6:
        if (fuzz_u8(input) % 8 == 0) {
            lose(program, (enum nsp_link_loss)(fuzz_u8(input) % 3));
        }
        break;
    default:
        nsp_lookup_thread_left(&program->set, fuzz_u8(input));
        break;
    }
}

static unsigned count_told(struct program *program)
{
    unsigned count = 0;
    ULONG_PTR key = 1;
    while (key == 1) {
        DWORD bytes;
        LPOVERLAPPED overlapped;
        key = 0;
        (void)GetQueuedCompletionStatus(program->port, &bytes, &key, &overlapped, 0);
        count += key == 1;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static WCHAR name[] = {'0', '.', 'n', 'a', 'm', 'e', 0};
    struct fuzz_input input = {data, data + size};
    struct program program;
    memset(&program, 0, sizeof program);
    program.set = (struct nsp_lookup_set)NSP_LOOKUP_SET_INIT;
    program.port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    // Without time for the search, Next never waits.
    bool may_wait = (fuzz_u8(&input) & 1) != 0;
    struct nsp_query query = {.version = 2,
                              .mask = LUP_RETURN_ALL,
                              .name = name,
                              .name_utf8 = "0.name",
                              .name_units = 6,
                              .max_resolve = 1 + fuzz_u8(&input) % 4,
                              .timeout_s = may_wait ? 0 : 600};
    struct nsp_lookup_options options = {&nsp_source_name, &program.link, &program.set,
                                         &nsp_memory_default};
    FUZZ_CHECK(nsp_lookup_new(&options, &query, &program.lookup) == 0);
    FUZZ_CHECK(nsp_lookup_begin(program.lookup) == 0);
    while (fuzz_left(&input) > 0) {
        act(&program, &input, may_wait);
    }
    nsp_lookup_end(program.lookup);
    FUZZ_CHECK(count_told(&program) == program.promised);
    FUZZ_CHECK(nsp_lookup_poll(program.lookup) != WSA_IO_PENDING);
    nsp_lookup_release(program.lookup);
    FUZZ_CHECK(program.set.first == NULL);
    CloseHandle(program.port);
    return 0;
}
