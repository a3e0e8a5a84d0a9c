// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_DAEMON_WORDS_HELPER_H
#define PNR_TESTS_DAEMON_WORDS_HELPER_H

// A command line of pnrd, as main() is given it.

#include "tests/daemon/unit.h"

#define WORDS_MAX 80

struct words {
    char text[512]; // argv points into it
    char *argv[WORDS_MAX];
    int argc;
};

// The program's name and these words, which are separated by spaces. Of the test that runs, until
// the next call.
static inline struct words *words_of(const char *text)
{
    static struct words words;
    words = (struct words){.argv = {words.text}, .argc = 1};
    int len = snprintf(words.text, sizeof words.text, "pnrd %s", text);
    assert_true(len > 0 && (size_t)len < sizeof words.text);
    for (char *space = strchr(words.text, ' '); space != NULL && space[1] != '\0';
         space = strchr(space + 1, ' ')) {
        *space = '\0';
        words.argv[words.argc++] = space + 1;
        assert_true(words.argc < WORDS_MAX);
    }
    return &words;
}

#endif
