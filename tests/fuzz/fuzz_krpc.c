// SPDX-License-Identifier: MIT
// KRPC messages: every view lies within the datagram and has the length that it promises.
#include "dht/krpc.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t *first;
static size_t len;

static void check_view(struct dht_span view)
{
    if (view.data == NULL)
        return;
    FUZZ_CHECK(view.data >= first && view.data <= first + len);
    FUZZ_CHECK(view.len <= (size_t)(first + len - view.data));
}

static void check_len(struct dht_span view, size_t wanted)
{
    check_view(view);
    FUZZ_CHECK(view.data == NULL || view.len == wanted);
}

static void check_nodes(struct dht_span nodes, size_t entry_len)
{
    struct dht_krpc_node node;
    check_view(nodes);
    FUZZ_CHECK(nodes.data == NULL || nodes.len % entry_len == 0);
    for (size_t i = 0; i < nodes.len / entry_len; i++) {
        dht_krpc_node(nodes, entry_len, i, &node);
        FUZZ_CHECK(node.addr.ip_len == (entry_len == 26 ? 4 : 16));
    }
}

static void check_item(const struct dht_krpc *msg)
{
    uint8_t text[DHT_KRPC_SIGNED_MAX];
    check_len(msg->key, DHT_KEY_LEN);
    check_len(msg->sig, DHT_SIG_LEN);
    check_view(msg->salt);
    check_view(msg->value);
    if (msg->value.data == NULL || msg->value.len > DHT_VALUE_LEN_MAX ||
        msg->salt.len > DHT_SALT_LEN_MAX)
        return;
    FUZZ_CHECK(dht_krpc_signed_text(msg->salt, msg->seq, msg->value, text) <= sizeof text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dht_krpc msg;
    first = data;
    len = size;
    if (!dht_krpc_parse((struct dht_span){data, size}, &msg))
        return 0;
    FUZZ_CHECK(msg.tid.len <= DHT_KRPC_TID_LEN_MAX);
    check_view(msg.tid);
    check_view(msg.method_name);
    check_view(msg.version);
    check_view(msg.ip);
    check_len(msg.id, DHT_ID_LEN);
    check_len(msg.target, DHT_ID_LEN);
    check_len(msg.info_hash, DHT_ID_LEN);
    check_view(msg.token);
    check_len(msg.nonce, DHT_KRPC_NONCE_LEN);
    check_view(msg.name);
    check_view(msg.error_text);
    check_view(msg.samples);
    check_view(msg.part);
    FUZZ_CHECK(msg.samples.data == NULL || msg.samples.len % DHT_ID_LEN == 0);
    check_nodes(msg.nodes, 26);
    check_nodes(msg.nodes6, 38);
    check_item(&msg);
    struct dht_addr peer;
    struct dht_bencode_cursor cursor = dht_krpc_peers(&msg);
    while (dht_krpc_next_peer(&cursor, &peer))
        FUZZ_CHECK(peer.ip_len == 4 || peer.ip_len == 16);
    return 0;
}
