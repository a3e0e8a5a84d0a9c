// SPDX-License-Identifier: MIT
#include "node/core/publication_table.h"

#include "node/core/publication.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// and then itself
#include <cmocka.h>

#define COUNT 300

// Number n: one of three keys, and n in digits as its classifier; the first three have none. From
// COUNT on the same again, in another cloud.
static struct dht_span name_of(int n, char ret_text[12])
{
    n %= COUNT;
    snprintf(ret_text, 12, "%d", n);
    return (struct dht_span){(const uint8_t *)ret_text, n < 3 ? 0 : strlen(ret_text)};
}

static void key_of(int n, uint8_t ret_key[DHT_KEY_LEN])
{
    memset(ret_key, n % 3, DHT_KEY_LEN);
}

static struct core_cloud clouds[2];

static struct core_publication *find(const struct core_publication_table *table, int n)
{
    char text[12];
    uint8_t key[DHT_KEY_LEN];
    key_of(n, key);
    return core_publication_table_find(table, &clouds[n / COUNT], key, name_of(n, text));
}

static void test_found_by_key_and_classifier(void **state)
{
    struct core_publication_table table = {0};
    struct core_publication *publications = calloc(2 * COUNT, sizeof *publications);
    (void)state;
    assert_non_null(publications);
    assert_null(find(&table, 0));
    for (int n = 0; n < 2 * COUNT; n++) {
        char text[12];
        struct dht_span classifier = name_of(n, text);
        key_of(n, publications[n].key);
        publications[n].cloud = &clouds[n / COUNT];
        publications[n].classifier_len = (uint16_t)classifier.len;
        memcpy(publications[n].classifier, text, classifier.len);
        assert_true(core_publication_table_add(&table, &publications[n]));
    }
    for (int n = 0; n < 2 * COUNT; n++)
        assert_ptr_equal(find(&table, n), &publications[n]);
    for (int n = 0; n < 2 * COUNT; n += 2)
        core_publication_table_remove(&table, &publications[n]);
    for (int n = 0; n < 2 * COUNT; n++)
        assert_ptr_equal(find(&table, n), n % 2 == 0 ? NULL : &publications[n]);
    for (uint32_t slot = 0; slot < table.count; slot++)
        assert_int_equal(table.slots[slot]->slot, slot);
    dht_index_check(&table.index);
    core_publication_table_fini(&table);
    free(publications);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found_by_key_and_classifier),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
