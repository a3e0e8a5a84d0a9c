// SPDX-License-Identifier: MIT
#include "nsp/handle.h"

// A handle: uses of its place above, the place itself below, in 32 bits that every HANDLE has.
#define PLACE_BITS 12
#define PLACE_MASK ((1u << PLACE_BITS) - 1)

// A slot's word: uses, whether it is open, references.
#define USE_SHIFT 32
#define OPEN_BIT  (UINT64_C(1) << 31)
#define REFS_MASK (OPEN_BIT - 1)

_Static_assert(NSP_HANDLES == 1u << PLACE_BITS, "the places fill their bits");
_Static_assert(NSP_HANDLE_REFS < REFS_MASK, "references do not run into the open bit");

static uint32_t use_of(uint64_t word)
{
    return (uint32_t)(word >> USE_SHIFT);
}

static HANDLE handle_of(uint32_t place, uint32_t use)
{
    return (HANDLE)(uintptr_t)(use << PLACE_BITS | place);
}

// The slot that a handle names, whether or not it is in use, and the use that the handle is of.
static struct nsp_handle_slot *slot_of(struct nsp_handle_table *table, HANDLE handle,
                                       uint32_t *ret_use)
{
    uintptr_t value = (uintptr_t)handle;
    // Beyond 32 bits there is none of ours; 0 is no use.
    *ret_use = value > UINT32_MAX ? 0 : (uint32_t)value >> PLACE_BITS;
    return &table->slots[value & PLACE_MASK];
}

static bool is_open_for(uint64_t word, uint32_t use)
{
    return use != 0 && use_of(word) == use && (word & OPEN_BIT) != 0;
}

static uint32_t take_place(struct nsp_handle_table *table)
{
    uint32_t place = table->touched;
    // A place is left alone for as long as others are there: a stale handle stays told for longer.
    if (table->touched < NSP_HANDLES) {
        table->touched++;
        return place;
    }
    place = table->free_first;
    table->free_first = table->slots[place].next_free;
    table->free_count--;
    return place;
}

static void give_place(struct nsp_handle_table *table, uint32_t place)
{
    if (table->free_count == 0) {
        table->free_first = place;
    } else {
        table->slots[table->free_last].next_free = place;
    }
    table->free_last = place;
    table->free_count++;
}

int nsp_handle_open(struct nsp_handle_table *table, void *object, void (*destroy)(void *object),
                    HANDLE *ret_handle)
{
    nsp_lock_take(&table->lock);
    if (table->used == NSP_HANDLES) {
        nsp_lock_give(&table->lock);
        (void)atomic_fetch_add(&table->turned_away, 1);
        return WSA_NOT_ENOUGH_MEMORY;
    }
    uint32_t place = take_place(table);
    table->used++;
    nsp_lock_give(&table->lock);

    struct nsp_handle_slot *slot = &table->slots[place];
    uint32_t use = use_of(atomic_load(&slot->word)) % NSP_HANDLE_USES + 1;
    slot->object = object;
    slot->destroy = destroy;
    // What was written above is seen by whoever finds it open.
    atomic_store(&slot->word, (uint64_t)use << USE_SHIFT | OPEN_BIT | 1);
    *ret_handle = handle_of(place, use);
    return NO_ERROR;
}

int nsp_handle_take(struct nsp_handle_table *table, HANDLE handle, void **ret_object)
{
    uint32_t use;
    struct nsp_handle_slot *slot = slot_of(table, handle, &use);
    uint64_t word = atomic_load(&slot->word);
    do {
        if (!is_open_for(word, use) || (word & REFS_MASK) >= NSP_HANDLE_REFS) {
            return WSA_INVALID_HANDLE;
        }
    } while (!atomic_compare_exchange_weak(&slot->word, &word, word + 1));
    *ret_object = slot->object;
    return NO_ERROR;
}

static void release_slot(struct nsp_handle_table *table, struct nsp_handle_slot *slot)
{
    slot->destroy(slot->object);
    slot->object = NULL;
    nsp_lock_take(&table->lock);
    give_place(table, (uint32_t)(slot - table->slots));
    table->used--;
    if (table->used == 0) {
        nsp_condition_wake_all(&table->empty);
    }
    nsp_lock_give(&table->lock);
}

void nsp_handle_drop(struct nsp_handle_table *table, HANDLE handle)
{
    uint32_t use;
    struct nsp_handle_slot *slot = slot_of(table, handle, &use);
    uint64_t before = atomic_fetch_sub(&slot->word, 1);
    if ((before & REFS_MASK) == 1) {
        release_slot(table, slot);
    }
}

int nsp_handle_close(struct nsp_handle_table *table, HANDLE handle, void **ret_object)
{
    uint32_t use;
    struct nsp_handle_slot *slot = slot_of(table, handle, &use);
    uint64_t word = atomic_load(&slot->word);
    do {
        if (!is_open_for(word, use)) {
            return WSA_INVALID_HANDLE;
        }
    } while (!atomic_compare_exchange_weak(&slot->word, &word, word & ~OPEN_BIT));
    *ret_object = slot->object;
    return NO_ERROR;
}

void nsp_handle_close_all(struct nsp_handle_table *table, void (*closing)(void *object))
{
    nsp_lock_take(&table->lock);
    uint32_t touched = table->touched;
    nsp_lock_give(&table->lock);
    for (uint32_t place = 0; place < touched; place++) {
        void *object;
        HANDLE handle = handle_of(place, use_of(atomic_load(&table->slots[place].word)));
        if (nsp_handle_close(table, handle, &object) == NO_ERROR) {
            closing(object);
            nsp_handle_drop(table, handle);
        }
    }
}

bool nsp_handle_wait_empty(struct nsp_handle_table *table, int64_t deadline_ms)
{
    bool in_time = true;
    nsp_lock_take(&table->lock);
    while (table->used > 0 && in_time) {
        in_time = nsp_condition_wait_until(&table->empty, &table->lock, deadline_ms);
    }
    bool is_empty = table->used == 0;
    nsp_lock_give(&table->lock);
    return is_empty;
}

size_t nsp_handle_count(struct nsp_handle_table *table)
{
    nsp_lock_take(&table->lock);
    size_t used = table->used;
    nsp_lock_give(&table->lock);
    return used;
}
