// SPDX-License-Identifier: MIT
#include "bench/message.h"

#include "bench/process.h"
#include "dht/bencode.h"

#include <string.h>

static void write_announce(struct dht_bencode_writer *writer, const struct bench_query *query)
{
    dht_krpc_put_id(writer, "id", query->id);
    dht_bencode_pair_int(writer, "implied_port", 1);
    dht_krpc_put_id(writer, "info_hash", query->target);
    dht_bencode_pair_int(writer, "port", 6881);
    dht_bencode_pair_string(writer, "token", query->token.data, query->token.len);
}

static void write_put(struct dht_bencode_writer *writer, const struct bench_query *query)
{
    const struct dht_item *item = query->item;
    dht_krpc_put_id(writer, "id", query->id);
    if (item->is_mutable) {
        dht_bencode_pair_string(writer, "k", item->key, sizeof item->key);
        dht_bencode_pair_int(writer, "seq", item->seq);
        dht_bencode_pair_string(writer, "sig", item->sig, sizeof item->sig);
    }
    dht_bencode_pair_string(writer, "token", query->token.data, query->token.len);
    dht_bencode_put_text(writer, "v");
    dht_bencode_put_raw(writer, item->value.data, item->value.len);
}

static const char *write_arguments(struct dht_bencode_writer *writer,
                                   const struct bench_query *query)
{
    switch (query->method) {
    case DHT_KRPC_FIND_NODE:
        dht_krpc_put_id(writer, "id", query->id);
        dht_krpc_put_id(writer, "target", query->target);
        return "find_node";
    case DHT_KRPC_GET_PEERS:
        dht_krpc_put_id(writer, "id", query->id);
        dht_krpc_put_id(writer, "info_hash", query->target);
        return "get_peers";
    case DHT_KRPC_GET:
        dht_krpc_put_id(writer, "id", query->id);
        dht_krpc_put_id(writer, "target", query->target);
        return "get";
    case DHT_KRPC_ANNOUNCE_PEER:
        write_announce(writer, query);
        return "announce_peer";
    case DHT_KRPC_PUT:
        write_put(writer, query);
        return "put";
    default:
        dht_krpc_put_id(writer, "id", query->id);
        return "ping";
    }
}

size_t bench_message_write(const struct bench_query *query, uint8_t ret_bytes[DHT_DATAGRAM_MAX])
{
    struct dht_bencode_writer writer = dht_bencode_writer(ret_bytes, DHT_DATAGRAM_MAX);
    struct dht_krpc_envelope envelope = {
        .id = query->id,
        .tid = {(const uint8_t *)&query->tid, sizeof query->tid},
        .version = "BN\0\1",
        .read_only = query->read_only,
    };
    dht_krpc_open_query(&writer);
    const char *method = write_arguments(&writer, query);
    dht_krpc_close_query(&writer, &envelope, method);
    if (writer.full)
        bench_die(method, "a query that is too long");
    return dht_bencode_written(&writer);
}

bool bench_message_read(struct dht_span datagram, struct bench_reply *ret_reply)
{
    struct dht_krpc msg;
    if (!dht_krpc_parse(datagram, &msg) || msg.type == DHT_KRPC_QUERY ||
        msg.tid.len != sizeof ret_reply->tid)
        return false;
    *ret_reply = (struct bench_reply){
        .is_good = msg.type == DHT_KRPC_REPLY,
        .has_value = msg.value.data != NULL || msg.values.data != NULL,
        .token = msg.token,
        .nodes = msg.nodes,
    };
    memcpy(&ret_reply->tid, msg.tid.data, sizeof ret_reply->tid);
    return true;
}
