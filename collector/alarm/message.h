/*
 * What a receiver is sent about an alarm, byte by byte. Pure; nothing secret is in it.
 *
 * The id of a message is the same at each attempt, and another for each message: who takes two of one id drops the second.
 * Sources: DingTalk, "Custom robot access" (text message; signature: Base64 of HMAC-SHA256, by the key, of "<ms>\n<key>",
 * percent-encoded, as `timestamp` and `sign` in the query); WeCom, "Group robot configuration", document 91770 (text message of
 * at most 2048 bytes). Both answer 200 with JSON whose `errcode` is 0 where they took it. Mail: RFC 5322, 2045, 2047, 3834.
 */
#pragma once

#include "collector/alarm/words.h"
#include "lib/status.h"

enum alarm_event { ALARM_EVENT_FIRED, ALARM_EVENT_STANDING, ALARM_EVENT_CLEARED };
extern const char *const alarm_events[]; /* names, NULL-terminated */

struct alarm_message {
    const struct alarm *alarm;
    const char *collector; /* the id of this one */
    struct alarm_place place;
    const struct zone *zone; /* of the target's site; NULL = UTC */
    int64_t number;          /* from 1 on, of this alarm and receiver */
    bool has_now;            /* the value as it is when this is made: of what stands */
    int64_t now_m;
    const char *link; /* of the page of alarms; NULL = nobody knows how browsers reach it */
};

/* What it tells: that an alarm fired, still stands, or is over. */
enum alarm_event alarm_event_of(const struct alarm *a, int64_t number);
#define ALARM_MESSAGE_ID_SIZE 128
void alarm_message_id(const struct alarm_message *m, char text[static ALARM_MESSAGE_ID_SIZE]);
/* One line. The caller frees it, and the next. */
char *alarm_message_text(const struct alarm_message *m, enum alarm_language language);
/* The body of a POST, or the whole mail, by the receiver's kind. */
char *alarm_message_body(const struct alarm_message *m, const struct alarm_receiver *receiver);
/* The same of no alarm, to see whether one would arrive: of a webhook {"id", "event": "test", "collector", "text"}. */
char *alarm_test_body(const char *collector, int64_t now_ms, const struct alarm_receiver *receiver);

/* "timestamp=<ms>&sign=<...>" for the query of a robot of DingTalk. */
void alarm_dingtalk_sign(const char *key, int64_t now_ms, struct buf *out);
/* Whether an answer says that it was taken: of a robot by its `errcode`. ST_PROTOCOL: it refused; ST_TIMEOUT: nobody knows, by a 5xx, or
 * what no robot says. One sentence says what it said instead. */
enum status alarm_answer_check(enum alarm_receiver_kind kind, int code, struct span body, struct error *err);
