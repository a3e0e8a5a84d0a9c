// SPDX-License-Identifier: MIT
#include "bench/program.h"

#include "bench/system.h"

#include <stdio.h>
#include <string.h>

NSP_ROUTINE bench_program_entries;
static GUID provider; // what programs pass is not const

static int code_of(INT status)
{
    return status == NO_ERROR ? 0 : WSAGetLastError();
}

static _Noreturn void die(const char *entry, int code)
{
    char text[32];
    snprintf(text, sizeof text, "says %d", code);
    bench_die(entry, text);
}

void bench_program_start(const char *address)
{
    bench_set_variable("PNR_CONTROL", address);
    provider = NS_PROVIDER_PNRPNAME;
    bench_program_entries.cbSize = sizeof bench_program_entries;
    int code = code_of(NSPStartup(&provider, &bench_program_entries));
    if (code != 0)
        die("NSPStartup", code);
}

void bench_program_stop(void)
{
    int code = code_of(bench_program_entries.NSPCleanup(&provider));
    if (code != 0)
        die("NSPCleanup", code);
}

void bench_program_ask(struct bench_program_query *query, const char *name, const GUID *class_id)
{
    memset(query, 0, sizeof *query);
    query->flags = LUP_RETURN_ALL;
    for (size_t i = 0; i < 127 && name[i] != '\0'; i++)
        query->name[i] = (WCHAR)name[i];
    query->class_id = *class_id;
    query->info.dwSize = sizeof query->info;
    query->info.nMaxResolve = 1;
    query->info.enResolveCriteria = PNRP_RESOLVE_CRITERIA_ANY_PEER_NAME;
    query->blob = (BLOB){sizeof query->info, (BYTE *)&query->info};
    query->set.dwSize = sizeof query->set;
    query->set.lpszServiceInstanceName = query->name;
    query->set.lpServiceClassId = &query->class_id;
    query->set.dwNameSpace = NS_PNRPNAME;
    query->set.lpBlob = &query->blob;
}

int bench_program_begin(struct bench_program_query *query, HANDLE *ret_handle)
{
    return code_of(bench_program_entries.NSPLookupServiceBegin(&provider, &query->set, NULL,
                                                               query->flags, ret_handle));
}

static HANDLE must_begin(const char *name, DWORD more_flags)
{
    struct bench_program_query query;
    HANDLE handle = NULL;
    bench_program_ask(&query, name, &SVCID_PNRPNAME_V2);
    query.flags |= more_flags;
    int code = bench_program_begin(&query, &handle);
    if (code != 0)
        die("NSPLookupServiceBegin", code);
    return handle;
}

HANDLE bench_program_must_begin(const char *name)
{
    return must_begin(name, 0);
}

HANDLE bench_program_must_begin_anew(const char *name)
{
    return must_begin(name, LUP_FLUSHCACHE);
}

int bench_program_next(HANDLE handle)
{
    uint64_t buf[512];
    DWORD len = sizeof buf;
    return code_of(
        bench_program_entries.NSPLookupServiceNext(handle, 0, &len, (LPWSAQUERYSETW)(void *)buf));
}

void bench_program_end(HANDLE handle)
{
    int code = code_of(bench_program_entries.NSPLookupServiceEnd(handle));
    if (code != 0)
        die("NSPLookupServiceEnd", code);
}

int bench_program_notify(HANDLE handle, WSACOMPLETION *how, WSATHREADID *thread)
{
    DWORD bytes;
    return code_of(bench_program_entries.NSPIoctl(handle, SIO_NSP_NOTIFY_CHANGE, NULL, 0, NULL, 0,
                                                  &bytes, how, thread));
}
