#include "collector/asking.h"

#include "lib/clock.h"
#include "lib/thread.h"

void asking_init(struct asking *a)
{
    *a = (struct asking){0};
    pthread_mutex_init(&a->askers, NULL);
    pthread_mutex_init(&a->lock, NULL);
    thread_cond_init(&a->changed);
}

void asking_release(struct asking *a)
{
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->lock);
    pthread_mutex_destroy(&a->askers);
}

static enum status wait(struct asking *a, int64_t until_mono_ms, bool *ret_is_over, struct error *err)
{
    *ret_is_over = true;
    if (a->state == ASKING_DONE)
        return a->status;
    if (a->state == ASKING_WAITS && a->is_closed)
        return error_set(err, ST_UNREACHABLE, "the collector is ending; nothing was changed");
    if (a->state == ASKING_WAITS && clock_system.mono_ms() >= until_mono_ms)
        return error_set(err, ST_TIMEOUT, "the collector is busy; nothing was changed, try again");
    *ret_is_over = false;
    thread_wait_until(&a->changed, &a->lock, a->state == ASKING_WAITS ? until_mono_ms : INT64_MAX);
    return ST_OK;
}

enum status asking_ask(struct asking *a, const struct asking_question *question, int64_t until_mono_ms,
    void (*wake)(void *user_data), void *user_data, struct error *err)
{
    pthread_mutex_lock(&a->askers);
    pthread_mutex_lock(&a->lock);
    a->question = question;
    a->err = err;
    a->state = ASKING_WAITS;
    wake(user_data);
    bool is_over;
    enum status status;
    do
        status = wait(a, until_mono_ms, &is_over, err);
    while (!is_over);
    a->state = ASKING_NOTHING;
    pthread_mutex_unlock(&a->lock);
    pthread_mutex_unlock(&a->askers);
    return status;
}

const struct asking_question *asking_take(struct asking *a, struct error **ret_err)
{
    const struct asking_question *question = NULL;
    pthread_mutex_lock(&a->lock);
    if (a->state == ASKING_WAITS) {
        a->state = ASKING_TAKEN;
        question = a->question;
        *ret_err = a->err;
    }
    pthread_mutex_unlock(&a->lock);
    return question;
}

void asking_answer(struct asking *a, enum status status)
{
    pthread_mutex_lock(&a->lock);
    a->status = status;
    a->state = ASKING_DONE;
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->lock);
}

void asking_close(struct asking *a)
{
    pthread_mutex_lock(&a->lock);
    a->is_closed = true;
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->lock);
}
