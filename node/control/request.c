// SPDX-License-Identifier: MIT
// The requests of include/pnr/client.h: each lays its arguments down in the order of their keys.
#include "node/control/client.h"

#include "node/control/fields.h"
#include "pnr/clouds.h"

#include <string.h>

// Of answers too.
_Static_assert(PNR_ENDPOINTS_MAX == CONTROL_ENDPOINTS_MAX, "one bound");
_Static_assert(PNR_COMMENT_MAX == CONTROL_COMMENT_MAX, "one bound");
_Static_assert(PNR_PAYLOAD_MAX == CONTROL_PAYLOAD_MAX, "one bound");
_Static_assert(PNR_PUBLISHER_LEN == CONTROL_PUBLISHER_LEN, "one length");
_Static_assert(PNR_MARK_LEN == CONTROL_MARK_LEN, "one length");
_Static_assert(PNR_KNOWN_MAX == CONTROL_KNOWN_MAX, "one bound");

#define GRACE_MS    2000 // for the daemon to say itself that the time is over
#define KNOWN_LEN   64   // bytes of one publisher that is known
#define NUMBERS_LEN 512  // bytes of keys and numbers beside names, texts and payloads

#define WORD(name) control_protocol_request_word(CONTROL_REQUEST_##name)

static const enum control_wait waits[] = {
    [PNR_WAIT_SETTLED] = CONTROL_WAIT_SETTLED,
    [PNR_WAIT_CACHE] = CONTROL_WAIT_CACHE,
    [PNR_WAIT_FIRST] = CONTROL_WAIT_FIRST,
    [PNR_WAIT_ALL] = CONTROL_WAIT_ALL,
};

static const enum control_criteria criteria[] = {
    [PNR_CRITERIA_ANY] = CONTROL_CRITERIA_ANY,
    [PNR_CRITERIA_DEFAULT] = CONTROL_CRITERIA_DEFAULT,
    [PNR_CRITERIA_REMOTE] = CONTROL_CRITERIA_REMOTE,
    [PNR_CRITERIA_NEAREST_REMOTE] = CONTROL_CRITERIA_NEAREST_REMOTE,
    [PNR_CRITERIA_NON_CURRENT] = CONTROL_CRITERIA_NON_CURRENT,
    [PNR_CRITERIA_NEAREST_NON_CURRENT] = CONTROL_CRITERIA_NEAREST_NON_CURRENT,
    [PNR_CRITERIA_NEAREST] = CONTROL_CRITERIA_NEAREST,
};

static void put_text(struct dht_bencode_writer *writer, const char *key, const char *text)
{
    if (text != NULL) {
        dht_bencode_pair_text(writer, key, text);
    }
}

static void put_bytes(struct dht_bencode_writer *writer, const char *key, const uint8_t *data,
                      size_t len)
{
    if (len > 0) {
        dht_bencode_pair_string(writer, key, data, len);
    }
}

// Whether a text may be sent: given, not empty and not longer than max bytes.
static bool fits(const char *text, size_t max)
{
    return text != NULL && text[0] != '\0' && strlen(text) <= max;
}

static bool fits_or_none(const char *text, size_t max)
{
    return text == NULL || fits(text, max);
}

static void put_criteria(struct dht_bencode_writer *writer, enum pnr_criteria which)
{
    if (which != PNR_CRITERIA_ANY) {
        put_text(writer, CONTROL_KEY_CRITERIA,
                 control_protocol_word(CONTROL_VOCABULARY_CRITERIA, (int)criteria[which]));
    }
}

enum pnr_error pnr_resolve(struct pnr_client *client, const struct pnr_resolve *resolve,
                           uint32_t *ret_request)
{
    struct dht_bencode_writer writer;
    uint32_t timeout_ms =
        resolve->timeout_ms == 0 ? CONTROL_TIMEOUT_MS_DEFAULT : resolve->timeout_ms;
    if (!fits(resolve->name, CONTROL_NAME_LEN_MAX) ||
        !fits_or_none(resolve->cloud, CONTROL_TEXT_LEN_MAX) ||
        (unsigned)resolve->wait > PNR_WAIT_ALL || timeout_ms > CONTROL_TIMEOUT_MS_MAX ||
        (unsigned)resolve->criteria > PNR_CRITERIA_NEAREST ||
        (resolve->hint_len != 0 && resolve->hint_len != 4 && resolve->hint_len != 16)) {
        return PNR_ERROR_USAGE;
    }
    enum pnr_error error = control_client_begin(
        client, CONTROL_NAME_LEN_MAX + CONTROL_TEXT_LEN_MAX + NUMBERS_LEN, &writer);
    if (error != PNR_OK) {
        return error;
    }
    if (resolve->cached) {
        dht_bencode_pair_int(&writer, CONTROL_KEY_CACHED, 1);
    }
    put_text(&writer, CONTROL_KEY_CLOUD, resolve->cloud);
    put_criteria(&writer, resolve->criteria);
    put_bytes(&writer, CONTROL_KEY_HINT, resolve->hint, resolve->hint_len);
    if (resolve->max > 0) {
        dht_bencode_pair_int(&writer, CONTROL_KEY_MAX, resolve->max);
    }
    put_text(&writer, CONTROL_KEY_NAME, resolve->name);
    dht_bencode_pair_int(&writer, CONTROL_KEY_TIMEOUT_MS, timeout_ms);
    dht_bencode_pair_int(&writer, CONTROL_KEY_TRACE, resolve->trace);
    put_text(&writer, CONTROL_KEY_WAIT,
             control_protocol_word(CONTROL_VOCABULARY_WAIT, waits[resolve->wait]));
    error = control_client_end(client, &writer, WORD(RESOLVE), ret_request);
    if (error == PNR_OK) {
        pnr_client_limit(client, *ret_request, timeout_ms + GRACE_MS);
    }
    return error;
}

static void put_known(struct dht_bencode_writer *writer, const struct pnr_watch *watch)
{
    dht_bencode_put_text(writer, CONTROL_KEY_KNOWN);
    dht_bencode_open_list(writer);
    for (size_t i = 0; i < watch->known_count; i++) {
        dht_bencode_open_dict(writer);
        put_bytes(writer, CONTROL_KEY_MARK, watch->known[i].mark, PNR_MARK_LEN);
        put_bytes(writer, CONTROL_KEY_PUBLISHER, watch->known[i].publisher, PNR_PUBLISHER_LEN);
        dht_bencode_end(writer);
    }
    dht_bencode_end(writer);
}

enum pnr_error pnr_watch(struct pnr_client *client, const struct pnr_watch *watch,
                         uint32_t *ret_request)
{
    struct dht_bencode_writer writer;
    if (!fits(watch->name, CONTROL_NAME_LEN_MAX) ||
        !fits_or_none(watch->cloud, CONTROL_TEXT_LEN_MAX) || watch->known_count > PNR_KNOWN_MAX ||
        (unsigned)watch->criteria > PNR_CRITERIA_NEAREST ||
        (watch->known == NULL && watch->known_count > 0)) {
        return PNR_ERROR_USAGE;
    }
    enum pnr_error error = control_client_begin(client,
                                                CONTROL_NAME_LEN_MAX + CONTROL_TEXT_LEN_MAX +
                                                    NUMBERS_LEN + watch->known_count * KNOWN_LEN,
                                                &writer);
    if (error != PNR_OK) {
        return error;
    }
    put_text(&writer, CONTROL_KEY_CLOUD, watch->cloud);
    put_criteria(&writer, watch->criteria);
    if (watch->known_count > 0) {
        put_known(&writer, watch);
    }
    put_text(&writer, CONTROL_KEY_NAME, watch->name);
    return control_client_end(client, &writer, WORD(WATCH), ret_request);
}

static bool is_sound(const struct pnr_publish *publish)
{
    if ((publish->endpoints == NULL && publish->endpoint_count > 0) ||
        (publish->comment == NULL && publish->comment_len > 0) ||
        (publish->payload == NULL && publish->payload_len > 0)) {
        return false;
    }
    for (size_t i = 0; i < publish->endpoint_count && i < PNR_ENDPOINTS_MAX; i++) {
        if (publish->endpoints[i].ip_len != 4 && publish->endpoints[i].ip_len != 16) {
            return false;
        }
    }
    return publish->endpoint_count <= PNR_ENDPOINTS_MAX &&
           fits(publish->name, CONTROL_NAME_LEN_MAX) &&
           fits_or_none(publish->cloud, CONTROL_TEXT_LEN_MAX) &&
           publish->comment_len <= PNR_COMMENT_MAX && publish->comment_len % 2 == 0 &&
           publish->payload_len <= PNR_PAYLOAD_MAX &&
           (unsigned)publish->payload_type <= PNR_PAYLOAD_STRING;
}

static void put_endpoints(struct dht_bencode_writer *writer, const struct pnr_publish *publish)
{
    struct control_endpoint endpoints[CONTROL_ENDPOINTS_MAX];
    memset(endpoints, 0, sizeof endpoints);
    for (size_t i = 0; i < publish->endpoint_count; i++) {
        const struct pnr_endpoint *from = &publish->endpoints[i];
        endpoints[i].ip_len = from->ip_len;
        endpoints[i].proto = from->proto;
        endpoints[i].port = from->port;
        memcpy(endpoints[i].ip, from->ip, from->ip_len);
    }
    dht_bencode_put_text(writer, CONTROL_KEY_ENDPOINTS);
    control_fields_put_endpoints(writer, endpoints, publish->endpoint_count);
}

static enum pnr_error send_publish(struct pnr_client *client, const struct pnr_publish *publish,
                                   const char *word, uint32_t *ret_request)
{
    struct dht_bencode_writer writer;
    if (!is_sound(publish)) {
        return PNR_ERROR_USAGE;
    }
    size_t args_len = CONTROL_NAME_LEN_MAX + CONTROL_TEXT_LEN_MAX + CONTROL_ENDPOINTS_MAX * 64 +
                      CONTROL_PAYLOAD_MAX + NUMBERS_LEN;
    enum pnr_error error = control_client_begin(client, args_len, &writer);
    if (error != PNR_OK) {
        return error;
    }
    put_text(&writer, CONTROL_KEY_CLOUD, publish->cloud);
    put_bytes(&writer, CONTROL_KEY_COMMENT, publish->comment, publish->comment_len);
    put_endpoints(&writer, publish);
    put_text(&writer, CONTROL_KEY_NAME, publish->name);
    put_bytes(&writer, CONTROL_KEY_PAYLOAD, publish->payload, publish->payload_len);
    if (publish->payload_len > 0 && publish->payload_type != PNR_PAYLOAD_NONE) {
        dht_bencode_pair_int(&writer, CONTROL_KEY_PAYLOAD_TYPE, publish->payload_type);
    }
    if (publish->ttl_s != 0) {
        dht_bencode_pair_int(&writer, CONTROL_KEY_TTL_S, publish->ttl_s);
    }
    return control_client_end(client, &writer, word, ret_request);
}

enum pnr_error pnr_publish(struct pnr_client *client, const struct pnr_publish *publish,
                           uint32_t *ret_request)
{
    return send_publish(client, publish, WORD(PUBLISH), ret_request);
}

enum pnr_error pnr_register(struct pnr_client *client, const struct pnr_publish *publish,
                            uint32_t *ret_request)
{
    return send_publish(client, publish, WORD(REGISTER), ret_request);
}

// A request with at most one text for an argument; text NULL: with none.
static enum pnr_error send_text(struct pnr_client *client, const char *word, const char *key,
                                const char *text, uint32_t *ret_request)
{
    struct dht_bencode_writer writer;
    enum pnr_error error =
        control_client_begin(client, CONTROL_TEXT_LEN_MAX + NUMBERS_LEN, &writer);
    if (error != PNR_OK) {
        return error;
    }
    put_text(&writer, key, text);
    return control_client_end(client, &writer, word, ret_request);
}

static enum pnr_error send_name(struct pnr_client *client, const char *word, const char *name,
                                uint32_t *ret_request)
{
    if (!fits(name, CONTROL_NAME_LEN_MAX)) {
        return PNR_ERROR_USAGE;
    }
    return send_text(client, word, CONTROL_KEY_NAME, name, ret_request);
}

enum pnr_error pnr_unpublish(struct pnr_client *client, const char *name, uint32_t *ret_request)
{
    return send_name(client, WORD(UNPUBLISH), name, ret_request);
}

enum pnr_error pnr_unregister(struct pnr_client *client, const char *name, uint32_t *ret_request)
{
    return send_name(client, WORD(UNREGISTER), name, ret_request);
}

enum pnr_error pnr_publications(struct pnr_client *client, uint32_t *ret_request)
{
    return send_text(client, WORD(PUBLICATIONS), "", NULL, ret_request);
}

static enum pnr_error send_label(struct pnr_client *client, const char *word, const char *label,
                                 uint32_t *ret_request)
{
    if (!fits(label, CONTROL_LABEL_LEN_MAX)) {
        return PNR_ERROR_USAGE;
    }
    return send_text(client, word, CONTROL_KEY_LABEL, label, ret_request);
}

enum pnr_error pnr_key_new(struct pnr_client *client, const char *label, uint32_t *ret_request)
{
    return send_label(client, WORD(KEY_NEW), label, ret_request);
}

enum pnr_error pnr_key_show(struct pnr_client *client, const char *label, uint32_t *ret_request)
{
    return send_label(client, WORD(KEY_SHOW), label, ret_request);
}

enum pnr_error pnr_key_export(struct pnr_client *client, const char *label, uint32_t *ret_request)
{
    return send_label(client, WORD(KEY_EXPORT), label, ret_request);
}

enum pnr_error pnr_key_import(struct pnr_client *client, const char *label, const char *pem,
                              uint32_t *ret_request)
{
    struct dht_bencode_writer writer;
    if (!fits(label, CONTROL_LABEL_LEN_MAX) || !fits(pem, CONTROL_PEM_LEN_MAX)) {
        return PNR_ERROR_USAGE;
    }
    enum pnr_error error = control_client_begin(
        client, CONTROL_LABEL_LEN_MAX + CONTROL_PEM_LEN_MAX + NUMBERS_LEN, &writer);
    if (error != PNR_OK) {
        return error;
    }
    put_text(&writer, CONTROL_KEY_LABEL, label);
    put_text(&writer, CONTROL_KEY_PEM, pem);
    return control_client_end(client, &writer, WORD(KEY_IMPORT), ret_request);
}

enum pnr_error pnr_key_list(struct pnr_client *client, uint32_t *ret_request)
{
    return send_text(client, WORD(KEY_LIST), "", NULL, ret_request);
}

enum pnr_error pnr_status(struct pnr_client *client, uint32_t *ret_request)
{
    return send_text(client, WORD(STATUS), "", NULL, ret_request);
}

enum pnr_error pnr_status_in(struct pnr_client *client, const char *cloud, uint32_t *ret_request)
{
    if (!fits_or_none(cloud, CONTROL_TEXT_LEN_MAX)) {
        return PNR_ERROR_USAGE;
    }
    return send_text(client, WORD(STATUS), CONTROL_KEY_CLOUD, cloud, ret_request);
}

enum pnr_error pnr_doctor(struct pnr_client *client, uint32_t *ret_request)
{
    return send_text(client, WORD(DOCTOR), "", NULL, ret_request);
}

enum pnr_error pnr_peers(struct pnr_client *client, const char *cloud, uint32_t *ret_request)
{
    if (!fits_or_none(cloud, CONTROL_TEXT_LEN_MAX)) {
        return PNR_ERROR_USAGE;
    }
    return send_text(client, WORD(PEERS), CONTROL_KEY_CLOUD, cloud, ret_request);
}

enum pnr_error pnr_ping_in(struct pnr_client *client, const char *cloud, const char *addr,
                           uint32_t timeout_ms, uint32_t *ret_request)
{
    struct dht_bencode_writer writer;
    uint32_t wait_ms = timeout_ms == 0 ? CONTROL_TIMEOUT_MS_DEFAULT : timeout_ms;
    if (!fits(addr, PNR_ADDR_MAX - 1) || !fits_or_none(cloud, CONTROL_TEXT_LEN_MAX) ||
        wait_ms > CONTROL_TIMEOUT_MS_MAX) {
        return PNR_ERROR_USAGE;
    }
    enum pnr_error error =
        control_client_begin(client, PNR_ADDR_MAX + CONTROL_TEXT_LEN_MAX + NUMBERS_LEN, &writer);
    if (error != PNR_OK) {
        return error;
    }
    put_text(&writer, CONTROL_KEY_ADDR, addr);
    put_text(&writer, CONTROL_KEY_CLOUD, cloud);
    dht_bencode_pair_int(&writer, CONTROL_KEY_TIMEOUT_MS, wait_ms);
    error = control_client_end(client, &writer, WORD(PING), ret_request);
    if (error == PNR_OK) {
        pnr_client_limit(client, *ret_request, wait_ms + GRACE_MS);
    }
    return error;
}

enum pnr_error pnr_ping(struct pnr_client *client, const char *addr, uint32_t timeout_ms,
                        uint32_t *ret_request)
{
    return pnr_ping_in(client, NULL, addr, timeout_ms, ret_request);
}

// The inside of a dict, without its 'd' and 'e'.
static struct dht_span inside(struct pnr_fields fields)
{
    return (struct dht_span){fields.data + 1, fields.len - 2};
}

enum pnr_error pnr_request(struct pnr_client *client, const char *word, struct pnr_fields arguments,
                           uint32_t *ret_request)
{
    struct dht_bencode_writer writer;
    struct dht_span dict = {arguments.data, arguments.len};
    if (!fits(word, 32) || arguments.len > CONTROL_FRAME_MAX ||
        (arguments.len > 0 && !control_fields_check(dict))) {
        return PNR_ERROR_USAGE;
    }
    enum pnr_error error = control_client_begin(client, arguments.len, &writer);
    if (error != PNR_OK) {
        return error;
    }
    if (arguments.len > 0) {
        struct dht_span raw = inside(arguments);
        dht_bencode_put_raw(&writer, raw.data, raw.len);
    }
    return control_client_end(client, &writer, word, ret_request);
}
