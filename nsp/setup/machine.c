// SPDX-License-Identifier: MIT
#include "nsp/setup/machine.h"

#include "nsp/guid.h"
#include "nsp/setup/registry.h"

#include <stdlib.h>
#include <string.h>

typedef INT(WSAAPI *install_function)(LPWSTR display, LPWSTR path, DWORD name_space, DWORD version,
                                      LPGUID id);
typedef INT(WSAAPI *install_blob_function)(LPWSTR display, LPWSTR path, DWORD name_space,
                                           DWORD version, LPGUID id, LPBLOB blob);
typedef INT(WSAAPI *uninstall_function)(LPGUID id);
typedef INT(WSAAPI *enable_function)(LPGUID id, BOOL enabled);
typedef INT(WSAAPI *arrange_function)(LPGUID ids, DWORD count); // returns the error itself
typedef INT(WSAAPI *list_function)(LPDWORD len, LPWSANAMESPACE_INFOW infos);

// NULL where this Winsock has no such function.
struct functions {
    install_function install;
    install_blob_function install_blob;
    uninstall_function uninstall;
    enable_function enable;
    arrange_function arrange;
    list_function list;
};

struct setup_machine {
    bool started; // WSAStartup
    struct functions functions[SETUP_VIEWS];
    struct setup_catalog catalog; // as read to see what has become of a change
};

typedef void (*any_function)(void);

// Of a 64-bit ws2_32.dll, the functions for the catalog of 32-bit programs end in 32.
static void find_functions(struct functions *functions, bool is_own)
{
    HMODULE ws2_32 = GetModuleHandleW(L"ws2_32.dll");
    const char *const names[][2] = {
        {"WSCInstallNameSpace32", "WSCInstallNameSpace"},
        {"WSCInstallNameSpaceEx32", "WSCInstallNameSpaceEx"},
        {"WSCUnInstallNameSpace32", "WSCUnInstallNameSpace"},
        {"WSCEnableNSProvider32", "WSCEnableNSProvider"},
        {"WSCWriteNameSpaceOrder32", "WSCWriteNameSpaceOrder"},
        {"WSCEnumNameSpaceProviders32", "WSAEnumNameSpaceProvidersW"},
    };
    any_function found[6];
    for (size_t i = 0; i < 6; i++) {
        found[i] = (any_function)GetProcAddress(ws2_32, names[i][is_own]);
    }
    *functions = (struct functions){
        (install_function)found[0], (install_blob_function)found[1], (uninstall_function)found[2],
        (enable_function)found[3],  (arrange_function)found[4],      (list_function)found[5],
    };
}

static int code_of(INT status)
{
    if (status == 0) {
        return 0;
    }
    int code = WSAGetLastError();
    return code != 0 ? code : WSASYSCALLFAILURE;
}

// ---- reading ----

// Whether Winsock lists an entry of ours. Not where it cannot be asked.
static bool is_listed(const struct functions *functions, const GUID *id)
{
    DWORD len = 0;
    bool found = false;
    if (functions->list == NULL || functions->list(&len, NULL) != SOCKET_ERROR ||
        WSAGetLastError() != WSAEFAULT) {
        return false;
    }
    WSANAMESPACE_INFOW *infos = calloc(1, len);
    int count = infos == NULL ? 0 : functions->list(&len, infos);
    for (int i = 0; i < count; i++) {
        found = found || nsp_guid_equal(&infos[i].NSProviderId, id);
    }
    free(infos);
    return found;
}

static int machine_read(void *ctx, enum setup_view view, struct setup_state *ret_state)
{
    const struct setup_machine *machine = ctx;
    memset(ret_state, 0, sizeof *ret_state);
    int code = setup_registry_catalog(view, &ret_state->catalog);
    if (code == 0) {
        code = setup_registry_memory(view, &ret_state->memory);
    }
    // What cannot be read could not be restored.
    for (size_t i = 0; i < SETUP_PROVIDERS && code == 0; i++) {
        const GUID *id = setup_catalog_provider(i);
        if (setup_catalog_find(&ret_state->catalog, id) == NULL &&
            is_listed(&machine->functions[view], id)) {
            code = SETUP_CODE_UNREADABLE;
        }
    }
    return code;
}

static const struct setup_entry *look_up(struct setup_machine *machine, enum setup_view view,
                                         const GUID *id)
{
    int code = setup_registry_catalog(view, &machine->catalog);
    return code == 0 ? setup_catalog_find(&machine->catalog, id) : NULL;
}

// ---- changing ----

static int uninstall(const struct functions *functions, const GUID *id)
{
    GUID copy = *id;
    return functions->uninstall == NULL ? SETUP_CODE_MISSING : code_of(functions->uninstall(&copy));
}

static int machine_uninstall(void *ctx, enum setup_view view, const GUID *id)
{
    struct setup_machine *machine = ctx;
    int code = uninstall(&machine->functions[view], id);
    return code == 0 && look_up(machine, view, id) != NULL ? SETUP_CODE_NOT_KEPT : code;
}

// Puts an entry in, enabled as Winsock makes them.
static int install(const struct functions *functions, struct setup_entry *entry)
{
    BLOB blob = {.cbSize = (ULONG)entry->blob_len, .pBlobData = entry->blob};
    if (entry->blob_len == 0) {
        return functions->install == NULL
                   ? SETUP_CODE_MISSING
                   : code_of(functions->install(entry->display, entry->path, entry->name_space,
                                                entry->version, &entry->id));
    }
    return functions->install_blob == NULL
               ? SETUP_CODE_MISSING
               : code_of(functions->install_blob(entry->display, entry->path, entry->name_space,
                                                 entry->version, &entry->id, &blob));
}

static int disable(const struct functions *functions, struct setup_entry *entry)
{
    return functions->enable == NULL ? SETUP_CODE_MISSING
                                     : code_of(functions->enable(&entry->id, FALSE));
}

static int machine_install(void *ctx, enum setup_view view, const struct setup_entry *entry)
{
    struct setup_machine *machine = ctx;
    const struct functions *functions = &machine->functions[view];
    struct setup_entry copy = *entry;
    int code = install(functions, &copy);
    if (code != 0) {
        return code;
    }
    if (!entry->enabled) {
        code = disable(functions, &copy);
    }
    const struct setup_entry *there = look_up(machine, view, &entry->id);
    if (code == 0 && there == NULL) {
        code = SETUP_CODE_NOT_KEPT;
    }
    if (code != 0) {
        (void)uninstall(functions, &entry->id);
    }
    return code;
}

static int machine_arrange(void *ctx, enum setup_view view, const struct setup_order *order)
{
    struct setup_machine *machine = ctx;
    struct setup_order copy = *order;
    arrange_function arrange = machine->functions[view].arrange;
    // This one returns the error, and has it nowhere else.
    return arrange == NULL ? 0 : arrange(copy.ids, (DWORD)copy.count);
}

static int machine_access(void *ctx)
{
    (void)ctx;
    return setup_registry_access();
}

static int machine_remember(void *ctx, enum setup_view view, size_t provider,
                            const struct setup_kept *kept)
{
    (void)ctx;
    return setup_registry_remember(view, provider, kept);
}

static int machine_forget(void *ctx, enum setup_view view, size_t provider)
{
    (void)ctx;
    return setup_registry_forget(view, provider);
}

// ---- life ----

struct setup_machine *setup_machine_open(struct setup_system *ret_system)
{
    WSADATA data;
    struct setup_machine *machine = calloc(1, sizeof *machine);
    if (machine == NULL) {
        return NULL;
    }
    // Listing needs it; what does not start is told by what is done next.
    machine->started = WSAStartup(MAKEWORD(2, 2), &data) == 0;
    find_functions(&machine->functions[SETUP_MACHINE_VIEW], true);
    if (SETUP_MACHINE_VIEW == SETUP_VIEW_64) {
        find_functions(&machine->functions[SETUP_VIEW_32], false);
    }
    *ret_system = (struct setup_system){
        machine,           machine_access,  machine_read,     machine_install,
        machine_uninstall, machine_arrange, machine_remember, machine_forget,
    };
    return machine;
}

void setup_machine_close(struct setup_machine *machine)
{
    if (machine->started) {
        WSACleanup();
    }
    free(machine);
}
