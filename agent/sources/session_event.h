/*
 * An event of a session, as a card reader or kiosk tells it, and the state that goes on the wire for it. Pure.
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

struct session_event {
    char id[SESSION_EVENT_ID_MAX + 1]; /* "" = none could be read */
    char instrument[ID_MAX + 1];
    bool is_open; /* else close */
    char text[STATE_TEXT_MAX + 1];
};

/* `purposes`: char *, the words allowed. ST_INVALID says what is wrong; `ret->id` is set where it could be read. */
enum status session_event_read(
    struct span json, const struct conf_list *purposes, struct session_event *ret, struct error *err);
