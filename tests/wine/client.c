// SPDX-License-Identifier: MIT
// A program of libpnr's on Windows: client.exe VERB ADDRESS [NAME [...]]. What it says is read by
// test_client.py, a line for each event; the exit code is the error.
//
//     status ADDRESS          the daemon's version and the level of access
//     resolve ADDRESS NAME    its results
//     watch ADDRESS NAME      its changes, until standard input ends
//     many ADDRESS NAME       100 requests side by side

// clang-format off
#include <winsock2.h>
#include <windows.h>
// clang-format on

#include <pnr/client.h>

#include <stdio.h>
#include <string.h>

#define TIMEOUT_MS 30000
#define MANY       100

static int fail(struct pnr_client *client, enum pnr_error error)
{
    printf("error %d %s\n", error, pnr_error_text(error));
    pnr_client_close(client);
    return (int)error;
}

static void say_result(const char *what, const struct pnr_result *result)
{
    printf("%s %s", what, result->name);
    for (size_t i = 0; i < result->endpoint_count; i++) {
        const uint8_t *ip = result->endpoints[i].ip;
        printf(" %u.%u.%u.%u:%u", ip[0], ip[1], ip[2], ip[3], result->endpoints[i].port);
    }
    printf("\n");
    fflush(stdout);
}

static int status(struct pnr_client *client)
{
    struct pnr_event event;
    uint32_t request;
    char version[PNR_WORD_MAX] = "";
    enum pnr_error error = pnr_status(client, &request);
    if (error == PNR_OK) {
        error = pnr_client_finish(client, request, TIMEOUT_MS, &event);
    }
    if (error != PNR_OK) {
        return fail(client, error);
    }
    (void)pnr_field_text(event.fields, "version", version, sizeof version);
    printf("status %s %s\n", version,
           pnr_client_access(client) == PNR_ACCESS_CONTROL ? "control" : "resolve");
    pnr_client_close(client);
    return 0;
}

static int resolve(struct pnr_client *client, const char *name)
{
    struct pnr_resolve wanted = {.name = name};
    struct pnr_event event;
    struct pnr_result result;
    uint32_t request;
    enum pnr_error error = pnr_resolve(client, &wanted, &request);
    while (error == PNR_OK) {
        error = pnr_client_wait(client, request, TIMEOUT_MS, &event);
        if (error == PNR_OK && event.type == PNR_EVENT_ERROR) {
            error = event.error;
        }
        if (error == PNR_OK && event.type == PNR_EVENT_DONE) {
            printf("done\n");
            pnr_client_close(client);
            return 0;
        }
        if (error == PNR_OK && pnr_read_result(&event, &result)) {
            say_result("result", &result);
        }
    }
    return fail(client, error);
}

// Its standard input has ended.
static DWORD WINAPI await_end(void *ended)
{
    char buf[64];
    while (fgets(buf, sizeof buf, stdin) != NULL) {
    }
    InterlockedExchange(ended, 1);
    return 0;
}

// With a loop of its own.
static int watch(struct pnr_client *client, const char *name)
{
    static const char *const words[] = {"added", "changed", "gone"};
    static LONG ended;
    struct pnr_watch wanted = {.name = name};
    struct pnr_event event;
    struct pnr_result result;
    enum pnr_change change;
    uint32_t request;
    enum pnr_error error = pnr_watch(client, &wanted, &request);
    HANDLE reader = CreateThread(NULL, 0, await_end, &ended, 0, NULL);
    while (error == PNR_OK && InterlockedCompareExchange(&ended, 0, 0) == 0) {
        fd_set reads, writes;
        struct timeval at_most = {0, 50000};
        FD_ZERO(&reads);
        FD_ZERO(&writes);
        unsigned wants = pnr_client_wants(client);
        if ((wants & PNR_WANTS_READ) != 0) {
            FD_SET((SOCKET)pnr_client_fd(client), &reads);
        }
        if ((wants & PNR_WANTS_WRITE) != 0) {
            FD_SET((SOCKET)pnr_client_fd(client), &writes);
        }
        (void)select(0, &reads, &writes, NULL, &at_most);
        error = pnr_client_process(client);
        while (pnr_client_next(client, &event)) {
            if (event.type == PNR_EVENT_ERROR) {
                error = event.error;
            } else if (pnr_read_change(&event, &change, &result)) {
                say_result(words[change], &result);
            } else {
                printf("progress\n");
                fflush(stdout);
            }
        }
    }
    CloseHandle(reader);
    if (error != PNR_OK) {
        return fail(client, error);
    }
    pnr_client_close(client);
    return 0;
}

static int many(struct pnr_client *client, const char *name)
{
    struct pnr_resolve wanted = {.name = name, .wait = PNR_WAIT_CACHE};
    struct pnr_event event;
    int begun = 0, results = 0, done = 0;
    enum pnr_error error = PNR_OK;
    for (; begun < MANY && error == PNR_OK; begun++) {
        uint32_t request;
        error = pnr_resolve(client, &wanted, &request);
    }
    while (error == PNR_OK && done < begun) {
        error = pnr_client_wait(client, 0, TIMEOUT_MS, &event);
        if (error == PNR_OK) {
            error = event.type == PNR_EVENT_ERROR ? event.error : PNR_OK;
            results += event.type == PNR_EVENT_RESULT;
            done += event.type == PNR_EVENT_DONE;
        }
    }
    if (error != PNR_OK) {
        return fail(client, error);
    }
    printf("many %d %d\n", results, done);
    pnr_client_close(client);
    return 0;
}

int main(int argc, char **argv)
{
    WSADATA data;
    struct pnr_client *client = NULL;
    if (argc < 3 || WSAStartup(MAKEWORD(2, 2), &data) != 0) {
        return PNR_ERROR_USAGE;
    }
    struct pnr_options options = {.address = argv[2]};
    enum pnr_error error = pnr_client_open(&options, TIMEOUT_MS, &client);
    int code;
    if (error != PNR_OK) {
        code = fail(NULL, error);
    } else if (argc > 3 && strcmp(argv[1], "resolve") == 0) {
        code = resolve(client, argv[3]);
    } else if (argc > 3 && strcmp(argv[1], "watch") == 0) {
        code = watch(client, argv[3]);
    } else if (argc > 3 && strcmp(argv[1], "many") == 0) {
        code = many(client, argv[3]);
    } else {
        code = status(client);
    }
    WSACleanup();
    return code;
}
