// SPDX-License-Identifier: MIT
#include "dht/serve_who.h"

static const struct dht_registration *find(const struct dht *dht, const struct dht_krpc *msg)
{
    if (msg->target.data == NULL)
        return NULL;
    struct dht_id target = dht_serve_id(msg->target);
    return dht_registration_find(&dht->registrations, &dht->hash_key, &target);
}

bool dht_serve_who_is_ours(const struct dht *dht, const struct dht_krpc *msg)
{
    return msg->method == DHT_KRPC_WHO && find(dht, msg) != NULL;
}

// id part size token v
static void tell(struct dht_serve *serve, const struct dht_registration *registration)
{
    struct dht_bencode_writer *writer = &serve->writer;
    struct dht_span payload = registration->payload;
    size_t at = (size_t)serve->msg->offset;
    size_t room = DHT_SERVE_WHO_LEN_MAX - (at == 0 ? registration->description.len : 0);
    size_t part_len = payload.len - at < room ? payload.len - at : room;
    dht_serve_open(serve);
    if (payload.len > 0) {
        dht_bencode_pair_string(writer, "part", payload.data + at, part_len);
        dht_bencode_pair_int(writer, "size", (int64_t)payload.len);
    }
    dht_serve_token(serve, &registration->info_hash);
    if (at == 0) {
        dht_bencode_put_text(writer, "v");
        dht_bencode_put_raw(writer, registration->description.data, registration->description.len);
    }
    dht_serve_close(serve);
}

void dht_serve_who(struct dht_serve *serve)
{
    const struct dht_krpc *msg = serve->msg;
    const struct dht_registration *registration = find(serve->dht, msg);
    if (msg->target.data == NULL || msg->offset < 0) {
        dht_serve_refuse_arguments(serve);
        return;
    }
    if (registration == NULL) {
        DHT_COUNT(serve->dht, reject_unregistered);
        dht_serve_error(serve, DHT_KRPC_ERROR_GENERIC, "not registered");
        return;
    }
    if (msg->token.data == NULL) {
        DHT_COUNT(serve->dht, query_who);
        dht_serve_open(serve);
        dht_serve_token(serve, &registration->info_hash);
        dht_serve_close(serve);
        return;
    }
    if (!dht_serve_check_token(serve, &registration->info_hash))
        return;
    // An offset at the end or beyond it: what is registered has changed since the asker began.
    if (msg->offset > 0 && (uint64_t)msg->offset >= registration->payload.len) {
        dht_serve_refuse_arguments(serve);
        return;
    }
    DHT_COUNT(serve->dht, query_who);
    tell(serve, registration);
}
