// SPDX-License-Identifier: MIT
// regsvr32 pnrnsp.dll, and regsvr32 /u pnrnsp.dll: this DLL into the catalog of its own kind of
// programs, and out of it. It belongs to the DLL alone; nothing of it runs before regsvr32 asks.
#include "nsp/setup/machine.h"
#include "nsp/setup/setup.h"

#include <stdlib.h>

typedef enum setup_exit (*command_function)(struct setup_run *run,
                                            const struct setup_system *system);

HRESULT WINAPI DllRegisterServer(void);
HRESULT WINAPI DllUnregisterServer(void);

// regsvr32 shows it to the user as a number.
static HRESULT result_of(const struct setup_trouble *trouble)
{
    if (trouble->stage == SETUP_STAGE_NONE) {
        return S_OK;
    }
    if (setup_trouble_exit(trouble) == SETUP_EXIT_REFUSED) {
        return E_ACCESSDENIED;
    }
    // Of the codes of our own: SELFREG_E_CLASS.
    return trouble->failure.code > 0 ? HRESULT_FROM_WIN32((DWORD)trouble->failure.code)
                                     : (HRESULT)0x80040201;
}

static bool own_path(WCHAR ret_path[SETUP_PATH_MAX])
{
    HMODULE module;
    const WCHAR *address = (const WCHAR *)(ULONG_PTR)DllRegisterServer;
    DWORD flags =
        GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
    if (!GetModuleHandleExW(flags, address, &module)) {
        return false;
    }
    DWORD len = GetModuleFileNameW(module, ret_path, SETUP_PATH_MAX);
    return len > 0 && len < SETUP_PATH_MAX;
}

static HRESULT do_command(command_function command)
{
    struct setup_system system;
    struct setup_run *run = calloc(1, sizeof *run);
    struct setup_machine *machine = run == NULL ? NULL : setup_machine_open(&system);
    if (machine == NULL) {
        free(run);
        return E_OUTOFMEMORY;
    }
    HRESULT result = HRESULT_FROM_WIN32(ERROR_FILENAME_EXCED_RANGE);
    run->views[SETUP_MACHINE_VIEW] = true;
    if (own_path(run->paths[SETUP_MACHINE_VIEW])) {
        (void)command(run, &system);
        result = result_of(&run->trouble);
    }
    setup_machine_close(machine);
    free(run);
    return result;
}

HRESULT WINAPI DllRegisterServer(void)
{
    return do_command(setup_install);
}

HRESULT WINAPI DllUnregisterServer(void)
{
    return do_command(setup_uninstall);
}
