// SPDX-License-Identifier: MIT
#include "node/core/request.h"

#include "dht/addr.h"
#include "node/control/secret.h"
#include "node/core/cloud_list.h"
#include "node/core/content.h"
#include "node/core/doctor.h"
#include "node/core/publication.h"
#include "node/core/registration.h"
#include "node/core/resolve.h"
#include "node/core/status.h"
#include "node/core/swarm.h"
#include "node/core/unsecured.h"
#include "node/core/watch.h"
#include "node/core/zbase32.h"

#include <stdlib.h>
#include <string.h>

#define TIMEOUT_DEFAULT_MS 30000
#define PUBLISH_TIMEOUT_US (5 * CORE_MINUTE_US)
#define DOCTOR_TIMEOUT_US  (5 * CORE_MINUTE_US)
#define PING_AGAIN_US      (2 * CORE_SECOND_US) // what fails sooner has not failed by silence

static void refuse(struct node *node, struct core_request *request, enum control_error code,
                   const char *text)
{
    CORE_COUNT(node, requests_refused);
    core_request_fail(node, request, code, text);
}

// ---- arguments ----

// Each reads an argument; where it makes no sense the request is refused, and gone, and false is
// returned.

static bool read_name(struct node *node, struct core_request *request, struct dht_span arguments,
                      struct core_name *ret_name)
{
    struct dht_span text;
    struct core_name_fault fault;
    char error[CORE_NAME_ERROR_TEXT_MAX];
    if (!control_fields_string(arguments, CONTROL_KEY_NAME, &text)) {
        refuse(node, request, CONTROL_ERROR_USAGE, "a name is needed");
        return false;
    }
    if (core_name_parse((const char *)text.data, text.len, ret_name, &fault) != CORE_NAME_OK) {
        refuse(node, request, CONTROL_ERROR_USAGE, core_name_error_text(&fault, error));
        return false;
    }
    return true;
}

// Its name; and the cloud, NULL where there is none: of no name the default.
static struct core_cloud *find_cloud(const struct node *node, struct dht_span arguments,
                                     struct dht_span *ret_name)
{
    *ret_name = (struct dht_span){0};
    control_fields_string(arguments, CONTROL_KEY_CLOUD, ret_name);
    return ret_name->len == 0 ? core_cloud_default(node) : core_cloud_named(node, *ret_name);
}

// The cloud that the request is about, which it ends with from now on.
static bool read_cloud(struct node *node, struct core_request *request, struct dht_span arguments)
{
    char text[CORE_CLOUD_TEXT_MAX];
    struct dht_span name;
    struct core_cloud *cloud = find_cloud(node, arguments, &name);
    if (cloud == NULL || !cloud->present) {
        struct core_cloud unknown = {.present = false};
        size_t len = name.len < NODE_CLOUD_NAME_MAX ? name.len : NODE_CLOUD_NAME_MAX;
        if (len > 0)
            memcpy(unknown.config.name, name.data, len);
        core_cloud_text(&unknown, " is not there; see: pnr clouds", text);
        refuse(node, request, CONTROL_ERROR_NOT_FOUND, text);
        return false;
    }
    if (cloud->config.disabled) {
        core_cloud_text(cloud, " is disabled", text);
        refuse(node, request, CONTROL_ERROR_FAILED, text);
        return false;
    }
    request->cloud = cloud;
    return true;
}

// The same for what is published already: it can be withdrawn though its cloud is gone, or is
// disabled.
static bool read_old_cloud(struct node *node, struct core_request *request,
                           struct dht_span arguments)
{
    struct dht_span name;
    request->cloud = find_cloud(node, arguments, &name);
    return request->cloud != NULL || read_cloud(node, request, arguments);
}

static void start_timer(struct node *node, struct core_request *request, struct dht_span arguments)
{
    int64_t timeout_ms = TIMEOUT_DEFAULT_MS;
    struct control_fields_range range = {1, CONTROL_TIMEOUT_MS_MAX};
    control_fields_int(arguments, CONTROL_KEY_TIMEOUT_MS, range, &timeout_ms);
    dht_timer_set(&node->timers, &request->timer, node->now_us + timeout_ms * 1000);
}

// ---- resolve ----

// A label is a name of this machine's own: the key that it stands for is what is resolved.
// False where there is no such key; the request is refused then.
static bool replace_label(struct node *node, struct core_request *request, struct core_name *name)
{
    if (name->kind != CORE_NAME_LABEL)
        return true;
    const struct core_key *key = core_keyring_by_label(&node->keyring, name->label);
    if (key == NULL) {
        refuse(node, request, CONTROL_ERROR_NOT_FOUND,
               "no key has this label here; others' names begin with their key, of 52 letters or "
               "40 hex digits, or with 0");
        return false;
    }
    name->kind = CORE_NAME_KEY;
    memcpy(name->key, key->key, sizeof name->key);
    memset(name->label, 0, sizeof name->label);
    return true;
}

static void resolve(struct node *node, struct core_request *request, struct dht_span arguments)
{
    struct core_name name;
    struct dht_span word;
    int wait = CONTROL_WAIT_SETTLED;
    if (!read_cloud(node, request, arguments) || !read_name(node, request, arguments, &name))
        return;
    if (control_fields_string(arguments, CONTROL_KEY_WAIT, &word))
        wait = control_protocol_value(CONTROL_VOCABULARY_WAIT, word);
    if (wait < 0) {
        refuse(node, request, CONTROL_ERROR_USAGE, "wait is cache, first, settled or all");
        return;
    }
    const char *wrong = core_criteria_read(arguments, &request->criteria);
    if (wrong != NULL) {
        refuse(node, request, CONTROL_ERROR_USAGE, wrong);
        return;
    }
    if (!replace_label(node, request, &name))
        return;
    control_fields_bool(arguments, CONTROL_KEY_TRACE, &request->trace);
    control_fields_bool(arguments, CONTROL_KEY_CACHED, &request->cached);
    start_timer(node, request, arguments);
    if (name.kind == CORE_NAME_UNSECURED)
        core_unsecured_start(node, request, &name, (enum control_wait)wait);
    else
        core_resolve_start(node, request, &name, (enum control_wait)wait);
}

static void watch(struct node *node, struct core_request *request, struct dht_span arguments)
{
    struct core_name name;
    const char *wrong;
    if (!read_cloud(node, request, arguments) || !read_name(node, request, arguments, &name))
        return;
    wrong = core_criteria_read_which(arguments, &request->criteria.which);
    if (wrong != NULL) {
        refuse(node, request, CONTROL_ERROR_USAGE, wrong);
        return;
    }
    if (!replace_label(node, request, &name))
        return;
    request->watcher = core_watcher_new(request, arguments, &wrong);
    if (request->watcher == NULL) {
        refuse(node, request, wrong != NULL ? CONTROL_ERROR_USAGE : CONTROL_ERROR_FULL,
               wrong != NULL ? wrong : "out of memory");
        return;
    }
    if (name.kind == CORE_NAME_UNSECURED)
        core_swarm_start(node, request->watcher, &name);
    else
        core_watch_start(node, request->watcher, &name);
}

// ---- publish ----

static bool read_key(struct node *node, struct core_request *request, const struct core_name *name,
                     const struct core_key **ret_key)
{
    *ret_key = core_keyring_by_name(&node->keyring, name);
    if (*ret_key != NULL)
        return true;
    refuse(node, request, CONTROL_ERROR_NOT_FOUND,
           name->kind == CORE_NAME_LABEL ? "no key has this label here; make one with: pnr key new"
                                         : "this key is not held here");
    return false;
}

// Publishes a secured name, with its key, or an unsecured one, without.
static void publish_content(struct node *node, struct core_request *request,
                            struct dht_span arguments, const struct core_name *name,
                            const struct core_key *key)
{
    struct core_publication_content content = {.ttl_s = 0};
    enum control_error code;
    const char *wrong = core_content_read(arguments, &content, &code);
    if (wrong != NULL) {
        free(content.payload);
        refuse(node, request, code, wrong);
        return;
    }
    bool is_session = request->kind == CONTROL_REQUEST_REGISTER;
    dht_timer_set(&node->timers, &request->timer, node->now_us + PUBLISH_TIMEOUT_US);
    if (key != NULL)
        core_publication_publish(node, request, key, name, &content);
    else
        core_registration_publish(node, request, name, &content, is_session);
}

static void publish(struct node *node, struct core_request *request, struct dht_span arguments)
{
    struct core_name name;
    const struct core_key *key = NULL;
    if (!read_cloud(node, request, arguments) || !read_name(node, request, arguments, &name))
        return;
    if (name.kind != CORE_NAME_UNSECURED && !read_key(node, request, &name, &key))
        return;
    publish_content(node, request, arguments, &name, key);
}

// A connection registers as it publishes, but that secured names take the level that publishing
// takes: whose the key is decides that.
static bool read_registered(struct node *node, struct core_request *request,
                            struct dht_span arguments, struct core_name *ret_name,
                            const struct core_key **ret_key)
{
    bool is_old = request->kind == CONTROL_REQUEST_UNREGISTER;
    *ret_key = NULL;
    if (!(is_old ? read_old_cloud : read_cloud)(node, request, arguments) ||
        !read_name(node, request, arguments, ret_name))
        return false;
    if (ret_name->kind == CORE_NAME_UNSECURED)
        return true;
    if (request->session->access != NODE_ACCESS_CONTROL) {
        refuse(node, request, CONTROL_ERROR_REFUSED,
               "a secured name needs the control socket, not the one for resolving");
        return false;
    }
    return read_key(node, request, ret_name, ret_key);
}

static void register_name(struct node *node, struct core_request *request,
                          struct dht_span arguments)
{
    struct core_name name;
    const struct core_key *key;
    if (read_registered(node, request, arguments, &name, &key))
        publish_content(node, request, arguments, &name, key);
}

static void unregister_name(struct node *node, struct core_request *request,
                            struct dht_span arguments)
{
    struct core_name name;
    const struct core_key *key;
    if (!read_registered(node, request, arguments, &name, &key))
        return;
    dht_timer_set(&node->timers, &request->timer, node->now_us + PUBLISH_TIMEOUT_US);
    if (key != NULL)
        core_publication_withdraw(node, request, key, &name);
    else
        core_registration_withdraw(node, request, &name, true);
}

static void unpublish(struct node *node, struct core_request *request, struct dht_span arguments)
{
    struct core_name name;
    const struct core_key *key;
    if (!read_old_cloud(node, request, arguments) || !read_name(node, request, arguments, &name))
        return;
    if (name.kind == CORE_NAME_UNSECURED) {
        dht_timer_set(&node->timers, &request->timer, node->now_us + PUBLISH_TIMEOUT_US);
        core_registration_withdraw(node, request, &name, false);
        return;
    }
    if (!read_key(node, request, &name, &key))
        return;
    dht_timer_set(&node->timers, &request->timer, node->now_us + PUBLISH_TIMEOUT_US);
    core_publication_withdraw(node, request, key, &name);
}

// ---- keys ----

// label hex40 path pem z32, of which pem only where there is one
static void answer_key(struct node *node, struct core_request *request, enum control_answer kind,
                       const struct core_key *key)
{
    static const char digits[] = "0123456789abcdef";
    struct core_answer answer;
    struct dht_bencode_writer *writer = &answer.writer;
    char hex[2 * DHT_ID_LEN];
    char z32[CORE_ZBASE32_LEN + 1];
    for (size_t i = 0; i < DHT_ID_LEN; i++) {
        hex[2 * i] = digits[key->hash[i] >> 4];
        hex[2 * i + 1] = digits[key->hash[i] & 15];
    }
    core_zbase32_encode(key->key, z32);
    core_answer_begin(&answer, request, kind);
    dht_bencode_pair_string(writer, CONTROL_KEY_HEX40, hex, sizeof hex);
    dht_bencode_pair_text(writer, CONTROL_KEY_LABEL, key->label);
    dht_bencode_pair_text(writer, CONTROL_KEY_PATH, key->path);
    dht_bencode_pair_text(writer, CONTROL_KEY_Z32, z32);
    core_answer_end(node, &answer);
}

static bool read_label(struct node *node, struct core_request *request, struct dht_span arguments,
                       char ret_label[CORE_NAME_LABEL_LEN_MAX + 1])
{
    struct dht_span text;
    struct core_name name;
    bool good = control_fields_string(arguments, CONTROL_KEY_LABEL, &text) &&
                core_name_parse((const char *)text.data, text.len, &name, NULL) == CORE_NAME_OK &&
                name.kind == CORE_NAME_LABEL && name.classifier_len == 0;
    if (!good) {
        refuse(node, request, CONTROL_ERROR_USAGE,
               "a label is 1 to 32 of a-z, 0-9 and -, and not 0 or something that reads as a key");
        return false;
    }
    memcpy(ret_label, name.label, sizeof name.label);
    return true;
}

static void key_list(struct node *node, struct core_request *request)
{
    struct core_answer answer;
    for (uint32_t i = 0; i < node->keyring.count; i++)
        answer_key(node, request, CONTROL_ANSWER_RESULT, &node->keyring.keys[i]);
    core_answer_begin(&answer, request, CONTROL_ANSWER_DONE);
    dht_bencode_pair_int(&answer.writer, CONTROL_KEY_COUNT, request->results);
    core_answer_end(node, &answer);
}

static void key_show(struct node *node, struct core_request *request, struct dht_span arguments)
{
    char label[CORE_NAME_LABEL_LEN_MAX + 1];
    if (!read_label(node, request, arguments, label))
        return;
    const struct core_key *key = core_keyring_by_label(&node->keyring, label);
    if (key == NULL)
        refuse(node, request, CONTROL_ERROR_NOT_FOUND, "no key has this label here");
    else
        answer_key(node, request, CONTROL_ANSWER_DONE, key);
}

// What takes the secret half of a key is the driver's.
static void ask_keeper(struct node *node, struct core_request *request, struct dht_span arguments)
{
    char label[CORE_NAME_LABEL_LEN_MAX + 1];
    struct dht_span pem = {0};
    struct node_out out = {.type = NODE_OUT_KEY};
    if (!read_label(node, request, arguments, label))
        return;
    control_fields_string(arguments, CONTROL_KEY_PEM, &pem);
    bool import = request->kind == CONTROL_REQUEST_KEY_IMPORT;
    if (import && (pem.len == 0 || pem.len > CONTROL_PEM_LEN_MAX)) {
        refuse(node, request, CONTROL_ERROR_USAGE, "the text of a PEM file is needed");
        return;
    }
    bool known = core_keyring_by_label(&node->keyring, label) != NULL;
    if (known && request->kind != CONTROL_REQUEST_KEY_EXPORT) {
        refuse(node, request, CONTROL_ERROR_REFUSED, "another key has this label");
        return;
    }
    bool adds = request->kind != CONTROL_REQUEST_KEY_EXPORT;
    if (adds && !known && node->keyring.count >= node->config.keys_max) {
        refuse(node, request, CONTROL_ERROR_FULL, "too many keys are held");
        return;
    }
    out.key.verb =
        import ? NODE_KEY_IMPORT
               : (request->kind == CONTROL_REQUEST_KEY_NEW ? NODE_KEY_NEW : NODE_KEY_EXPORT);
    out.key.label = label;
    out.key.pem = import ? pem : (struct dht_span){0};
    request->key_request = ++node->next_key_request;
    out.key.key_request = request->key_request;
    if (!core_outbox_key(&node->outbox, &out))
        refuse(node, request, CONTROL_ERROR_FULL, "out of memory");
}

struct core_request *core_request_by_key(const struct node *node, uint32_t key_request)
{
    for (struct core_session *session = node->sessions; session != NULL; session = session->next)
        for (struct core_request *request = session->requests; request != NULL;
             request = request->next)
            if (request->key_request == key_request)
                return request;
    return NULL;
}

static void answer_export(struct node *node, struct core_request *request,
                          const struct node_key_answer *key_answer)
{
    struct core_answer answer;
    core_answer_begin(&answer, request, CONTROL_ANSWER_DONE);
    dht_bencode_pair_text(&answer.writer, CONTROL_KEY_LABEL, key_answer->label);
    dht_bencode_pair_string(&answer.writer, CONTROL_KEY_PEM, key_answer->text.data,
                            key_answer->text.len);
    core_answer_end(node, &answer);
    control_secret_wipe(answer.buf, sizeof answer.buf);
}

void core_request_key_answered(struct node *node, struct core_request *request,
                               const struct node_key_answer *key_answer)
{
    request->key_request = 0;
    if (request->doctor != NULL) {
        core_doctor_disk_checked(node, request, key_answer);
        return;
    }
    if (key_answer->code != CONTROL_ERROR_OK) {
        char text[CONTROL_TEXT_LEN_MAX];
        size_t len =
            key_answer->text.len < sizeof text - 1 ? key_answer->text.len : sizeof text - 1;
        memcpy(text, key_answer->text.data, len);
        text[len] = '\0';
        core_request_fail(node, request, (enum control_error)key_answer->code, text);
        return;
    }
    if (request->kind == CONTROL_REQUEST_KEY_EXPORT) {
        answer_export(node, request, key_answer);
        return;
    }
    const struct core_key *key = core_keyring_by_label(&node->keyring, key_answer->label);
    if (key == NULL)
        core_request_fail(node, request, CONTROL_ERROR_FULL, "too many keys are held");
    else
        answer_key(node, request, CONTROL_ANSWER_DONE, key);
}

// ---- ping ----

// Where it cannot be sent the request is refused, and gone, and false is returned.
static bool send_ping(struct node *node, struct core_request *request)
{
    struct core_engine *engine =
        core_cloud_of_family(request->cloud, request->ping_addr.ip_len == 4 ? DHT_IPV4 : DHT_IPV6);
    if (engine == NULL) {
        char why[CORE_CLOUD_TEXT_MAX];
        if (core_cloud_state(node, request->cloud) == NODE_CLOUD_NO_NET)
            core_cloud_why_nobody(node, request->cloud, "", why);
        else
            core_cloud_text(request->cloud, " does not speak that address family", why);
        refuse(node, request, CONTROL_ERROR_FAILED, why);
        return false;
    }
    struct dht *dht = engine->dht;
    request->ping_engine = engine->number;
    uint32_t op = dht_ping(dht, node->now_us, &request->ping_addr);
    if (op == 0 ||
        !core_owner_set(&node->owners, request->ping_engine, op, CORE_OWNER_REQUEST, request)) {
        dht_cancel(dht, op);
        refuse(node, request, CONTROL_ERROR_FULL, "too many operations are under way");
        return false;
    }
    request->ping_op = op;
    request->ping_sent_us = node->now_us;
    return true;
}

static void ping(struct node *node, struct core_request *request, struct dht_span arguments)
{
    struct dht_span text;
    struct dht_addr addr;
    char copy[DHT_ADDR_TEXT_MAX];
    bool good = control_fields_string(arguments, CONTROL_KEY_ADDR, &text) && text.len < sizeof copy;
    if (good) {
        memcpy(copy, text.data, text.len);
        copy[text.len] = '\0';
        good = dht_addr_from_text(copy, &addr) && addr.port != 0;
    }
    if (!good) {
        refuse(node, request, CONTROL_ERROR_USAGE, "an address and a port are needed");
        return;
    }
    if (!read_cloud(node, request, arguments))
        return;
    request->ping_addr = addr;
    if (send_ping(node, request))
        start_timer(node, request, arguments);
}

void core_request_pinged(struct node *node, struct core_request *request, int64_t rtt_us)
{
    struct core_answer answer;
    core_owner_clear(&node->owners, request->ping_engine, request->ping_op);
    request->ping_op = 0;
    bool silence = rtt_us < 0 && node->now_us - request->ping_sent_us >= PING_AGAIN_US;
    if (silence) {
        send_ping(node, request);
        return;
    }
    if (rtt_us < 0) {
        core_request_fail(node, request, CONTROL_ERROR_TIMED_OUT, "nobody answered");
        return;
    }
    core_answer_begin(&answer, request, CONTROL_ANSWER_DONE);
    dht_bencode_pair_int(&answer.writer, CONTROL_KEY_RTT_US, rtt_us);
    core_answer_end(node, &answer);
}

// ---- the node and its clouds ----

static void peers(struct node *node, struct core_request *request, struct dht_span arguments)
{
    struct dht_span name = {0};
    bool all = !control_fields_string(arguments, CONTROL_KEY_CLOUD, &name) || name.len == 0;
    if (all || read_cloud(node, request, arguments))
        core_status_peers(node, request);
}

static void status(struct node *node, struct core_request *request, struct dht_span arguments)
{
    struct dht_span name = {0};
    bool all = !control_fields_string(arguments, CONTROL_KEY_CLOUD, &name) || name.len == 0;
    if (all || read_cloud(node, request, arguments))
        core_status_answer(node, request);
}

static void clouds(struct node *node, struct core_request *request, struct dht_span arguments)
{
    bool watch = false;
    control_fields_bool(arguments, CONTROL_KEY_WATCH, &watch);
    core_cloud_list_answer(node, request, watch);
}

// ---- dispatch ----

void core_request_start(struct node *node, struct core_request *request, struct dht_span arguments)
{
    switch (request->kind) {
    case CONTROL_REQUEST_RESOLVE:
        resolve(node, request, arguments);
        break;
    case CONTROL_REQUEST_WATCH:
        watch(node, request, arguments);
        break;
    case CONTROL_REQUEST_PUBLISH:
        publish(node, request, arguments);
        break;
    case CONTROL_REQUEST_UNPUBLISH:
        unpublish(node, request, arguments);
        break;
    case CONTROL_REQUEST_PUBLICATIONS:
        core_publication_list(node, request);
        break;
    case CONTROL_REQUEST_KEY_LIST:
        key_list(node, request);
        break;
    case CONTROL_REQUEST_KEY_SHOW:
        key_show(node, request, arguments);
        break;
    case CONTROL_REQUEST_KEY_NEW:
    case CONTROL_REQUEST_KEY_IMPORT:
    case CONTROL_REQUEST_KEY_EXPORT:
        ask_keeper(node, request, arguments);
        break;
    case CONTROL_REQUEST_STATUS:
        status(node, request, arguments);
        break;
    case CONTROL_REQUEST_CLOUDS:
        clouds(node, request, arguments);
        break;
    case CONTROL_REQUEST_DOCTOR:
        dht_timer_set(&node->timers, &request->timer, node->now_us + DOCTOR_TIMEOUT_US);
        core_doctor_start(node, request);
        break;
    case CONTROL_REQUEST_PEERS:
        peers(node, request, arguments);
        break;
    case CONTROL_REQUEST_PING:
        ping(node, request, arguments);
        break;
    case CONTROL_REQUEST_REGISTER:
        register_name(node, request, arguments);
        break;
    case CONTROL_REQUEST_UNREGISTER:
        unregister_name(node, request, arguments);
        break;
    default:
        refuse(node, request, CONTROL_ERROR_USAGE, "unknown request");
        break;
    }
}
