/* lib/mqtt_outgoing: messages leave in order, so many at a time. */
#include "lib/mqtt_outgoing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static void add(struct mqtt_outgoing_list *list, uintptr_t ticket, const char *text)
{
    mqtt_outgoing_add(list, ticket, "a/topic", span_of(text), ticket % 2 != 0, (int)ticket);
}

static void see_next(struct mqtt_outgoing_list *list, uintptr_t ticket)
{
    const struct mqtt_outgoing *o = mqtt_outgoing_next(list);
    assert_int_equal(o != NULL ? o->ticket : 0, ticket);
}

static bool take(struct mqtt_outgoing_list *list, uintptr_t ticket)
{
    struct mqtt_outgoing *o = mqtt_outgoing_take(list, ticket);
    bool is_found = o != NULL;
    mqtt_outgoing_free(o);
    return is_found;
}

static void test_what_is_taken_is_kept_as_it_was(void **state)
{
    (void)state;
    struct mqtt_outgoing_list list = {.sent_max = 1};
    char text[] = "one";
    add(&list, 7, text);
    memset(text, 'x', 3);
    const struct mqtt_outgoing *o = mqtt_outgoing_next(&list);
    assert_string_equal(o->topic, "a/topic");
    assert_int_equal(o->len, 3);
    assert_memory_equal(o->payload, "one", 3);
    assert_true(o->is_retained);
    assert_int_equal(o->expiry_s, 7);
    add(&list, 8, ""); /* which clears what is retained */
    assert_true(take(&list, 7));
    o = mqtt_outgoing_next(&list);
    assert_int_equal(o->len, 0);
    assert_false(o->is_retained);
    mqtt_outgoing_clear(&list);
}

static void test_only_so_many_are_sent_at_a_time_and_in_order(void **state)
{
    (void)state;
    struct mqtt_outgoing_list list = {0};
    for (uintptr_t ticket = 1; ticket <= 5; ticket++)
        add(&list, ticket, "x");
    see_next(&list, 0); /* not told yet how many */
    list.sent_max = 2;
    see_next(&list, 1);
    see_next(&list, 2);
    see_next(&list, 0);
    assert_true(take(&list, 2)); /* confirmed out of order */
    see_next(&list, 3);
    see_next(&list, 0);
    assert_true(take(&list, 4)); /* which was not sent: it makes no room */
    see_next(&list, 0);
    assert_true(take(&list, 1));
    see_next(&list, 5);
    assert_int_equal(list.sent, 2);
    assert_false(take(&list, 1)); /* twice */
    assert_false(take(&list, 99));
    mqtt_outgoing_clear(&list);
    assert_false(take(&list, 3));
    add(&list, 6, "x"); /* of the next session */
    see_next(&list, 6);
    mqtt_outgoing_clear(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_taken_is_kept_as_it_was),
        cmocka_unit_test(test_only_so_many_are_sent_at_a_time_and_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
