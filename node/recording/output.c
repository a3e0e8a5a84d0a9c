// SPDX-License-Identifier: MIT
#include "node/recording/output.h"

#include "dht/addr.h"
#include "dht/siphash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

uint64_t recording_output_digest(const void *data, size_t len)
{
    static const struct dht_siphash_key key = {0x706e722072656331, 0x6f7574707574732e};
    return dht_siphash(&key, data, len);
}

// Two runs of bytes; what is on their border changes the digest too.
static uint64_t digest_two(struct dht_span first, struct dht_span second)
{
    uint64_t parts[3] = {recording_output_digest(first.data, first.len), second.len,
                         recording_output_digest(second.data, second.len)};
    uint8_t bytes[24];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(parts[i / 8] >> 8 * (i % 8));
    return recording_output_digest(bytes, sizeof bytes);
}

uint64_t recording_output_digest_signed(const uint8_t key[DHT_KEY_LEN], const uint8_t *sig,
                                        struct dht_span msg)
{
    uint8_t head[DHT_KEY_LEN + DHT_SIG_LEN];
    size_t len = DHT_KEY_LEN;
    memcpy(head, key, DHT_KEY_LEN);
    if (sig != NULL) {
        memcpy(head + len, sig, DHT_SIG_LEN);
        len += DHT_SIG_LEN;
    }
    return digest_two((struct dht_span){head, len}, msg);
}

static void of_write(const struct node_out *out, struct recording_output *ret_output)
{
    ret_output->detail = (uint8_t)((unsigned)out->write.kind | (out->write.durable ? 0x80u : 0));
    ret_output->number = out->write.write_id;
    ret_output->len = (uint32_t)out->write.key.len;
    ret_output->value_len = (uint32_t)out->write.value.len;
    ret_output->digest = digest_two(out->write.key, out->write.value);
}

static void of_key(const struct node_out *out, struct recording_output *ret_output)
{
    size_t len = strlen(out->key.label);
    ret_output->detail = (uint8_t)out->key.verb;
    ret_output->number = out->key.key_request;
    ret_output->len = (uint32_t)len;
    ret_output->value_len = (uint32_t)out->key.pem.len;
    ret_output->digest = recording_output_digest(out->key.label, len);
}

static void of_datagram(const struct node_out *out, struct recording_output *ret_output)
{
    ret_output->detail = (uint8_t)out->engine;
    ret_output->addr = out->datagram.addr;
    ret_output->len = (uint32_t)out->datagram.bytes.len;
    ret_output->digest = recording_output_digest(out->datagram.bytes.data, out->datagram.bytes.len);
}

struct recording_output recording_output_of(const struct node_out *out)
{
    struct recording_output output = {.type = out->type};
    switch (out->type) {
    case NODE_OUT_DATAGRAM:
        of_datagram(out, &output);
        break;
    case NODE_OUT_BYTES:
        output.len = (uint32_t)out->bytes.len;
        output.digest = recording_output_digest(out->bytes.data, out->bytes.len);
        output.number = out->session;
        break;
    case NODE_OUT_HANGUP:
        output.number = out->session;
        break;
    case NODE_OUT_WRITE:
        of_write(out, &output);
        break;
    case NODE_OUT_KEY:
        of_key(out, &output);
        break;
    case NODE_OUT_EVENT:
        output.detail = out->event.warning;
        output.len = (uint32_t)strlen(out->event.text);
        output.digest = recording_output_digest(out->event.text, output.len);
        break;
    }
    return output;
}

bool recording_output_equal(const struct recording_output *a, const struct recording_output *b)
{
    return a->type == b->type && a->detail == b->detail && a->number == b->number &&
           a->len == b->len && a->value_len == b->value_len && a->digest == b->digest &&
           a->addr.ip_len == b->addr.ip_len && a->addr.port == b->addr.port &&
           memcmp(a->addr.ip, b->addr.ip, a->addr.ip_len) == 0;
}

static const char *verb_text(uint8_t verb)
{
    static const char *const texts[] = {[NODE_KEY_NEW] = "new",
                                        [NODE_KEY_IMPORT] = "import",
                                        [NODE_KEY_EXPORT] = "export",
                                        [NODE_KEY_CHECKUP] = "checkup"};
    return verb < sizeof texts / sizeof texts[0] ? texts[verb] : "?";
}

void recording_output_to_text(const struct recording_output *output,
                              char ret_text[RECORDING_OUTPUT_TEXT_MAX])
{
    char addr[DHT_ADDR_TEXT_MAX] = "nowhere";
    char *text = ret_text;
    size_t max = RECORDING_OUTPUT_TEXT_MAX;
    if (output->addr.ip_len != 0)
        dht_addr_to_text(&output->addr, addr);
    switch (output->type) {
    case NODE_OUT_DATAGRAM:
        snprintf(text, max, "datagram of %" PRIu32 " bytes to %s by engine %d, digest %016" PRIx64,
                 output->len, addr, output->detail, output->digest);
        break;
    case NODE_OUT_BYTES:
        snprintf(text, max, "%" PRIu32 " bytes for session %" PRIu64 ", digest %016" PRIx64,
                 output->len, output->number, output->digest);
        break;
    case NODE_OUT_HANGUP:
        snprintf(text, max, "hangup of session %" PRIu64, output->number);
        break;
    case NODE_OUT_WRITE:
        snprintf(text, max,
                 "write %" PRIu64 "%s of a row of kind %d, key %" PRIu32 " and value %" PRIu32
                 " bytes, digest %016" PRIx64,
                 output->number, output->detail & 0x80 ? " (durable)" : "", output->detail & 0x7f,
                 output->len, output->value_len, output->digest);
        break;
    case NODE_OUT_KEY:
        snprintf(text, max, "key request %" PRIu64 " (%s), digest %016" PRIx64, output->number,
                 verb_text(output->detail), output->digest);
        break;
    case NODE_OUT_EVENT:
        snprintf(text, max, "event%s of %" PRIu32 " bytes, digest %016" PRIx64,
                 output->detail ? " (warning)" : "", output->len, output->digest);
        break;
    }
}

void recording_output_code(struct recording_coder *coder, struct recording_output *output)
{
    int type = (int)output->type;
    recording_coder_choice(coder, &type, NODE_OUT_DATAGRAM, NODE_OUT_EVENT);
    output->type = (enum node_out_type)type;
    recording_coder_u8(coder, &output->detail);
    recording_coder_u64(coder, &output->number);
    recording_coder_addr(coder, &output->addr);
    recording_coder_u32(coder, &output->len);
    recording_coder_u32(coder, &output->value_len);
    recording_coder_u64(coder, &output->digest);
}
