#include "lib/thread.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define STACK_BYTES (512 * 1024)

void thread_start(pthread_t *ret, void *(*run)(void *), void *argument)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
#endif
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(ret, &attributes, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (failure != 0)
        abort();
}

void thread_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    int failure = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    assert(failure == 0);
    (void)failure;
    pthread_cond_init(cond, &attributes);
    pthread_condattr_destroy(&attributes);
}

void thread_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_mono_ms)
{
    if (deadline_mono_ms == INT64_MAX) {
        pthread_cond_wait(cond, lock);
        return;
    }
    struct timespec deadline = {
        .tv_sec = (time_t)(deadline_mono_ms / 1000), .tv_nsec = (long)(deadline_mono_ms % 1000) * 1000000};
    pthread_cond_timedwait(cond, lock, &deadline);
}
