// SPDX-License-Identifier: MIT
// One bucket against two plain lists: of contacts, and of replacements in their order.
#include "dht/bucket.h"

#include "dht/id.h"
#include "tests/core/crypto_helper.h"
#include "tests/dht/failing_malloc.h"

#include <stdlib.h>

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// and then itself
#include <cmocka.h>

#define CONTACTS_MAX     6
#define REPLACEMENTS_MAX 3

struct fixture {
    struct dht_bucket bucket;
    size_t len;
    uint32_t contacts[CONTACTS_MAX], contact_count;
    uint32_t replacements[REPLACEMENTS_MAX], replacement_count;
    uint32_t next;
};

static struct dht_id id_of(uint32_t number)
{
    struct dht_id id = {{7}};
    memcpy(id.bytes + 15, &number, sizeof number); // the heads are all the same
    return id;
}

static struct dht_contact_ref make(uint32_t number, union dht_contact_room *room)
{
    struct dht_id id = id_of(number);
    struct dht_addr addr = {.ip = {20, 1}, .ip_len = 4, .port = 1};
    *room = (union dht_contact_room){{.answered_s = number, .fails = number % 2}};
    dht_contact_name(&room->contact, &id, &addr);
    return (struct dht_contact_ref){dht_id_head(&id), &room->contact};
}

static void add(struct fixture *fixture)
{
    union dht_contact_room room;
    struct dht_bucket *bucket = &fixture->bucket;
    bool full = fixture->contact_count == CONTACTS_MAX;
    if (full && fixture->replacement_count == REPLACEMENTS_MAX)
        return;
    assert_true(dht_bucket_grow(bucket, fixture->len, CONTACTS_MAX, REPLACEMENTS_MAX));
    struct dht_contact_ref ref = make(fixture->next, &room);
    if (full) {
        dht_bucket_add_replacement(bucket, fixture->len, ref);
        fixture->replacements[fixture->replacement_count++] = fixture->next++;
    } else {
        dht_bucket_add(bucket, fixture->len, ref);
        fixture->contacts[fixture->contact_count++] = fixture->next++;
    }
}

static void take_out(struct fixture *fixture, uint32_t index)
{
    if (index >= fixture->contact_count + fixture->replacement_count)
        return;
    dht_bucket_remove(&fixture->bucket, fixture->len, index);
    if (index < fixture->contact_count) {
        fixture->contacts[index] = fixture->contacts[--fixture->contact_count];
        return;
    }
    index -= fixture->contact_count;
    fixture->replacement_count--;
    for (; index < fixture->replacement_count; index++)
        fixture->replacements[index] = fixture->replacements[index + 1];
}

static void replace(struct fixture *fixture, uint32_t index)
{
    union dht_contact_room room;
    if (index >= fixture->contact_count)
        return;
    dht_bucket_replace(&fixture->bucket, fixture->len, index, make(fixture->next, &room));
    fixture->contacts[index] = fixture->next++;
}

static void check(const struct fixture *fixture)
{
    const struct dht_bucket *bucket = &fixture->bucket;
    uint32_t failing = 0;
    assert_int_equal(bucket->count, fixture->contact_count);
    assert_int_equal(bucket->replacement_count, fixture->replacement_count);
    for (uint32_t i = 0; i < dht_bucket_end(bucket); i++) {
        bool waits = i >= bucket->count;
        uint32_t number = waits ? fixture->replacements[i - bucket->count] : fixture->contacts[i];
        struct dht_id id = id_of(number);
        struct dht_contact_ref ref = dht_bucket_at(bucket, fixture->len, i);
        struct dht_id there = dht_contact_id(ref);
        assert_true(dht_id_equal(&there, &id));
        assert_int_equal(ref.contact->answered_s, number);
        uint32_t first = waits ? bucket->count : 0;
        uint32_t end = waits ? dht_bucket_end(bucket) : bucket->count;
        assert_int_equal(dht_bucket_find(bucket, fixture->len, &id, first, end), i);
        failing += !waits && number % 2 == 1;
    }
    assert_int_equal(bucket->failing, failing);
    struct dht_id stranger = id_of(UINT32_MAX);
    assert_int_equal(dht_bucket_find(bucket, fixture->len, &stranger, 0, dht_bucket_end(bucket)),
                     DHT_BUCKET_NONE);
}

static void test_at_random(void **state)
{
    struct fixture fixture = {.len = dht_contact_len(DHT_IPV4)};
    uint64_t random = 3;
    (void)state;
    for (uint32_t step = 0; step < 5000; step++) {
        uint32_t what = helper_below(&random, 4);
        uint32_t index = helper_below(&random, CONTACTS_MAX + REPLACEMENTS_MAX);
        if (what < 2)
            add(&fixture);
        else if (what == 2)
            take_out(&fixture, index);
        else
            replace(&fixture, index);
        check(&fixture);
    }
    free(fixture.bucket.heads);
}

// Contacts double up to their most, and take no more than that before replacements come.
static void test_capacity(void **state)
{
    static const uint32_t capacities[CONTACTS_MAX + REPLACEMENTS_MAX] = {2, 2, 4, 4, 6, 6, 9, 9, 9};
    struct fixture fixture = {.len = dht_contact_len(DHT_IPV4)};
    (void)state;
    for (size_t i = 0; i < CONTACTS_MAX + REPLACEMENTS_MAX; i++) {
        add(&fixture);
        assert_int_equal(fixture.bucket.capacity, capacities[i]);
    }
    free(fixture.bucket.heads);
}

static void test_no_memory(void **state)
{
    struct fixture fixture = {.len = dht_contact_len(DHT_IPV4)};
    (void)state;
    failing_malloc_left = 0;
    bool grown = dht_bucket_grow(&fixture.bucket, fixture.len, CONTACTS_MAX, REPLACEMENTS_MAX);
    failing_malloc_left = -1;
    assert_false(grown);
    add(&fixture);
    check(&fixture);
    free(fixture.bucket.heads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_random),
        cmocka_unit_test(test_capacity),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
