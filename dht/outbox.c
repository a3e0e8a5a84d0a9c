// SPDX-License-Identifier: MIT
#include "dht/outbox.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// Before the bytes of each entry. A datagram's bytes are its payload; an event's are a struct
// dht_out followed by what it points to.
struct entry {
    uint32_t len; // of the bytes that follow
    uint32_t op;
    struct dht_addr to;
    uint8_t is_datagram;
    uint8_t is_dropped;
};

#define ENTRY_ALIGN    8
#define CAPACITY_LEAST 2048

static size_t padded(size_t len)
{
    return (len + ENTRY_ALIGN - 1) & ~(size_t)(ENTRY_ALIGN - 1);
}

void dht_outbox_init(struct dht_outbox *outbox, size_t capacity_max, size_t keep)
{
    *outbox = (struct dht_outbox){.capacity_max = capacity_max, .keep = keep};
}

void dht_outbox_fini(struct dht_outbox *outbox)
{
    free(outbox->bytes);
    *outbox = (struct dht_outbox){0};
}

void dht_outbox_reclaim(struct dht_outbox *outbox)
{
    if (outbox->head == 0)
        return;
    size_t left = outbox->tail - outbox->head;
    // Moving little is cheaper than growing; moving much, often, would cost more than the room is
    // worth.
    if (left > 0 && outbox->head < outbox->tail / 2)
        return;
    if (left > 0)
        memmove(outbox->bytes, outbox->bytes + outbox->head, left);
    outbox->event_at = outbox->event_at > outbox->head ? outbox->event_at - outbox->head : 0;
    outbox->head = 0;
    outbox->tail = left;
    if (left == 0 && outbox->capacity > outbox->keep) {
        free(outbox->bytes);
        outbox->bytes = NULL;
        outbox->capacity = 0;
    }
}

void dht_outbox_rest(struct dht_outbox *outbox)
{
    if (outbox->head < outbox->tail)
        return;
    free(outbox->bytes);
    outbox->bytes = NULL;
    outbox->head = outbox->tail = outbox->event_at = outbox->capacity = 0;
}

static bool make_room(struct dht_outbox *outbox, size_t len)
{
    size_t wanted = outbox->tail + padded(sizeof(struct entry)) + padded(len);
    if (wanted <= outbox->capacity)
        return true;
    if (wanted > outbox->capacity_max)
        return false;
    size_t capacity = outbox->capacity == 0 ? CAPACITY_LEAST : outbox->capacity;
    while (capacity < wanted)
        capacity *= 2;
    if (capacity > outbox->capacity_max)
        capacity = outbox->capacity_max;
    uint8_t *bytes = realloc(outbox->bytes, capacity);
    if (bytes == NULL)
        return false;
    outbox->bytes = bytes;
    outbox->capacity = capacity;
    return true;
}

static void append(struct dht_outbox *outbox, const struct entry *entry)
{
    memcpy(outbox->bytes + outbox->tail, entry, sizeof *entry);
    outbox->tail += padded(sizeof *entry) + padded(entry->len);
}

uint8_t *dht_outbox_open(struct dht_outbox *outbox)
{
    if (!make_room(outbox, DHT_DATAGRAM_MAX))
        return NULL;
    return outbox->bytes + outbox->tail + padded(sizeof(struct entry));
}

void dht_outbox_commit(struct dht_outbox *outbox, const struct dht_addr *to, size_t len,
                       uint32_t op)
{
    assert(len <= DHT_DATAGRAM_MAX);
    append(outbox, &(struct entry){.len = (uint32_t)len, .op = op, .to = *to, .is_datagram = 1});
}

// The bytes that an event points to.
static struct dht_span tail_of(const struct dht_out *event)
{
    if (event->type == DHT_OUT_PEERS)
        return (struct dht_span){(const uint8_t *)event->peers.addrs,
                                 event->peers.count * sizeof(struct dht_addr)};
    return (struct dht_span){0};
}

bool dht_outbox_event(struct dht_outbox *outbox, const struct dht_out *event)
{
    struct dht_span parts[2] = {tail_of(event)};
    if (event->type == DHT_OUT_ITEM) {
        parts[0] = event->found.item.salt;
        parts[1] = event->found.item.value;
    } else if (event->type == DHT_OUT_WHO) {
        parts[0] = event->who.description;
        parts[1] = event->who.payload;
    }
    size_t len = sizeof *event + parts[0].len + parts[1].len;
    if (!make_room(outbox, len))
        return false;
    uint8_t *at = outbox->bytes + outbox->tail + padded(sizeof(struct entry));
    memcpy(at, event, sizeof *event);
    at += sizeof *event;
    for (size_t i = 0; i < 2; i++) {
        if (parts[i].len > 0)
            memcpy(at, parts[i].data, parts[i].len);
        at += parts[i].len;
    }
    append(outbox, &(struct entry){.len = (uint32_t)len, .op = event->op});
    outbox->events++;
    return true;
}

// The pointers of an event, made to point behind it.
static void repoint(struct dht_out *event, const uint8_t *tail)
{
    if (event->type == DHT_OUT_ITEM) {
        event->found.item.salt.data = tail;
        event->found.item.value.data = tail + event->found.item.salt.len;
    } else if (event->type == DHT_OUT_PEERS) {
        event->peers.addrs = (const struct dht_addr *)(const void *)tail;
    } else if (event->type == DHT_OUT_WHO) {
        event->who.description.data = tail;
        event->who.payload.data = tail + event->who.description.len;
    }
}

// The entry at an offset, and where the next one is.
static struct entry entry_at(const struct dht_outbox *outbox, size_t at, size_t *ret_next)
{
    struct entry entry;
    memcpy(&entry, outbox->bytes + at, sizeof entry);
    *ret_next = at + padded(sizeof entry) + padded(entry.len);
    return entry;
}

static void mark_dropped(struct dht_outbox *outbox, size_t at, struct entry entry)
{
    if (!entry.is_datagram)
        outbox->events--;
    entry.is_dropped = 1;
    memcpy(outbox->bytes + at, &entry, sizeof entry);
}

static void read_event(const struct dht_outbox *outbox, size_t at, struct dht_out *ret_out)
{
    const uint8_t *bytes = outbox->bytes + at + padded(sizeof(struct entry));
    memcpy(ret_out, bytes, sizeof *ret_out);
    repoint(ret_out, bytes + sizeof *ret_out);
}

bool dht_outbox_next(struct dht_outbox *outbox, struct dht_out *ret_out)
{
    while (outbox->head < outbox->tail) {
        size_t at = outbox->head;
        struct entry entry = entry_at(outbox, at, &outbox->head);
        if (entry.is_dropped)
            continue;
        if (!entry.is_datagram) {
            outbox->events--;
            read_event(outbox, at, ret_out);
            return true;
        }
        const uint8_t *bytes = outbox->bytes + at + padded(sizeof entry);
        ret_out->type = DHT_OUT_DATAGRAM;
        ret_out->op = entry.op;
        ret_out->datagram = (struct dht_datagram){entry.to, {bytes, entry.len}};
        return true;
    }
    return false;
}

bool dht_outbox_next_event(struct dht_outbox *outbox, struct dht_out *ret_out)
{
    if (outbox->event_at < outbox->head)
        outbox->event_at = outbox->head;
    while (outbox->events > 0) {
        size_t at = outbox->event_at;
        struct entry entry = entry_at(outbox, at, &outbox->event_at);
        if (entry.is_datagram || entry.is_dropped)
            continue;
        mark_dropped(outbox, at, entry);
        read_event(outbox, at, ret_out);
        return true;
    }
    outbox->event_at = outbox->tail;
    return false;
}

void dht_outbox_forget(struct dht_outbox *outbox, uint32_t op)
{
    size_t at = outbox->head;
    while (at < outbox->tail) {
        size_t next;
        struct entry entry = entry_at(outbox, at, &next);
        if (entry.op == op && !entry.is_dropped)
            mark_dropped(outbox, at, entry);
        at = next;
    }
}
