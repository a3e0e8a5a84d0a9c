// SPDX-License-Identifier: MIT
// What a test wants to know of a service, from those who should know:
//
//   service_probe stop NAME       stops it by the service manager; a line for each state, or step,
//                                 that it tells: STATE CHECKPOINT HINT_MS EXIT_CODE
//   service_probe texts PROGRAM   what the Event Log shows of each kind of event with the text "x"

// clang-format off
#include <windows.h>
// clang-format on
#include <stdio.h>
#include <string.h>

static const char *state_name(DWORD state)
{
    return state == SERVICE_RUNNING        ? "running"
           : state == SERVICE_STOP_PENDING ? "stopping"
           : state == SERVICE_STOPPED      ? "stopped"
                                           : "other";
}

static int stop(const char *name)
{
    SERVICE_STATUS now;
    SERVICE_STATUS told = {.dwCurrentState = 0};
    SC_HANDLE manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_CONNECT);
    SC_HANDLE service = OpenServiceA(manager, name, SERVICE_STOP | SERVICE_QUERY_STATUS);
    if (service == NULL || !ControlService(service, SERVICE_CONTROL_STOP, &now)) {
        printf("error %lu\n", GetLastError());
        return 1;
    }
    while (told.dwCurrentState != SERVICE_STOPPED) {
        if (now.dwCurrentState != told.dwCurrentState || now.dwCheckPoint != told.dwCheckPoint)
            printf("%s %lu %lu %lu\n", state_name(now.dwCurrentState), now.dwCheckPoint,
                   now.dwWaitHint, now.dwWin32ExitCode);
        told = now;
        if (!QueryServiceStatus(service, &now)) {
            printf("error %lu\n", GetLastError());
            return 1;
        }
    }
    CloseServiceHandle(service);
    CloseServiceHandle(manager);
    return 0;
}

static int show_texts(const char *program)
{
    static const DWORD ids[] = {0xC0000001, 0x80000002, 0x40000003};
    char x[] = "x";
    char *texts[] = {x};
    HMODULE module = LoadLibraryExA(program, NULL, LOAD_LIBRARY_AS_DATAFILE);
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        char text[64] = "";
        DWORD len = FormatMessageA(FORMAT_MESSAGE_FROM_HMODULE | FORMAT_MESSAGE_ARGUMENT_ARRAY,
                                   module, ids[i], 0, text, sizeof text, (va_list *)texts);
        printf("%s", len == 0 ? "none\n" : text);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "stop") == 0)
        return stop(argv[2]);
    if (argc == 3 && strcmp(argv[1], "texts") == 0)
        return show_texts(argv[2]);
    return 2;
}
