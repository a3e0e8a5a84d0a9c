// SPDX-License-Identifier: MIT
#include "node/core/outbox.h"

#include "node/control/secret.h"

#include <stdlib.h>
#include <string.h>

struct core_outbox_entry {
    struct core_outbox_entry *next;
    struct node_out out;
    size_t bytes_len;
    uint8_t bytes[];
};

static void free_list(struct core_outbox_entry *entry)
{
    while (entry != NULL) {
        struct core_outbox_entry *next = entry->next;
        // A key's PEM text may have gone this way, in or out.
        if (entry->out.type == NODE_OUT_KEY || entry->out.type == NODE_OUT_BYTES)
            control_secret_wipe(entry->bytes, entry->bytes_len);
        free(entry);
        entry = next;
    }
}

void core_outbox_fini(struct core_outbox *outbox)
{
    free_list(outbox->first);
    free_list(outbox->lent);
    *outbox = (struct core_outbox){0};
}

void core_outbox_reclaim(struct core_outbox *outbox)
{
    free_list(outbox->lent);
    outbox->lent = NULL;
}

// Appends an output with a copy of two spans behind it; ret_at tells where the copies are.
static struct core_outbox_entry *append(struct core_outbox *outbox, const struct node_out *out,
                                        struct dht_span first, struct dht_span second)
{
    struct core_outbox_entry *entry = malloc(sizeof *entry + first.len + second.len);
    if (entry == NULL)
        return NULL;
    entry->next = NULL;
    entry->out = *out;
    entry->bytes_len = first.len + second.len;
    if (first.len > 0)
        memcpy(entry->bytes, first.data, first.len);
    if (second.len > 0)
        memcpy(entry->bytes + first.len, second.data, second.len);
    if (outbox->last != NULL)
        outbox->last->next = entry;
    else
        outbox->first = entry;
    outbox->last = entry;
    return entry;
}

bool core_outbox_bytes(struct core_outbox *outbox, uint32_t session, struct dht_span bytes)
{
    struct node_out out = {.type = NODE_OUT_BYTES, .session = session};
    struct core_outbox_entry *entry = append(outbox, &out, bytes, (struct dht_span){0});
    if (entry == NULL)
        return false;
    entry->out.bytes = (struct dht_span){entry->bytes, bytes.len};
    return true;
}

bool core_outbox_datagram(struct core_outbox *outbox, int engine,
                          const struct dht_datagram *datagram)
{
    struct node_out out = {.type = NODE_OUT_DATAGRAM, .engine = engine, .datagram = *datagram};
    struct core_outbox_entry *entry = append(outbox, &out, datagram->bytes, (struct dht_span){0});
    if (entry == NULL)
        return false;
    entry->out.datagram.bytes.data = entry->bytes;
    return true;
}

bool core_outbox_hangup(struct core_outbox *outbox, uint32_t session)
{
    struct node_out out = {.type = NODE_OUT_HANGUP, .session = session};
    return append(outbox, &out, (struct dht_span){0}, (struct dht_span){0}) != NULL;
}

bool core_outbox_write(struct core_outbox *outbox, const struct node_out *write)
{
    struct core_outbox_entry *entry = append(outbox, write, write->write.key, write->write.value);
    if (entry == NULL)
        return false;
    entry->out.type = NODE_OUT_WRITE;
    entry->out.write.key.data = entry->bytes;
    entry->out.write.value.data = entry->bytes + write->write.key.len;
    return true;
}

bool core_outbox_key(struct core_outbox *outbox, const struct node_out *key)
{
    struct dht_span label = {(const uint8_t *)key->key.label, strlen(key->key.label) + 1};
    struct core_outbox_entry *entry = append(outbox, key, label, key->key.pem);
    if (entry == NULL)
        return false;
    entry->out.type = NODE_OUT_KEY;
    entry->out.key.label = (const char *)entry->bytes;
    entry->out.key.pem.data = entry->bytes + label.len;
    return true;
}

bool core_outbox_event(struct core_outbox *outbox, bool warning, const char *text,
                       const char *detail)
{
    struct node_out out = {.type = NODE_OUT_EVENT};
    struct dht_span first = {(const uint8_t *)text, strlen(text)};
    struct dht_span second = {(const uint8_t *)detail, strlen(detail) + 1};
    struct core_outbox_entry *entry = append(outbox, &out, first, second);
    if (entry == NULL)
        return false;
    entry->out.event.warning = warning;
    entry->out.event.text = (const char *)entry->bytes;
    return true;
}

bool core_outbox_next(struct core_outbox *outbox, struct node_out *ret_out)
{
    struct core_outbox_entry *entry = outbox->first;
    if (entry == NULL)
        return false;
    outbox->first = entry->next;
    if (outbox->first == NULL)
        outbox->last = NULL;
    entry->next = outbox->lent;
    outbox->lent = entry;
    *ret_out = entry->out;
    return true;
}
