// SPDX-License-Identifier: MIT
#include "tests/fuzz/sealed.h"

#include "dht/id.h"

#include <stdlib.h>
#include <string.h>

#define BARE_LEN 5 // of an entry's head in the input: kind, length

static void put(struct sealed *sealed, const void *bytes, size_t len)
{
    if (len > 0)
        memcpy(sealed->bytes + sealed->len, bytes, len);
    sealed->len += len;
}

// Puts the entry that the input begins with; returns how much of the input that is.
static size_t put_entry(struct sealed *sealed, const uint8_t *data, size_t size)
{
    uint8_t bytes[RECORDING_ENTRY_HEAD_LEN];
    struct recording_entry_head head = {.kind = data[0]};
    for (size_t i = 1; i < BARE_LEN; i++)
        head.payload_len = head.payload_len << 8 | data[i];
    size_t left = size - BARE_LEN;
    size_t len = head.payload_len < left ? head.payload_len : left;
    head.payload_crc = dht_id_crc32c(data + BARE_LEN, len);
    recording_entry_head_write(&head, bytes);
    put(sealed, bytes, sizeof bytes);
    put(sealed, data + BARE_LEN, len);
    return BARE_LEN + len;
}

struct sealed sealed_make(const uint8_t *data, size_t size)
{
    struct sealed sealed = {0};
    size_t entries_max = size / BARE_LEN;
    size_t added = RECORDING_ENTRY_HEAD_LEN - BARE_LEN;
    sealed.bytes = malloc(RECORDING_HEAD_LEN + size + entries_max * added);
    if (sealed.bytes == NULL)
        abort();
    put(&sealed, RECORDING_HEAD, RECORDING_HEAD_LEN);
    while (size >= BARE_LEN) {
        size_t len = put_entry(&sealed, data, size);
        data += len;
        size -= len;
    }
    put(&sealed, data, size);
    return sealed;
}

void sealed_free(struct sealed *sealed)
{
    free(sealed->bytes);
    sealed->bytes = NULL;
}

int64_t sealed_read(void *ctx, uint8_t *buf, size_t len)
{
    struct sealed *sealed = ctx;
    size_t left = sealed->len - sealed->at;
    size_t part = len < left ? len : left;
    memcpy(buf, sealed->bytes + sealed->at, part);
    sealed->at += part;
    return (int64_t)part;
}
