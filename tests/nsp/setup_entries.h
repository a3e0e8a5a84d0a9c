// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_NSP_SETUP_ENTRIES_H
#define PNR_TESTS_NSP_SETUP_ENTRIES_H

// Catalogs as words, a letter for each entry, in their order:
//
//   d b      providers of other namespaces
//   N C      Microsoft's, of names and of clouds
//   D        Microsoft's of clouds, disabled and with a blob
//   O        somebody else's of names; L the same, larger than can be remembered
//   n c      ours, with the library of SETUP_TEST_PATH
//   m e      ours, with another library: m under our DLL's name, e under our display string
//   x        ours of names, disabled

#include "nsp/setup/plan.h"

#define SETUP_TEST_PATH u"C:\\Program Files\\pnr\\pnrnsp.dll"

struct setup_entry setup_entries_make(char letter);
void setup_entries_catalog(const char *letters, struct setup_catalog *ret_catalog);

// The letter of an entry, '?' where it is none of these to the last unit.
char setup_entries_letter(const struct setup_entry *entry);
// ret_letters has SETUP_ENTRIES_MAX + 1 bytes.
const char *setup_entries_letters(const struct setup_catalog *catalog, char *ret_letters);

#endif
