/*
 * What takes longer than others should wait for: done one after another on a thread of its own, beside the listener's;
 * what is urgent before what is not, among equals who came first.
 * Knows nothing of HTTP.
 */
#pragma once

#include <stdbool.h>

#define ERRANDS_MAX 16         /* that wait, beside the one that is run */
#define ERRANDS_PATIENT_MAX 12 /* of them, that are not urgent */

struct errands;

/* Its owner's, until `end` is called. */
struct errand {
    void (*run)(struct errand *errand); /* on the errands' thread */
    /* It was run; or will not be, as they stop. Any thread; may free it. */
    void (*end)(struct errand *errand);
    bool is_urgent;
    struct errand *next;
};

struct errands *errands_create(void);
/* False: as many of its kind wait as may, or they have stopped; then nothing is called. Never blocks long. */
bool errands_add(struct errands *e, struct errand *errand);
/* Ends those that wait; returns when the one that is run has ended, too. */
void errands_stop(struct errands *e);
void errands_destroy(struct errands *e); /* after errands_stop; accepts NULL */
