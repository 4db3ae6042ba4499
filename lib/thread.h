/* Threads with small stacks, and waiting on a condition up to an absolute monotonic deadline. */
#pragma once

#include <pthread.h>
#include <stdint.h>

/* Starts a joinable thread with signals blocked (the main thread handles them). Aborts where the system
 * cannot. */
void thread_start(pthread_t *ret, void *(*run)(void *), void *argument);
/* A condition for thread_wait_until. */
void thread_cond_init(pthread_cond_t *cond);
/* Waits until signalled (perhaps spuriously) or until the deadline, in ms of CLOCK_MONOTONIC; INT64_MAX = no
 * deadline. `lock` is held. */
void thread_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_mono_ms);
