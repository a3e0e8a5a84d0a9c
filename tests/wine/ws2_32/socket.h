// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_WINE_WS2_32_SOCKET_H
#define PNR_TESTS_WINE_WS2_32_SOCKET_H

// What programs and providers do with sockets, handed on to Wine's, but never while the last
// WSACleanup closes them all: where a socket is closed while another thread is in a call with it,
// Wine's server (8.0) keeps an eye on what is no socket any more, and now and then falls over it.
// With it go all programs of the prefix: those that talk to it say "wine client error", and those
// that wait for something wait for ever.
//
// The calls are those that a provider makes on its thread. None of them is to block, for WSACleanup
// waits for their return; a select() that is told to wait is let go without this.

#include "pnr/winsock.h"

// A function of the renamed copy of Wine's own ws2_32. Bug: it has none of this name.
FARPROC shim_socket_real(const char *name);

// Around Wine's WSACleanup: no call is made between the two.
void shim_socket_close_begin(void);
void shim_socket_close_end(void);

#endif
