// SPDX-License-Identifier: MIT
#include "node/core/seq.h"

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

bool core_seq_next(int64_t wall_us, int64_t last_used, int64_t seen, int64_t *ret_seq)
{
    if (last_used >= CORE_SEQ_MAX - 1 || seen >= CORE_SEQ_MAX - 1 || wall_us >= CORE_SEQ_MAX)
        return false;
    // A clock before 1970 counts for nothing; DHT_SEQ_NONE + 1 is 0.
    *ret_seq = larger(larger(wall_us, 1), larger(last_used + 1, seen + 1));
    return true;
}

void core_seq_write(int64_t seq, uint8_t ret_bytes[8])
{
    for (int i = 0; i < 8; i++)
        ret_bytes[i] = (uint8_t)((uint64_t)seq >> (56 - 8 * i));
}

bool core_seq_read(struct dht_span bytes, int64_t *ret_seq)
{
    uint64_t seq = 0;
    if (bytes.len != 8 || (bytes.data[0] & 0x80) != 0)
        return false;
    for (int i = 0; i < 8; i++)
        seq = seq << 8 | bytes.data[i];
    *ret_seq = (int64_t)seq;
    return true;
}
