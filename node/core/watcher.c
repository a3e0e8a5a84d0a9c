// SPDX-License-Identifier: MIT
#include "node/core/watcher.h"

#include <stdlib.h>
#include <string.h>

void core_watcher_free(struct core_watcher *watcher)
{
    core_picture_fini(&watcher->picture);
    free(watcher);
}

// ---- what the client knows ----

static bool read_known(struct dht_span raw, struct core_mark_identity *ret_identity)
{
    struct dht_span mark;
    struct dht_span publisher;
    if (raw.data[0] != 'd' || !control_fields_string(raw, CONTROL_KEY_MARK, &mark) ||
        !control_fields_string(raw, CONTROL_KEY_PUBLISHER, &publisher) ||
        mark.len != CORE_MARK_LEN || publisher.len != CORE_PUBLISHER_LEN)
        return false;
    memcpy(ret_identity->mark, mark.data, CORE_MARK_LEN);
    memcpy(ret_identity->publisher, publisher.data, CORE_PUBLISHER_LEN);
    return true;
}

// Returns what is wrong with it, or NULL.
static const char *read_all_known(struct dht_span arguments, struct core_picture *picture)
{
    struct dht_span raw;
    struct core_mark_identity identity;
    if (control_fields_find(arguments, CONTROL_KEY_KNOWN, &raw) && raw.data[0] != 'l')
        return "known is a list";
    struct dht_bencode_cursor walk = control_fields_list(arguments, CONTROL_KEY_KNOWN);
    while (control_fields_next(&walk, &raw)) {
        if (!read_known(raw, &identity))
            return "each of the known has a publisher of 16 bytes and a mark of 8";
        if (!core_picture_put(picture, &identity))
            return "at most 256 publishers can be known";
    }
    return NULL;
}

struct core_watcher *core_watcher_new(struct core_request *request, struct dht_span arguments,
                                      const char **ret_wrong)
{
    struct core_watcher *watcher = calloc(1, sizeof *watcher);
    *ret_wrong = NULL;
    if (watcher == NULL)
        return NULL;
    watcher->request = request;
    *ret_wrong = read_all_known(arguments, &watcher->picture);
    if (*ret_wrong == NULL)
        return watcher;
    core_watcher_free(watcher);
    return NULL;
}

// ---- telling ----

// The next result from *inout_at on that the watcher's request wants, and who says it; *inout_at is
// then its number. False where there is none. Who is not wanted is, to this client, not there.
static bool find_wanted(struct node *node, const struct core_watcher *watcher,
                        const struct core_watcher_view *view, uint32_t *inout_at,
                        struct core_mark_identity *ret_identity)
{
    uint32_t at = *inout_at;
    while (at < view->count && !view->is_wanted(node, view->what, at, watcher->request))
        at++;
    if (at == view->count)
        return false;
    view->identify(node, view->what, at, ret_identity);
    *inout_at = at;
    return true;
}

// Lays what there is beside the picture.
static void look(struct node *node, struct core_watcher *watcher,
                 const struct core_watcher_view *view)
{
    struct core_mark_identity identity;
    core_picture_begin(&watcher->picture);
    for (uint32_t i = 0; find_wanted(node, watcher, view, &i, &identity); i++)
        core_picture_look(&watcher->picture, &identity);
}

static bool has_room(struct node *node, struct core_watcher *watcher)
{
    watcher->behind = !core_session_has_room(node, watcher->request->session);
    return !watcher->behind;
}

// Says which publishers are gone. False where the client is too slow for all of them.
static bool tell_gone(struct node *node, struct core_watcher *watcher, const struct core_name *name)
{
    const struct core_mark_identity *missing;
    while ((missing = core_picture_missing(&watcher->picture)) != NULL) {
        struct core_mark_identity identity = *missing;
        if (!has_room(node, watcher))
            return false;
        CORE_COUNT(node, watch_changes);
        core_result_tell_gone(node, watcher->request, name, &identity);
        core_picture_remove(&watcher->picture, &identity);
    }
    return true;
}

static bool tell_new(struct node *node, struct core_watcher *watcher,
                     const struct core_watcher_view *view)
{
    struct core_watcher_news news = {.request = watcher->request};
    struct core_mark_identity identity;
    for (uint32_t i = 0; find_wanted(node, watcher, view, &i, &identity); i++) {
        enum core_picture_change change = core_picture_look(&watcher->picture, &identity);
        if (change == CORE_PICTURE_SAME)
            continue;
        if (!has_room(node, watcher))
            return false;
        if (!core_picture_put(&watcher->picture, &identity)) {
            CORE_COUNT(node, watch_untold);
            continue;
        }
        bool added = change == CORE_PICTURE_ADDED;
        news.event = control_protocol_word(CONTROL_VOCABULARY_EVENT,
                                           added ? CONTROL_EVENT_ADDED : CONTROL_EVENT_CHANGED);
        CORE_COUNT(node, watch_changes);
        view->tell(node, view->what, i, &news);
    }
    return true;
}

static void tell_whole(struct node *node, struct core_watcher *watcher)
{
    struct core_answer answer;
    if (watcher->told_whole || !has_room(node, watcher))
        return;
    core_answer_begin(&answer, watcher->request, CONTROL_ANSWER_PROGRESS);
    dht_bencode_pair_text(&answer.writer, CONTROL_KEY_STEP,
                          control_protocol_word(CONTROL_VOCABULARY_STEP, CONTROL_STEP_WATCHING));
    watcher->told_whole = core_answer_end(node, &answer);
    watcher->behind = !watcher->told_whole;
}

void core_watcher_show(struct node *node, struct core_watcher *watcher,
                       const struct core_watcher_view *view, bool whole)
{
    watcher->behind = false;
    look(node, watcher, view);
    // What the client knows may not have been found yet.
    if (whole && !tell_gone(node, watcher, view->name))
        return;
    if (tell_new(node, watcher, view) && whole)
        tell_whole(node, watcher);
}

// ---- records ----

// A record's results, as core_watcher_show() takes them.
struct record_view {
    const struct core_result *result;
    uint8_t entries[CORE_RECORD_ENTRIES_MAX + 1];
};

static void identify(struct node *node, const void *what, uint32_t at,
                     struct core_mark_identity *ret_identity)
{
    const struct record_view *view = what;
    core_result_identity(node, view->result->record, view->entries[at], ret_identity);
}

static bool is_wanted(struct node *node, const void *what, uint32_t at,
                      const struct core_request *request)
{
    const struct record_view *view = what;
    return core_result_is_wanted(node, request, view->result, view->entries[at]);
}

static void tell(struct node *node, const void *what, uint32_t at,
                 const struct core_watcher_news *news)
{
    const struct record_view *view = what;
    struct core_result result = *view->result;
    result.event = news->event;
    core_result_tell(node, news->request, &result, view->entries[at]);
}

void core_watcher_show_record(struct node *node, struct core_watcher *watcher,
                              const struct core_result *what, bool whole)
{
    uint32_t at = 0;
    struct record_view of = {.result = what};
    struct core_watcher_view view = {.name = what->name,
                                     .what = &of,
                                     .identify = identify,
                                     .is_wanted = is_wanted,
                                     .tell = tell};
    while (what->record != NULL && core_result_next(what->record, &at, &of.entries[view.count]))
        view.count++;
    core_watcher_show(node, watcher, &view, whole);
}
