// SPDX-License-Identifier: MIT
#include "tests/core/crypto_helper.h"
#include "tests/dialogue/play.h"

static struct text_bytes read_value(struct play *play)
{
    struct text_bytes bytes = {0};
    text_bencode(&play->text, &bytes);
    return bytes;
}

// sign NAME [key N] [salt STRING] seq N v VALUE: sets NAME.k .sig .v .target .salt; .v is bencoded.
void item_sign(struct play *play)
{
    char name[64];
    uint8_t secret[32] = {7};
    uint8_t key[32];
    size_t key_len = sizeof key;
    uint8_t sig[64];
    uint8_t target[20];
    struct text_bytes salt = {0};
    char head[40];
    text_word(&play->text, name);
    if (text_take(&play->text, "key"))
        secret[1] = (uint8_t)text_int(&play->text);
    if (text_take(&play->text, "salt"))
        text_string(&play->text, &salt);
    if (!text_take(&play->text, "seq"))
        text_fail(&play->text, "seq is missing");
    int64_t seq = text_int(&play->text);
    if (!text_take(&play->text, "v"))
        text_fail(&play->text, "v is missing");
    struct text_bytes value = read_value(play);

    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, 32);
    assert(pkey != NULL && EVP_PKEY_get_raw_public_key(pkey, key, &key_len) == 1);
    EVP_PKEY_free(pkey);
    // BEP 44's text, put together by hand: the engine's own function is what is under test.
    struct text_bytes signed_text = {0};
    if (salt.len > 0) {
        int len = snprintf(head, sizeof head, "4:salt%zu:", salt.len);
        memcpy(signed_text.bytes, head, (size_t)len);
        memcpy(signed_text.bytes + len, salt.bytes, salt.len);
        signed_text.len = (size_t)len + salt.len;
    }
    int len = snprintf(head, sizeof head, "3:seqi%llde1:v", (long long)seq);
    memcpy(signed_text.bytes + signed_text.len, head, (size_t)len);
    signed_text.len += (size_t)len;
    memcpy(signed_text.bytes + signed_text.len, value.bytes, value.len);
    signed_text.len += value.len;
    bool good =
        helper_sign(secret, key, (struct dht_span){signed_text.bytes, signed_text.len}, sig);
    assert(good);
    struct dht_span parts[2] = {{key, sizeof key}, {salt.bytes, salt.len}};
    helper_sha1(NULL, parts, 2, target);
    play_set_part(play, name, "k", key, sizeof key);
    play_set_part(play, name, "sig", sig, sizeof sig);
    play_set_part(play, name, "v", value.bytes, value.len);
    play_set_part(play, name, "salt", salt.bytes, salt.len);
    play_set_part(play, name, "target", target, sizeof target);
    play_set_part(play, name, "seq", &seq, sizeof seq);
}

// hash NAME VALUE: the target of an immutable item, as NAME; its bencoded text as NAME.v.
void item_hash(struct play *play)
{
    char name[64];
    uint8_t target[20];
    text_word(&play->text, name);
    struct text_bytes value = read_value(play);
    struct dht_span part = {value.bytes, value.len};
    helper_sha1(NULL, &part, 1, target);
    text_set(&play->text, name, target, sizeof target);
    play_set_part(play, name, "v", value.bytes, value.len);
}
