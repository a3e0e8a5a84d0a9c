// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_SETUP_MACHINE_H
#define PNR_NSP_SETUP_MACHINE_H

// This Windows as a struct setup_system: Winsock's functions for its catalogs and the registry
// beside them. A 64-bit process reaches both catalogs, a 32-bit one that of 32-bit programs.
//
// The functions are looked for in the ws2_32.dll that is loaded, since not every Windows has all of
// them, and a provider must load where one is missing. What Winsock says it has done is looked up.

#include "nsp/setup/system.h"

// The catalog that a process of this kind has as its own.
#ifdef _WIN64
#define SETUP_MACHINE_VIEW SETUP_VIEW_64
#else
#define SETUP_MACHINE_VIEW SETUP_VIEW_32
#endif

struct setup_machine;

// Starts Winsock; NULL where there is no memory. Closing it ends Winsock again.
struct setup_machine *setup_machine_open(struct setup_system *ret_system);
void setup_machine_close(struct setup_machine *machine);

#endif
