// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_PAGES_H
#define PNR_SIMNET_PAGES_H

// Large pages of memory for large simulations. With many brains nearly every message touches memory
// whose page the processor has forgotten; glibc's malloc asks for larger pages only where the
// environment says so when the program starts.

// Starts the program again, once, with the environment that asks for them: call it first in main().
// Returns where that was done already, the user has set GLIBC_TUNABLES himself, or there is no way.
// Changes speed alone, never a trace.
void simnet_pages_large(char *argv[]);

#endif
