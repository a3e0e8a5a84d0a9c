// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_WINE_WS2_32_QUERY_H
#define PNR_TESTS_WINE_WS2_32_QUERY_H

// The queries of this process: WSALookupServiceBeginW, NextW, End and WSANSPIoctl, each a sequence
// of the providers that took it. A query is counted: End takes it away while Next may still be in a
// provider.

#include "tests/wine/ws2_32/provider.h"

#define SHIM_QUERIES_MAX 4096

void shim_query_setup(void);

// At the last WSACleanup: the handles are gone, the providers are not told.
void shim_query_forget_all(void);

// A thread ends: its handle, which providers were given for APCs, goes with it.
void shim_query_thread_exit(void);

#endif
