// SPDX-License-Identifier: MIT
// The difference between what a client was told and what there is.
#include "node/core/picture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

// Results are written as two letters, a publisher and what he says: "aX bY".
static struct core_mark_identity identity(const char *text)
{
    struct core_mark_identity identity = {.publisher = {(uint8_t)text[0]}};
    identity.mark[CORE_MARK_LEN - 1] = (uint8_t)text[1];
    return identity;
}

static size_t next(const char *text)
{
    return text[2] == ' ' ? 3 : 2;
}

struct row {
    const char *name;
    const char *told;
    const char *now;
    const char *difference; // "-a" gone, "+a" added, "~a" changed
};

static const struct row rows[] = {
    {"nothing", "", "", ""},
    {"the same", "aX bY", "aX bY", ""},
    {"another order", "aX bY cZ", "cZ aX bY", ""},
    {"the first", "", "aX", "+a"},
    {"one more", "aX", "bX aX", "+b"},
    {"other content", "aX bY", "aX bZ", "~b"},
    {"content of another", "aX bY", "aY bX", "~a~b"},
    {"gone", "aX bY cZ", "aX cZ", "-b"},
    {"all gone", "aX bY", "", "-a-b"},
    {"one for another", "aX", "bX", "-a+b"},
    {"everything at once", "aX bY cZ", "bZ cZ dX", "-a~b+d"},
};

static void put_all(struct core_picture *picture, const char *text)
{
    for (; text[0] != '\0'; text += next(text)) {
        struct core_mark_identity one = identity(text);
        assert_true(core_picture_put(picture, &one));
    }
}

static void note(char *text, char sign, uint8_t publisher)
{
    size_t len = strlen(text);
    text[len] = sign;
    text[len + 1] = (char)publisher;
    text[len + 2] = '\0';
}

// What a client would be told, which is then put.
static void compare(struct core_picture *picture, const char *now, char *ret_difference)
{
    const struct core_mark_identity *missing;
    ret_difference[0] = '\0';
    core_picture_begin(picture);
    for (const char *text = now; text[0] != '\0'; text += next(text)) {
        struct core_mark_identity one = identity(text);
        core_picture_look(picture, &one);
    }
    while ((missing = core_picture_missing(picture)) != NULL) {
        struct core_mark_identity one = *missing;
        note(ret_difference, '-', one.publisher[0]);
        core_picture_remove(picture, &one);
    }
    for (const char *text = now; text[0] != '\0'; text += next(text)) {
        struct core_mark_identity one = identity(text);
        enum core_picture_change change = core_picture_look(picture, &one);
        if (change != CORE_PICTURE_SAME)
            note(ret_difference, change == CORE_PICTURE_ADDED ? '+' : '~', one.publisher[0]);
        assert_true(core_picture_put(picture, &one));
    }
}

static void test_difference(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct core_picture picture = {0};
        char difference[64];
        put_all(&picture, rows[i].told);
        compare(&picture, rows[i].now, difference);
        // Gone ones come in no order.
        if (strcmp(difference, rows[i].difference) != 0)
            fail_msg("%s: %s", rows[i].name, difference);
        compare(&picture, rows[i].now, difference);
        if (difference[0] != '\0')
            fail_msg("%s: told twice: %s", rows[i].name, difference);
        core_picture_fini(&picture);
    }
}

static void test_full(void **state)
{
    struct core_picture picture = {0};
    struct core_mark_identity one = {.mark = {1}};
    (void)state;
    for (uint32_t i = 0; i < CORE_PICTURE_MAX; i++) {
        one.publisher[0] = (uint8_t)i;
        one.publisher[1] = (uint8_t)(i >> 8);
        assert_true(core_picture_put(&picture, &one));
    }
    one.publisher[2] = 1;
    assert_false(core_picture_put(&picture, &one));
    assert_int_equal(core_picture_look(&picture, &one), CORE_PICTURE_ADDED);
    one.publisher[2] = 0; // one that is known may change all the same
    one.mark[0] = 2;
    assert_int_equal(core_picture_look(&picture, &one), CORE_PICTURE_CHANGED);
    assert_true(core_picture_put(&picture, &one));
    core_picture_remove(&picture, &one);
    one.publisher[2] = 1;
    assert_true(core_picture_put(&picture, &one));
    core_picture_fini(&picture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_difference),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
