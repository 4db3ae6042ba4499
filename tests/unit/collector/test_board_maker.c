/* From what was told, booked and said to be out to answers: what is noted, across restarts and failed commits, and Law A. */
#include "tests/unit/collector/board_scene.h"
#include "tests/unit/random.h"

/* ---- what is noted ---- */

static void test_each_change_is_one_row_and_one_line(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    assert_true(step(&s, true));
    assert_string_equal(rows(&s, "SELECT instrument || ' ' || status || ' ' || reason || ' ' || activity FROM"
                                 " availability_now ORDER BY 1"),
        "hood-1 AVAILABLE free unknown\nown-1 NOT_SHARED not_shared standby\nsem-1 AVAILABLE free standby\n"
        "xrd-1 AVAILABLE free standby\n");
    assert_string_equal(rows(&s, "SELECT line FROM outbox WHERE series = 'availability,instrument=xrd-1'"),
        "availability,building=b1,instrument=xrd-1,site=cloud "
        "activity=\"standby\",reason=\"free\",status=\"AVAILABLE\" 1790000000000\n\n");
    tell_all(&s, 0);
    assert_false(later(&s, 1000)); /* nothing is new: nothing is written */
    run_power(&s, 0, true, wall - 500);
    tell_all(&s, 0);
    assert_true(later(&s, 1000));
    expect(&s, "xrd-1", AVAILABILITY_IN_USE, "running", wall - 1500);
    assert_string_equal(rows(&s, "SELECT count(*) FROM outbox"), "5\n");
    assert_string_equal(rows(&s, "SELECT line FROM outbox WHERE series = 'availability,instrument=xrd-1' AND "
                                 "time_ms > 1790000000000"),
        "availability,building=b1,instrument=xrd-1,site=cloud "
        "activity=\"running\",reason=\"running\",status=\"IN_USE\" 1790000002000\n\n");
    end(&s);
}

static void test_since_outlives_a_restart(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    assert_true(step(&s, true));
    int64_t opened_ms = wall + 500;
    s.instruments[2].told.last = (struct told_session){
        .id = 1, .opened_ms = opened_ms, .closed_ms = NONE, .told_ms = NONE, .limit_ms = NONE};
    assert_true(later(&s, 1000));
    expect(&s, "hood-1", AVAILABILITY_IN_USE, "session", opened_ms);
    expect(&s, "sem-1", AVAILABILITY_AVAILABLE, "free", NOW - 60 * MINUTE);
    /* Silent at first, by which it is unknown since it was seen to be. */
    assert_true(later(&s, 20 * MINUTE));
    expect(&s, "sem-1", AVAILABILITY_UNKNOWN, "stale", NOW - 1000 + 120001);
    start_maker(&s);
    assert_false(later(&s, 5 * MINUTE));
    expect(&s, "sem-1", AVAILABILITY_UNKNOWN, "stale", NOW - 1000 + 120001);
    expect(&s, "own-1", AVAILABILITY_NOT_SHARED, "not_shared", NOW);
    end(&s);
}

/* The rule of what is free goes by its use alone: a booking that is over ended now, not when it was used last. */
static void test_what_was_booked_is_free_since_the_booking_is_over(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    book(&s, NOW - 60 * MINUTE, NOW + 1000);
    run_power(&s, 0, false, NOW - 10 * MINUTE);
    assert_true(step(&s, true));
    expect(&s, "xrd-1", AVAILABILITY_RESERVED, "reserved", NOW - 60 * MINUTE);
    assert_true(later(&s, 1000));
    expect(&s, "xrd-1", AVAILABILITY_AVAILABLE, "free", wall);
    /* One that was used is free since it was used last. */
    run_power(&s, 0, true, wall);
    tell_all(&s, 0);
    assert_true(later(&s, 1000));
    run_power(&s, 0, false, wall + 10000);
    wall += 310000;
    tell_all(&s, 0);
    assert_true(later(&s, 1000));
    expect(&s, "xrd-1", AVAILABILITY_AVAILABLE, "free", wall - 301000);
    end(&s);
}

/* At 22:13:20, seen for the first time: it closed at ten. One that was used until now is closed since now. */
static void test_it_is_closed_since_its_opening_hours_ended(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    struct park_instrument *sem = (struct park_instrument *)made_up_instrument(s.model, 1);
    assert_true(opening_parse("08:00-22:00", &sem->opening));
    assert_true(step(&s, true));
    expect(&s, "sem-1", AVAILABILITY_CLOSED, "closed", NOW - 800000);
    exec(&s, "DELETE FROM availability_now");
    start_maker(&s);
    run_power(&s, 1, true, NOW - 30 * MINUTE);
    tell_all(&s, 0);
    assert_true(later(&s, 1000));
    expect(&s, "sem-1", AVAILABILITY_IN_USE, "running", NOW - 30 * MINUTE);
    run_power(&s, 1, false, wall + 10000);
    wall += 310000;
    tell_all(&s, 0);
    assert_true(later(&s, 1000));
    expect(&s, "sem-1", AVAILABILITY_CLOSED, "closed", wall);
    end(&s);
}

static void test_a_failed_commit_shows_nothing_and_is_noted_again(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    assert_true(step(&s, true));
    run_power(&s, 1, true, wall);
    mono_ms += 1000;
    assert_true(step(&s, false));
    expect(&s, "sem-1", AVAILABILITY_AVAILABLE, "free", NOW - 60 * MINUTE); /* as it was committed */
    assert_string_equal(
        rows(&s, "SELECT status FROM availability_now WHERE instrument = 'sem-1'"), "AVAILABLE\n");
    mono_ms += 1000;
    assert_true(step(&s, true));
    expect(&s, "sem-1", AVAILABILITY_IN_USE, "running", wall);
    assert_string_equal(
        rows(&s, "SELECT status FROM availability_now WHERE instrument = 'sem-1'"), "IN_USE\n");
    end(&s);
}

static void test_while_nothing_may_be_written_answers_are_shown_and_noted_later(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    assert_true(step(&s, true));
    s.may_write = false;
    run_power(&s, 1, true, wall);
    tell_all(&s, 0);
    assert_false(later(&s, 1000));
    int64_t since_ms = wall - 1000;
    assert_false(later(&s, 1000));
    expect(&s, "sem-1", AVAILABILITY_IN_USE, "running", since_ms);
    s.may_write = true;
    assert_true(later(&s, 1000));
    assert_string_equal(
        rows(&s, "SELECT status || ' ' || since_ms FROM availability_now WHERE instrument = 'sem-1'"),
        "IN_USE 1790000000000\n");
    end(&s);
}

static void test_what_left_the_model_is_let_go(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    exec(&s, "INSERT INTO availability_now VALUES('old-1', 'AVAILABLE', 'free', 'standby', 1)");
    s.may_write = false;
    assert_false(step(&s, true));
    assert_null(board_maker_left(&s.maker));
    s.may_write = true;
    assert_true(later(&s, 1000));
    char *left = board_maker_left(&s.maker);
    assert_string_equal(left, "old-1");
    free(left);
    assert_null(board_maker_left(&s.maker));
    assert_string_equal(rows(&s, "SELECT count(*) FROM availability_now"), "4\n");
    end(&s);
}

/* ---- what goes into an answer ---- */

static void test_a_clock_that_may_be_wrong_makes_nothing_fresh(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    run_power(&s, 1, true, wall - 1000);
    is_right = false;
    assert_false(step(&s, true));
    expect(&s, "xrd-1", AVAILABILITY_UNKNOWN, "stale", wall);
    expect(&s, "sem-1", AVAILABILITY_UNKNOWN, "stale", wall);
    const struct board *b = board_box_get(s.box);
    assert_false(b->is_clock_synchronised);
    board_put(b);
    is_right = true;
    assert_true(later(&s, 1000));
    expect(&s, "sem-1", AVAILABILITY_IN_USE, "running", wall);
    end(&s);
}

static void test_what_was_not_read_yet_is_unknown_and_the_last_board_stands_for_a_while(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    step(&s, true);
    struct park_instrument *hood = (struct park_instrument *)made_up_instrument(s.model, 2);
    char *session = hood->session;
    hood->session = NULL; /* people alone tell of it, and a calendar that is fresh */
    hood->calendar = made_up_instrument(s.model, 0)->calendar;
    s.watch.is_loaded = false;
    assert_false(later(&s, 1000));
    assert_int_equal(answer_of(&s, "xrd-1").as_of_ms, wall - 1000);
    wall += BOARD_HOLD_MS;
    tell_all(&s, 0);
    wall -= BOARD_HOLD_MS;
    assert_true(later(&s, BOARD_HOLD_MS));
    assert_int_equal(answer_of(&s, "xrd-1").status, AVAILABILITY_UNKNOWN);
    assert_int_equal(answer_of(&s, "hood-1").status, AVAILABILITY_UNKNOWN);
    hood->session = session;
    end(&s);
}

static void test_a_session_that_people_tell_stands_without_a_heartbeat(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.instruments[1].told.last = (struct told_session){
        .id = 1, .opened_ms = NOW - 120 * MINUTE, .closed_ms = NONE, .told_ms = NONE, .limit_ms = NONE};
    step(&s, true);
    expect(&s, "sem-1", AVAILABILITY_IN_USE, "session", NOW - 120 * MINUTE);
    wall += 12 * 60 * MINUTE;
    tell_all(&s, 0);
    assert_true(later(&s, 1000));
    expect(&s, "sem-1", AVAILABILITY_UNKNOWN, "conflict",
        NOW - 120 * MINUTE + made_up_instrument(s.model, 1)->max_session_ms + 1);
    s.instruments[1].told.last.closed_ms = wall;
    s.instruments[1].told.last.end = TOLD_CLOSED;
    tell_all(&s, 0);
    assert_true(later(&s, 1000));
    expect(&s, "sem-1", AVAILABILITY_AVAILABLE, "free", wall);
    end(&s);
}

static void test_a_session_may_last_as_long_as_when_it_was_opened(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    struct park_instrument *all = s.model->park->instruments.items;
    s.instruments[1].told.last = (struct told_session){
        .id = 1, .opened_ms = NOW - 120 * MINUTE, .limit_ms = NOW, .closed_ms = NONE, .told_ms = NONE};
    all[1].max_session_ms = 60 * MINUTE; /* another model's */
    step(&s, true);
    expect(&s, "sem-1", AVAILABILITY_IN_USE, "session", NOW - 120 * MINUTE);
    all[1].max_session_ms = 24 * 60 * MINUTE;
    assert_true(later(&s, 1000));
    expect(&s, "sem-1", AVAILABILITY_UNKNOWN, "conflict", NOW + 1);
    end(&s);
}

/* It was forgotten, and ended by inference 50 minutes ago; that it is over somebody said a minute ago. */
static void test_what_was_forgotten_cools_down_since_it_was_told_over(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    struct park_instrument *all = s.model->park->instruments.items;
    all[2].cooldown_ms = 30 * MINUTE;
    s.instruments[2].told.last = (struct told_session){.id = 1,
        .opened_ms = NOW - 120 * MINUTE,
        .closed_ms = NOW - 50 * MINUTE,
        .told_ms = NOW - MINUTE,
        .end = TOLD_FORGOTTEN,
        .close_event = "c"};
    step(&s, true);
    expect(&s, "hood-1", AVAILABILITY_RESERVED, "cooldown", NOW - MINUTE);
    wall += 29 * MINUTE;
    tell_all(&s, 0);
    assert_true(later(&s, 1000));
    expect(&s, "hood-1", AVAILABILITY_AVAILABLE, "free", wall);
    end(&s);
}

static void open_outage(struct scene *s, enum outage_kind kind, enum outage_target target_kind,
    const char *target, int64_t from_ms, int64_t until_ms)
{
    struct outage before, after;
    struct error err = {""};
    struct outage_request request = {.act = OUTAGE_OPEN,
        .kind = kind,
        .target_kind = target_kind,
        .target = target,
        .has_from = true,
        .from_ms = from_ms,
        .has_until = kind == OUTAGE_PLANNED,
        .until_ms = until_ms,
        .category = &outage_categories[0],
        .note = "what people know",
        .who = "t"};
    must(db_begin(s->journal.db, &err), &err);
    must(outage_do(s->journal.db, s->model->park, &request, wall, &before, &after, &err), &err);
    must(db_commit(s->journal.db, &err), &err);
    outage_release(&before);
    outage_release(&after);
}

static void test_outages_of_it_of_what_it_needs_and_of_its_space(void **state)
{
    (void)state;
    static const struct {
        enum outage_kind kind;
        enum outage_target target_kind;
        const char *target;
        enum availability_status status;
        const char *reason;
    } cases[] = {{OUTAGE_BROKEN, OUTAGE_INSTRUMENT, "xrd-1", AVAILABILITY_OUT_OF_SERVICE, "outage"},
        {OUTAGE_BROKEN, OUTAGE_SPACE, "b1-302", AVAILABILITY_OUT_OF_SERVICE, "outage"},
        {OUTAGE_BROKEN, OUTAGE_RESOURCE, "b1-water", AVAILABILITY_OUT_OF_SERVICE, "resource_down"},
        {OUTAGE_BROKEN, OUTAGE_RESOURCE, "b1-argon", AVAILABILITY_DEGRADED, "optional_resource"},
        {OUTAGE_PLANNED, OUTAGE_INSTRUMENT, "xrd-1", AVAILABILITY_OUT_OF_SERVICE, "planned_outage"},
        {OUTAGE_PLANNED, OUTAGE_RESOURCE, "b1-water", AVAILABILITY_OUT_OF_SERVICE, "planned_outage"},
        {OUTAGE_PLANNED, OUTAGE_RESOURCE, "b1-argon", AVAILABILITY_DEGRADED, "optional_resource"},
        {OUTAGE_PROBLEM, OUTAGE_INSTRUMENT, "xrd-1", AVAILABILITY_DEGRADED, "problem"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene s;
        begin(&s);
        open_outage(
            &s, cases[i].kind, cases[i].target_kind, cases[i].target, wall - MINUTE, wall + 60 * MINUTE);
        step(&s, true);
        expect(&s, "xrd-1", cases[i].status, cases[i].reason, wall - MINUTE);
        assert_int_equal(answer_of(&s, "sem-1").status, AVAILABILITY_AVAILABLE);
        end(&s);
    }
}

/* What was answered before that was told is no reason to say so later. */
static void test_it_is_out_since_it_fell_out(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    step(&s, true);
    expect(&s, "xrd-1", AVAILABILITY_AVAILABLE, "free", NOW - 60 * MINUTE);
    open_outage(&s, OUTAGE_BROKEN, OUTAGE_INSTRUMENT, "xrd-1", NOW - 120 * MINUTE, 0);
    later(&s, 1000);
    expect(&s, "xrd-1", AVAILABILITY_OUT_OF_SERVICE, "outage", NOW - 120 * MINUTE);
    end(&s);
}

static void test_a_planned_outage_ahead_bounds_what_is_free(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    open_outage(&s, OUTAGE_PLANNED, OUTAGE_INSTRUMENT, "sem-1", wall + 120 * MINUTE, wall + 180 * MINUTE);
    step(&s, true);
    assert_int_equal(answer_of(&s, "sem-1").status, AVAILABILITY_AVAILABLE);
    assert_int_equal(answer_of(&s, "sem-1").free_until_ms, wall + 120 * MINUTE);
    const struct board *b = board_box_get(s.box);
    const struct board_item *item = board_find(b, "sem-1");
    assert_int_equal(item->outage_count, 1);
    assert_true(item->outages[0].is_planned);
    assert_string_equal(item->outages[0].note, "what people know");
    board_put(b);
    end(&s);
}

/* What one says that looks at everything each time. */
static void expect_as_read_anew(struct scene *s)
{
    struct board_facts anew = {0};
    struct board_sources sources = {s->journal.db, &s->watch, &s->desk, wall, is_right};
    struct error err = {""};
    board_facts_use(&anew, s->model);
    must(board_facts_gather(&anew, &sources, &err), &err);
    must(board_facts_gather(&s->maker.facts, &sources, &err), &err);
    for (size_t i = 0; i < INSTRUMENTS; i++) {
        const struct board_told *a = &s->maker.facts.told[i], *b = &anew.told[i];
        assert_true(a->facts.outage_since_ms == b->facts.outage_since_ms);
        assert_true(a->facts.problem_since_ms == b->facts.problem_since_ms);
        assert_int_equal(a->facts.planned.count, b->facts.planned.count);
        for (size_t n = 0; n < b->facts.planned.count; n++)
            assert_true(a->facts.planned.items[n].from_ms == b->facts.planned.items[n].from_ms);
        assert_int_equal(a->outage_count, b->outage_count);
        for (size_t n = 0; n < b->outage_count; n++)
            assert_true(a->outages[n].id == b->outages[n].id);
        for (size_t n = 0; n < b->resource_count; n++)
            assert_true(a->resources[n].state.is_down == b->resources[n].state.is_down &&
                        a->resources[n].state.since_ms == b->resources[n].state.since_ms);
    }
    board_facts_release(&anew);
}

/* One that is drawn; or what stands is ended, or called off. */
static void act_at_random(struct scene *s)
{
    static const struct {
        enum outage_target kind;
        const char *id;
    } targets[] = {{OUTAGE_INSTRUMENT, "xrd-1"}, {OUTAGE_INSTRUMENT, "sem-1"}, {OUTAGE_SPACE, "b1-302"},
        {OUTAGE_RESOURCE, "b1-water"}, {OUTAGE_RESOURCE, "b1-argon"}};
    size_t which = random_below(5);
    bool is_planned = random_below(2) == 0;
    struct outage before, after;
    struct error err = {""};
    int64_t from_ms = wall + (is_planned ? (int64_t)random_below(60) : -(int64_t)random_below(60)) * MINUTE;
    struct outage_request request = {.act = random_below(3) == 0 ? OUTAGE_CANCEL
                                            : random_below(2)    ? OUTAGE_OPEN
                                                                 : OUTAGE_CLOSE,
        .id = 1 + (int64_t)random_below((size_t)s->maker.facts.standing_act + 1),
        .kind = is_planned ? OUTAGE_PLANNED : OUTAGE_BROKEN,
        .target_kind = targets[which].kind,
        .target = targets[which].id,
        .has_from = true,
        .from_ms = from_ms,
        .has_until = is_planned,
        .until_ms = from_ms + (int64_t)(1 + random_below(60)) * MINUTE,
        .category = &outage_categories[0],
        .note = "x",
        .who = "t"};
    if (request.act != OUTAGE_OPEN)
        request.has_until = false;
    must(db_begin(s->journal.db, &err), &err);
    if (outage_do(s->journal.db, s->model->park, &request, wall, &before, &after, &err) != ST_OK) {
        db_rollback(s->journal.db);
        return;
    }
    must(db_commit(s->journal.db, &err), &err);
    outage_release(&before);
    outage_release(&after);
}

static void test_outages_are_as_if_they_were_read_each_time(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    for (int i = 0; i < 600; i++) {
        if (random_below(2) == 0)
            act_at_random(&s);
        if (random_below(40) == 0)
            wall -= (int64_t)random_below(90) * MINUTE; /* a clock that is set back */
        else
            wall += (int64_t)random_below(3) * MINUTE;
        expect_as_read_anew(&s);
    }
    assert_in_range(s.maker.facts.standing_act, 40, 1000);
    end(&s);
}

static void test_outages_are_read_only_where_something_changed(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    open_outage(&s, OUTAGE_BROKEN, OUTAGE_INSTRUMENT, "xrd-1", wall - MINUTE, 0);
    open_outage(&s, OUTAGE_PLANNED, OUTAGE_INSTRUMENT, "sem-1", wall + 5 * MINUTE, wall + 10 * MINUTE);
    later(&s, 1000);
    exec(&s, "UPDATE outage SET note = 'behind its back'"); /* which nobody does */
    for (int i = 0; i < 4; i++) {
        later(&s, MINUTE);
        assert_string_equal(s.maker.facts.told[0].outages[0].note, "what people know");
    }
    later(&s, MINUTE); /* one begins */
    assert_string_equal(s.maker.facts.told[0].outages[0].note, "behind its back");
    assert_int_equal(answer_of(&s, "sem-1").status, AVAILABILITY_OUT_OF_SERVICE);
    exec(&s, "UPDATE outage SET note = 'again'");
    open_outage(&s, OUTAGE_PROBLEM, OUTAGE_INSTRUMENT, "sem-1", wall, 0);
    later(&s, MINUTE);
    assert_string_equal(s.maker.facts.told[0].outages[0].note, "again");
    exec(&s, "UPDATE outage SET note = 'and again'");
    step(&s, false); /* a failed commit */
    later(&s, 1000);
    assert_string_equal(s.maker.facts.told[0].outages[0].note, "and again");
    end(&s);
}

/* ---- how often ---- */

static void test_a_board_is_made_each_second_and_sooner_where_something_is_new(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    step(&s, true);
    uint64_t number = s.maker.number;
    assert_int_equal(board_maker_due_mono_ms(&s.maker), mono_ms + BOARD_MS);
    later(&s, BOARD_MS - 1);
    assert_int_equal(s.maker.number, number);
    later(&s, 1);
    assert_int_equal(s.maker.number, number + 1);
    s.maker.is_touched = true;
    later(&s, BOARD_LEAST_MS - 1);
    assert_int_equal(s.maker.number, number + 1);
    later(&s, 1);
    assert_int_equal(s.maker.number, number + 2);
    end(&s);
}

/* ---- Law A ---- */

/* By how many periods it is old; one draw in eight was never told. */
static int64_t draw_of(const int64_t periods[static 7], int64_t period_ms)
{
    size_t which = random_below(8);
    return which == 7 ? NONE : NOW - periods[which] * period_ms - (int64_t)random_below((size_t)period_ms);
}

static int64_t draw_last(int64_t period_ms)
{
    static const int64_t mostly_fresh[7] = {0, 0, 1, 1, 1, 2, 40};
    return draw_of(mostly_fresh, period_ms);
}

static int64_t draw_older(int64_t period_ms)
{
    static const int64_t mostly_old[7] = {1, 2, 3, 13, 13, 40, 40};
    return draw_of(mostly_old, period_ms);
}

static void live(struct scene *s)
{
    for (size_t i = 0; i < INSTRUMENTS; i++) {
        struct told_instrument *t = &s->instruments[i].told;
        t->power_ms = draw_last(10000);
        t->session_ms = draw_last(300000);
        t->activity = (struct activity){
            .last_ms = t->power_ms, .since_ms = NOW - 60 * MINUTE, .has_read = t->power_ms != NONE};
        t->activity.steps[0].is_up = random_below(3) > 0;
        t->activity.steps[1].is_up = t->activity.steps[0].is_up && random_below(3) == 0;
        t->last = (struct told_session){.closed_ms = NONE};
        t->is_power_other = t->is_session_other = false;
        t->power_garbled_ms = t->session_garbled_ms = NONE;
        if (random_below(2) == 0) {
            int64_t opened_ms = NOW - (int64_t)random_below(900) * MINUTE;
            bool is_open = random_below(2) == 0;
            t->last = (struct told_session){.id = 1,
                .limit_ms = NONE,
                .opened_ms = opened_ms,
                .closed_ms = is_open ? NONE : opened_ms + (NOW - opened_ms) / 2,
                .told_ms = NONE,
                .end = is_open ? TOLD_OPEN : TOLD_CLOSED};
        }
    }
    s->resources[0].told.heard_ms = draw_last(300000);
    s->resources[0].told.is_down = random_below(12) == 0;
    int64_t known_ms = draw_last(300000);
    s->item.bookings.known_ms = known_ms == NONE ? 0 : known_ms;
    s->item.bookings.busy.count = 0;
    for (size_t n = random_below(5); n > 0; n--) {
        int64_t from_ms = NOW + ((int64_t)random_below(300) - 150) * MINUTE;
        book(s, from_ms, from_ms + (int64_t)(1 + random_below(240)) * MINUTE);
    }
}

/* One source or two tell less: they are older, never told, of another point, or garbled since. */
static void lose(struct scene *s)
{
    for (size_t n = 1 + random_below(2); n > 0; n--) {
        struct told_instrument *t = &s->instruments[random_below(INSTRUMENTS)].told;
        int64_t last_ms;
        switch (random_below(6)) {
        case 0:
            last_ms = draw_older(10000);
            t->power_ms = last_ms < t->power_ms ? last_ms : t->power_ms;
            t->activity.has_read = t->power_ms != NONE;
            break;
        case 1:
            last_ms = draw_older(300000);
            t->session_ms = last_ms < t->session_ms ? last_ms : t->session_ms;
            break;
        case 2:
            last_ms = draw_older(300000);
            last_ms = last_ms == NONE ? 0 : last_ms;
            s->item.bookings.known_ms =
                last_ms < s->item.bookings.known_ms ? last_ms : s->item.bookings.known_ms;
            break;
        case 3:
            t->is_power_other = random_below(2) == 0;
            t->power_garbled_ms = NOW - (int64_t)random_below(60000);
            break;
        case 4:
            t->is_session_other = random_below(2) == 0;
            t->session_garbled_ms = NOW - (int64_t)random_below(600000);
            break;
        default:
            last_ms = draw_older(300000);
            s->resources[0].told.heard_ms =
                last_ms < s->resources[0].told.heard_ms ? last_ms : s->resources[0].told.heard_ms;
        }
    }
}

static const struct board *board_of(struct scene *s)
{
    start_maker(s);
    mono_ms += 1000;
    step(s, true);
    return board_box_get(s->box);
}

static int rank_of(enum availability_status status)
{
    static const int ranks[AVAILABILITY_STATUSES] = {
        [AVAILABILITY_UNKNOWN] = 3, [AVAILABILITY_SHORT] = 2, [AVAILABILITY_DEGRADED] = 1};
    return status < AVAILABILITY_UNKNOWN ? 4 : ranks[status];
}

static void test_law_a_holds_of_what_the_maker_answers(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    s.may_write = false;
    size_t moved[AVAILABILITY_STATUSES][AVAILABILITY_STATUSES] = {{0}};
    for (int i = 0; i < 4000; i++) {
        live(&s);
        const struct board *before = board_of(&s);
        lose(&s);
        const struct board *after = board_of(&s);
        for (size_t n = 0; n < INSTRUMENTS; n++) {
            struct availability a = before->items[n].answer, b = after->items[n].answer;
            int was = rank_of(a.status), is = rank_of(b.status);
            bool is_allowed = was <= 2 ? is >= was && is <= 3 : is >= 3;
            bool is_until_earlier = b.free_until_ms == NONE ||
                                    (a.free_until_ms != NONE && b.free_until_ms <= a.free_until_ms) ||
                                    (was <= 2 && a.free_until_ms == NONE);
            bool is_next_later =
                b.next_free_ms == NONE || (a.next_free_ms != NONE && b.next_free_ms >= a.next_free_ms);
            if (!is_allowed || !is_until_earlier || !is_next_later)
                fail_msg("history %d, %s: %s (%s) -> %s (%s)", i, before->items[n].instrument->id,
                    availability_statuses[a.status], a.reason, availability_statuses[b.status], b.reason);
            moved[a.status][b.status]++;
        }
        board_put(before);
        board_put(after);
    }
    /* It would hold of nothing if nothing moved. */
    assert_true(moved[AVAILABILITY_AVAILABLE][AVAILABILITY_UNKNOWN] > 20);
    assert_true(moved[AVAILABILITY_IN_USE][AVAILABILITY_UNKNOWN] > 20);
    assert_true(moved[AVAILABILITY_IN_USE][AVAILABILITY_RESERVED] > 20);
    assert_true(moved[AVAILABILITY_RESERVED][AVAILABILITY_RESERVED] > 20);
    end(&s);
}

static void test_what_is_garbled_is_not_fresh_until_it_can_be_read(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    step(&s, true);
    for (size_t i = 0; i < INSTRUMENTS; i++)
        s.instruments[i].told.power_garbled_ms = s.instruments[i].told.session_garbled_ms = NOW - 500;
    later(&s, 1000);
    expect(&s, "sem-1", AVAILABILITY_UNKNOWN, "stale", NOW - 500);
    expect(&s, "hood-1", AVAILABILITY_UNKNOWN, "stale", wall); /* free since NOW, for all that was known */
    tell_all(&s, 0);
    later(&s, 1000);
    assert_int_equal(answer_of(&s, "sem-1").status, AVAILABILITY_AVAILABLE);
    assert_int_equal(answer_of(&s, "hood-1").status, AVAILABILITY_AVAILABLE);
    end(&s);
}

/* The park model names another point: until it speaks nobody knows. */
static void test_what_another_point_told_is_not_fresh(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    step(&s, true);
    assert_int_equal(answer_of(&s, "sem-1").status, AVAILABILITY_AVAILABLE);
    assert_int_equal(answer_of(&s, "hood-1").status, AVAILABILITY_AVAILABLE);
    for (size_t i = 0; i < INSTRUMENTS; i++)
        s.instruments[i].told.is_power_other = s.instruments[i].told.is_session_other = true;
    later(&s, 1000);
    expect(&s, "sem-1", AVAILABILITY_UNKNOWN, "stale", wall);
    expect(&s, "hood-1", AVAILABILITY_UNKNOWN, "stale", wall);
    const struct board *b = board_box_get(s.box);
    assert_int_equal(board_find(b, "sem-1")->activity, ACTIVITY_UNKNOWN);
    assert_int_equal(board_find(b, "sem-1")->power.quality, SOURCE_STALE);
    assert_int_equal(board_find(b, "hood-1")->session.quality, SOURCE_STALE);
    board_put(b);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_change_is_one_row_and_one_line),
        cmocka_unit_test(test_since_outlives_a_restart),
        cmocka_unit_test(test_what_was_booked_is_free_since_the_booking_is_over),
        cmocka_unit_test(test_it_is_closed_since_its_opening_hours_ended),
        cmocka_unit_test(test_a_failed_commit_shows_nothing_and_is_noted_again),
        cmocka_unit_test(test_while_nothing_may_be_written_answers_are_shown_and_noted_later),
        cmocka_unit_test(test_what_left_the_model_is_let_go),
        cmocka_unit_test(test_a_clock_that_may_be_wrong_makes_nothing_fresh),
        cmocka_unit_test(test_what_was_not_read_yet_is_unknown_and_the_last_board_stands_for_a_while),
        cmocka_unit_test(test_a_session_that_people_tell_stands_without_a_heartbeat),
        cmocka_unit_test(test_a_session_may_last_as_long_as_when_it_was_opened),
        cmocka_unit_test(test_what_was_forgotten_cools_down_since_it_was_told_over),
        cmocka_unit_test(test_outages_of_it_of_what_it_needs_and_of_its_space),
        cmocka_unit_test(test_outages_are_as_if_they_were_read_each_time),
        cmocka_unit_test(test_outages_are_read_only_where_something_changed),
        cmocka_unit_test(test_it_is_out_since_it_fell_out),
        cmocka_unit_test(test_a_planned_outage_ahead_bounds_what_is_free),
        cmocka_unit_test(test_a_board_is_made_each_second_and_sooner_where_something_is_new),
        cmocka_unit_test(test_what_is_garbled_is_not_fresh_until_it_can_be_read),
        cmocka_unit_test(test_what_another_point_told_is_not_fresh),
        cmocka_unit_test(test_law_a_holds_of_what_the_maker_answers),
    };
    return cmocka_run_group_tests(tests, random_set_up, NULL);
}
