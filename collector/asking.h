/*
 * One question at a time to the core's thread, which alone writes the database: whoever asks waits for the answer. The core
 * looks for it between two turns.
 */
#pragma once

#include "lib/status.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* What the core is to do with its turn (collector/turn.h), and where the answer goes. */
struct asking_question {
    enum status (*run)(void *turn, const void *request, void *ret, struct error *err);
    const void *request;
    void *ret;
};

struct asking {
    pthread_mutex_t askers; /* held by who asks */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum asking_state { ASKING_NOTHING, ASKING_WAITS, ASKING_TAKEN, ASKING_DONE } state;
    bool is_closed;
    const struct asking_question *question;
    struct error *err;
    enum status status;
};

void asking_init(struct asking *a);
void asking_release(struct asking *a);

/* Any thread but the core's; who comes while another asks, waits for that one's answer first. `wake`: called when the question lies there. Waits up to `until_mono_ms` for the core
 * to take it; a question that was taken is answered. ST_TIMEOUT: it was not taken, and will not be; ST_UNREACHABLE: the core
 * has ended. Else what `run` says. */
enum status asking_ask(struct asking *a, const struct asking_question *question, int64_t until_mono_ms,
    void (*wake)(void *user_data), void *user_data, struct error *err);

/* The core's side. NULL: nobody asks. What is taken must be answered. */
const struct asking_question *asking_take(struct asking *a, struct error **ret_err);
void asking_answer(struct asking *a, enum status status);
/* Nothing will be taken any more. */
void asking_close(struct asking *a);
