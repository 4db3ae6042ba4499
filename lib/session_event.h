/*
 * An event of a session, as a card reader or kiosk tells it, and the state that goes on the wire for it: both directions
 * of it are here, so that agent and collector cannot disagree. Pure.
 *
 *     {"event":"k3-000187","instrument":"sem3","action":"open","class":"external","organisation":"91330421MA2B","purpose":"research"}
 *     {"event":"k3-000188","instrument":"sem3","action":"close"}
 *
 * No person is named: keys that are not these are refused, and each value is a word out of a list or a code. The state
 * is words parted by one blank each (CONTRIBUTING.md, "Sessions on the wire"):
 *
 *     open event=k3-000187 class=external organisation=91330421MA2B purpose=research
 *     close event=k3-000188
 */
#pragma once

#include "lib/batch.h"
#include "lib/conf.h"
#include "lib/id.h"

#define SESSION_EVENT_ID_MAX 40      /* [A-Za-z0-9._:-] */
#define SESSION_ORGANISATION_MAX 32  /* [A-Z0-9-] */
#define SESSION_EVENT_BYTES_MAX 1024 /* of its JSON */

enum session_class {
    SESSION_CLASS_UNKNOWN,
    SESSION_CLASS_INTERNAL,
    SESSION_CLASS_EXTERNAL,
    SESSION_CLASS_TRAINING,
    SESSION_CLASS_SERVICE
};
extern const char *const session_classes[]; /* names: "unknown", ... NULL-terminated */

struct session_event {
    char id[SESSION_EVENT_ID_MAX + 1]; /* "" = none could be read */
    char instrument[ID_MAX + 1];       /* "" in a state: its point tells */
    bool is_open;                      /* else close */
    enum session_class class;          /* the rest of an open alone; "" = not told */
    char organisation[SESSION_ORGANISATION_MAX + 1];
    char purpose[ID_MAX + 1];
    char text[STATE_TEXT_MAX + 1]; /* of the state; "" where that was read */
    int64_t time_ms;               /* 0 = not told */
};

/* From JSON. `purposes`: char *, the words allowed; NULL = any word, as ids are. `may_have_time`: there may be a key `time`,
 * RFC 3339. ST_INVALID says what is wrong; `ret->id` is set where it could be read. */
enum status session_event_read(struct span json, const struct conf_list *purposes, bool may_have_time,
    struct session_event *ret, struct error *err);
/* From a state, plain. ST_INVALID: neither open nor close (or closed), or without an event's id. Words that are not known, and a
 * class, a code or a purpose that is none, tell nothing. The first word alone is the state of a terminal that is polled: ret->id is
 * "" then. */
enum status session_event_read_state(struct span text, struct session_event *ret, struct error *err);
