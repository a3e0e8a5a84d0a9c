// SPDX-License-Identifier: MIT
#include "tests/nsp/setup_entries.h"

#include <assert.h>
#include <string.h>

#define NAMES  0
#define CLOUDS 1

static const struct {
    char letter;
    int provider; // -1: another id, the letter in its first byte
    const WCHAR *path;
    const WCHAR *display; // NULL: ours
} table[] = {
    {'d', -1, u"%SystemRoot%\\System32\\mswsock.dll", u"Tcpip"},
    {'b', -1, u"%SystemRoot%\\system32\\wshbth.dll", u"@%SystemRoot%\\system32\\wshbth.dll,-100"},
    {'N', NAMES, u"%SystemRoot%\\system32\\pnrpnsp.dll",
     u"@%SystemRoot%\\system32\\pnrpnsp.dll,-1001"},
    {'C', CLOUDS, u"%SystemRoot%\\system32\\PNRPNSP.DLL",
     u"@%SystemRoot%\\system32\\pnrpnsp.dll,-1000"},
    {'D', CLOUDS, u"%SystemRoot%\\system32\\pnrpnsp.dll", u"PNRP Cloud"},
    {'O', NAMES, u"D:\\other\\names.dll", u"Other names"},
    {'L', NAMES, u"D:\\other\\names.dll", u"Other names"},
    {'n', NAMES, SETUP_TEST_PATH, NULL},
    {'c', CLOUDS, SETUP_TEST_PATH, NULL},
    {'m', NAMES, u"D:\\old\\PNRNSP.dll", u"an old display string"},
    {'e', CLOUDS, u"D:\\built\\provider.dll", NULL},
    {'x', NAMES, SETUP_TEST_PATH, NULL},
};

#define COUNT (sizeof table / sizeof table[0])

struct setup_entry setup_entries_make(char letter)
{
    struct setup_entry entry;
    size_t i = 0;
    while (i < COUNT && table[i].letter != letter) {
        i++;
    }
    assert(i < COUNT);
    bool good = setup_catalog_own(table[i].provider == CLOUDS, table[i].path, &entry);
    if (table[i].provider < 0) {
        memset(&entry.id, 0x5A, sizeof entry.id);
        memset(&entry.id, letter, 1);
        entry.name_space = NS_DNS;
    }
    if (table[i].display != NULL) {
        entry.version = 0;
        good = good && setup_text_copy(table[i].display, entry.display, SETUP_DISPLAY_MAX);
    }
    assert(good);
    entry.enabled = letter != 'D' && letter != 'x';
    entry.cut = letter == 'L';
    if (letter == 'D') {
        entry.blob_len = 5;
        memcpy(entry.blob, "blob", 5);
    }
    return entry;
}

void setup_entries_catalog(const char *letters, struct setup_catalog *ret_catalog)
{
    memset(ret_catalog, 0, sizeof *ret_catalog);
    for (; *letters != '\0'; letters++) {
        ret_catalog->entries[ret_catalog->count++] = setup_entries_make(*letters);
    }
}

char setup_entries_letter(const struct setup_entry *entry)
{
    for (size_t i = 0; i < COUNT; i++) {
        struct setup_entry made = setup_entries_make(table[i].letter);
        if (setup_catalog_same(entry, &made)) {
            return table[i].letter;
        }
    }
    return '?';
}

const char *setup_entries_letters(const struct setup_catalog *catalog, char *ret_letters)
{
    for (size_t i = 0; i < catalog->count; i++) {
        ret_letters[i] = setup_entries_letter(&catalog->entries[i]);
    }
    ret_letters[catalog->count] = '\0';
    return ret_letters;
}
