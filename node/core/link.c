// SPDX-License-Identifier: MIT
#include "node/core/link.h"

#include "dht/neighbours.h"

#include <assert.h>
#include <stdlib.h>

struct core_link {
    struct dht_timer timer; // the first member: core_link_timer() is given it
    struct core_engine *engine;
    struct dht_neighbours neighbours;
};

bool core_link_open(struct node *node, struct core_engine *engine)
{
    struct core_link *link = calloc(1, sizeof *link);
    if (link == NULL)
        return false;
    dht_timer_init(&link->timer, CORE_TIMER_LINK);
    link->engine = engine;
    dht_neighbours_init(&link->neighbours, node->now_us);
    dht_timer_set(&node->timers, &link->timer, node->now_us);
    engine->link = link;
    return true;
}

void core_link_close(struct node *node, struct core_engine *engine)
{
    if (engine->link == NULL)
        return;
    dht_timer_clear(&node->timers, &engine->link->timer);
    free(engine->link);
    engine->link = NULL;
}

static struct dht_id own_id(const struct core_engine *engine)
{
    struct dht_info info;
    dht_info(engine->dht, &info);
    return info.id;
}

void core_link_timer(struct node *node, struct dht_timer *timer)
{
    struct core_link *link = (struct core_link *)(void *)timer;
    struct dht_contact_info contact;
    uint8_t bytes[DHT_NEIGHBOURS_LEN_MAX];
    bool alone = dht_contacts(link->engine->dht, &contact, 1) == 0;
    struct dht_neighbours_message message = {.id = own_id(link->engine)};
    message.kind = dht_neighbours_say(&link->neighbours, node->now_us, &node->random, alone);
    struct dht_datagram datagram = {.addr = dht_neighbours_group(link->engine->family)};
    datagram.bytes = (struct dht_span){bytes, dht_neighbours_write(&message, bytes)};
    core_outbox_datagram(&node->outbox, link->engine->number, &datagram);
    CORE_COUNT(node, neighbours_said);
    dht_timer_set(&node->timers, &link->timer, link->neighbours.due_us);
}

static void hear(struct node *node, struct core_link *link, const struct dht_datagram *datagram)
{
    struct dht_id own = own_id(link->engine);
    struct dht_id id;
    switch (
        dht_neighbours_heard(&link->neighbours, node->now_us, &node->random, &own, datagram, &id)) {
    case DHT_NEIGHBOURS_ASK:
        CORE_COUNT(node, neighbours_asked);
        dht_restore_contact(link->engine->dht, node->now_us, &id, &datagram->addr);
        break;
    case DHT_NEIGHBOURS_LIMITED:
        CORE_COUNT(node, neighbours_limited);
        break;
    case DHT_NEIGHBOURS_MALFORMED:
        CORE_COUNT(node, neighbours_malformed);
        break;
    case DHT_NEIGHBOURS_KNOWN:
    case DHT_NEIGHBOURS_OWN:
        break;
    }
}

void node_heard(struct node *node, int64_t now_us, int engine_number,
                const struct dht_datagram *datagrams, size_t count)
{
    core_brain_enter(node, now_us);
    struct core_engine *engine = core_cloud_engine(node, engine_number);
    assert(engine != NULL);
    for (size_t i = 0; i < count && engine->link != NULL; i++) {
        CORE_COUNT(node, neighbours_heard);
        hear(node, engine->link, &datagrams[i]);
    }
    if (engine->link != NULL)
        dht_timer_set(&node->timers, &engine->link->timer, engine->link->neighbours.due_us);
    core_brain_settle(node);
}
