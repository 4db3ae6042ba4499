/* A bookkeeper with a park, a clock of its own, and closings of it. */
#pragma once

#include "collector/close_month.h"
#include "collector/deciding.h"
#include "tests/unit/collector/database_dump.h"
#include "tests/unit/collector/fake_journal.h"

struct close_scene {
    struct fake_journal journal;
    struct park *park;
    struct bookkeeper keeper;
    struct error err;
    struct close_month_result result;
};

static int64_t close_scene_now_ms;

static inline int64_t close_scene_wall(void)
{
    return close_scene_now_ms;
}

/* Each look takes longer than the bookkeeper rests. */
static inline int64_t close_scene_mono(void)
{
    static int64_t now_ms;
    return now_ms += 2;
}

static const struct clock close_scene_clock = {.wall_ms = close_scene_wall, .mono_ms = close_scene_mono};

static inline void close_scene_must(struct close_scene *s, enum status status)
{
    if (status != ST_OK)
        fail_msg("%s", s->err.text);
}

/* Takes what is journalled into the books. */
static inline void close_scene_settle(struct close_scene *s)
{
    close_scene_must(s, bookkeeper_catch_up(&s->keeper, &close_scene_clock, INT64_MAX, &s->err));
}

static inline void close_scene_open(struct close_scene *s, const char *park_text)
{
    *s = (struct close_scene){0};
    fake_journal_open(&s->journal);
    close_scene_must(s, db_exec(s->journal.db, "PRAGMA synchronous = OFF", &s->err));
    s->park = fake_park_of(&s->journal, park_text);
    bookkeeper_init(&s->keeper, s->journal.db, s->park);
    close_scene_must(s, bookkeeper_reset(&s->keeper, &s->err));
    close_scene_settle(s);
}

static inline void close_scene_close(struct close_scene *s)
{
    close_month_result_release(&s->result);
    bookkeeper_release(&s->keeper);
    park_destroy(s->park);
    fake_journal_close(&s->journal);
}

static inline struct close_month close_scene_request(const char *site, const char *month)
{
    struct close_month request = {.site = site, .who = "anna", .why = "the bills of the month"};
    assert_true(periods_parse(month, &request.period));
    return request;
}

static inline enum status close_scene_run(struct close_scene *s, const struct close_month *request)
{
    close_month_result_release(&s->result);
    return close_month_run(&s->keeper, &close_scene_clock, request, &s->result, &s->err);
}

/* Whatever stands against it. */
static inline void close_scene_force(struct close_scene *s, const char *site, const char *month)
{
    struct close_month request = close_scene_request(site, month);
    request.is_preview = true;
    close_scene_must(s, close_scene_run(s, &request));
    size_t count = s->result.reasons.count;
    char(*names)[CLOSING_NAME_SIZE] = mem_alloc((count + 1) * sizeof *names);
    struct closing_override *overrides = mem_alloc((count + 1) * sizeof *overrides);
    for (size_t i = 0; i < count; i++) {
        closing_reason_name(&s->result.reasons.items[i], names[i]);
        overrides[i] = (struct closing_override){names[i], "known"};
    }
    request.is_preview = false;
    request.overrides = overrides;
    request.override_count = count;
    close_scene_must(s, close_scene_run(s, &request));
    free(overrides);
    free(names);
}

static inline int64_t close_scene_number(struct close_scene *s, const char *sql)
{
    struct buf text = {0};
    database_add_rows(s->journal.db, &text, sql);
    buf_add_char(&text, '\0');
    int64_t number = strtoll(text.data, NULL, 10);
    buf_release(&text);
    return number;
}

static inline void close_scene_put_row(struct close_scene *s, const char *meter, int64_t start_ms,
    int64_t version, const char *amount, int64_t quality)
{
    struct db_stmt *put = db_keep(s->journal.db, "INSERT INTO ledger_quarter SELECT id, ?2, ?3, ?4, ?5, 0, 0"
                                                 " FROM ledger_meter WHERE name = ?1");
    db_bind_text(put, 1, span_of(meter));
    db_bind_int(put, 2, start_ms);
    db_bind_int(put, 3, version);
    if (strcmp(amount, "-") == 0)
        db_bind_null(put, 4);
    else
        db_bind_int(put, 4, strtoll(amount, NULL, 10));
    db_bind_int(put, 5, quality);
    close_scene_must(s, db_run(put, &s->err));
    assert_int_equal(db_changes(s->journal.db), 1);
}
