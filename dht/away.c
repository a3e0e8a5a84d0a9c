// SPDX-License-Identifier: MIT
#include "dht/away.h"

#include "dht/id.h"
#include "dht/maintain.h"
#include "dht/query.h"

void dht_away_heard(struct dht *dht)
{
    bool was_away = dht->unheard >= DHT_AWAY_QUERIES && dht->now_us - dht->silent_us >= DHT_AWAY_US;
    dht->heard_us = dht->now_us;
    dht->unheard = 0;
    dht->upkeep.next_away_us = INT64_MAX;
    if (was_away)
        dht_engine_emit(dht, &(struct dht_out){.type = DHT_OUT_RETURNED});
}

static void ask_soon(struct dht *dht)
{
    dht->upkeep.next_away_us = dht->now_us + DHT_AWAY_ASK_US;
    dht_maintain_hurry(dht, dht->upkeep.next_away_us);
}

void dht_away_silent(struct dht *dht, int64_t sent_us)
{
    if (sent_us <= dht->heard_us)
        return;
    if (++dht->unheard == DHT_AWAY_QUERIES)
        dht->silent_us = dht->now_us;
    if (dht->unheard >= DHT_AWAY_QUERIES && dht->upkeep.next_away_us == INT64_MAX)
        ask_soon(dht);
}

void dht_away_due(struct dht *dht)
{
    struct dht_id target;
    struct dht_contact_ref ref;
    dht->upkeep.next_away_us = INT64_MAX;
    dht_random_bytes(&dht->random, target.bytes, sizeof target.bytes);
    if (dht_table_closest(&dht->table, &target, 1, &ref) == 0)
        return; // then it joins
    struct dht_krpc_node node = {dht_contact_id(ref),
                                 dht_contact_addr(ref.contact, dht->table.contact_len)};
    struct dht_query query = {
        .method = DHT_KRPC_PING,
        .purpose = DHT_PURPOSE_CHECK,
        .addr = &node.addr,
        .id = &node.id,
        .seq_known = DHT_SEQ_NONE,
        .cas = DHT_SEQ_NONE,
    };
    dht_allowance_spend(&dht->upkeep.allowance, 1);
    dht_query_send(dht, &query);
    ask_soon(dht);
}
