// SPDX-License-Identifier: MIT
#include "node/core/cloud_list.h"

#include "node/core/result.h"

#define LOOK_EVERY_US (CORE_SECOND_US / 2)

// ---- one cloud ----

static enum control_cloud_state word_of(enum node_cloud_state state)
{
    switch (state) {
    case NODE_CLOUD_VIRTUAL:
        return CONTROL_CLOUD_STATE_VIRTUAL;
    case NODE_CLOUD_SYNCHRONISING:
        return CONTROL_CLOUD_STATE_SYNCHRONISING;
    case NODE_CLOUD_ACTIVE:
        return CONTROL_CLOUD_STATE_ACTIVE;
    case NODE_CLOUD_DEAD:
        return CONTROL_CLOUD_STATE_DEAD;
    case NODE_CLOUD_DISABLED:
        return CONTROL_CLOUD_STATE_DISABLED;
    case NODE_CLOUD_NO_NET:
        return CONTROL_CLOUD_STATE_NO_NET;
    case NODE_CLOUD_ALONE:
        break;
    }
    return CONTROL_CLOUD_STATE_ALONE;
}

static enum control_scope scope_of(enum node_scope scope)
{
    if (scope == NODE_SCOPE_LINK)
        return CONTROL_SCOPE_LINK;
    return scope == NODE_SCOPE_SITE ? CONTROL_SCOPE_SITE : CONTROL_SCOPE_GLOBAL;
}

static void put_families(struct dht_bencode_writer *writer, const struct core_cloud *cloud)
{
    dht_bencode_put_text(writer, CONTROL_KEY_FAMILIES);
    dht_bencode_open_list(writer);
    for (int i = 0; i < NODE_ENGINES_MAX; i++)
        if (cloud->engines[i].dht != NULL)
            dht_bencode_put_int(writer, (int64_t)cloud->engines[i].family);
    dht_bencode_end(writer);
}

// event families name scope scope_id state. event: -1: none.
static void answer_one(struct node *node, struct core_request *request,
                       const struct core_cloud *cloud, int event)
{
    struct core_answer answer;
    struct dht_bencode_writer *writer = &answer.writer;
    enum node_cloud_state state =
        cloud->present ? core_cloud_state(node, cloud) : NODE_CLOUD_DEAD; // it is gone
    core_answer_begin(&answer, request, CONTROL_ANSWER_RESULT);
    if (event >= 0)
        dht_bencode_pair_text(writer, CONTROL_KEY_EVENT,
                              control_protocol_word(CONTROL_VOCABULARY_EVENT, event));
    put_families(writer, cloud);
    dht_bencode_pair_text(writer, CONTROL_KEY_NAME, cloud->config.name);
    dht_bencode_pair_text(
        writer, CONTROL_KEY_SCOPE,
        control_protocol_word(CONTROL_VOCABULARY_SCOPE, (int)scope_of(cloud->config.scope)));
    dht_bencode_pair_int(writer, CONTROL_KEY_SCOPE_ID, cloud->config.scope_id);
    dht_bencode_pair_text(
        writer, CONTROL_KEY_STATE,
        control_protocol_word(CONTROL_VOCABULARY_CLOUD_STATE, (int)word_of(state)));
    core_answer_end(node, &answer);
}

// ---- who watches ----

// Tells all who watch. Whether there is anybody.
static bool tell_all(struct node *node, const struct core_cloud *cloud, int event)
{
    bool any = false;
    for (struct core_session *session = node->sessions; session != NULL; session = session->next) {
        for (struct core_request *request = session->requests; request != NULL;
             request = request->next) {
            if (!request->watches_clouds)
                continue;
            any = true;
            if (cloud != NULL)
                answer_one(node, request, cloud, event);
        }
    }
    return any;
}

static uint32_t families_of(const struct core_cloud *cloud)
{
    uint32_t families = 0;
    for (int i = 0; i < NODE_ENGINES_MAX; i++)
        if (cloud->engines[i].dht != NULL)
            families |= (uint32_t)1 << cloud->engines[i].family;
    return families;
}

static void note(struct node *node, struct core_cloud *cloud)
{
    cloud->is_told = true;
    cloud->told = core_cloud_state(node, cloud);
    cloud->told_families = families_of(cloud);
}

void core_cloud_list_tell(struct node *node)
{
    if (!tell_all(node, NULL, -1)) {
        dht_timer_clear(&node->timers, &node->cloud_timer);
        return;
    }
    for (uint32_t i = 0; i < node->cloud_count; i++) {
        struct core_cloud *cloud = node->clouds[i];
        bool known = cloud->is_told && cloud->told == core_cloud_state(node, cloud) &&
                     cloud->told_families == families_of(cloud);
        if (!cloud->present || known)
            continue;
        tell_all(node, cloud, cloud->is_told ? CONTROL_EVENT_CHANGED : CONTROL_EVENT_ADDED);
        note(node, cloud);
    }
    dht_timer_set(&node->timers, &node->cloud_timer, node->now_us + LOOK_EVERY_US);
}

void core_cloud_list_gone(struct node *node, const struct core_cloud *cloud)
{
    tell_all(node, cloud, CONTROL_EVENT_GONE);
}

// ---- the request ----

static void answer_watching(struct node *node, struct core_request *request)
{
    struct core_answer answer;
    core_answer_begin(&answer, request, CONTROL_ANSWER_PROGRESS);
    dht_bencode_pair_text(&answer.writer, CONTROL_KEY_STEP,
                          control_protocol_word(CONTROL_VOCABULARY_STEP, CONTROL_STEP_WATCHING));
    core_answer_end(node, &answer);
}

void core_cloud_list_answer(struct node *node, struct core_request *request, bool watch)
{
    core_cloud_list_tell(node); // those who watched before are to know no less
    for (uint32_t i = 0; i < node->cloud_count; i++) {
        if (!node->clouds[i]->present)
            continue;
        answer_one(node, request, node->clouds[i], -1);
        note(node, node->clouds[i]);
    }
    if (watch) {
        request->watches_clouds = true;
        answer_watching(node, request);
        dht_timer_set(&node->timers, &node->cloud_timer, node->now_us + LOOK_EVERY_US);
        return;
    }
    struct core_answer answer;
    core_answer_begin(&answer, request, CONTROL_ANSWER_DONE);
    dht_bencode_pair_int(&answer.writer, CONTROL_KEY_COUNT, request->results);
    core_answer_end(node, &answer);
}
