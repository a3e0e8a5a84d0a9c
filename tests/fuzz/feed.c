// SPDX-License-Identifier: MIT
// The main of a fuzz target where there is no libFuzzer: feeds it each file, and each file of each
// folder, that it is told of. So the kept corpus is a regression test in every build.
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>

#define INPUT_MAX (1 << 20)

static size_t fed;

static int feed_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(INPUT_MAX);
    if (file == NULL || bytes == NULL) {
        fprintf(stderr, "cannot read %s\n", path);
        free(bytes);
        return 1;
    }
    size_t len = fread(bytes, 1, INPUT_MAX, file);
    fclose(file);
    // In memory of exactly its length, so that a read past its end is seen.
    uint8_t *exact = malloc(len > 0 ? len : 1);
    if (exact != NULL) {
        memcpy(exact, bytes, len);
        LLVMFuzzerTestOneInput(exact, len);
        fed++;
    }
    free(exact);
    free(bytes);
    return exact != NULL ? 0 : 1;
}

static int feed(const char *path)
{
    DIR *dir = opendir(path);
    int failed = 0;
    if (dir == NULL)
        return feed_file(path);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char file[1024];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        failed |= feed_file(file);
    }
    closedir(dir);
    return failed;
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++)
        failed |= feed(argv[i]);
    printf("%zu inputs\n", fed);
    return failed != 0 || fed == 0;
}
