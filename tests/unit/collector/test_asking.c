/* A question to the core's thread: answered, too late, or after the end. */
#include "collector/asking.h"
#include "lib/clock.h"
#include "lib/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <semaphore.h>

struct scene {
    struct asking asking;
    sem_t woken;
    bool closes;
};

static void wake(void *scene)
{
    sem_post(&((struct scene *)scene)->woken);
}

static enum status add_one(void *turn, const void *request, void *ret, struct error *err)
{
    assert_null(turn);
    *(int *)ret = *(const int *)request + 1;
    return error_set(err, ST_INVALID, "refused");
}

static void *answer(void *argument)
{
    struct scene *s = argument;
    struct error *err;
    sem_wait(&s->woken);
    if (s->closes) {
        asking_close(&s->asking);
        return NULL;
    }
    const struct asking_question *question = asking_take(&s->asking, &err);
    asking_answer(&s->asking, question->run(NULL, question->request, question->ret, err));
    return NULL;
}

static enum status ask(struct scene *s, int64_t until_mono_ms, int *ret, struct error *err)
{
    int request = 41;
    struct asking_question question = {add_one, &request, ret};
    return asking_ask(&s->asking, &question, until_mono_ms, wake, s, err);
}

static void test_who_asks_gets_the_cores_answer(void **state)
{
    (void)state;
    struct scene s = {0};
    int answered = 0;
    struct error err;
    pthread_t core;
    asking_init(&s.asking);
    sem_init(&s.woken, 0, 0);
    for (int i = 0; i < 100; i++) {
        thread_start(&core, answer, &s);
        assert_int_equal(ask(&s, clock_system.mono_ms() + 60000, &answered, &err), ST_INVALID);
        pthread_join(core, NULL);
        assert_string_equal(err.text, "refused");
        assert_int_equal(answered, 42);
    }
    sem_destroy(&s.woken);
    asking_release(&s.asking);
}

static void test_a_question_that_came_too_late_is_never_taken(void **state)
{
    (void)state;
    struct scene s = {0};
    int answered = 0;
    struct error err, *where;
    asking_init(&s.asking);
    sem_init(&s.woken, 0, 0);
    assert_int_equal(ask(&s, clock_system.mono_ms() + 20, &answered, &err), ST_TIMEOUT);
    assert_null(asking_take(&s.asking, &where));
    sem_destroy(&s.woken);
    asking_release(&s.asking);
}

static void test_nobody_waits_for_a_core_that_has_ended(void **state)
{
    (void)state;
    struct scene s = {.closes = true};
    int answered = 0;
    struct error err;
    pthread_t core;
    asking_init(&s.asking);
    sem_init(&s.woken, 0, 0);
    thread_start(&core, answer, &s);
    assert_int_equal(ask(&s, INT64_MAX, &answered, &err), ST_UNREACHABLE);
    pthread_join(core, NULL);
    assert_int_equal(ask(&s, INT64_MAX, &answered, &err), ST_UNREACHABLE);
    sem_destroy(&s.woken);
    asking_release(&s.asking);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_asks_gets_the_cores_answer),
        cmocka_unit_test(test_a_question_that_came_too_late_is_never_taken),
        cmocka_unit_test(test_nobody_waits_for_a_core_that_has_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
