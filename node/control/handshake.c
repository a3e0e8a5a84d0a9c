// SPDX-License-Identifier: MIT
#include "node/control/handshake.h"

#include "node/control/fields.h"
#include "node/control/frame.h"
#include "node/control/secret.h"
#include "node/control/sha256.h"

#include <string.h>

// With the NUL at their end, which parts label and nonces.
static const char server_label[] = "pnr-control-1 server";
static const char client_label[] = "pnr-control-1 client";

void control_handshake_wipe(struct control_handshake *handshake)
{
    control_secret_wipe(handshake->secrets, sizeof handshake->secrets);
    control_secret_wipe(handshake->client_nonce, sizeof handshake->client_nonce);
    control_secret_wipe(handshake->server_nonce, sizeof handshake->server_nonce);
    control_secret_wipe(handshake->in, sizeof handshake->in);
}

static void set_state(struct control_handshake *handshake, enum control_handshake_state state)
{
    handshake->state = state;
    if (state == CONTROL_HANDSHAKE_DONE || state == CONTROL_HANDSHAKE_FAILED) {
        control_handshake_wipe(handshake);
    }
}

// text has to fit handshake->text; it is cut where it does not.
static void fail(struct control_handshake *handshake, enum control_error error,
                 struct dht_span text)
{
    size_t len = text.len < sizeof handshake->text ? text.len : sizeof handshake->text - 1;
    handshake->error = error;
    memset(handshake->text, 0, sizeof handshake->text);
    memcpy(handshake->text, text.data, len);
    set_state(handshake, CONTROL_HANDSHAKE_FAILED);
}

static void fail_text(struct control_handshake *handshake, enum control_error error,
                      const char *text)
{
    fail(handshake, error, (struct dht_span){(const uint8_t *)text, strlen(text)});
}

static struct dht_bencode_writer begin(struct control_handshake *handshake)
{
    struct dht_bencode_writer writer = control_frame_begin(handshake->out, sizeof handshake->out);
    dht_bencode_open_dict(&writer);
    return writer;
}

static void end(struct control_handshake *handshake, struct dht_bencode_writer *writer)
{
    dht_bencode_end(writer);
    handshake->out_len = control_frame_end(writer);
}

// The server's way to fail: the client is told.
static void refuse(struct control_handshake *handshake, enum control_error error, const char *text)
{
    struct dht_bencode_writer writer = begin(handshake);
    dht_bencode_pair_int(&writer, CONTROL_KEY_CODE, error);
    dht_bencode_pair_text(&writer, CONTROL_KEY_TEXT, text);
    end(handshake, &writer);
    fail_text(handshake, error, text);
}

static const char *access_text(enum control_access access)
{
    return access == CONTROL_ACCESS_CONTROL ? CONTROL_ACCESS_TEXT_CONTROL
                                            : CONTROL_ACCESS_TEXT_RESOLVE;
}

static bool read_access(struct dht_span body, enum control_access *ret_access)
{
    struct dht_span text;
    if (!control_fields_string(body, CONTROL_KEY_ACCESS, &text)) {
        return false;
    }
    for (int access = CONTROL_ACCESS_RESOLVE; access <= CONTROL_ACCESS_CONTROL; access++) {
        const char *word = access_text((enum control_access)access);
        if (text.len == strlen(word) && memcmp(text.data, word, text.len) == 0) {
            *ret_access = (enum control_access)access;
            return true;
        }
    }
    return false;
}

static bool read_version(struct dht_span body, uint32_t *ret_version)
{
    int64_t version;
    if (!control_fields_int(body, CONTROL_KEY_HELLO_VERSION,
                            (struct control_fields_range){1, INT32_MAX}, &version)) {
        return false;
    }
    *ret_version = (uint32_t)version;
    return true;
}

static bool read_node(struct dht_span body, uint32_t *ret_node)
{
    int64_t node;
    if (!control_fields_int(body, CONTROL_KEY_HELLO_NODE,
                            (struct control_fields_range){0, INT32_MAX}, &node)) {
        return false;
    }
    *ret_node = (uint32_t)node;
    return true;
}

// Reads 32 bytes at key.
static bool read_32(struct dht_span body, const char *key, uint8_t ret_bytes[32])
{
    struct dht_span bytes;
    if (!control_fields_string(body, key, &bytes) || bytes.len != 32) {
        return false;
    }
    memcpy(ret_bytes, bytes.data, 32);
    return true;
}

static uint8_t *secret_of(struct control_handshake *handshake)
{
    return handshake->secrets[handshake->access - CONTROL_ACCESS_RESOLVE];
}

static void make_proof(struct control_handshake *handshake, const char *label, size_t label_len,
                       uint8_t ret_proof[CONTROL_PROOF_LEN])
{
    struct control_sha256_hmac hmac;
    control_sha256_hmac_init(&hmac, secret_of(handshake), CONTROL_SECRET_LEN);
    control_sha256_hmac_update(&hmac, label, label_len);
    control_sha256_hmac_update(&hmac, handshake->client_nonce, CONTROL_NONCE_LEN);
    control_sha256_hmac_update(&hmac, handshake->server_nonce, CONTROL_NONCE_LEN);
    control_sha256_hmac_final(&hmac, ret_proof);
}

static bool check_proof(struct control_handshake *handshake, struct dht_span body,
                        const char *label, size_t label_len)
{
    uint8_t expected[CONTROL_PROOF_LEN], proof[CONTROL_PROOF_LEN];
    if (!read_32(body, CONTROL_KEY_HELLO_PROOF, proof)) {
        return false;
    }
    make_proof(handshake, label, label_len, expected);
    bool ok = control_secret_equal(proof, expected, sizeof proof);
    control_secret_wipe(expected, sizeof expected);
    return ok;
}

// ---- the client ----

void control_handshake_start_client(struct control_handshake *handshake,
                                    const struct control_handshake_client *client,
                                    struct dht_span *ret_out)
{
    memset(handshake, 0, sizeof *handshake);
    handshake->state = CONTROL_HANDSHAKE_WELCOME;
    handshake->node = client->node;
    handshake->version = CONTROL_VERSION;
    if (client->rendezvous != NULL) {
        handshake->state = CONTROL_HANDSHAKE_CHALLENGE;
        handshake->is_proven = true;
        handshake->access = client->rendezvous->access;
        memcpy(secret_of(handshake), client->rendezvous->secret, CONTROL_SECRET_LEN);
        memcpy(handshake->client_nonce, client->nonce, CONTROL_NONCE_LEN);
    }
    struct dht_bencode_writer writer = begin(handshake);
    if (handshake->is_proven) {
        dht_bencode_pair_text(&writer, CONTROL_KEY_ACCESS, access_text(handshake->access));
    }
    dht_bencode_pair_int(&writer, CONTROL_KEY_HELLO_NODE, handshake->node);
    if (handshake->is_proven) {
        dht_bencode_pair_string(&writer, CONTROL_KEY_HELLO_NONCE, handshake->client_nonce,
                                CONTROL_NONCE_LEN);
    }
    dht_bencode_pair_int(&writer, CONTROL_KEY_HELLO_VERSION, handshake->version);
    end(handshake, &writer);
    *ret_out = (struct dht_span){handshake->out, handshake->out_len};
}

// The server may refuse at any step.
static bool was_refused(struct control_handshake *handshake, struct dht_span body)
{
    int64_t code;
    struct dht_span text = {(const uint8_t *)"", 0};
    if (!control_fields_int(body, CONTROL_KEY_CODE, (struct control_fields_range){1, 255}, &code)) {
        return false;
    }
    (void)control_fields_string(body, CONTROL_KEY_TEXT, &text);
    fail(handshake, (enum control_error)code, text);
    return true;
}

static void take_challenge(struct control_handshake *handshake, struct dht_span body)
{
    uint8_t proof[CONTROL_PROOF_LEN];
    if (!read_32(body, CONTROL_KEY_HELLO_NONCE, handshake->server_nonce)) {
        fail_text(handshake, CONTROL_ERROR_PROTOCOL, "the daemon's challenge makes no sense");
        return;
    }
    if (!check_proof(handshake, body, server_label, sizeof server_label)) {
        fail_text(handshake, CONTROL_ERROR_REFUSED,
                  "whoever listens at the port does not know the rendezvous file's secret");
        return;
    }
    make_proof(handshake, client_label, sizeof client_label, proof);
    struct dht_bencode_writer writer = begin(handshake);
    dht_bencode_pair_string(&writer, CONTROL_KEY_HELLO_PROOF, proof, sizeof proof);
    end(handshake, &writer);
    set_state(handshake, CONTROL_HANDSHAKE_WELCOME);
}

static void take_welcome(struct control_handshake *handshake, struct dht_span body)
{
    enum control_access access;
    uint32_t version, node;
    if (!read_access(body, &access) || !read_version(body, &version) || !read_node(body, &node) ||
        node != handshake->node) {
        fail_text(handshake, CONTROL_ERROR_PROTOCOL, "the daemon's welcome makes no sense");
        return;
    }
    if (version > CONTROL_VERSION) {
        fail_text(handshake, CONTROL_ERROR_PROTOCOL, "the daemon speaks another version");
        return;
    }
    handshake->version = version;
    handshake->access = access;
    set_state(handshake, CONTROL_HANDSHAKE_DONE);
}

// ---- the server ----

static void keep_secret(struct control_handshake *handshake, enum control_access access,
                        const uint8_t *secret)
{
    size_t level = access - CONTROL_ACCESS_RESOLVE;
    if (secret != NULL) {
        memcpy(handshake->secrets[level], secret, CONTROL_SECRET_LEN);
        handshake->has_secret[level] = true;
    }
}

void control_handshake_start_server(struct control_handshake *handshake,
                                    const struct control_handshake_server *server)
{
    memset(handshake, 0, sizeof *handshake);
    handshake->state = CONTROL_HANDSHAKE_HELLO;
    handshake->is_server = true;
    handshake->node_count = server->node_count;
    handshake->access = server->granted;
    handshake->is_proven = server->granted == CONTROL_ACCESS_NONE;
    if (handshake->is_proven) {
        keep_secret(handshake, CONTROL_ACCESS_CONTROL, server->control_secret);
        keep_secret(handshake, CONTROL_ACCESS_RESOLVE, server->resolve_secret);
        memcpy(handshake->server_nonce, server->nonce, CONTROL_NONCE_LEN);
    }
}

static void welcome(struct control_handshake *handshake)
{
    struct dht_bencode_writer writer = begin(handshake);
    dht_bencode_pair_text(&writer, CONTROL_KEY_ACCESS, access_text(handshake->access));
    dht_bencode_pair_int(&writer, CONTROL_KEY_HELLO_NODE, handshake->node);
    dht_bencode_pair_int(&writer, CONTROL_KEY_HELLO_VERSION, handshake->version);
    end(handshake, &writer);
    set_state(handshake, CONTROL_HANDSHAKE_DONE);
}

static void challenge(struct control_handshake *handshake, struct dht_span body)
{
    uint8_t proof[CONTROL_PROOF_LEN];
    if (!read_32(body, CONTROL_KEY_HELLO_NONCE, handshake->client_nonce) ||
        !read_access(body, &handshake->access)) {
        refuse(handshake, CONTROL_ERROR_PROTOCOL, "hello without nonce or access");
        return;
    }
    if (!handshake->has_secret[handshake->access - CONTROL_ACCESS_RESOLVE]) {
        refuse(handshake, CONTROL_ERROR_REFUSED, "this level of access is not served here");
        return;
    }
    make_proof(handshake, server_label, sizeof server_label, proof);
    struct dht_bencode_writer writer = begin(handshake);
    dht_bencode_pair_string(&writer, CONTROL_KEY_HELLO_NONCE, handshake->server_nonce,
                            CONTROL_NONCE_LEN);
    dht_bencode_pair_string(&writer, CONTROL_KEY_HELLO_PROOF, proof, sizeof proof);
    end(handshake, &writer);
    set_state(handshake, CONTROL_HANDSHAKE_PROOF);
}

static void take_hello(struct control_handshake *handshake, struct dht_span body)
{
    uint32_t version;
    if (!read_version(body, &version) || !read_node(body, &handshake->node)) {
        refuse(handshake, CONTROL_ERROR_PROTOCOL, "hello without version or node");
        return;
    }
    if (handshake->node >= handshake->node_count) {
        refuse(handshake, CONTROL_ERROR_NOT_FOUND, "the daemon has no such node");
        return;
    }
    handshake->version = version < CONTROL_VERSION ? version : CONTROL_VERSION;
    if (handshake->is_proven) {
        challenge(handshake, body);
    } else {
        welcome(handshake);
    }
}

static void take_proof(struct control_handshake *handshake, struct dht_span body)
{
    if (check_proof(handshake, body, client_label, sizeof client_label)) {
        welcome(handshake);
    } else {
        refuse(handshake, CONTROL_ERROR_REFUSED, "wrong proof");
    }
}

// ---- both ----

static void step(struct control_handshake *handshake, struct dht_span body)
{
    if (!handshake->is_server && was_refused(handshake, body)) {
        return;
    }
    switch (handshake->state) {
    case CONTROL_HANDSHAKE_HELLO:
        take_hello(handshake, body);
        break;
    case CONTROL_HANDSHAKE_CHALLENGE:
        take_challenge(handshake, body);
        break;
    case CONTROL_HANDSHAKE_PROOF:
        take_proof(handshake, body);
        break;
    case CONTROL_HANDSHAKE_WELCOME:
        take_welcome(handshake, body);
        break;
    case CONTROL_HANDSHAKE_DONE:
    case CONTROL_HANDSHAKE_FAILED:
        break;
    }
}

static void break_off(struct control_handshake *handshake)
{
    static const char text[] = "no frame of the handshake";
    if (handshake->is_server) {
        refuse(handshake, CONTROL_ERROR_PROTOCOL, text);
    } else {
        fail_text(handshake, CONTROL_ERROR_PROTOCOL, text);
    }
}

// Moves bytes into the buffer until it holds `wanted`. Whether it does.
static bool take(struct control_handshake *handshake, struct dht_span *bytes, size_t wanted)
{
    size_t missing = wanted > handshake->in_len ? wanted - handshake->in_len : 0;
    size_t part = bytes->len < missing ? bytes->len : missing;
    if (part > 0) {
        memcpy(handshake->in + handshake->in_len, bytes->data, part);
        handshake->in_len += part;
        bytes->data += part;
        bytes->len -= part;
    }
    return part == missing;
}

enum control_handshake_state control_handshake_receive(struct control_handshake *handshake,
                                                       struct dht_span *inout_bytes,
                                                       struct dht_span *ret_out)
{
    handshake->out_len = 0;
    *ret_out = (struct dht_span){handshake->out, 0};
    if (handshake->state == CONTROL_HANDSHAKE_DONE ||
        handshake->state == CONTROL_HANDSHAKE_FAILED ||
        !take(handshake, inout_bytes, CONTROL_FRAME_HEAD)) {
        return handshake->state;
    }
    const uint8_t *head = handshake->in;
    size_t body_len = (size_t)head[2] << 8 | head[3];
    if (head[0] != 0 || head[1] != 0 || body_len == 0 ||
        body_len > sizeof handshake->in - CONTROL_FRAME_HEAD) {
        break_off(handshake);
    } else if (take(handshake, inout_bytes, CONTROL_FRAME_HEAD + body_len)) {
        struct dht_span body = {handshake->in + CONTROL_FRAME_HEAD, body_len};
        handshake->in_len = 0;
        if (control_fields_check(body)) {
            step(handshake, body);
        } else {
            break_off(handshake);
        }
    }
    ret_out->len = handshake->out_len;
    return handshake->state;
}
