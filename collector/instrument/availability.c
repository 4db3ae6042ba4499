#include "collector/instrument/availability.h"

#include "collector/instrument/next_free.h"

#define LATE_PERIODS 2

const char *const availability_qualities[] = {"good", "late", "stale", "never_seen", "conflict", NULL};
const char *const availability_statuses[] = {"NOT_SHARED", "OUT_OF_SERVICE", "IN_USE", "CLOSED", "RESERVED",
    "UNKNOWN", "AVAILABLE_SHORT", "AVAILABLE_DEGRADED", "AVAILABLE", NULL};

/* ---- sources ---- */

struct availability_source availability_source_at(int64_t now_ms, int64_t last_ms, int64_t period_ms)
{
    struct availability_source source = {true, SOURCE_NEVER_SEEN, last_ms, AVAILABILITY_NONE};
    if (last_ms == AVAILABILITY_NONE)
        return source;
    if (last_ms > now_ms + AVAILABILITY_TOLERANCE_MS) {
        source.quality = SOURCE_STALE;
        source.stale_ms = now_ms;
        return source;
    }
    source.stale_ms = last_ms + activity_gap_ms(period_ms) + 1;
    source.quality = now_ms >= source.stale_ms                     ? SOURCE_STALE
                     : now_ms - last_ms > LATE_PERIODS * period_ms ? SOURCE_LATE
                                                                   : SOURCE_GOOD;
    return source;
}

bool availability_is_down(bool was_down, bool says_up, bool is_fresh)
{
    return !says_up || (was_down && !is_fresh);
}

bool availability_is_fresh(const struct availability_source *source)
{
    return source->is_configured && (source->quality == SOURCE_GOOD || source->quality == SOURCE_LATE);
}

static bool is_lost(const struct availability_source *source)
{
    return source->is_configured && !availability_is_fresh(source);
}

/* ---- what the rules ask ---- */

struct judged {
    const struct availability_facts *facts;
    struct availability_source session; /* with its conflict */
    struct opening_now opening;
    int64_t edge_ms;        /* the next booking, closing or planned outage; INT64_MAX = none */
    int64_t since_ms;       /* set by the rule that holds */
    int64_t booked_from_ms; /* of the booking now; AVAILABILITY_NONE = there is none */
};

static bool holds(struct judged *j, bool is_so, int64_t since_ms)
{
    if (is_so)
        j->since_ms = since_ms;
    return is_so;
}

/* AVAILABILITY_NONE is no time, and later than none. */
static int64_t later_of(int64_t a_ms, int64_t b_ms)
{
    return a_ms > b_ms ? a_ms : b_ms;
}

static const struct availability_busy *busy_at(const struct availability_list *list, int64_t time_ms)
{
    for (size_t i = 0; i < list->count && list->items[i].from_ms <= time_ms; i++)
        if (time_ms < list->items[i].until_ms)
            return &list->items[i];
    return NULL;
}

/* Where the first begins after that time; INT64_MAX = none. */
static int64_t next_begin(const struct availability_list *list, int64_t time_ms)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].from_ms > time_ms && list->items[i].until_ms > list->items[i].from_ms)
            return list->items[i].from_ms;
    return INT64_MAX;
}

static int64_t next_edge(
    const struct availability_facts *f, const struct opening_now *opening, int64_t time_ms)
{
    int64_t booking_ms = next_begin(&f->bookings, time_ms), outage_ms = next_begin(&f->planned, time_ms),
            edge_ms = opening->until_ms;
    edge_ms = booking_ms < edge_ms ? booking_ms : edge_ms;
    return outage_ms < edge_ms ? outage_ms : edge_ms;
}

static bool is_running(const struct availability_facts *f)
{
    return availability_is_fresh(&f->power) && f->activity == ACTIVITY_RUNNING;
}

static int64_t session_limit_ms(const struct availability_facts *f)
{
    return f->session_limit_ms != AVAILABILITY_NONE ? f->session_limit_ms
                                                    : f->session_since_ms + f->instrument->max_session_ms;
}

/* A session that is open for longer than one can be was forgotten, unless the power says that somebody works. */
static bool is_forgotten(const struct availability_facts *f)
{
    return f->is_session_open && f->now_ms > session_limit_ms(f) && !is_running(f);
}

static bool is_off(const struct availability_facts *f, enum park_off means)
{
    return availability_is_fresh(&f->power) && f->activity == ACTIVITY_OFF &&
           f->instrument->off_means == (int)means;
}

/* From when on something that must be known is not, of the first; INT64_MAX = all is known. */
static int64_t lost_since(const struct judged *j)
{
    const struct availability_facts *f = j->facts;
    const struct availability_source *const sources[] = {&f->power, &j->session, &f->calendar};
    int64_t since_ms = INT64_MAX;
    for (size_t i = 0; i < 3 + f->required_count; i++) {
        const struct availability_source *source = i < 3 ? sources[i] : &f->required[i - 3].source;
        if (is_lost(source) && source->stale_ms < since_ms)
            since_ms = source->stale_ms;
    }
    return since_ms;
}

static const struct availability_resource *first_down(const struct availability_resource *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (items[i].is_down)
            return &items[i];
    return NULL;
}

/* ---- rules ---- */

static bool if_not_shared(struct judged *j)
{
    return holds(j, !j->facts->instrument->is_shared, AVAILABILITY_NONE);
}

static bool if_outage(struct judged *j)
{
    return holds(j, j->facts->outage_since_ms != AVAILABILITY_NONE, j->facts->outage_since_ms);
}

static bool if_required_down(struct judged *j)
{
    const struct availability_resource *down = first_down(j->facts->required, j->facts->required_count);
    return holds(j, down != NULL, down != NULL ? down->since_ms : AVAILABILITY_NONE);
}

static bool if_planned(struct judged *j)
{
    const struct availability_busy *now = busy_at(&j->facts->planned, j->facts->now_ms);
    return holds(j, now != NULL, now != NULL ? now->from_ms : AVAILABILITY_NONE);
}

static bool if_session(struct judged *j)
{
    return holds(
        j, availability_is_fresh(&j->session) && j->facts->is_session_open, j->facts->session_since_ms);
}

static bool if_running(struct judged *j)
{
    return holds(j, is_running(j->facts), j->facts->activity_since_ms);
}

static bool if_closed(struct judged *j)
{
    if (j->opening.is_open)
        return false;
    const struct availability_facts *f = j->facts;
    int64_t since_ms = opening_since(&f->instrument->opening, f->zone, f->now_ms);
    return holds(j, true, since_ms != INT64_MIN ? since_ms : AVAILABILITY_NONE);
}

static bool is_booked(const struct judged *j)
{
    return j->booked_from_ms != AVAILABILITY_NONE;
}

static bool if_grace(struct judged *j)
{
    bool waits = is_booked(j) && j->facts->now_ms - j->booked_from_ms < j->facts->instrument->grace_ms;
    return holds(j, waits, j->booked_from_ms);
}

static bool if_reserved(struct judged *j)
{
    return holds(j, is_booked(j), j->booked_from_ms);
}

static bool if_cooldown(struct judged *j)
{
    return holds(j, j->facts->now_ms < j->facts->cooldown_until_ms, j->facts->session_since_ms);
}

static bool if_conflict(struct judged *j)
{
    return holds(j, j->session.is_configured && j->session.quality == SOURCE_CONFLICT, j->session.stale_ms);
}

static bool if_lost(struct judged *j)
{
    int64_t since_ms = lost_since(j);
    return holds(j, since_ms != INT64_MAX, since_ms);
}

static bool if_unwatched(struct judged *j)
{
    const struct availability_facts *f = j->facts;
    return holds(j, !f->power.is_configured && !f->session.is_configured && !f->calendar.is_configured,
        AVAILABILITY_NONE);
}

/* It is fresh, and yet says nothing. */
static bool if_unsaid(struct judged *j)
{
    return holds(j, j->facts->power.is_configured && j->facts->activity == ACTIVITY_UNKNOWN,
        j->facts->activity_since_ms);
}

static bool if_off(struct judged *j)
{
    return holds(j, is_off(j->facts, OFF_UNAVAILABLE), j->facts->activity_since_ms);
}

/* Of what is free: since the last thing that took it was over. */
static int64_t free_since(const struct judged *j)
{
    const struct availability_facts *f = j->facts;
    int64_t since_ms = f->power.is_configured ? f->activity_since_ms : AVAILABILITY_NONE;
    if (f->session.is_configured)
        since_ms = later_of(since_ms, f->session_since_ms);
    return later_of(since_ms, f->cooldown_until_ms);
}

static bool if_short(struct judged *j)
{
    return holds(j, j->edge_ms - j->facts->now_ms < j->facts->instrument->minimum_slot_ms, free_since(j));
}

static bool if_optional(struct judged *j)
{
    const struct availability_facts *f = j->facts;
    const struct availability_resource *found = first_down(f->optional, f->optional_count);
    for (size_t i = 0; found == NULL && i < f->optional_count; i++)
        found = is_lost(&f->optional[i].source) ? &f->optional[i] : NULL;
    int64_t since_ms = found == NULL    ? AVAILABILITY_NONE
                       : found->is_down ? found->since_ms
                                        : found->source.stale_ms;
    return holds(j, found != NULL, since_ms);
}

static bool if_problem(struct judged *j)
{
    return holds(j, j->facts->problem_since_ms != AVAILABILITY_NONE, j->facts->problem_since_ms);
}

static bool if_warmup(struct judged *j)
{
    return holds(j, is_off(j->facts, OFF_NEEDS_WARMUP), j->facts->activity_since_ms);
}

static bool always(struct judged *j)
{
    return holds(j, true, free_since(j));
}

/* The precedence, and its only place: the first that holds counts. */
#define RULES(X)                                                                                            \
    X(NOT_SHARED, "not_shared", if_not_shared, "it is not shared")                                          \
    X(OUT_OF_SERVICE, "outage", if_outage, "an unplanned outage is open")                                   \
    X(OUT_OF_SERVICE, "resource_down", if_required_down,                                                    \
        "a required resource is down, as it was told last; until a person or a fresh state says otherwise") \
    X(OUT_OF_SERVICE, "planned_outage", if_planned, "a planned outage is now")                              \
    X(IN_USE, "session", if_session, "a session is open, fresh and not in conflict")                        \
    X(IN_USE, "running", if_running, "it runs, by fresh power")                                             \
    X(CLOSED, "closed", if_closed, "it is outside its opening hours")                                       \
    X(RESERVED, "grace", if_grace, "a booking is now, by the last known calendar, and waits for its user")  \
    X(RESERVED, "reserved", if_reserved, "a booking is now, by the last known calendar")                    \
    X(RESERVED, "cooldown", if_cooldown, "it cools down after the last known session")                      \
    X(UNKNOWN, "conflict", if_conflict,                                                                     \
        "a session is open for longer than `max_session`, and it does not run")                             \
    X(UNKNOWN, "stale", if_lost,                                                                            \
        "power, session, calendar or a required resource is configured and not fresh")                      \
    X(UNKNOWN, "no_source", if_unwatched, "nothing is configured that would tell")                          \
    X(UNKNOWN, "no_activity", if_unsaid, "its power says nothing yet")                                      \
    X(UNKNOWN, "off", if_off, "it is off, and `off_means` is unavailable")                                  \
    X(SHORT, "short", if_short,                                                                             \
        "the next booking, closing or planned outage is nearer than the minimum slot")                      \
    X(DEGRADED, "optional_resource", if_optional, "an optional resource is down or not fresh")              \
    X(DEGRADED, "problem", if_problem, "a problem is reported")                                             \
    X(DEGRADED, "warmup", if_warmup, "it is off, and `off_means` is needs_warmup")                          \
    X(AVAILABLE, "free", always, "else")

#define ROW(status, reason, when, words) {AVAILABILITY_##status, reason, words},
#define WHEN(status, reason, when, words) when,
static const struct availability_rule rules[] = {RULES(ROW)};
static bool (*const conditions[])(struct judged *j) = {RULES(WHEN)};
#define RULE_COUNT (sizeof rules / sizeof rules[0])

const struct availability_rule *availability_rules(size_t *ret_count)
{
    *ret_count = RULE_COUNT;
    return rules;
}

/* ---- the next free slot ---- */

/* What a search that goes ahead has left before it: so it passes each booking but once, and asks for the opening hours where they
 * change. */
struct slot_search {
    struct availability_facts *left;
    struct opening_now *opening;
};

static void drop_over(struct availability_list *list, int64_t time_ms)
{
    while (list->count > 0 && list->items->until_ms <= time_ms) {
        list->items++;
        list->count--;
    }
}

/* Open, not booked and not out; as next_free_told. */
static int64_t free_until(const void *search, size_t i, int64_t at_ms, int64_t *ret_next_ms)
{
    (void)i;
    const struct slot_search *s = search;
    struct availability_facts *f = s->left;
    drop_over(&f->bookings, at_ms);
    drop_over(&f->planned, at_ms);
    const struct availability_busy *busy = busy_at(&f->bookings, at_ms);
    if (busy == NULL)
        busy = busy_at(&f->planned, at_ms);
    if (at_ms >= s->opening->until_ms)
        *s->opening = opening_at(&f->instrument->opening, f->zone, at_ms);
    if (busy == NULL && s->opening->is_open)
        return next_edge(f, s->opening, at_ms);
    *ret_next_ms = busy != NULL ? busy->until_ms : s->opening->until_ms;
    return at_ms;
}

/* The first instant from `time_ms` on from which it is free for the minimum slot. */
static int64_t next_slot(const struct availability_facts *f, int64_t time_ms)
{
    struct availability_facts left = *f;
    struct opening_now opening = {.until_ms = INT64_MIN};
    struct slot_search search = {&left, &opening};
    int64_t length_ms = f->instrument->minimum_slot_ms, begin_ms;
    bool is_found = next_free_by(
        free_until, &search, 1, time_ms, f->now_ms + AVAILABILITY_AHEAD_MS + length_ms, length_ms, &begin_ms);
    return is_found ? begin_ms : AVAILABILITY_NONE;
}

/* What is not known now is not foretold: so only where every source is fresh. */
static int64_t foretold(const struct judged *j, enum availability_status status)
{
    const struct availability_facts *f = j->facts;
    int64_t from_ms = later_of(f->now_ms, f->cooldown_until_ms);
    bool is_hidden = status == AVAILABILITY_NOT_SHARED || status == AVAILABILITY_UNKNOWN ||
                     f->outage_since_ms != AVAILABILITY_NONE ||
                     first_down(f->required, f->required_count) != NULL;
    if (is_hidden || lost_since(j) != INT64_MAX || is_off(f, OFF_UNAVAILABLE) ||
        (f->power.is_configured && f->activity == ACTIVITY_UNKNOWN))
        return AVAILABILITY_NONE;
    /* Who uses it goes when his booking ends; of one without, nobody knows. */
    bool is_used = f->is_session_open || is_running(f);
    if (is_used && !is_booked(j))
        return AVAILABILITY_NONE;
    return next_slot(f, from_ms);
}

struct availability availability_at(const struct availability_facts *f)
{
    struct judged j = {.facts = f, .session = f->session, .booked_from_ms = AVAILABILITY_NONE};
    if (availability_is_fresh(&f->session) && is_forgotten(f)) {
        j.session.quality = SOURCE_CONFLICT;
        j.session.stale_ms = session_limit_ms(f) + 1;
    }
    j.opening = opening_at(&f->instrument->opening, f->zone, f->now_ms);
    j.edge_ms = next_edge(f, &j.opening, f->now_ms);
    const struct availability_busy *booking = busy_at(&f->bookings, f->now_ms);
    if (booking != NULL)
        j.booked_from_ms = booking->from_ms;
    size_t i = 0;
    while (!conditions[i](&j))
        i++;
    enum availability_status status = rules[i].status;
    bool is_free = status >= AVAILABILITY_SHORT;
    return (struct availability){.status = status,
        .reason = rules[i].reason,
        .since_ms = j.since_ms,
        .free_until_ms = is_free && j.edge_ms != INT64_MAX ? j.edge_ms : AVAILABILITY_NONE,
        .next_free_ms = foretold(&j, status),
        .as_of_ms = f->now_ms,
        .session_quality = j.session.quality};
}
