#include "agent/sources/session_desk.h"

#include "agent/deliver/deliver.h"
#include "lib/json.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define NOTE_PREFIX "session/"

/* ---- what was taken ---- */

static void remember_id(struct desk_instrument *i, struct span id, int64_t number)
{
    size_t at = i->id_count++ % SESSION_IDS_MAX;
    size_t length = id.len < SESSION_EVENT_ID_MAX ? id.len : SESSION_EVENT_ID_MAX;
    memcpy(i->ids[at], id.at, length);
    i->ids[at][length] = '\0';
    i->numbers[at] = number;
}

static size_t held(const struct desk_instrument *i)
{
    return i->id_count < SESSION_IDS_MAX ? i->id_count : SESSION_IDS_MAX;
}

/* Where in the ring it was taken last, and how many events later ones there are; SESSION_IDS_MAX = it is not there. */
static size_t find_id(const struct desk_instrument *i, const char *id, size_t *ret_later)
{
    size_t count = held(i);
    for (size_t later = 0; later < count; later++) {
        size_t at = (i->id_count - 1 - later) % SESSION_IDS_MAX;
        if (strcmp(i->ids[at], id) == 0) {
            *ret_later = later;
            return at;
        }
    }
    return SESSION_IDS_MAX;
}

/* Whether that event came next after the newest one when that had its id before: their reader began anew, and tells the same
 * again. */
static bool follows_again(const struct desk_instrument *i, const char *id)
{
    size_t count = held(i);
    const char *newest = i->ids[(i->id_count - 1) % SESSION_IDS_MAX];
    for (size_t back = 3; back <= count; back++) {
        const char *then = i->ids[(i->id_count - back) % SESSION_IDS_MAX],
                   *next = i->ids[(i->id_count - back + 1) % SESSION_IDS_MAX];
        if (strcmp(then, newest) == 0 && strcmp(next, id) == 0)
            return true;
    }
    return false;
}

/* The state, and below it the ids, oldest first, the new one last. */
static char *make_note(const struct desk_instrument *i, const struct session_event *e)
{
    struct buf note = {0};
    size_t count = held(i);
    buf_add_str(&note, e->text);
    buf_add_char(&note, '\n');
    for (size_t k = count == SESSION_IDS_MAX ? 1 : 0; k < count; k++)
        buf_printf(&note, "%s ", i->ids[(i->id_count - count + k) % SESSION_IDS_MAX]);
    buf_add_str(&note, e->id);
    return buf_take(&note);
}

static void read_note(struct desk_instrument *i, struct span note)
{
    const char *feed = memchr(note.at, '\n', note.len), *end = note.at + note.len;
    if (feed == NULL)
        return;
    i->noted = mem_strndup(note.at, (size_t)(feed - note.at));
    i->is_open = strncmp(i->noted, "open", 4) == 0;
    for (const char *at = feed + 1; at < end;) {
        const char *blank = memchr(at, ' ', (size_t)(end - at));
        const char *stop = blank != NULL ? blank : end;
        remember_id(i, (struct span){at, (size_t)(stop - at)}, 0);
        at = stop + 1;
    }
}

static void on_note(void *user_data, struct span key, struct span note)
{
    struct session_desk *d = user_data;
    for (size_t i = 0; i < d->settings->instruments.count; i++)
        if (span_is(key, d->instruments[i].note_key))
            read_note(&d->instruments[i], note);
}

enum status session_desk_remember(struct session_desk *d, struct error *err)
{
    return deliver_notes(d->context.deliver, NOTE_PREFIX, d, on_note, err);
}

/* ---- who vouches for a state ---- */

static int64_t mono_ms(const struct session_desk *d)
{
    return d->context.clock->mono_ms();
}

/* It is still so, now, as it was before this start too. */
static void vouch(struct session_desk *d, size_t index)
{
    const struct feed_circumstance now = {0};
    struct desk_instrument *one = &d->instruments[index];
    union driver_value value = {.text = one->noted};
    feed_hear(&d->feed, index, 0);
    if (one->noted != NULL)
        feed_take(&d->feed, index, &value, &now, NULL, NULL);
    free(one->noted);
    one->noted = NULL;
}

/* An event came of it, whichever. What was noted before this start is still so only where that event is the one that it is of. */
static void hear(struct session_desk *d, size_t index, bool is_newest)
{
    struct desk_instrument *one = &d->instruments[index];
    if (is_newest)
        vouch(d, index);
    else
        feed_hear(&d->feed, index, 0);
    if (one->settings->alive_ms > 0)
        silence_hear(&one->silence, mono_ms(d), 0, d->name, one->settings->name);
}

void session_desk_listen(struct session_desk *d, bool is_listening)
{
    if (is_listening == d->is_listening)
        return;
    d->is_listening = is_listening;
    for (size_t i = 0; i < d->settings->instruments.count; i++) {
        if (d->instruments[i].settings->alive_ms > 0)
            continue;
        d->points[i].alive_ms = is_listening ? INT64_MAX : 0;
        if (is_listening)
            vouch(d, i);
    }
}

/* ---- events ---- */

static struct desk_instrument *find_instrument(struct session_desk *d, const char *name, size_t *ret_index)
{
    for (size_t i = 0; i < d->settings->instruments.count; i++)
        if (strcmp(d->instruments[i].settings->name, name) == 0) {
            *ret_index = i;
            return &d->instruments[i];
        }
    return NULL;
}

static bool is_on_disk(const struct session_desk *d, int64_t number, int64_t patience_ms)
{
    struct deliver *deliver = d->context.deliver;
    return number == 0 || deliver == NULL ||
           deliver_wait_committed(deliver, number, mono_ms(d) + patience_ms);
}

static const char *take_new(struct session_desk *d, struct desk_instrument *one, size_t index,
    const struct session_event *e, int64_t patience_ms, struct error *err)
{
    char *note = make_note(one, e);
    struct feed_circumstance circumstance = {.note_key = one->note_key, .note = note};
    union driver_value value = {.text = e->text};
    int64_t number;
    enum status status = feed_take(&d->feed, index, &value, &circumstance, &number, err);
    free(note);
    if (status != ST_OK)
        return "later";
    if (e->is_open == one->is_open)
        complain(&d->doubtful, mono_ms(d), LOG_LEVEL_WARN, "source",
            "%s/%s: event %s %s; it is taken all the same", d->name, one->settings->name, e->id,
            e->is_open ? "opens a session while one is open" : "closes a session while none is open");
    one->is_open = e->is_open;
    free(one->noted);
    one->noted = NULL;
    remember_id(one, span_of(e->id), number);
    if (is_on_disk(d, number, patience_ms))
        return "taken";
    error_set(err, ST_TIMEOUT, "it is not on disk yet; send it again");
    return "later";
}

static const char *take_event(
    struct session_desk *d, const struct session_event *e, int64_t patience_ms, struct error *err)
{
    size_t index;
    struct desk_instrument *one = find_instrument(d, e->instrument, &index);
    if (one == NULL) {
        error_set(err, ST_INVALID, "instrument \"%s\" is not known here", e->instrument);
        return "refused";
    }
    size_t later, at = find_id(one, e->id, &later);
    hear(d, index, at != SESSION_IDS_MAX && later == 0);
    if (at == SESSION_IDS_MAX)
        return take_new(d, one, index, e, patience_ms, err);
    bool contradicts = later > 0 && e->is_open != one->is_open;
    if (contradicts && (e->is_open || follows_again(one, e->id))) {
        complain(&d->anew, mono_ms(d), LOG_LEVEL_WARN, "source",
            "%s/%s: event %s comes again after others, and is no longer so: its reader began anew; it is "
            "taken as "
            "another event",
            d->name, one->settings->name, e->id);
        return take_new(d, one, index, e, patience_ms, err);
    }
    if (contradicts)
        complain(&d->late, mono_ms(d), LOG_LEVEL_WARN, "source",
            "%s/%s: event %s closes again, after others, and a session is open; it closes nothing", d->name,
            one->settings->name, e->id);
    if (is_on_disk(d, one->numbers[at], patience_ms))
        return "known";
    error_set(err, ST_TIMEOUT, "it is not on disk yet; send it again");
    return "later";
}

void session_desk_take(struct session_desk *d, struct span json, int64_t patience_ms, struct buf *ret_answer)
{
    struct session_event e;
    struct error err = {""};
    const char *result = "refused";
    if (session_event_read(json, &d->settings->purposes, false, &e, &err) == ST_OK)
        result = take_event(d, &e, patience_ms, &err);
    if (strcmp(result, "refused") == 0)
        complain(&d->refused, mono_ms(d), LOG_LEVEL_WARN, "source", "%s: an event%s%s is refused: %s",
            d->name, e.id[0] != '\0' ? " " : "", e.id, err.text);
    bool is_good = strcmp(result, "taken") == 0 || strcmp(result, "known") == 0;
    char *answer = json_text(json_pack("{s:s*, s:s, s:s*}", "event", e.id[0] != '\0' ? e.id : NULL, "result",
        result, "why", is_good ? NULL : err.text));
    buf_add_str(ret_answer, answer);
    free(answer);
}

int64_t session_desk_tick(struct session_desk *d)
{
    int64_t now = mono_ms(d), due = feed_repeat(&d->feed);
    for (size_t i = 0; i < d->settings->instruments.count; i++) {
        struct desk_instrument *one = &d->instruments[i];
        int64_t silent = one->settings->alive_ms > 0
                             ? silence_watch(&one->silence, now, d->name, one->settings->name)
                             : INT64_MAX;
        if (silent < due)
            due = silent;
    }
    return due;
}

/* ---- life ---- */

void session_desk_init(struct session_desk *d, const char *name, const struct session_settings *settings,
    const struct source_context *context)
{
    size_t count = settings->instruments.count;
    *d = (struct session_desk){.name = name, .settings = settings, .context = *context};
    d->points = mem_zalloc(count * sizeof *d->points);
    d->instruments = mem_zalloc(count * sizeof *d->instruments);
    for (size_t i = 0; i < count; i++) {
        const struct session_instrument *one =
            (const struct session_instrument *)settings->instruments.items + i;
        d->instruments[i].settings = one;
        d->instruments[i].note_key = mem_printf(NOTE_PREFIX "%s/%s", name, one->name);
        d->points[i] = (struct feed_point){.name = one->point,
            .kind = READING_STATE,
            .repeat_ms = FEED_STATE_REPEAT_MS,
            .alive_ms = one->alive_ms};
        d->instruments[i].silence = (struct silence){.alive_ms = one->alive_ms, .heard_mono_ms = mono_ms(d)};
    }
    feed_init(&d->feed, &d->context, name, d->points, count);
}

void session_desk_release(struct session_desk *d)
{
    feed_release(&d->feed);
    for (size_t i = 0; i < d->settings->instruments.count; i++) {
        free(d->instruments[i].noted);
        free(d->instruments[i].note_key);
    }
    free(d->instruments);
    free(d->points);
}
