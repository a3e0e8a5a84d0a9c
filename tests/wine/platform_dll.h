// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_WINE_PLATFORM_DLL_H
#define PNR_TESTS_WINE_PLATFORM_DLL_H

// What platform_dll.dll exports.

#include <stdbool.h>
#include <stdint.h>

__declspec(dllexport) bool dll_watch_threads(uint64_t *ret_ended); // the last marked one that ended
__declspec(dllexport) bool dll_mark(void);
__declspec(dllexport) void dll_unwatch_threads(void);
__declspec(dllexport) bool dll_queue_apc(unsigned *ret_runs); // pins the DLL until it has run
__declspec(dllexport) bool dll_run_thread(void *event);       // a thread that sets the event

#endif
