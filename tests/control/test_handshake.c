// SPDX-License-Identifier: MIT
#include "node/control/handshake.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <stdlib.h>
#include <string.h>

// The secret and the nonces of docs/control.md.
static struct control_rendezvous rendezvous(enum control_access access)
{
    struct control_rendezvous found = {.port = 49152, .access = access};
    for (int i = 0; i < CONTROL_SECRET_LEN; i++) {
        found.secret[i] = (uint8_t)(0x40 + i);
    }
    return found;
}

static struct control_handshake_client client(const struct control_rendezvous *found)
{
    struct control_handshake_client brought = {.rendezvous = found};
    for (int i = 0; i < CONTROL_NONCE_LEN; i++) {
        brought.nonce[i] = (uint8_t)i;
    }
    return brought;
}

static struct control_handshake_server server(const struct control_rendezvous *control)
{
    struct control_handshake_server brought = {.node_count = 1};
    brought.granted = control == NULL ? CONTROL_ACCESS_RESOLVE : CONTROL_ACCESS_NONE;
    brought.control_secret = control == NULL ? NULL : control->secret;
    for (int i = 0; i < CONTROL_NONCE_LEN; i++) {
        brought.nonce[i] = (uint8_t)(0x20 + i);
    }
    return brought;
}

static bool ended(const struct control_handshake *side)
{
    return side->state == CONTROL_HANDSHAKE_DONE || side->state == CONTROL_HANDSHAKE_FAILED;
}

// Hands what one side said to the other, byte by byte. ret_reply gets what that one says.
static size_t say(struct control_handshake *to, const uint8_t *bytes, size_t len,
                  uint8_t ret_reply[CONTROL_HANDSHAKE_OUT_MAX])
{
    size_t reply_len = 0;
    for (size_t i = 0; i < len && !ended(to); i++) {
        uint8_t *byte = malloc(1);
        struct dht_span in = {byte, 1}, out;
        *byte = bytes[i];
        control_handshake_receive(to, &in, &out);
        free(byte);
        assert_int_equal(in.len, 0);
        if (out.len > 0) {
            assert_int_equal(reply_len, 0);
            memcpy(ret_reply, out.data, out.len);
            reply_len = out.len;
        }
    }
    return reply_len;
}

// Lets both talk until neither has anything to say.
static void talk(struct control_handshake *a, const struct control_handshake_client *brought_a,
                 struct control_handshake *b, const struct control_handshake_server *brought_b)
{
    uint8_t from_a[CONTROL_HANDSHAKE_OUT_MAX], from_b[CONTROL_HANDSHAKE_OUT_MAX];
    struct dht_span hello;
    control_handshake_start_server(b, brought_b);
    control_handshake_start_client(a, brought_a, &hello);
    size_t len = hello.len;
    memcpy(from_a, hello.data, len);
    while (len > 0) {
        len = say(b, from_a, len, from_b);
        len = say(a, from_b, len, from_a);
    }
}

// Brings both over TCP as far as the server's challenge, which is returned.
static struct dht_span challenge(struct control_handshake *a, struct control_handshake *b,
                                 const struct control_rendezvous *found)
{
    struct control_handshake_client brought_a = client(found);
    struct control_handshake_server brought_b = server(found);
    struct dht_span said, out;
    control_handshake_start_client(a, &brought_a, &said);
    control_handshake_start_server(b, &brought_b);
    assert_int_equal(control_handshake_receive(b, &said, &out), CONTROL_HANDSHAKE_PROOF);
    return out;
}

static void over_a_unix_socket(void **state)
{
    (void)state;
    struct control_handshake a, b;
    struct control_handshake_client brought_a = client(NULL);
    struct control_handshake_server brought_b = server(NULL);
    talk(&a, &brought_a, &b, &brought_b);
    assert_int_equal(a.state, CONTROL_HANDSHAKE_DONE);
    assert_int_equal(b.state, CONTROL_HANDSHAKE_DONE);
    assert_int_equal(a.access, CONTROL_ACCESS_RESOLVE);
    assert_int_equal(b.access, CONTROL_ACCESS_RESOLVE);
    assert_int_equal(a.version, 1);
}

static void says_what_is_documented(void **state)
{
    (void)state;
    static const char hello[] = "\0\0\0\x17"
                                "d4:nodei0e7:versioni1ee";
    static const char welcome[] = "\0\0\0\x28"
                                  "d6:access7:control4:nodei0e7:versioni1ee";
    struct control_handshake a, b;
    struct control_handshake_client brought_a = client(NULL);
    struct control_handshake_server brought_b = server(NULL);
    struct dht_span said, out;
    brought_b.granted = CONTROL_ACCESS_CONTROL;
    control_handshake_start_client(&a, &brought_a, &said);
    assert_int_equal(said.len, sizeof hello - 1);
    assert_memory_equal(said.data, hello, said.len);
    control_handshake_start_server(&b, &brought_b);
    assert_int_equal(control_handshake_receive(&b, &said, &out), CONTROL_HANDSHAKE_DONE);
    assert_int_equal(out.len, sizeof welcome - 1);
    assert_memory_equal(out.data, welcome, out.len);
}

static void proofs_are_as_documented(void **state)
{
    (void)state;
    static const uint8_t server_proof[4] = {0xa5, 0x4b, 0xaf, 0xe6};
    static const uint8_t client_proof[4] = {0x2a, 0xbf, 0x28, 0xc2};
    struct control_rendezvous found = rendezvous(CONTROL_ACCESS_CONTROL);
    struct control_handshake a, b;
    struct dht_span said = challenge(&a, &b, &found), out;
    assert_memory_equal(said.data + said.len - 33, server_proof, 4);
    assert_int_equal(control_handshake_receive(&a, &said, &out), CONTROL_HANDSHAKE_WELCOME);
    assert_memory_equal(out.data + out.len - 33, client_proof, 4);
}

static const struct tcp_row {
    const char *name;
    enum control_access client_access;
    bool wrong_secret;   // the client's
    bool resolve_served; // by the server, with the same secret
    bool control_served;
    enum control_error error; // CONTROL_ERROR_OK: both are done
} tcp_rows[] = {
    {"control", CONTROL_ACCESS_CONTROL, false, false, true, CONTROL_ERROR_OK},
    {"resolve", CONTROL_ACCESS_RESOLVE, false, true, true, CONTROL_ERROR_OK},
    {"wrong secret", CONTROL_ACCESS_CONTROL, true, false, true, CONTROL_ERROR_REFUSED},
    {"level not served", CONTROL_ACCESS_CONTROL, false, true, false, CONTROL_ERROR_REFUSED},
    {"nothing served", CONTROL_ACCESS_RESOLVE, false, false, false, CONTROL_ERROR_REFUSED},
};

static void over_tcp(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof tcp_rows / sizeof *tcp_rows; i++) {
        const struct tcp_row *row = &tcp_rows[i];
        struct control_rendezvous told = rendezvous(row->client_access);
        struct control_rendezvous real = told;
        struct control_handshake a, b;
        told.secret[31] ^= row->wrong_secret ? 1 : 0;
        struct control_handshake_client brought_a = client(&told);
        struct control_handshake_server brought_b = server(&real);
        brought_b.control_secret = row->control_served ? real.secret : NULL;
        brought_b.resolve_secret = row->resolve_served ? real.secret : NULL;
        talk(&a, &brought_a, &b, &brought_b);
        bool done = a.state == CONTROL_HANDSHAKE_DONE && b.state == CONTROL_HANDSHAKE_DONE;
        if (done != (row->error == CONTROL_ERROR_OK) || (!done && a.error != row->error) ||
            (done && (a.access != row->client_access || b.access != row->client_access))) {
            fail_msg("%s: client %d, server %d, error %d", row->name, a.state, b.state, a.error);
        }
    }
}

// A client that makes up its proof is turned away, and told so.
static void server_checks_the_proof(void **state)
{
    (void)state;
    static const char forged[] = "\0\0\0\x2c"
                                 "d5:proof32:................................e";
    struct control_rendezvous found = rendezvous(CONTROL_ACCESS_CONTROL);
    struct control_handshake a, b;
    struct dht_span said = {(const uint8_t *)forged, sizeof forged - 1}, out;
    (void)challenge(&a, &b, &found);
    assert_int_equal(control_handshake_receive(&b, &said, &out), CONTROL_HANDSHAKE_FAILED);
    assert_int_equal(b.error, CONTROL_ERROR_REFUSED);
    said = out;
    assert_int_not_equal(said.len, 0);
    assert_int_equal(control_handshake_receive(&a, &said, &out), CONTROL_HANDSHAKE_FAILED);
    assert_int_equal(a.error, CONTROL_ERROR_REFUSED);
    assert_string_equal(a.text, "wrong proof");
}

// Neither side takes its own proof for the other's.
static void proofs_are_not_reflected(void **state)
{
    (void)state;
    struct control_rendezvous found = rendezvous(CONTROL_ACCESS_CONTROL);
    struct control_handshake a, b;
    struct dht_span said = challenge(&a, &b, &found), out;
    // The server's own challenge, which holds its proof, comes back to it.
    uint8_t copy[CONTROL_HANDSHAKE_OUT_MAX];
    memcpy(copy, said.data, said.len);
    said.data = copy;
    assert_int_equal(control_handshake_receive(&b, &said, &out), CONTROL_HANDSHAKE_FAILED);
}

static const struct hello_row {
    const char *name;
    const char *body;
    enum control_error error;
    uint32_t version; // where it is taken
} hello_rows[] = {
    {"plain", "d4:nodei0e7:versioni1ee", CONTROL_ERROR_OK, 1},
    {"the last node", "d4:nodei4e7:versioni1ee", CONTROL_ERROR_OK, 1},
    {"newer client", "d4:nodei0e7:versioni9ee", CONTROL_ERROR_OK, 1},
    {"with more keys", "d3:newlde1:xe4:nodei0e7:versioni1ee", CONTROL_ERROR_OK, 1},
    {"no such node", "d4:nodei5e7:versioni1ee", CONTROL_ERROR_NOT_FOUND, 0},
    {"node -1", "d4:nodei-1e7:versioni1ee", CONTROL_ERROR_PROTOCOL, 0},
    {"no node", "d7:versioni1ee", CONTROL_ERROR_PROTOCOL, 0},
    {"version 0", "d4:nodei0e7:versioni0ee", CONTROL_ERROR_PROTOCOL, 0},
    {"no version", "d4:nodei0ee", CONTROL_ERROR_PROTOCOL, 0},
    {"a request", "d1:ii1e1:q6:statuse", CONTROL_ERROR_PROTOCOL, 0},
    {"a list", "le", CONTROL_ERROR_PROTOCOL, 0},
    {"no bencode", "GET / HTTP/1.1", CONTROL_ERROR_PROTOCOL, 0},
};

static void server_reads_hellos(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hello_rows / sizeof *hello_rows; i++) {
        const struct hello_row *row = &hello_rows[i];
        struct control_handshake b;
        struct control_handshake_server brought = server(NULL);
        uint8_t frame[128] = {0}, reply[CONTROL_HANDSHAKE_OUT_MAX];
        size_t len = strlen(row->body);
        brought.node_count = 5;
        control_handshake_start_server(&b, &brought);
        frame[3] = (uint8_t)len;
        memcpy(frame + 4, row->body, len);
        size_t reply_len = say(&b, frame, len + 4, reply);
        bool ok = b.state == CONTROL_HANDSHAKE_DONE;
        if (ok != (row->error == CONTROL_ERROR_OK) || (!ok && b.error != row->error) ||
            (ok && b.version != row->version) || reply_len == 0) {
            fail_msg("%s: state %d error %d", row->name, b.state, b.error);
        }
    }
}

static const struct welcome_row {
    const char *name;
    const char *body;
    enum control_error error;
} welcome_rows[] = {
    {"plain", "d6:access7:resolve4:nodei0e7:versioni1ee", CONTROL_ERROR_OK},
    {"newer version", "d6:access7:resolve4:nodei0e7:versioni2ee", CONTROL_ERROR_PROTOCOL},
    {"another node", "d6:access7:resolve4:nodei1e7:versioni1ee", CONTROL_ERROR_PROTOCOL},
    {"unknown access", "d6:access4:root4:nodei0e7:versioni1ee", CONTROL_ERROR_PROTOCOL},
    {"refusal", "d4:codei9e4:text4:fulle", CONTROL_ERROR_FULL},
    {"refusal without text", "d4:codei6ee", CONTROL_ERROR_REFUSED},
    {"refusal with 0", "d4:codei0ee", CONTROL_ERROR_PROTOCOL},
    {"empty", "de", CONTROL_ERROR_PROTOCOL},
};

static void client_reads_welcomes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof welcome_rows / sizeof *welcome_rows; i++) {
        const struct welcome_row *row = &welcome_rows[i];
        struct control_handshake a;
        struct control_handshake_client brought = client(NULL);
        struct dht_span hello;
        uint8_t frame[128] = {0}, reply[CONTROL_HANDSHAKE_OUT_MAX];
        size_t len = strlen(row->body);
        control_handshake_start_client(&a, &brought, &hello);
        frame[3] = (uint8_t)len;
        memcpy(frame + 4, row->body, len);
        assert_int_equal(say(&a, frame, len + 4, reply), 0);
        bool ok = a.state == CONTROL_HANDSHAKE_DONE;
        if (ok != (row->error == CONTROL_ERROR_OK) || (!ok && a.error != row->error)) {
            fail_msg("%s: state %d error %d", row->name, a.state, a.error);
        }
    }
}

static void bounds_lengths(void **state)
{
    (void)state;
    static const uint8_t heads[][4] = {
        {0, 0, 0, 0}, {0, 0, 1, 0xfd}, {0, 1, 0, 0}, {1, 0, 0, 1}, {'G', 'E', 'T', ' '}};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct control_handshake b;
        struct control_handshake_server brought = server(NULL);
        struct dht_span in = {heads[i], 4}, out;
        control_handshake_start_server(&b, &brought);
        assert_int_equal(control_handshake_receive(&b, &in, &out), CONTROL_HANDSHAKE_FAILED);
        assert_int_equal(b.error, CONTROL_ERROR_PROTOCOL);
    }
}

// What follows the handshake is left for the frames' reader.
static void leaves_what_follows(void **state)
{
    (void)state;
    static const char bytes[] = "\0\0\0\x17"
                                "d4:nodei0e7:versioni1ee"
                                "behind";
    struct control_handshake b;
    struct control_handshake_server brought = server(NULL);
    struct dht_span in = {(const uint8_t *)bytes, sizeof bytes - 1}, out;
    control_handshake_start_server(&b, &brought);
    assert_int_equal(control_handshake_receive(&b, &in, &out), CONTROL_HANDSHAKE_DONE);
    assert_int_equal(in.len, 6);
    assert_int_equal(control_handshake_receive(&b, &in, &out), CONTROL_HANDSHAKE_DONE);
    assert_int_equal(in.len, 6);
    assert_int_equal(out.len, 0);
}

static void secrets_are_wiped(void **state)
{
    (void)state;
    static const uint8_t zero[CONTROL_HELLO_MAX];
    struct control_rendezvous found = rendezvous(CONTROL_ACCESS_CONTROL);
    struct control_handshake a, b;
    struct control_handshake_client brought_a = client(&found);
    struct control_handshake_server brought_b = server(&found);
    talk(&a, &brought_a, &b, &brought_b);
    assert_int_equal(a.state, CONTROL_HANDSHAKE_DONE);
    assert_memory_equal(a.secrets, zero, sizeof a.secrets);
    assert_memory_equal(b.secrets, zero, sizeof b.secrets);
    assert_memory_equal(b.in, zero, sizeof b.in);
}

// Every byte of every message, changed in every bit, and every length cut short: no side may end
// up trusting the other. Bits of version and access aside, which are no secret.
static void survives_damage(void **state)
{
    (void)state;
    struct control_rendezvous found = rendezvous(CONTROL_ACCESS_CONTROL);
    struct control_handshake_client brought_a = client(&found);
    struct control_handshake_server brought_b = server(&found);
    for (size_t at = 0; at < 100; at++) {
        for (int bit = 0; bit < 8; bit++) {
            struct control_handshake a, b;
            struct dht_span said, out;
            uint8_t copy[CONTROL_HANDSHAKE_OUT_MAX], reply[CONTROL_HANDSHAKE_OUT_MAX];
            control_handshake_start_client(&a, &brought_a, &said);
            control_handshake_start_server(&b, &brought_b);
            control_handshake_receive(&b, &said, &out);
            size_t len = out.len;
            memcpy(copy, out.data, len);
            if (at < len) {
                copy[at] ^= (uint8_t)(1 << bit);
                len = say(&a, copy, len, reply);
                (void)say(&b, reply, len, copy);
                assert_int_not_equal(b.state, CONTROL_HANDSHAKE_DONE);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(over_a_unix_socket),       cmocka_unit_test(says_what_is_documented),
        cmocka_unit_test(proofs_are_as_documented), cmocka_unit_test(over_tcp),
        cmocka_unit_test(server_checks_the_proof),  cmocka_unit_test(proofs_are_not_reflected),
        cmocka_unit_test(server_reads_hellos),      cmocka_unit_test(client_reads_welcomes),
        cmocka_unit_test(bounds_lengths),           cmocka_unit_test(leaves_what_follows),
        cmocka_unit_test(secrets_are_wiped),        cmocka_unit_test(survives_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
