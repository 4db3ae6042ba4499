/* What is booked of random histories of late quarter hours, new versions, decided moves between two sites, and closings of both,
 * against another program; and that it adds up, whatever was closed when, to what is metered now. */
#include "tests/unit/collector/close_scene.h"
#include "tests/unit/oracle.h"

struct played {
    struct close_scene scene;
    struct zone *zones[2];
    bool is_open;
    char *told; /* what the program said of the call at hand */
};

struct told_metered {
    char meter[16];
    struct closing_sum sum; /* of its pending entries */
};

static void tell_sum(struct buf *text, const char *kind, const char *meter, int64_t month, bool has_month,
    const struct closing_sum *sum)
{
    char name[PERIODS_TEXT_SIZE];
    periods_format((struct period){PERIODS_MONTH, month}, name);
    buf_printf(text, "%s %s%s%s %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %d\n", kind, meter,
        has_month ? " " : "", has_month ? name : "", sum->parts.sum.known, sum->parts.sum.unknown_s,
        sum->parts.waiting_s, sum->parts.absent_s, sum->is_whole);
}

static void tell_row(void *context, const struct booked_row *row)
{
    tell_sum(context, "base", row->name, 0, false, &row->sum);
}

static enum status tell_entry(void *context, const struct booked_entry *entry, struct error *err)
{
    (void)err;
    tell_sum(context, "entry", entry->name, entry->month, true, &entry->entry);
    /* What was booked, and the entry, is what is metered. */
    assert_int_equal(
        entry->before.parts.sum.known + entry->entry.parts.sum.known, entry->after.parts.sum.known);
    return ST_OK;
}

static const struct park_site *find_site(const struct park *park, const char *id)
{
    CONF_EACH (const struct park_site, site, park->sites)
        if (strcmp(site->id, id) == 0)
            return site;
    fail_msg("%s", id);
    return NULL;
}

static void begin_history(struct played *p, const char *text)
{
    if (p->is_open)
        close_scene_close(&p->scene);
    for (int i = 0; i < 2; i++)
        zone_destroy(p->zones[i]);
    close_scene_open(&p->scene, text);
    p->is_open = true;
    p->zones[0] = zone_create(find_site(p->scene.park, "s")->zone);
    p->zones[1] = zone_create(find_site(p->scene.park, "t")->zone);
}

/* As it was told by the call that closed it, and as it is read again later. */
static char *closed_text(struct played *p, const char *site, bool is_result)
{
    struct close_scene *s = &p->scene;
    struct booked_closings closings;
    struct buf text = {0};
    if (is_result) {
        for (size_t i = 0; i < s->result.row_count; i++)
            tell_sum(&text, "base", s->result.rows[i].meter, 0, false, &s->result.rows[i].booked);
        for (size_t i = 0; i < s->result.entry_count; i++)
            tell_sum(&text, "entry", s->result.entries[i].meter, s->result.entries[i].month, true,
                &s->result.entries[i].booked);
        return buf_take(&text);
    }
    close_scene_must(s, booked_closings_read(s->journal.db, site, &closings, &s->err));
    assert_true(closings.count > 0);
    close_scene_must(
        s, booked_rows(s->journal.db, &closings.items[closings.count - 1], tell_row, &text, &s->err));
    close_scene_must(
        s, booked_frozen(s->journal.db, s->park, find_site(s->park, site), p->zones[site[0] == 't'],
               &closings, closings.count - 1, &(struct booked_sink){tell_entry, &text}, &s->err));
    booked_closings_release(&closings);
    return buf_take(&text);
}

static char *pending_text(struct played *p, const char *site)
{
    struct close_scene *s = &p->scene;
    struct booked_closings closings;
    struct buf text = {0};
    close_scene_must(s, booked_closings_read(s->journal.db, site, &closings, &s->err));
    close_scene_must(
        s, booked_pending(s->journal.db, s->park, find_site(s->park, site), p->zones[site[0] == 't'],
               &closings, close_scene_now_ms, &(struct booked_sink){tell_entry, &text}, &s->err));
    booked_closings_release(&closings);
    return buf_take(&text);
}

static void expect(const char *where, const char *expected, char *told)
{
    if (strcmp(expected, told) != 0)
        fail_msg("%s: expected\n%sbut is\n%s", where, expected, told);
    free(told);
}

/* The lines up to "end". */
static char *expected_text(struct oracle *o)
{
    struct buf text = {0};
    while (oracle_read(o) && strcmp(o->line, "end") != 0) {
        buf_add_str(&text, o->line);
        buf_add_char(&text, '\n');
    }
    return buf_take(&text);
}

static void play_close(struct played *p, struct oracle *o)
{
    char site[8], month[16], *where = mem_strdup(o->line);
    bool is_close = strncmp(o->line, "close", 5) == 0;
    if (sscanf(o->line, "%*s %7s %15s %" SCNd64, site, month, &close_scene_now_ms) != 3)
        fail_msg("%s", o->line);
    char *expected = expected_text(o);
    if (is_close) {
        /* What a preview says is what is booked, and what is pending before is what is booked with it. */
        close_scene_force(&p->scene, site, month);
        expect(where, expected, closed_text(p, site, true));
        expect(where, expected, closed_text(p, site, false));
        expect(where, "", pending_text(p, site));
    } else {
        expect(where, expected, pending_text(p, site));
    }
    free(expected);
    free(where);
}

static enum status add_entry(void *context, const struct booked_entry *entry, struct error *err)
{
    (void)err;
    const char *meter = entry->name;
    struct told_metered *told = context;
    if (strcmp(meter, told->meter) == 0)
        closing_add(&told->sum, &entry->entry);
    return ST_OK;
}

static int64_t booked_of(struct played *p, const char *column, const char *meter)
{
    char *sql =
        mem_printf("SELECT ifnull(sum(%s), 0) FROM closing_meter AS m JOIN closing AS c ON c.id = m.closing"
                   " JOIN ledger_meter AS l ON l.id = m.meter WHERE l.name = '%s' AND closing ="
                   " (SELECT max(closing) FROM closing_meter AS x JOIN closing AS y ON y.id = x.closing"
                   "  WHERE x.meter = m.meter AND x.month = m.month AND y.site = c.site)",
            column, meter);
    int64_t number = close_scene_number(&p->scene, sql);
    free(sql);
    return number;
}

/* K4: what is booked of all months of both sites, and pending on both, is what is metered. The last row of each month
 * says what is booked of it. */
static void play_metered(struct played *p, const char *line)
{
    struct close_scene *s = &p->scene;
    struct told_metered told = {.sum = closing_nothing()};
    int64_t metered[3];
    if (sscanf(line, "metered %15s %" SCNd64 " %" SCNd64 " %" SCNd64, told.meter, &metered[0], &metered[1],
            &metered[2]) != 4)
        fail_msg("%s", line);
    for (int i = 0; i < 2; i++) {
        struct booked_closings closings;
        const char *site = i == 0 ? "s" : "t";
        close_scene_must(s, booked_closings_read(s->journal.db, site, &closings, &s->err));
        close_scene_must(
            s, booked_pending(s->journal.db, s->park, find_site(s->park, site), p->zones[i], &closings,
                   close_scene_now_ms, &(struct booked_sink){add_entry, &told}, &s->err));
        booked_closings_release(&closings);
    }
    const struct amount *pending = &told.sum.parts;
    assert_int_equal(booked_of(p, "known", told.meter) + pending->sum.known, metered[0]);
    assert_int_equal(booked_of(p, "unknown_s", told.meter) + pending->sum.unknown_s, metered[1]);
    assert_int_equal(booked_of(p, "waiting_s", told.meter) + pending->waiting_s, metered[2]);
}

static void play_model(struct played *p, const char *text)
{
    struct close_scene *s = &p->scene;
    struct park *before = s->park;
    s->park = fake_park_of(&s->journal, text);
    bookkeeper_use(&s->keeper, s->park, NULL);
    close_scene_settle(s);
    park_destroy(before);
}

static void play_row(struct played *p, const char *line)
{
    char meter[16], amount[32];
    int64_t start_ms, version, quality;
    if (sscanf(line, "row %15s %" SCNd64 " %" SCNd64 " %31s %" SCNd64, meter, &start_ms, &version, amount,
            &quality) != 5)
        fail_msg("%s", line);
    close_scene_put_row(&p->scene, meter, start_ms, version, amount, quality);
}

static void test_what_is_booked_is_what_another_program_says(void **state)
{
    (void)state;
    struct played p = {0};
    struct oracle o;
    oracle_open(&o, "collector/oracle_closing.py", random_seed(1), NULL);
    while (oracle_read(&o)) {
        if (strncmp(o.line, "park ", 5) == 0)
            begin_history(&p, o.line + 5);
        else if (strncmp(o.line, "row ", 4) == 0)
            play_row(&p, o.line);
        else if (strncmp(o.line, "metered ", 8) == 0)
            play_metered(&p, o.line);
        else if (strncmp(o.line, "model ", 6) == 0)
            play_model(&p, o.line + 6);
        else
            play_close(&p, &o);
    }
    oracle_close(&o, 2000);
    close_scene_close(&p.scene);
    for (int i = 0; i < 2; i++)
        zone_destroy(p.zones[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_booked_is_what_another_program_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
