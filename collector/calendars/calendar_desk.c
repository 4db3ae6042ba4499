#include "collector/calendars/calendar_desk.h"

#include "collector/access/changes.h"
#include "lib/mem.h"
#include "lib/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void calendar_desk_init(
    struct calendar_desk *d, struct db *db, const struct clock *clock, const struct park *park)
{
    *d = (struct calendar_desk){.db = db, .clock = clock, .park = park, .is_renewed = true};
}

/* All but what was complained of. */
static void forget_bookings(struct calendar_desk *d)
{
    for (size_t i = 0; i < d->count; i++)
        bookings_release(&d->items[i].bookings);
    name_map_release(&d->names);
    d->is_loaded = d->is_dirty = false;
}

static void forget_notes(struct calendar_desk *d, size_t count)
{
    for (size_t i = 0; i < count; i++)
        calendar_result_release(&d->notes[i].result);
    memmove(d->notes, d->notes + count, (d->note_count - count) * sizeof *d->notes);
    d->note_count -= count;
    d->applied = 0;
}

void calendar_desk_release(struct calendar_desk *d)
{
    forget_bookings(d);
    free(d->items);
    forget_notes(d, d->note_count);
    *d = (struct calendar_desk){0};
}

void calendar_desk_use(struct calendar_desk *d, const struct park *park)
{
    forget_bookings(d);
    d->park = park;
    d->is_renewed = true;
}

/* ---- what the tables say ---- */

static struct calendar_item *find(const struct calendar_desk *d, const char *calendar)
{
    return name_map_find(&d->names, SPAN(""), span_of(calendar));
}

static const struct calendar_item *former_of(
    const struct calendar_item *items, size_t count, const char *calendar, size_t guess)
{
    if (guess < count && strcmp(items[guess].id, calendar) == 0)
        return &items[guess];
    for (size_t i = 0; i < count; i++)
        if (strcmp(items[i].id, calendar) == 0)
            return &items[i];
    return NULL;
}

static bool is_another(const struct calendar_item *item, const struct hash *source)
{
    return item->has_source && !hash_is_equal(&item->source, source);
}

/* What is the same over models, and the source, which is looked at once with each. */
static void take_over(struct calendar_desk *d, struct calendar_item *item, const struct calendar_item *former)
{
    if (former != NULL)
        item->complaint = former->complaint;
    if (former != NULL && !d->is_renewed) {
        item->has_source = former->has_source;
        item->source = former->source;
        return;
    }
    item->has_source = calendar_rounds_source(item->calendar, &item->source);
    for (size_t i = 0; former != NULL && is_another(item, &former->source) && i < d->note_count; i++)
        if (strcmp(d->notes[i].id, item->id) == 0)
            d->notes[i].is_of_another = true;
}

static enum status load_item(struct calendar_desk *d, struct calendar_item *item, struct error *err)
{
    struct bookings *b = &item->bookings;
    enum status status = booking_rows_load(d->db, item->id, d->clock->wall_ms(), &item->state, b, err);
    if (status != ST_OK || b->known_ms == 0 || b->is_of_another || !is_another(item, &item->state.source))
        return status;
    b->is_of_another = d->has_another = true;
    return ST_OK;
}

static enum status load(struct calendar_desk *d, struct error *err)
{
    forget_bookings(d);
    enum status status = ST_OK;
    struct calendar_item *former = d->items;
    size_t former_count = d->count;
    d->items = mem_zalloc((d->park->calendars.count + 1) * sizeof *d->items);
    d->count = 0;
    d->has_another = false;
    CONF_EACH (const struct park_calendar, c, d->park->calendars) {
        struct calendar_item *item = &d->items[d->count];
        item->calendar = c;
        snprintf(item->id, sizeof item->id, "%s", c->id);
        take_over(d, item, former_of(former, former_count, c->id, d->count++));
        name_map_put(&d->names, SPAN(""), span_of(c->id), item);
        if (status == ST_OK)
            status = load_item(d, item, err);
    }
    free(former);
    d->is_renewed = false;
    d->is_loaded = status == ST_OK;
    return status;
}

enum status calendar_desk_reset(struct calendar_desk *d, struct error *err)
{
    d->applied = 0;
    return d->is_loaded && !d->is_dirty ? ST_OK : load(d, err);
}

const struct bookings *calendar_desk_find(const struct calendar_desk *d, const char *calendar)
{
    const struct calendar_item *item = d->is_loaded ? find(d, calendar) : NULL;
    return item != NULL ? &item->bookings : NULL;
}

/* ---- what is new ---- */

static enum status save(struct calendar_desk *d, struct calendar_item *item,
    const struct booking_list *before, int64_t settled_ms, struct error *err)
{
    d->is_dirty = true;
    return booking_rows_save(d->db, item->id, &item->state, &item->bookings, before, settled_ms, err);
}

static enum status apply_reading(
    struct calendar_desk *d, struct calendar_item *item, const struct calendar_result *r, struct error *err)
{
    struct bookings *b = &item->bookings;
    struct booking_list before = {0};
    int64_t settled_ms = bookings_settled_ms(b, r->read_ms);
    booking_list_copy(&before, &b->list);
    bookings_take(b, &r->reading, r->read_ms);
    if (!b->is_of_another)
        item->state.source = item->source;
    enum status status = save(d, item, &before, settled_ms, err);
    booking_list_release(&before);
    return status;
}

/* Also where it could not be read: that it was tried is noted. */
static enum status apply_look(
    struct calendar_desk *d, struct calendar_item *item, const struct calendar_result *r, struct error *err)
{
    struct bookings *b = &item->bookings;
    struct booking_list before = {0};
    int64_t settled_ms = bookings_settled_ms(b, r->tried_ms);
    booking_list_copy(&before, &b->list);
    if (r->same_ms != 0)
        bookings_is_unchanged(b, r->same_ms);
    enum status status = save(d, item, &before, settled_ms, err);
    booking_list_release(&before);
    return status;
}

static enum status apply(
    struct calendar_desk *d, struct calendar_item *item, const struct calendar_result *r, struct error *err)
{
    item->state.tried_ms = r->tried_ms;
    snprintf(item->state.problem, sizeof item->state.problem, "%s", r->problem);
    enum status status = r->has_reading ? apply_reading(d, item, r, err) : ST_OK;
    if (status == ST_OK && (!r->has_reading || r->same_ms != 0))
        status = apply_look(d, item, r, err);
    return status;
}

/* For those who read the tables alone. */
static enum status save_another(struct calendar_desk *d, bool *ret_is_changed, struct error *err)
{
    enum status status = ST_OK;
    for (size_t i = 0; i < d->count && status == ST_OK; i++) {
        struct calendar_item *item = &d->items[i];
        if (item->bookings.is_of_another)
            status = save(d, item, &item->bookings.list, INT64_MIN, err);
    }
    d->has_another = false;
    *ret_is_changed = true;
    return status;
}

static size_t take(struct calendar_desk *d)
{
    struct calendar_note *note = &d->notes[d->note_count];
    const char *id;
    if (d->rounds == NULL || !calendar_rounds_take(d->rounds, &id, &note->result))
        return 0;
    snprintf(note->id, sizeof note->id, "%s", id);
    note->is_of_another = false;
    d->note_count++;
    return 1 + (note->result.has_reading ? note->result.reading.booking_count : 0);
}

enum status calendar_desk_step(struct calendar_desk *d, bool *ret_is_changed, struct error *err)
{
    enum status status = d->is_loaded ? ST_OK : load(d, err);
    size_t bookings = 0, more = 1;
    if (status == ST_OK && d->has_another)
        status = save_another(d, ret_is_changed, err);
    while (d->note_count < CALENDAR_DESK_RESULTS && bookings < CALENDAR_DESK_BOOKINGS && more > 0)
        bookings += more = take(d);
    while (status == ST_OK && d->applied < d->note_count) {
        struct calendar_note *note = &d->notes[d->applied++];
        struct calendar_item *item = find(d, note->id);
        *ret_is_changed = true;
        if (item != NULL && !note->is_of_another) /* else the model has it no more */
            status = apply(d, item, &note->result, err);
    }
    return status;
}

/* ---- what is said of it ---- */

static void tell(struct calendar_desk *d, struct calendar_item *item, const struct calendar_result *r)
{
    int64_t now_mono_ms = d->clock->mono_ms();
    if (r->problem[0] != '\0')
        complain(&item->complaint, now_mono_ms, LOG_LEVEL_WARN, "calendars",
            "%s; what was known of its bookings stays, and ages", r->problem);
    else if (item->bookings.emptied_ms != 0)
        complain(&item->complaint, now_mono_ms, LOG_LEVEL_WARN, "calendars",
            "calendar %s: has turned empty; what was known of its bookings stays until a person confirms "
            "that",
            item->id);
    else if (item->bookings.is_cut)
        complain(&item->complaint, now_mono_ms, LOG_LEVEL_WARN, "calendars",
            "calendar %s: is not whole (broken off, or more than is read); nothing is taken away", item->id);
    else
        complaint_clear(&item->complaint, now_mono_ms, "calendars", "calendar %s: is read again", item->id);
}

bool calendar_desk_committed(struct calendar_desk *d)
{
    bool is_more = d->applied > 0;
    d->is_dirty = false;
    for (size_t i = 0; i < d->applied; i++) {
        struct calendar_item *item = find(d, d->notes[i].id);
        if (item != NULL && !d->notes[i].is_of_another)
            tell(d, item, &d->notes[i].result);
    }
    forget_notes(d, d->applied);
    return is_more;
}

/* ---- what a person says ---- */

static enum status check(
    const struct calendar_confirming *request, const struct calendar_item *item, struct error *err)
{
    struct span why = span_of(request->why != NULL ? request->why : "");
    if (why.len == 0 || why.len > CALENDAR_WHY_MAX || !text_is_utf8(why) || text_has_control(why) ||
        strspn(why.at, " ") == why.len)
        return error_set(err, ST_INVALID,
            "why is missing, or not a text of 1 to %d bytes; expected a sentence that says how it is known",
            CALENDAR_WHY_MAX);
    if (item == NULL)
        return error_set(err, ST_INVALID, "no calendar has the id \"%.40s\"", request->calendar);
    if (item->bookings.emptied_ms == 0)
        return error_set(err, ST_INVALID,
            "calendar %s has not turned empty: there is nothing to confirm; see /api/v1/calendars", item->id);
    return ST_OK;
}

static enum status log_confirming(struct calendar_desk *d, const struct calendar_confirming *request,
    size_t dropped, int64_t now_ms, struct error *err)
{
    char *object = mem_printf("calendar %s", request->calendar);
    char *before = mem_printf("bookings ahead: %zu", dropped);
    struct change change = {.token = request->token,
        .who = request->who,
        .action = "calendar confirm",
        .object = object,
        .before = before,
        .after = "empty",
        .note = request->why};
    enum status status = changes_add(d->db, &change, now_ms, err);
    free(object);
    free(before);
    return status;
}

static size_t count_ahead(const struct booking_list *list, int64_t now_ms)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        count += list->items[i].span.end_ms > now_ms;
    return count;
}

static enum status confirm(struct calendar_desk *d, struct calendar_item *item,
    const struct calendar_confirming *request, struct error *err)
{
    int64_t now_ms = d->clock->wall_ms(), settled_ms = bookings_settled_ms(&item->bookings, now_ms);
    struct booking_list before = {0};
    booking_list_copy(&before, &item->bookings.list);
    bookings_confirm_empty(&item->bookings, now_ms);
    enum status status = save(d, item, &before, settled_ms, err);
    if (status == ST_OK)
        status = log_confirming(d, request, count_ahead(&before, now_ms), now_ms, err);
    booking_list_release(&before);
    return status;
}

enum status calendar_desk_confirm(
    struct calendar_desk *d, const struct calendar_confirming *request, struct error *err)
{
    struct calendar_item *item = d->is_loaded ? find(d, request->calendar) : NULL;
    enum status status = check(request, item, err);
    if (status == ST_OK)
        status = db_begin(d->db, err);
    if (status != ST_OK)
        return status;
    status = confirm(d, item, request, err);
    if (status != ST_OK)
        db_rollback(d->db);
    else
        status = db_commit(d->db, err);
    if (status == ST_OK) {
        d->is_dirty = false;
        complaint_clear(&item->complaint, d->clock->mono_ms(), "calendars",
            "calendar %s: is empty, as a person confirms", item->id);
    }
    return status;
}
