// SPDX-License-Identifier: MIT
// Writes the first inputs of the fuzz targets `recording` and `replay`: make_corpus DIR makes a
// file DIR/NAME of each sample, and DIR/all of all of them. They are without CRCs, as
// tests/fuzz/sealed.h wants them.

#include "tests/recording/samples.h"

#include <stdio.h>
#include <string.h>

#define BARE_LEN 5 // of an entry's head: kind, length

static bool put(const char *folder, const char *name, const char *mode,
                const struct recording_entry *entry)
{
    static uint8_t buf[RECORDING_ENTRY_HEAD_LEN + RECORDING_PAYLOAD_MAX];
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (char *at = path + strlen(folder); *at != '\0'; at++)
        *at = *at == ' ' ? '-' : *at;
    FILE *file = fopen(path, mode);
    size_t len = recording_entry_write(entry, buf, sizeof buf);
    size_t payload_len = len - RECORDING_ENTRY_HEAD_LEN;
    bool ok = file != NULL && fwrite(buf, 1, BARE_LEN, file) == BARE_LEN &&
              fwrite(buf + RECORDING_ENTRY_HEAD_LEN, 1, payload_len, file) == payload_len;
    return file != NULL && fclose(file) == 0 && ok;
}

int main(int argc, char **argv)
{
    struct sample samples[SAMPLES_MAX];
    size_t count = samples_make(samples);
    bool ok = argc == 2;
    for (size_t i = 0; ok && i < count; i++)
        ok = put(argv[1], samples[i].name, "wb", &samples[i].entry) &&
             put(argv[1], "all", i == 0 ? "wb" : "ab", &samples[i].entry);
    return ok ? 0 : 1;
}
