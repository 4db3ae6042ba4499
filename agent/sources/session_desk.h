/*
 * Takes events of sessions: each once, by its id, whatever the agent went through in between, and answers when the
 * state is on disk. What was taken is remembered in the spool with the state itself, so that there is no moment in
 * which one is there without the other; of each instrument the newest SESSION_IDS_MAX ids. An open of one of
 * them that is not the newest, while no session is open, is another event: its reader began anew. So is, while the
 * session that such an open began is open, the close that followed it then. Any other close may be late, or of a second reader, and somebody may be at work: it is
 * known, and one line says so.
 *
 * A state is sent again while somebody vouches for it (CONTRIBUTING.md, S8): the reader that keeps alive by being
 * heard; for one that speaks on events only, this agent, while it would hear it.
 *
 * An open while a session is open, and a close while none is, are taken and told: whoever evaluates the states ends the
 * session that was forgotten.
 */
#pragma once

#include "agent/sources/feed.h"
#include "agent/sources/session_settings.h"
#include "agent/sources/silence.h"
#include "lib/session_event.h"

#define SESSION_IDS_MAX 64

struct desk_instrument {
    const struct session_instrument *settings;
    char ids[SESSION_IDS_MAX][SESSION_EVENT_ID_MAX + 1]; /* a ring */
    int64_t numbers[SESSION_IDS_MAX];                    /* of deliver_wait_committed; 0 = it is on disk */
    size_t id_count;                                     /* ever taken */
    char *noted; /* state before this start, until somebody vouches for it; NULL = none or sent */
    bool is_open;
    char *note_key;
    struct silence silence; /* of a reader that keeps alive */
};

struct session_desk {
    const char *name; /* of the source */
    const struct session_settings *settings;
    struct source_context context;
    struct feed feed;
    struct feed_point *points;
    struct desk_instrument *instruments;
    bool is_listening;
    struct complaint refused, doubtful, anew, late;
};

/* Name, settings and what the context has are borrowed. */
void session_desk_init(struct session_desk *d, const char *name, const struct session_settings *settings,
    const struct source_context *context);
void session_desk_release(struct session_desk *d);
enum status session_desk_remember(struct session_desk *d, struct error *err);
/* Does all that a reader may say reach the agent now? Until the first call it does not. Once the deliver thread runs. */
void session_desk_listen(struct session_desk *d, bool is_listening);

/* Takes an event, and appends the answer, one line of JSON without its end:
 * {"event":id,"result":"taken"|"known"|"refused"|"later","why":...}. It waits for the disk, up to `patience_ms`; "later":
 * it is not there yet, and is to be sent again. */
void session_desk_take(struct session_desk *d, struct span json, int64_t patience_ms, struct buf *ret_answer);
/* Sends states again when it is time, and tells who is silent; returns when to call it next. */
int64_t session_desk_tick(struct session_desk *d);
