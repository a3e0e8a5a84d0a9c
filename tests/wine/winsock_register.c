// SPDX-License-Identifier: MIT
// A program that registers names with WSASetService, as Microsoft's samples do. Of each line of its
// input it says "ok" or "error CODE":
//
//     register NAME PORT [IDENTITY]    192.0.2.77 and that port
//     delete NAME
//
// At the end of its input it leaves, and with it what it has registered.
#include "tests/wine/winsock_program.h"

static void answer(INT status)
{
    if (status == 0) {
        winsock_say("ok");
    } else {
        printf("error %d\n", WSAGetLastError());
        fflush(stdout);
    }
}

static void do_register(WCHAR *name, int port, WCHAR *identity)
{
    SOCKADDR_IN addr = {.sin_family = AF_INET};
    addr.sin_addr.s_addr = htonl(0xc000024d);
    addr.sin_port = htons((u_short)port);
    CSADDR_INFO address = {.iProtocol = IPPROTO_TCP, .iSocketType = SOCK_STREAM};
    address.LocalAddr.lpSockaddr = (LPSOCKADDR)&addr;
    address.LocalAddr.iSockaddrLength = sizeof addr;
    PNRPINFO info = {.dwSize = sizeof info, .lpwszIdentity = identity, .dwLifetime = 3600};
    BLOB blob = {sizeof info, (BYTE *)&info};
    WCHAR comment[] = L"by Winsock";
    WSAQUERYSETW set = {.dwSize = sizeof set,
                        .lpszServiceInstanceName = name,
                        .lpServiceClassId = &winsock_class,
                        .lpszComment = comment,
                        .dwNameSpace = NS_PNRPNAME,
                        .dwNumberOfCsAddrs = 1,
                        .lpcsaBuffer = &address,
                        .lpBlob = &blob};
    answer(WSASetServiceW(&set, RNRSERVICE_REGISTER, 0));
}

static void do_delete(WCHAR *name)
{
    PNRPINFO info = {.dwSize = sizeof info};
    BLOB blob = {sizeof info, (BYTE *)&info};
    WSAQUERYSETW set = {.dwSize = sizeof set,
                        .lpszServiceInstanceName = name,
                        .lpServiceClassId = &winsock_class,
                        .dwNameSpace = NS_PNRPNAME,
                        .lpBlob = &blob};
    answer(WSASetServiceW(&set, RNRSERVICE_DELETE, 0));
}

int main(void)
{
    WSADATA data;
    char line[600];
    if (WSAStartup(MAKEWORD(2, 2), &data) != 0) {
        return 2;
    }
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *verb = strtok(line, " \r\n");
        char *name = strtok(NULL, " \r\n");
        char *port = strtok(NULL, " \r\n");
        char *identity = strtok(NULL, " \r\n");
        WCHAR wide_name[256] = L"", wide_identity[256] = L"";
        if (verb == NULL || name == NULL) {
            continue;
        }
        winsock_widen(name, wide_name, 256);
        if (strcmp(verb, "delete") == 0) {
            do_delete(wide_name);
        } else if (port != NULL) {
            winsock_widen(identity != NULL ? identity : "", wide_identity, 256);
            do_register(wide_name, atoi(port), identity != NULL ? wide_identity : NULL);
        }
    }
    return WSACleanup() == 0 ? 0 : winsock_error("WSACleanup");
}
