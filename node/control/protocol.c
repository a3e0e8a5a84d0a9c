// SPDX-License-Identifier: MIT
#include "node/control/protocol.h"

#include <string.h>

struct request {
    const char *word;
    enum control_access access;
};

static const struct request requests[CONTROL_REQUEST_COUNT] = {
    [CONTROL_REQUEST_UNKNOWN] = {"", CONTROL_ACCESS_RESOLVE},
#define REQUEST_ROW(name, word, access, meaning)                                                   \
    [CONTROL_REQUEST_##name] = {word, CONTROL_ACCESS_##access},
    CONTROL_REQUESTS(REQUEST_ROW)
#undef REQUEST_ROW
};

static const char *const answers[] = {
    [CONTROL_ANSWER_RESULT] = CONTROL_ANSWER_TEXT_RESULT,
    [CONTROL_ANSWER_PROGRESS] = CONTROL_ANSWER_TEXT_PROGRESS,
    [CONTROL_ANSWER_DONE] = CONTROL_ANSWER_TEXT_DONE,
    [CONTROL_ANSWER_ERROR] = CONTROL_ANSWER_TEXT_ERROR,
};

#define WORD_ROW(name, word) word,
static const char *const waits[] = {CONTROL_WAITS(WORD_ROW)};
static const char *const sources[] = {CONTROL_SOURCES(WORD_ROW)};
static const char *const steps[] = {CONTROL_STEPS(WORD_ROW)};
static const char *const states[] = {CONTROL_STATES(WORD_ROW)};
static const char *const scopes[] = {CONTROL_SCOPES(WORD_ROW)};
static const char *const cloud_states[] = {CONTROL_CLOUD_STATES(WORD_ROW)};
static const char *const outcomes[] = {CONTROL_OUTCOMES(WORD_ROW)};
static const char *const criteria[] = {CONTROL_CRITERIA(WORD_ROW)};
static const char *const findings[] = {CONTROL_FINDINGS(WORD_ROW)};
static const char *const events[] = {CONTROL_EVENTS(WORD_ROW)};
#undef WORD_ROW

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *const *words;
    size_t count;
} vocabularies[] = {
    [CONTROL_VOCABULARY_WAIT] = {waits, COUNT(waits)},
    [CONTROL_VOCABULARY_SOURCE] = {sources, COUNT(sources)},
    [CONTROL_VOCABULARY_STEP] = {steps, COUNT(steps)},
    [CONTROL_VOCABULARY_STATE] = {states, COUNT(states)},
    [CONTROL_VOCABULARY_OUTCOME] = {outcomes, COUNT(outcomes)},
    [CONTROL_VOCABULARY_FINDING] = {findings, COUNT(findings)},
    [CONTROL_VOCABULARY_EVENT] = {events, COUNT(events)},
    [CONTROL_VOCABULARY_CRITERIA] = {criteria, COUNT(criteria)},
    [CONTROL_VOCABULARY_SCOPE] = {scopes, COUNT(scopes)},
    [CONTROL_VOCABULARY_CLOUD_STATE] = {cloud_states, COUNT(cloud_states)},
};

static bool is_word(struct dht_span span, const char *word)
{
    size_t len = strlen(word);
    return span.len == len && len != 0 && memcmp(span.data, word, len) == 0;
}

enum control_request control_protocol_request(struct dht_span word)
{
    for (int i = 1; i < CONTROL_REQUEST_COUNT; i++) {
        if (is_word(word, requests[i].word)) {
            return (enum control_request)i;
        }
    }
    return CONTROL_REQUEST_UNKNOWN;
}

const char *control_protocol_request_word(enum control_request request)
{
    return (unsigned)request < CONTROL_REQUEST_COUNT ? requests[request].word : "";
}

enum control_access control_protocol_request_access(enum control_request request)
{
    bool known = (unsigned)request < CONTROL_REQUEST_COUNT;
    return known ? requests[request].access : CONTROL_ACCESS_RESOLVE;
}

enum control_answer control_protocol_answer(struct dht_span word)
{
    for (size_t i = 0; i < COUNT(answers); i++) {
        if (is_word(word, answers[i])) {
            return (enum control_answer)i;
        }
    }
    return CONTROL_ANSWER_UNKNOWN;
}

const char *control_protocol_answer_word(enum control_answer answer)
{
    return (size_t)answer < COUNT(answers) ? answers[answer] : "";
}

const char *control_protocol_word(enum control_vocabulary vocabulary, int value)
{
    if ((size_t)vocabulary >= COUNT(vocabularies) || value < 0 ||
        (size_t)value >= vocabularies[vocabulary].count) {
        return "";
    }
    return vocabularies[vocabulary].words[value];
}

int control_protocol_value(enum control_vocabulary vocabulary, struct dht_span word)
{
    if ((size_t)vocabulary >= COUNT(vocabularies)) {
        return -1;
    }
    for (size_t i = 0; i < vocabularies[vocabulary].count; i++) {
        if (is_word(word, vocabularies[vocabulary].words[i])) {
            return (int)i;
        }
    }
    return -1;
}
