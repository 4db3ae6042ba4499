#include "collector/web/errands.h"

#include "lib/mem.h"
#include "lib/thread.h"

#include <stdint.h>
#include <stdlib.h>

struct errands {
    pthread_t thread;
    pthread_mutex_t mutex; /* around all that follows */
    pthread_cond_t cond;
    bool is_stopping;
    int count;
    struct errand *first, **last;
};

/* NULL: none waits. */
static struct errand *take(struct errands *e)
{
    struct errand *errand = e->first;
    if (errand == NULL)
        return NULL;
    e->first = errand->next;
    if (e->first == NULL)
        e->last = &e->first;
    e->count--;
    return errand;
}

static void *run(void *argument)
{
    struct errands *e = argument;
    pthread_mutex_lock(&e->mutex);
    for (;;) {
        struct errand *errand = take(e);
        bool is_run = !e->is_stopping;
        if (errand != NULL) {
            pthread_mutex_unlock(&e->mutex);
            if (is_run)
                errand->run(errand);
            errand->end(errand);
            pthread_mutex_lock(&e->mutex);
        } else if (e->is_stopping) {
            break;
        } else {
            thread_wait_until(&e->cond, &e->mutex, INT64_MAX);
        }
    }
    pthread_mutex_unlock(&e->mutex);
    return NULL;
}

struct errands *errands_create(void)
{
    struct errands *e = mem_zalloc(sizeof *e);
    e->last = &e->first;
    pthread_mutex_init(&e->mutex, NULL);
    thread_cond_init(&e->cond);
    thread_start(&e->thread, run, e);
    return e;
}

bool errands_add(struct errands *e, struct errand *errand)
{
    pthread_mutex_lock(&e->mutex);
    bool is_taken = !e->is_stopping && e->count < ERRANDS_MAX;
    if (is_taken) {
        errand->next = NULL;
        *e->last = errand;
        e->last = &errand->next;
        e->count++;
        pthread_cond_signal(&e->cond);
    }
    pthread_mutex_unlock(&e->mutex);
    return is_taken;
}

void errands_stop(struct errands *e)
{
    pthread_mutex_lock(&e->mutex);
    e->is_stopping = true;
    pthread_cond_signal(&e->cond);
    pthread_mutex_unlock(&e->mutex);
    pthread_join(e->thread, NULL);
}

void errands_destroy(struct errands *e)
{
    if (e == NULL)
        return;
    pthread_cond_destroy(&e->cond);
    pthread_mutex_destroy(&e->mutex);
    free(e);
}
