// SPDX-License-Identifier: MIT
// A single-threaded program, as Microsoft's page on NSPIoctl describes it: after every Next it
// polls whether what it has is still valid, and if not, ends the query and begins again.
//
// winsock_single.exe NAME says "set PORT..." whenever it has all results, until its input ends.
#include "tests/wine/winsock_program.h"

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static void say_set(int *ports, int count)
{
    qsort(ports, (size_t)count, sizeof *ports, by_number);
    printf("set");
    for (int i = 0; i < count; i++) {
        printf(" %d", ports[i]);
    }
    printf("\n");
    fflush(stdout);
}

// Whether the results are still valid, by a poll.
static bool is_valid(HANDLE lookup)
{
    DWORD len;
    return WSANSPIoctl(lookup, SIO_NSP_NOTIFY_CHANGE, NULL, 0, NULL, 0, &len, NULL) != 0 &&
           WSAGetLastError() == WSAEWOULDBLOCK;
}

// One query, for as long as it is valid.
static int query(WCHAR *name)
{
    HANDLE lookup;
    int ports[RESULTS_MAX], count = 0;
    if (winsock_begin(name, &lookup) != 0) {
        return winsock_error("Begin");
    }
    WSAQUERYSETW *set = NULL;
    bool valid = true;
    while (valid && (set = winsock_next(lookup)) != NULL) {
        if (count < RESULTS_MAX) {
            ports[count++] = winsock_port(set);
        }
        free(set);
        valid = is_valid(lookup);
    }
    if (valid && WSAGetLastError() != WSA_E_NO_MORE) {
        (void)winsock_error("Next");
    } else if (valid) {
        say_set(ports, count);
    }
    // What else such a program does meanwhile.
    while (valid && WaitForSingleObject(winsock_stop, 10) == WAIT_TIMEOUT) {
        valid = is_valid(lookup);
    }
    return WSALookupServiceEnd(lookup) == 0 ? 0 : winsock_error("End");
}

int main(int argc, char **argv)
{
    WSADATA data;
    WCHAR name[256];
    int code = 0;
    if (argc < 2 || WSAStartup(MAKEWORD(2, 2), &data) != 0) {
        return 2;
    }
    winsock_widen(argv[1], name, 256);
    winsock_watch_input();
    while (code == 0 && WaitForSingleObject(winsock_stop, 0) == WAIT_TIMEOUT) {
        code = query(name);
    }
    return WSACleanup() == 0 ? code : winsock_error("WSACleanup");
}
