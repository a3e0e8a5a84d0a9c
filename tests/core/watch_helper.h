// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_CORE_WATCH_HELPER_H
#define PNR_TESTS_CORE_WATCH_HELPER_H

// What a client that watches a name was told, in short.

#include "tests/core/brains_helper.h"

#include <stdio.h>

static inline char helper_sign_of(const struct brains_answer *answer)
{
    if (helper_has_text(answer, CONTROL_KEY_EVENT, "added"))
        return '+';
    return helper_has_text(answer, CONTROL_KEY_EVENT, "changed") ? '~' : '-';
}

// Publishers come in the order of their machines' ids, which are random.
static inline void helper_order(char *text)
{
    char *pair = strstr(text, "+2000 +1000");
    if (pair != NULL)
        memcpy(pair, "+1000 +2000", strlen("+1000 +2000"));
}

// All answers to a watch in short: "+1000 w ~2000 -", w for the first picture being whole, e3 for
// error 3.
static inline const char *helper_told(const struct brains *brains, size_t node, uint32_t id)
{
    static char text[4096];
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < brains->answer_counts[node]; i++) {
        const struct brains_answer *answer = &brains->answers[node][i];
        if (answer->id != id)
            continue;
        assert_true(len + 16 < sizeof text);
        if (answer->kind == CONTROL_ANSWER_PROGRESS) {
            assert_true(helper_has_text(answer, CONTROL_KEY_STEP, "watching"));
            len += (size_t)sprintf(text + len, "w ");
        } else if (answer->kind == CONTROL_ANSWER_ERROR) {
            len += (size_t)sprintf(text + len, "e%d ", brains_error(answer));
        } else if (helper_sign_of(answer) == '-') {
            len += (size_t)sprintf(text + len, "- ");
        } else {
            len +=
                (size_t)sprintf(text + len, "%c%d ", helper_sign_of(answer), helper_port(answer));
        }
    }
    if (len > 0)
        text[len - 1] = '\0';
    helper_order(text);
    return text;
}

// Lets time pass until that is among what the watch was told, at most a virtual minute; how long.
static inline int64_t helper_told_after_us(struct brains *brains, size_t node, uint32_t id,
                                           const char *wanted)
{
    int64_t begun_us = brains->now_us;
    while (strstr(helper_told(brains, node, id), wanted) == NULL &&
           brains->now_us - begun_us < MINUTE)
        brains_run(brains, SECOND / 20);
    return brains->now_us - begun_us;
}

#endif
