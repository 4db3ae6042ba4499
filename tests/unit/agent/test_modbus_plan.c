#include "agent/drivers/modbus_plan.h"

#include "lib/mem.h"
#include "tests/unit/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Copies wants to the heap, numbers their points, plans. */
static void plan_of(
    struct modbus_plan *plan, const struct modbus_want *wants, size_t count, int max_registers, int max_gap)
{
    struct modbus_want *copy = mem_zalloc((count + 1) * sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        copy[i] = wants[i];
        copy[i].point = i;
    }
    modbus_plan_init(plan, copy, count, max_registers, max_gap);
}

static void assert_request(
    const struct modbus_plan *plan, size_t index, enum modbus_function function, int address, int count)
{
    assert_true(index < plan->request_count);
    assert_int_equal(plan->requests[index].function, function);
    assert_int_equal(plan->requests[index].address, address);
    assert_int_equal(plan->requests[index].count, count);
}

static void test_neighbours_are_read_together(void **state)
{
    (void)state;
    static const struct modbus_want wants[] = {{MODBUS_HOLDING, 44, 2, 0}, {MODBUS_HOLDING, 40, 2, 0},
        {MODBUS_HOLDING, 42, 2, 0}, {MODBUS_INPUT, 46, 1, 0}};
    struct modbus_plan plan;
    plan_of(&plan, wants, 4, 125, 0);
    assert_int_equal(plan.request_count, 2);
    assert_request(&plan, 0, MODBUS_HOLDING, 40, 6);
    assert_request(&plan, 1, MODBUS_INPUT, 46, 1);
    assert_int_equal(plan.wants[plan.requests[0].first].point, 1);
    modbus_plan_release(&plan);
}

static void test_a_gap_is_read_along_only_where_allowed(void **state)
{
    (void)state;
    static const struct modbus_want wants[] = {{MODBUS_HOLDING, 0, 2, 0}, {MODBUS_HOLDING, 5, 1, 0}};
    struct modbus_plan plan;
    plan_of(&plan, wants, 2, 125, 2);
    assert_int_equal(plan.request_count, 2);
    modbus_plan_release(&plan);
    plan_of(&plan, wants, 2, 125, 3);
    assert_int_equal(plan.request_count, 1);
    assert_request(&plan, 0, MODBUS_HOLDING, 0, 6);
    modbus_plan_release(&plan);
}

static void test_a_value_is_never_split(void **state)
{
    (void)state;
    static const struct modbus_want wants[] = {
        {MODBUS_HOLDING, 0, 4, 0}, {MODBUS_HOLDING, 4, 4, 0}, {MODBUS_HOLDING, 8, 4, 0}};
    struct modbus_plan plan;
    plan_of(&plan, wants, 3, 10, 0);
    assert_int_equal(plan.request_count, 2);
    assert_request(&plan, 0, MODBUS_HOLDING, 0, 8);
    assert_request(&plan, 1, MODBUS_HOLDING, 8, 4);
    modbus_plan_release(&plan);
    /* Wider than the limit: asked for whole, alone. */
    plan_of(&plan, wants, 3, 2, 0);
    assert_int_equal(plan.request_count, 3);
    assert_request(&plan, 2, MODBUS_HOLDING, 8, 4);
    modbus_plan_release(&plan);
}

static void test_points_may_overlap(void **state)
{
    (void)state;
    static const struct modbus_want wants[] = {
        {MODBUS_HOLDING, 7, 1, 0}, {MODBUS_HOLDING, 6, 4, 0}, {MODBUS_HOLDING, 7, 1, 0}};
    struct modbus_plan plan;
    plan_of(&plan, wants, 3, 125, 0);
    assert_int_equal(plan.request_count, 1);
    assert_request(&plan, 0, MODBUS_HOLDING, 6, 4);
    assert_int_equal(plan.requests[0].end, 3);
    modbus_plan_release(&plan);
}

static void test_two_thousand_coils_fit_in_one_request(void **state)
{
    (void)state;
    struct modbus_want wants[2001];
    for (int i = 0; i < 2001; i++)
        wants[i] = (struct modbus_want){MODBUS_COIL, i, 1, 0};
    struct modbus_plan plan;
    plan_of(&plan, wants, 2001, 125, 0);
    assert_int_equal(plan.request_count, 2);
    assert_request(&plan, 0, MODBUS_COIL, 0, 2000);
    assert_request(&plan, 1, MODBUS_COIL, 2000, 1);
    modbus_plan_release(&plan);
}

static void test_nothing_wanted_is_nothing_asked(void **state)
{
    (void)state;
    struct modbus_plan plan;
    plan_of(&plan, NULL, 0, 125, 0);
    assert_int_equal(plan.request_count, 0);
    modbus_plan_release(&plan);
    modbus_plan_release(&plan);
    assert_null(plan.wants);
}

static void check_laws(const struct modbus_plan *plan, size_t count, int max_registers, int max_gap)
{
    bool *is_covered = mem_zalloc(count * sizeof *is_covered);
    size_t next = 0;
    for (size_t r = 0; r < plan->request_count; r++) {
        const struct modbus_request *request = &plan->requests[r];
        bool is_bits = request->function == MODBUS_COIL || request->function == MODBUS_DISCRETE;
        int unit = is_bits ? 16 : 1, end = request->address;
        assert_int_equal(request->first, next);
        assert_true(request->end > request->first);
        bool is_one_value = false;
        for (size_t i = request->first; i < request->end; i++) {
            const struct modbus_want *want = &plan->wants[i];
            assert_int_equal(want->function, request->function);
            assert_true(want->address >= request->address);
            is_one_value = is_one_value || want->count == request->count;
            assert_true(want->address + want->count <= request->address + request->count);
            assert_true(want->address - end <= max_gap * unit);
            end = want->address + want->count > end ? want->address + want->count : end;
            assert_false(is_covered[want->point]);
            is_covered[want->point] = true;
        }
        /* Beyond the limit only where one value is. */
        assert_true(request->count <= max_registers * unit || is_one_value);
        /* Nothing is asked beyond what is wanted. */
        assert_int_equal(end, request->address + request->count);
        next = request->end;
        /* Greedy: the next value would not have fitted. */
        if (r + 1 < plan->request_count && plan->requests[r + 1].function == request->function) {
            const struct modbus_want *after = &plan->wants[next];
            assert_true(after->address - end > max_gap * unit ||
                        after->address + after->count - request->address > max_registers * unit);
        }
    }
    assert_int_equal(next, count);
    free(is_covered);
}

static void test_every_point_is_in_exactly_one_request(void **state)
{
    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct modbus_want wants[60];
        static const int widths[] = {1, 2, 4};
        size_t count = 1 + random_below(60);
        int spread = 1 + (int)random_below(round % 2 ? 80 : 4000);
        for (size_t i = 0; i < count; i++) {
            enum modbus_function function = (enum modbus_function)random_below(4);
            bool is_bits = function == MODBUS_COIL || function == MODBUS_DISCRETE;
            wants[i] = (struct modbus_want){
                function, (int)random_below((size_t)spread), is_bits ? 1 : widths[random_below(3)], 0};
        }
        int max_registers = 1 + (int)random_below(125), max_gap = (int)random_below(20);
        struct modbus_plan plan;
        plan_of(&plan, wants, count, max_registers, max_gap);
        check_laws(&plan, count, max_registers, max_gap);
        modbus_plan_release(&plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_neighbours_are_read_together),
        cmocka_unit_test(test_a_gap_is_read_along_only_where_allowed),
        cmocka_unit_test(test_a_value_is_never_split),
        cmocka_unit_test(test_points_may_overlap),
        cmocka_unit_test(test_two_thousand_coils_fit_in_one_request),
        cmocka_unit_test(test_nothing_wanted_is_nothing_asked),
        cmocka_unit_test(test_every_point_is_in_exactly_one_request),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
