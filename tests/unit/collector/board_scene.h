/* A journal, a park of four instruments, and the maker of boards over them, with a clock that a test sets. */
#pragma once

#include "collector/board_maker.h"

#include "tests/unit/collector/fake_journal.h"
#include "tests/unit/collector/made_up_board.h"

#define NOW MADE_UP_BOARD_NOW_MS
#define MINUTE INT64_C(60000)
#define NONE AVAILABILITY_NONE
#define INSTRUMENTS 4

static int64_t mono_ms, wall;
static bool is_right;

static int64_t mono(void)
{
    return mono_ms;
}

static int64_t wall_ms(void)
{
    return wall;
}

static bool is_synchronised(void)
{
    return is_right;
}

static const struct clock at_will = {.wall_ms = wall_ms, .mono_ms = mono, .is_synchronised = is_synchronised};

struct scene {
    struct fake_journal journal;
    struct model *model;
    struct watch watch;
    struct watch_instrument instruments[INSTRUMENTS];
    struct watch_resource resources[2];
    struct calendar_desk desk;
    struct calendar_item item;
    struct board_box *box;
    struct board_maker maker;
    bool may_write;
};

static void must(enum status status, const struct error *err)
{
    if (status != ST_OK)
        fail_msg("%s", err->text);
}

static void exec(struct scene *s, const char *sql)
{
    struct error err = {""};
    must(db_exec(s->journal.db, sql, &err), &err);
}

static void tell_all(struct scene *s, int64_t age_ms)
{
    for (size_t i = 0; i < INSTRUMENTS; i++) {
        struct told_instrument *t = &s->instruments[i].told;
        t->power_ms = t->session_ms = wall - age_ms;
        t->activity.last_ms = wall - age_ms;
    }
    s->resources[0].told.heard_ms = wall - age_ms;
    s->item.bookings.known_ms = wall - age_ms;
}

static void start_maker(struct scene *s)
{
    board_maker_release(&s->maker);
    board_maker_init(&s->maker, s->journal.db);
    s->maker.box = s->box;
    board_maker_use(&s->maker, s->model);
}

static void begin(struct scene *s)
{
    *s = (struct scene){.model = made_up_board_model(), .box = board_box_create(), .may_write = true};
    mono_ms = 1000;
    wall = NOW;
    is_right = true;
    fake_journal_open(&s->journal);
    exec(s, "PRAGMA synchronous = OFF");
    s->watch = (struct watch){.park = s->model->park,
        .is_loaded = true,
        .instruments = s->instruments,
        .resources = s->resources,
        .instrument_count = INSTRUMENTS,
        .resource_count = 2};
    for (size_t i = 0; i < INSTRUMENTS; i++) {
        s->instruments[i].park = made_up_instrument(s->model, i);
        s->instruments[i].told = (struct told_instrument){.id = (int64_t)i + 1,
            .activity = {
                .last_ms = NOW, .since_ms = NOW - 60 * MINUTE, .has_read = 1, .steps[0] = {.is_up = 1}}};
    }
    s->resources[0].told = (struct told_resource){.id = 1, .since_ms = NOW - 60 * MINUTE};
    s->resources[1].told = (struct told_resource){.since_ms = NONE, .heard_ms = NONE};
    s->item = (struct calendar_item){.id = "xrd"};
    s->item.bookings.horizon = (struct busy){NOW - 30 * 1440 * MINUTE, NOW + 400 * 1440 * MINUTE};
    s->desk = (struct calendar_desk){.is_loaded = true, .items = &s->item, .count = 1};
    name_map_put(&s->desk.names, SPAN(""), span_of("xrd"), &s->item);
    tell_all(s, 1000);
    start_maker(s);
}

static void end(struct scene *s)
{
    board_maker_release(&s->maker);
    board_box_destroy(s->box);
    name_map_release(&s->desk.names);
    bookings_release(&s->item.bookings);
    fake_journal_close(&s->journal);
    model_put(s->model);
}

/* One transaction; false = there was nothing to write. */
static bool step(struct scene *s, bool commits)
{
    struct error err = {""};
    bool is_changed = false;
    struct board_making now = {.clock = &at_will,
        .watch = &s->watch,
        .calendars = &s->desk,
        .is_clock_right = is_right,
        .may_write = s->may_write};
    must(db_begin(s->journal.db, &err), &err);
    must(board_maker_step(&s->maker, &now, &is_changed, &err), &err);
    if (commits) {
        must(db_commit(s->journal.db, &err), &err);
        board_maker_show(&s->maker);
    } else {
        db_rollback(s->journal.db);
        board_maker_reset(&s->maker);
    }
    return is_changed;
}

static bool later(struct scene *s, int64_t ms)
{
    mono_ms += ms;
    wall += ms;
    return step(s, true);
}

/* Of an instrument, from the newest board. */
static struct availability answer_of(const struct scene *s, const char *instrument)
{
    const struct board *b = board_box_get(s->box);
    assert_non_null(b);
    struct availability a = board_find(b, instrument)->answer;
    board_put(b);
    return a;
}

static void expect(const struct scene *s, const char *instrument, enum availability_status status,
    const char *reason, int64_t since_ms)
{
    struct availability a = answer_of(s, instrument);
    if (a.status != status || strcmp(a.reason, reason) != 0 || a.since_ms != since_ms)
        fail_msg("%s is %s (%s) since now%+lld, expected %s (%s) since now%+lld", instrument,
            availability_statuses[a.status], a.reason, (long long)(a.since_ms - wall),
            availability_statuses[status], reason, (long long)(since_ms - wall));
}

/* What a query gives, each row a line. */
static const char *rows(struct scene *s, const char *sql)
{
    static char text[4096];
    struct db_stmt *q = db_prepare(s->journal.db, sql);
    struct error err = {""};
    bool has_row;
    size_t len = 0;
    text[0] = '\0';
    for (must(db_step(q, &has_row, &err), &err); has_row; must(db_step(q, &has_row, &err), &err)) {
        struct span row = db_text(q, 0);
        len += (size_t)snprintf(text + len, sizeof text - len, "%.*s\n", (int)row.len, row.at);
    }
    db_finish(q);
    return text;
}

static void run_power(struct scene *s, size_t i, bool runs, int64_t since_ms)
{
    struct activity *a = &s->instruments[i].told.activity;
    a->steps[1].is_up = runs;
    a->since_ms = since_ms;
}

static void book(struct scene *s, int64_t from_ms, int64_t until_ms)
{
    busy_list_add(&s->item.bookings.busy, from_ms, until_ms, s->item.bookings.horizon);
    busy_list_merge(&s->item.bookings.busy);
}
