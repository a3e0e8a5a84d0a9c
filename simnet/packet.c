// SPDX-License-Identifier: MIT
#include "simnet/packet.h"

#include <assert.h>
#include <stdlib.h>

#define SMALL_SIZE 448 // most queries and replies
#define LARGE_SIZE 1664
#define SLAB_BITS  10 // packets in a slab
#define SLAB_COUNT (1u << SLAB_BITS)
#define LARGE_FLAG (UINT32_C(1) << 28)
#define INDEX_MAX  LARGE_FLAG

static_assert(LARGE_SIZE >= sizeof(struct simnet_packet) + DHT_DATAGRAM_MAX, "the largest fits");

struct shelf {
    size_t size;
    uint32_t flag;
    uint8_t **slabs;
    uint32_t slab_count, slab_capacity;
    struct simnet_packet *spare; // linked by next
};

struct simnet_packet_pool {
    struct shelf small, large;
    uint32_t count;
};

struct simnet_packet_pool *simnet_packet_pool_new(void)
{
    struct simnet_packet_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return NULL;
    pool->small.size = SMALL_SIZE;
    pool->large.size = LARGE_SIZE;
    pool->large.flag = LARGE_FLAG;
    return pool;
}

static void free_shelf(struct shelf *shelf)
{
    for (uint32_t i = 0; i < shelf->slab_count; i++)
        free(shelf->slabs[i]);
    free(shelf->slabs);
}

void simnet_packet_pool_free(struct simnet_packet_pool *pool)
{
    if (pool == NULL)
        return;
    free_shelf(&pool->small);
    free_shelf(&pool->large);
    free(pool);
}

static struct simnet_packet *packet_in(const struct shelf *shelf, uint32_t number)
{
    uint8_t *slab = shelf->slabs[number >> SLAB_BITS];
    return (struct simnet_packet *)(void *)(slab + (number & (SLAB_COUNT - 1)) * shelf->size);
}

static bool add_slab(struct shelf *shelf)
{
    if (shelf->slab_count == shelf->slab_capacity) {
        uint32_t more = shelf->slab_capacity == 0 ? 16 : 2 * shelf->slab_capacity;
        uint8_t **slabs = realloc(shelf->slabs, more * sizeof *slabs);
        if (slabs == NULL)
            return false;
        shelf->slabs = slabs;
        shelf->slab_capacity = more;
    }
    uint8_t *slab = malloc(SLAB_COUNT * shelf->size);
    if (slab == NULL || (shelf->slab_count + 1) << SLAB_BITS > INDEX_MAX) {
        free(slab);
        return false;
    }
    uint32_t first = shelf->slab_count << SLAB_BITS;
    shelf->slabs[shelf->slab_count++] = slab;
    for (uint32_t i = SLAB_COUNT; i-- > 0;) {
        struct simnet_packet *packet = packet_in(shelf, first + i);
        packet->index = (first + i) | shelf->flag;
        packet->next = (void *)shelf->spare;
        shelf->spare = packet;
    }
    return true;
}

struct simnet_packet *simnet_packet_take(struct simnet_packet_pool *pool, size_t len)
{
    assert(len <= DHT_DATAGRAM_MAX);
    struct shelf *shelf =
        sizeof(struct simnet_packet) + len <= SMALL_SIZE ? &pool->small : &pool->large;
    if (shelf->spare == NULL && !add_slab(shelf))
        return NULL;
    struct simnet_packet *packet = shelf->spare;
    shelf->spare = (void *)packet->next;
    packet->next = NULL;
    pool->count++;
    return packet;
}

void simnet_packet_give(struct simnet_packet_pool *pool, struct simnet_packet *packet)
{
    assert(pool->count > 0);
    struct shelf *shelf = packet->index & LARGE_FLAG ? &pool->large : &pool->small;
    packet->next = (void *)shelf->spare;
    shelf->spare = packet;
    pool->count--;
}

struct simnet_packet *simnet_packet_at(const struct simnet_packet_pool *pool, uint32_t index)
{
    const struct shelf *shelf = index & LARGE_FLAG ? &pool->large : &pool->small;
    return packet_in(shelf, index & ~LARGE_FLAG);
}
