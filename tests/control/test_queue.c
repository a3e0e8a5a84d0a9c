// SPDX-License-Identifier: MIT
// The client's queue of answers, alone.
#include "node/control/queue.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <string.h>

static void push(struct control_queue *queue, uint32_t id, enum control_answer kind)
{
    struct control_frame_answer answer = {id, kind, {(const uint8_t *)"de", 2}};
    assert_true(control_queue_push(queue, &answer));
}

// Takes the next answer and returns whose it is; 0: none.
static uint32_t take(struct control_queue *queue, uint32_t id)
{
    struct control_queue_answer *answer = control_queue_take(queue, id);
    uint32_t request = answer == NULL ? 0 : answer->request;
    control_queue_free_answer(answer);
    return request;
}

static void keeps_the_order(void **state)
{
    (void)state;
    struct control_queue queue;
    control_queue_init(&queue);
    for (uint32_t id = 1; id <= 3; id++) {
        assert_int_equal(control_queue_add(&queue)->id, id);
    }
    push(&queue, 2, CONTROL_ANSWER_RESULT);
    push(&queue, 1, CONTROL_ANSWER_RESULT);
    push(&queue, 2, CONTROL_ANSWER_DONE);
    push(&queue, 3, CONTROL_ANSWER_RESULT);
    assert_int_equal(take(&queue, 3), 3); // the last one: the end moves back
    push(&queue, 3, CONTROL_ANSWER_DONE);
    assert_int_equal(take(&queue, 1), 1);
    assert_int_equal(take(&queue, 1), 0);
    assert_int_equal(take(&queue, 0), 2);
    assert_int_equal(take(&queue, 0), 2);
    assert_int_equal(take(&queue, 0), 3);
    assert_int_equal(take(&queue, 0), 0);
    assert_int_equal(queue.bytes, 0);
    assert_int_equal(queue.count, 1);
    control_queue_free(&queue);
}

static void drop_takes_its_answers_along(void **state)
{
    (void)state;
    struct control_queue queue;
    control_queue_init(&queue);
    struct control_queue_request *first = control_queue_add(&queue);
    (void)control_queue_add(&queue);
    push(&queue, 1, CONTROL_ANSWER_RESULT);
    push(&queue, 2, CONTROL_ANSWER_RESULT);
    push(&queue, 1, CONTROL_ANSWER_DONE);
    control_queue_drop(&queue, first);
    push(&queue, 1, CONTROL_ANSWER_DONE);
    push(&queue, 2, CONTROL_ANSWER_DONE);
    assert_int_equal(take(&queue, 0), 2);
    assert_int_equal(take(&queue, 0), 2);
    assert_int_equal(take(&queue, 0), 0);
    assert_int_equal(queue.count, 0);
    control_queue_free(&queue);
}

static void ids_are_not_soon_used_again(void **state)
{
    (void)state;
    struct control_queue queue;
    control_queue_init(&queue);
    struct control_queue_request *request = control_queue_add(&queue);
    control_queue_drop(&queue, request);
    assert_int_equal(control_queue_add(&queue)->id, 2);
    queue.last_id = CONTROL_ID_MAX - 1;
    assert_int_equal(control_queue_add(&queue)->id, CONTROL_ID_MAX);
    assert_int_equal(control_queue_add(&queue)->id, 1);
    assert_int_equal(control_queue_add(&queue)->id, 3); // 2 is under way
    control_queue_free(&queue);
}

static void is_bounded(void **state)
{
    (void)state;
    struct control_queue queue;
    control_queue_init(&queue);
    for (int i = 0; i < CONTROL_REQUESTS_MAX; i++) {
        assert_non_null(control_queue_add(&queue));
    }
    assert_null(control_queue_add(&queue));
    control_queue_drop(&queue, control_queue_find(&queue, 9));
    assert_non_null(control_queue_add(&queue));
    assert_null(control_queue_find(&queue, 0));
    control_queue_free(&queue);
}

static void failures_come_after_answers(void **state)
{
    (void)state;
    struct control_queue queue;
    enum control_error error = CONTROL_ERROR_OK;
    uint32_t id = 0;
    control_queue_init(&queue);
    control_queue_add(&queue)->deadline_us = 100;
    control_queue_add(&queue)->deadline_us = 50;
    (void)control_queue_add(&queue);
    push(&queue, 2, CONTROL_ANSWER_RESULT);
    push(&queue, 3, CONTROL_ANSWER_DONE);
    assert_int_equal(control_queue_deadline(&queue), 50);
    assert_int_equal(control_queue_expire(&queue, 49), 0);
    assert_int_equal(control_queue_expire(&queue, 50), 2);
    assert_int_equal(control_queue_expire(&queue, 50), 0);
    assert_int_equal(control_queue_deadline(&queue), 100);
    assert_false(control_queue_take_failed(&queue, 2, &id, &error));
    assert_int_equal(take(&queue, 2), 2);
    assert_true(control_queue_take_failed(&queue, 2, &id, &error));
    assert_int_equal(error, CONTROL_ERROR_TIMED_OUT);
    // The one that has ended does not fail any more.
    control_queue_fail_all(&queue, CONTROL_ERROR_UNREACHABLE);
    assert_true(control_queue_take_failed(&queue, 0, &id, &error));
    assert_int_equal(id, 1);
    assert_false(control_queue_take_failed(&queue, 0, &id, &error));
    assert_int_equal(take(&queue, 0), 3);
    assert_int_equal(control_queue_deadline(&queue), INT64_MAX);
    control_queue_free(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_the_order),
        cmocka_unit_test(drop_takes_its_answers_along),
        cmocka_unit_test(ids_are_not_soon_used_again),
        cmocka_unit_test(is_bounded),
        cmocka_unit_test(failures_come_after_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
