#include "collector/web/errands.h"

#include "lib/mem.h"
#include "lib/thread.h"

#include <stdint.h>
#include <stdlib.h>

struct queue {
    int count;
    struct errand *first, **last;
};

struct errands {
    pthread_t thread;
    pthread_mutex_t mutex; /* around all that follows */
    pthread_cond_t cond;
    bool is_stopping;
    struct queue urgent, patient;
};

/* NULL: none waits. */
static struct errand *take(struct errands *e)
{
    struct queue *q = e->urgent.count > 0 ? &e->urgent : &e->patient;
    struct errand *errand = q->first;
    if (errand == NULL)
        return NULL;
    q->first = errand->next;
    if (q->first == NULL)
        q->last = &q->first;
    q->count--;
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
    e->urgent.last = &e->urgent.first;
    e->patient.last = &e->patient.first;
    pthread_mutex_init(&e->mutex, NULL);
    thread_cond_init(&e->cond);
    thread_start(&e->thread, run, e);
    return e;
}

bool errands_add(struct errands *e, struct errand *errand)
{
    pthread_mutex_lock(&e->mutex);
    struct queue *q = errand->is_urgent ? &e->urgent : &e->patient;
    bool has_place = e->urgent.count + e->patient.count < ERRANDS_MAX &&
                     (errand->is_urgent || q->count < ERRANDS_PATIENT_MAX);
    bool is_taken = !e->is_stopping && has_place;
    if (is_taken) {
        errand->next = NULL;
        *q->last = errand;
        q->last = &errand->next;
        q->count++;
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
