/* The books with what persons decided: a function of the readings, the segments and the decisions in force, however all
 * that arrives; and a decision that is withdrawn leaves nothing but versions. PARKMON_SEED=<n> gives one history again. */
#include "tests/unit/collector/books_fixture.h"
#include "tests/unit/collector/ledger_history.h"

#define DECISIONS 6

static int64_t next_meter = 1;

/* Decisions about a history, each of a place of its own. */
struct decided {
    struct ruling items[DECISIONS];
    int64_t times[DECISIONS];
    bool is_in_force[DECISIONS];
    size_t count;
};

static int64_t some_time(const struct book *b)
{
    size_t at = random_below(b->count);
    if (b->span_count > 0 && random_below(3) > 0)
        return b->spans[random_below(b->span_count)].until_ms;
    return b->readings[at].time_ms + (int64_t)random_below(2) * HISTORY_MINUTE;
}

static int64_t count_near(const struct book *b, int64_t time_ms)
{
    size_t at = book_find(b, time_ms);
    return b->readings[at < b->count ? at : b->count - 1].count;
}

static struct ruling draw(const struct book *b, int64_t *time)
{
    *time = some_time(b);
    struct ruling d = {.from_ms = *time, .until_ms = *time, .times = time, .count = count_near(b, *time)};
    switch (random_below(4)) {
    case 0:
        d.kind = RULING_OUTLIER;
        d.time_count = 1;
        break;
    case 1:
        d.kind = RULING_READING;
        d.count += (int64_t)random_below(3);
        break;
    case 2:
        d.kind = RULING_RESET;
        d.next = b->segments.items[0];
        d.end = count_near(b, *time - 1);
        d.next.start = d.count;
        break;
    default:
        d.kind = RULING_ENERGY;
        d.energy = (int64_t)random_below(5000);
        for (size_t i = 0; i < b->span_count; i++)
            if (book_is_exception(&b->spans[i]) && b->spans[i].until_ms == *time)
                d.from_ms = b->spans[i].from_ms;
        d.until_ms = d.from_ms < *time ? *time : *time + 1;
        break;
    }
    return d;
}

static void draw_all(struct decided *all, const struct book *b)
{
    *all = (struct decided){0};
    for (size_t n = 0; n < 4 * DECISIONS && all->count < DECISIONS; n++) {
        all->items[all->count] = draw(b, &all->times[all->count]);
        bool is_alone = true;
        for (size_t i = 0; i < all->count; i++)
            is_alone = is_alone && !ruling_touches(&all->items[i], &all->items[all->count]);
        all->is_in_force[all->count] = is_alone;
        all->count += is_alone;
    }
}

/* The meter with those in force. */
struct view {
    struct books_meter meter;
    struct overlay overlay;
};

static void view_init(struct view *v, const struct books_meter *plain, const struct decided *all)
{
    struct ruling items[DECISIONS];
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++)
        if (all->is_in_force[i])
            items[count++] = all->items[i];
    overlay_init(&v->overlay, &plain->segments, &(struct rulings){items, count});
    v->meter = books_meter_decided(plain, &v->overlay);
}

/* What the meter was folded with last. */
static struct {
    int64_t meter;
    struct hash hash;
    bool is_in_force[DECISIONS];
} last;

/* Now and then the states from before what was decided are kept. */
static void tell_since(const struct books_meter *meter, const struct decided *all)
{
    int64_t since_ms = INT64_MAX;
    for (size_t i = 0; i < all->count; i++)
        if (all->is_in_force[i] != last.is_in_force[i] && all->items[i].from_ms < since_ms)
            since_ms = all->items[i].from_ms;
    struct error err;
    if (last.meter == meter->id && since_ms < INT64_MAX && random_below(4) > 0)
        fixture_ok(books_decided_since(fixture_books, meter, &last.hash, since_ms, &err), &err);
    last.meter = meter->id;
    last.hash = meter->hash;
    memcpy(last.is_in_force, all->is_in_force, sizeof last.is_in_force);
}

static void take(const struct books_meter *plain, const struct decided *all,
    const struct unwrap_reading *readings, size_t count, int64_t number)
{
    struct view v;
    view_init(&v, plain, all);
    fixture_begin();
    tell_since(&v.meter, all);
    fixture_fold(&v.meter, readings, count, number);
    fixture_commit();
    overlay_release(&v.overlay);
}

/* What stands. Which outliers are told in one span depends on how they came. */
static char *standing(int64_t meter)
{
    static const char *const queries[] = {
        "SELECT time_ms || '|' || energy || '|' || quality || '|' || baseline_ms || '|' || stated FROM"
        " ledger_boundary WHERE meter = ?1 ORDER BY time_ms",
        "SELECT start_ms || '|' || amount || '|' || quality FROM ledger_quarter AS q WHERE meter = ?1"
        " AND amount IS NOT NULL AND version = (SELECT max(version) FROM ledger_quarter"
        " WHERE meter = q.meter AND start_ms = q.start_ms) ORDER BY start_ms",
        "SELECT from_ms || '|' || kind || '|' || until_ms FROM ledger_event WHERE meter = ?1 AND state = 0"
        " AND kind != 2 ORDER BY from_ms, kind, until_ms",
    };
    struct buf all = {0};
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        char *text = fixture_query(queries[i], meter);
        buf_add_str(&all, text);
        free(text);
    }
    buf_add_char(&all, '\0');
    return buf_take(&all);
}

static void assert_standing(int64_t meter, const char *expected, const char *how)
{
    char *is = standing(meter);
    fixture_assert_same(expected, is, how);
    free(is);
    assert_int_equal(fixture_number("SELECT count(*) FROM ledger_quarter AS a JOIN ledger_quarter AS b"
                                    " ON b.meter = a.meter AND b.start_ms = a.start_ms"
                                    " AND b.version = a.version + 1 AND b.amount IS a.amount"
                                    " AND b.quality = a.quality WHERE a.meter = ?1",
                         meter),
        0);
}

static struct books_meter meter_of(const struct history *h)
{
    return books_meter(next_meter++, h->book.segments, h->book.max_gap_ms, NULL, 0);
}

/* The pure fold of the set comes to the same. */
static void check_pure(const struct history *h, const struct decided *all, const char *expected)
{
    struct view v;
    struct books_meter plain = meter_of(h);
    view_init(&v, &plain, all);
    struct book b;
    book_init(&b, h->book.segments, h->book.max_gap_ms);
    int64_t end_ms = h->book.readings[h->book.count - 1].time_ms + 4 * HISTORY_HOUR;
    book_period(&b, HISTORY_BEGIN - HISTORY_HOUR, end_ms / BOUNDARY_MS * BOUNDARY_MS);
    for (size_t i = 0; i < h->book.count; i++)
        book_insert(&b, h->book.readings[i]);
    book_decide(&b, &v.overlay);
    book_fold(&b);
    struct buf text = {0};
    for (size_t i = 0; i < b.boundary_count; i++)
        if (b.boundaries[i].quality != QUALITY_UNKNOWN)
            buf_printf(&text, "%" PRId64 "|%" PRId64 "|%d|%" PRId64 "|%d\n", b.boundaries[i].time_ms,
                b.boundaries[i].energy, (int)b.boundaries[i].quality, b.boundaries[i].baseline_ms,
                (int)b.boundaries[i].is_stated);
    for (size_t i = 0; i + 1 < b.boundary_count; i++) {
        struct quarter q = book_quarter(&b, i);
        if (q.quality != QUALITY_UNKNOWN)
            buf_printf(&text, "%" PRId64 "|%" PRId64 "|%d\n", q.start_ms, q.amount, (int)q.quality);
    }
    buf_add_char(&text, '\0');
    char *pure = buf_take(&text);
    if (strncmp(pure, expected, strlen(pure)) != 0)
        fail_msg("the pure fold differs");
    free(pure);
    book_release(&b);
    overlay_release(&v.overlay);
}

/* Readings in another order, while decisions come and go. */
static void check_any_order(const struct history *h, struct decided *all, const char *expected)
{
    struct books_meter plain = meter_of(h);
    struct unwrap_reading *readings = mem_alloc(h->book.count * sizeof *readings);
    memcpy(readings, h->book.readings, h->book.count * sizeof *readings);
    size_t reach = 1 + random_below(20);
    for (size_t i = 0; i + 1 < h->book.count; i++) {
        size_t other = i + random_below(reach);
        if (other >= h->book.count)
            continue;
        struct unwrap_reading kept = readings[i];
        readings[i] = readings[other];
        readings[other] = kept;
    }
    for (size_t i = 0; i < all->count; i++)
        all->is_in_force[i] = random_below(2) == 0;
    for (size_t i = 0, group; i < h->book.count; i += group) {
        group = 1 + random_below(10);
        if (group > h->book.count - i)
            group = h->book.count - i;
        size_t one = random_below(2 * DECISIONS);
        if (one < all->count)
            all->is_in_force[one] = !all->is_in_force[one];
        take(&plain, all, &readings[i], group, (int64_t)i + 1);
        if (random_below(12) == 0) {
            fixture_close();
            fixture_open();
        }
    }
    for (size_t i = 0; i < all->count; i++)
        all->is_in_force[i] = true;
    take(&plain, all, NULL, 0, 9999);
    assert_standing(plain.id, expected, "in another order");
    free(readings);
}

/* Each alone, and then all in any order, is decided and undone. */
static void check_undo(const struct history *h, struct decided *all, int64_t meter, const char *without)
{
    struct books_meter plain = books_meter(meter, h->book.segments, h->book.max_gap_ms, NULL, 0);
    for (size_t i = 0; i < all->count; i++)
        all->is_in_force[i] = false;
    for (size_t i = 0; i < 2 * all->count; i++) {
        all->is_in_force[i / 2] = i % 2 == 0;
        take(&plain, all, NULL, 0, 50 + (int64_t)i);
        if (i % 2 == 1)
            assert_standing(meter, without, "undone alone");
    }
    for (size_t i = 0; i < 2 * all->count; i++) {
        size_t one = random_below(all->count);
        all->is_in_force[one] = !all->is_in_force[one];
        take(&plain, all, NULL, 0, 100 + (int64_t)i);
    }
    for (size_t i = 0; i < all->count; i++)
        all->is_in_force[i] = false;
    take(&plain, all, NULL, 0, 1000);
    assert_standing(meter, without, "undone");
}

static int frequencies[2];

static void run(uint64_t seed)
{
    struct history h;
    history_make(&h, seed);
    struct decided all;
    draw_all(&all, &h.book);
    struct books_meter plain = meter_of(&h), with = meter_of(&h);
    fixture_take(&plain, h.book.readings, h.book.count, 1);
    char *without = standing(plain.id);
    take(&with, &all, h.book.readings, h.book.count, 1);
    char *expected = standing(with.id);
    frequencies[0] += strcmp(without, expected) != 0;
    frequencies[1] +=
        fixture_number("SELECT count(*) FROM ledger_event WHERE meter = ?1 AND kind = 11", with.id) > 0;
    check_pure(&h, &all, expected);
    check_any_order(&h, &all, expected);
    check_undo(&h, &all, plain.id, without);
    free(without);
    free(expected);
    book_release(&h.book);
}

static void test_the_books_are_a_function_of_readings_and_decisions(void **state)
{
    (void)state;
    random_histories(run, getenv("PARKMON_LONG") != NULL ? 1000 : 10);
    if (getenv("PARKMON_SEED") == NULL)
        assert_true(frequencies[0] > 5 && frequencies[1] > 0); /* decisions decide something */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_books_are_a_function_of_readings_and_decisions),
    };
    return cmocka_run_group_tests(tests, fixture_set_up, fixture_tear_down);
}
