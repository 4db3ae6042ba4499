/*
 * One attempt to bring a message to its receiver: by POST, or by mail. It blocks its thread for at most the receiver's time-out,
 * unless another one cancels it. Secrets are read from their files at each; no error has them, nor what follows the host of a URL.
 */
#pragma once

#include "collector/alarm/message.h"

#include <pthread.h>

struct http_client;

struct attempt {
    enum alarm_receiver_kind kind;
    char *url, *url_file, *secret_file, *ca_file, *sendmail;
    int timeout_ms;
    int cancel_fds[2];    /* of mail: readable when it is to end; -1 = none */
    pthread_mutex_t lock; /* around: */
    bool is_cancelled;
    struct http_client *http; /* of the one that is on */
};

void attempt_init(struct attempt *t, const struct alarm_receiver *r); /* copies what it needs */
void attempt_release(struct attempt *t);                              /* not while one is on */
/* ST_OK: it was taken; ST_TIMEOUT: nobody knows whether it was; any other: it was not. *ret_retry_s, where there is an answer: after how long the receiver wants to be asked again; 0 = it did not
 * say. */
enum status attempt_run(
    struct attempt *t, const char *body, int64_t now_ms, int64_t *ret_retry_s, struct error *err);
/* Of any thread: the one that is on, and each later one, ends soon. False: it cannot be told, and ends in its time. */
bool attempt_cancel(struct attempt *t);

/* Of a file with a URL, that stands beside a ca_file or not (NULL). ST_INVALID: no attempt is made with it. */
enum status attempt_check_url(const char *url, const char *file, const char *ca_file, struct error *err);
