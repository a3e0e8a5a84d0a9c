// SPDX-License-Identifier: MIT
#include "node/core/criteria.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct dht_span span(const char *text)
{
    return (struct dht_span){(const uint8_t *)text, strlen(text)};
}

static void test_read(void **state)
{
    static const struct row {
        const char *arguments;
        bool good;
        enum control_criteria which;
        uint32_t max;
        uint8_t hint_len;
    } rows[] = {
        {"de", true, CONTROL_CRITERIA_ANY, 0, 0},
        {"d8:criteria7:defaulte", true, CONTROL_CRITERIA_DEFAULT, 0, 0},
        {"d8:criteria13:any-peer-namee", true, CONTROL_CRITERIA_ANY, 0, 0},
        {"d8:criteria16:remote-peer-namee", true, CONTROL_CRITERIA_REMOTE, 0, 0},
        {"d8:criteria24:nearest-remote-peer-namee", true, CONTROL_CRITERIA_NEAREST_REMOTE, 0, 0},
        {"d8:criteria19:non-current-processe", true, CONTROL_CRITERIA_NON_CURRENT, 0, 0},
        {"d8:criteria27:nearest-non-current-processe", true, CONTROL_CRITERIA_NEAREST_NON_CURRENT,
         0, 0},
        {"d8:criteria17:nearest-peer-name4:hint4:abcd3:maxi3ee", true, CONTROL_CRITERIA_NEAREST, 3,
         4},
        {"d4:hint16:0123456789abcdefe", true, CONTROL_CRITERIA_ANY, 0, 16},
        {"d8:criteriai1ee", false, 0, 0, 0},
        {"d8:criteria4:neare", false, 0, 0, 0},
        {"d4:hint0:e", false, 0, 0, 0},
        {"d4:hinti4ee", false, 0, 0, 0},
        {"d3:maxi0ee", false, 0, 0, 0},
        {"d3:maxi-1ee", false, 0, 0, 0},
        {"d3:max1:1e", false, 0, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct core_criteria criteria = {.which = CONTROL_CRITERIA_COUNT};
        bool good = core_criteria_read(span(rows[i].arguments), &criteria) == NULL;
        if (good != rows[i].good)
            fail_msg("%s", rows[i].arguments);
        // A watch takes those that say who is wanted, and skips the others.
        enum control_criteria which = CONTROL_CRITERIA_COUNT;
        bool alone = core_criteria_read_which(span(rows[i].arguments), &which) == NULL;
        if (alone != (good || strstr(rows[i].arguments, "criteria") == NULL) ||
            (good && which != rows[i].which))
            fail_msg("%s is read otherwise of a watch", rows[i].arguments);
        if (good && (criteria.which != rows[i].which || criteria.max != rows[i].max ||
                     criteria.hint_len != rows[i].hint_len))
            fail_msg("%s is read as something else", rows[i].arguments);
    }
}

static void test_wants(void **state)
{
    static const struct row {
        enum control_criteria which;
        bool current, local, remote; // whom it wants
        bool sorts;
    } rows[] = {
        {CONTROL_CRITERIA_ANY, true, true, true, false},
        {CONTROL_CRITERIA_DEFAULT, false, true, true, false},
        {CONTROL_CRITERIA_REMOTE, false, false, true, false},
        {CONTROL_CRITERIA_NEAREST_REMOTE, false, false, true, true},
        {CONTROL_CRITERIA_NON_CURRENT, false, true, true, false},
        {CONTROL_CRITERIA_NEAREST_NON_CURRENT, false, true, true, true},
        {CONTROL_CRITERIA_NEAREST, true, true, true, true},
    };
    static const struct core_criteria_publisher current = {.is_local = true, .is_current = true};
    static const struct core_criteria_publisher local = {.is_local = true};
    static const struct core_criteria_publisher remote = {.rtt_us = 5};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct core_criteria criteria = {.which = rows[i].which};
        assert_int_equal(core_criteria_wants(&criteria, &current), rows[i].current);
        assert_int_equal(core_criteria_wants(&criteria, &local), rows[i].local);
        assert_int_equal(core_criteria_wants(&criteria, &remote), rows[i].remote);
        assert_int_equal(core_criteria_sorts(&criteria), rows[i].sorts);
    }
    struct core_criteria criteria = {.max = 0};
    assert_false(core_criteria_is_enough(&criteria, 1000));
    criteria.max = 2;
    assert_false(core_criteria_is_enough(&criteria, 1));
    assert_true(core_criteria_is_enough(&criteria, 2));
}

static void test_nearer(void **state)
{
    static const struct control_endpoint far[] = {{.ip = {10, 0, 0, 1}, .ip_len = 4}};
    static const struct control_endpoint near[] = {{.ip = {9}, .ip_len = 16},
                                                   {.ip = {9, 1, 1, 1}, .ip_len = 4},
                                                   {.ip = {192, 0, 2, 200}, .ip_len = 4}};
    static const struct core_criteria_publisher fast = {
        .rtt_us = 10, .endpoints = far, .endpoint_count = 1};
    static const struct core_criteria_publisher slow = {
        .rtt_us = 90, .endpoints = near, .endpoint_count = 3};
    static const struct core_criteria_publisher unknown = {.rtt_us = -1};
    struct core_criteria plain = {.which = CONTROL_CRITERIA_NEAREST};
    struct core_criteria hinted = {
        .which = CONTROL_CRITERIA_NEAREST, .hint = {192, 0, 2, 1}, .hint_len = 4};
    (void)state;
    assert_true(core_criteria_is_nearer(&plain, &fast, &slow));
    assert_false(core_criteria_is_nearer(&plain, &slow, &fast));
    assert_false(core_criteria_is_nearer(&plain, &fast, &fast));
    assert_true(core_criteria_is_nearer(&plain, &slow, &unknown));
    assert_false(core_criteria_is_nearer(&plain, &unknown, &slow));
    assert_true(core_criteria_is_nearer(&hinted, &slow, &fast));
    assert_true(core_criteria_is_nearer(&hinted, &fast, &unknown));
    hinted.hint_len = 16; // no address of that family is like it: the round trip tells
    assert_true(core_criteria_is_nearer(&hinted, &fast, &unknown));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_wants),
        cmocka_unit_test(test_nearer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
