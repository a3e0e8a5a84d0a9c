// SPDX-License-Identifier: MIT
#include "tests/nsp/program.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <string.h>

#define SCRIPT_MAX 160

// ---- the link, as the lookup sees it ----

int __wrap_nsp_link_start(struct nsp_link *link, struct nsp_link_request *request);
void __wrap_nsp_link_cancel(struct nsp_link *link, struct nsp_link_request *request);

int __wrap_nsp_link_start(struct nsp_link *link, struct nsp_link_request *request)
{
    if (link->refuses == 0) {
        request->state = NSP_LINK_UNDER_WAY;
        *(request->stays ? &link->watch : &link->search) = request;
        link->started++;
    }
    return link->refuses;
}

static void end_request(struct nsp_link_request *request)
{
    request->state = NSP_LINK_IDLE;
    request->sink->released(request);
}

void __wrap_nsp_link_cancel(struct nsp_link *link, struct nsp_link_request *request)
{
    if (request->state != NSP_LINK_IDLE) {
        *(request == link->watch ? &link->watch_cancelled : &link->search_cancelled) = true;
        end_request(request);
    }
}

// ---- the program ----

void program_init(struct program *program,
                  void (*check)(const struct program *program, const char *wanted))
{
    memset(program, 0, sizeof *program);
    program->set = (struct nsp_lookup_set)NSP_LOOKUP_SET_INIT;
    program->check = check;
    failing_memory_init(&program->memory, 0);
    program->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    assert_non_null(program->port);
}

int program_make(struct program *program, const struct nsp_source *source, struct nsp_query *query)
{
    struct nsp_lookup_options options = {source, &program->link, &program->set,
                                         &program->memory.memory};
    return nsp_lookup_new(&options, query, &program->lookup);
}

void program_begin(struct program *program, const struct nsp_source *source,
                   struct nsp_query *query)
{
    assert_int_equal(program_make(program, source, query), 0);
    assert_int_equal(nsp_lookup_begin(program->lookup), 0);
}

void program_stop(struct program *program)
{
    nsp_lookup_end(program->lookup);
    nsp_lookup_release(program->lookup);
    assert_null(program->set.first);
    assert_int_equal(failing_memory_live(&program->memory), 0);
    CloseHandle(program->port);
}

int program_next(struct program *program, DWORD flags, DWORD len)
{
    return nsp_lookup_next(program->lookup, flags, &len, program->room.bytes);
}

int program_arm(struct program *program)
{
    WSACOMPLETION how;
    memset(&how, 0, sizeof how);
    how.Type = NSP_NOTIFY_PORT;
    how.Parameters.Port.hPort = program->port;
    how.Parameters.Port.Key = ++program->armed;
    return nsp_lookup_arm(program->lookup, &how, NULL);
}

char program_completion(struct program *program)
{
    static OVERLAPPED none;
    DWORD bytes;
    ULONG_PTR key = 0;
    LPOVERLAPPED overlapped = &none;
    BOOL good = GetQueuedCompletionStatus(program->port, &bytes, &key, &overlapped, 0);
    if (key == 0) {
        return '-';
    }
    assert_in_range(key, 1, program->armed);
    return program_letter(good ? 0 : (int)GetLastError());
}

// ---- codes, one letter each ----

static const struct code_row {
    char letter;
    int code;
} code_rows[] = {
    {'0', 0},
    {'P', WSA_IO_PENDING},
    {'N', WSA_E_NO_MORE},
    {'X', WSA_E_CANCELLED},
    {'W', WSAEWOULDBLOCK},
    {'D', WSAENETDOWN},
    {'S', WSASYSNOTREADY},
    {'M', WSA_NOT_ENOUGH_MEMORY},
    {'H', WSA_INVALID_HANDLE},
    {'A', WSA_OPERATION_ABORTED},
    {'F', WSAEFAULT},
    {'L', WSA_PNRP_CLOUD_NOT_FOUND},
    {'O', WSANO_DATA},
    {'B', WSA_PNRP_CLOUD_DISABLED},
    {'T', WSA_PNRP_TOO_MUCH_LOAD},
    {'I', WSAEINVAL},
    {'C', WSAEACCES},
};

char program_letter(int code)
{
    for (size_t i = 0; i < sizeof code_rows / sizeof code_rows[0]; i++) {
        if (code_rows[i].code == code) {
            return code_rows[i].letter;
        }
    }
    return '?';
}

void program_check_code(const char *what, int code, char wanted)
{
    char told = program_letter(code);
    if (told != wanted) {
        fail_msg("%s says %c (%d), not %c", what, told, code, wanted);
    }
}

void program_check_next(struct program *program, DWORD flags, const char *wanted)
{
    bool is_code = wanted[1] == '\0';
    program_check_code("Next", program_next(program, flags, sizeof program->room),
                       is_code ? wanted[0] : '0');
    if (!is_code) {
        program->check(program, wanted);
    }
}

// ---- the daemon ----

struct pnr_event program_event(enum pnr_event_type type, const char *fields)
{
    return (struct pnr_event){.type = type,
                              .request = 1,
                              .text = "",
                              .fields = {(const uint8_t *)fields, strlen(fields)}};
}

void program_tell(struct nsp_link_request *request, const struct pnr_event *event)
{
    assert_non_null(request);
    if (request->state == NSP_LINK_IDLE) {
        return;
    }
    bool is_last = event->type == PNR_EVENT_DONE || event->type == PNR_EVENT_ERROR;
    request->sink->event(request, event);
    if (is_last) {
        end_request(request);
    }
}

void program_lose(struct program *program, enum nsp_link_loss loss)
{
    struct nsp_link_request *requests[] = {program->link.search, program->link.watch};
    for (size_t i = 0; i < 2; i++) {
        if (requests[i] != NULL && requests[i]->state != NSP_LINK_IDLE) {
            requests[i]->sink->lost(requests[i], loss);
            end_request(requests[i]);
        }
    }
}

// ---- scripts ----

bool program_play(struct program *program, const char *word)
{
    switch (word[0]) {
    case '>':
        program_check_next(program, 0, word + 1);
        return true;
    case '|':
        program_check_next(program, LUP_FLUSHPREVIOUS, word + 1);
        return true;
    case '<':
        program_check_code("Next", program_next(program, 0, 8), word[1]);
        return true;
    case '?':
        program_check_code("a poll", nsp_lookup_poll(program->lookup), word[1]);
        return true;
    case 'a':
        program_check_code("arming", program_arm(program), word[1]);
        return true;
    case '*':
        assert_int_equal(program_completion(program), word[1]);
        return true;
    case 'l':
        program_lose(program, NSP_LINK_LOST);
        return true;
    case 'u':
        program_lose(program, NSP_LINK_UNREACHED);
        return true;
    case 'm':
        program_lose(program, NSP_LINK_MEMORY);
        return true;
    case 'X':
        nsp_lookup_end(program->lookup);
        return true;
    default:
        return false;
    }
}

void program_run(struct program *program, const char *script,
                 void (*play)(struct program *program, const char *word))
{
    char words[SCRIPT_MAX];
    assert_true(strlen(script) < sizeof words);
    snprintf(words, sizeof words, "%s", script);
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " ")) {
        play(program, word);
    }
}
