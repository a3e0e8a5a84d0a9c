// SPDX-License-Identifier: MIT
#include "node/recording/crc.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
// and then itself
#include <cmocka.h>

// As `gzip -lv` and Python's zlib.crc32 have them.
static const struct {
    const char *name;
    const char *bytes;
    uint32_t crc;
} rows[] = {
    {"nothing", "", 0},
    {"the check value", "123456789", 0xcbf43926},
    {"a byte", "a", 0xe8b7be43},
};

static void test_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (recording_crc(rows[i].bytes, strlen(rows[i].bytes)) != rows[i].crc)
            fail_msg("%s", rows[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
