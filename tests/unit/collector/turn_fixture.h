/* The core's transactions on a database of their own, turn by turn, without thread, broker or store. */
#pragma once

#include "collector/intake/receive.h"
#include "collector/turn.h"
#include "tests/unit/collector/fake_journal.h"

#define NOW_MS INT64_C(1764000000000)

static int64_t turn_now_ms = NOW_MS, turn_now_mono_ms = 1000;
/* Of scenes opened from then on. */
static int64_t turn_evidence_days = 35;
static const char *turn_database; /* that they begin with a copy of; NULL = none */

static inline void turn_copy_file(const char *from, const char *to)
{
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    assert_true(in != NULL && out != NULL);
    static char block[65536];
    for (size_t len; (len = fread(block, 1, sizeof block, in)) > 0;)
        assert_int_equal(fwrite(block, 1, len, out), len);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

static inline int64_t turn_wall(void)
{
    return turn_now_ms;
}

/* A piece of this one's search takes so long; NULL = no time. */
static const struct turn *turn_searching;
static int64_t turn_search_ms, turn_searched;

static inline int64_t turn_mono(void)
{
    if (turn_searching != NULL && turn_searching->search.search.after != turn_searched) {
        turn_searched = turn_searching->search.search.after;
        turn_now_mono_ms += turn_search_ms;
    }
    return turn_now_mono_ms;
}

static bool turn_is_clock_right = true;

static inline bool turn_is_synchronised(void)
{
    return turn_is_clock_right;
}

static const struct clock turn_clock = {
    .wall_ms = turn_wall, .mono_ms = turn_mono, .is_synchronised = turn_is_synchronised};

struct turn_scene {
    struct fake_journal files; /* its folder; the database is the turn's */
    struct park *park;
    struct collector_settings settings;
    struct turn turn;
};

/* NULL: the park of fake_park. */
static inline void turn_scene_open_with(struct turn_scene *s, const char *park)
{
    struct error err = {""};
    *s = (struct turn_scene){0};
    fake_journal_place(&s->files);
    s->park = park != NULL ? fake_park_of(&s->files, park) : fake_park(&s->files);
    if (turn_database != NULL)
        turn_copy_file(turn_database, s->files.path);
    s->settings = (struct collector_settings){.database = {.path = s->files.path,
                                                  .limit_mib = 64,
                                                  .evidence_days = turn_evidence_days,
                                                  .audit_years = 5},
        .store = {.outbox_limit_mib = 16}};
    if (turn_open(&s->turn, &s->settings, s->park, &turn_clock, &err) != ST_OK)
        fail_msg("%s", err.text);
}

static inline void turn_scene_open(struct turn_scene *s)
{
    turn_scene_open_with(s, NULL);
}

static inline void turn_scene_close(struct turn_scene *s)
{
    turn_close(&s->turn);
    park_destroy(s->park);
    fake_journal_close(&s->files);
}

static inline void turn_give(struct turn *t, const char *gateway, const char *text)
{
    char topic[64];
    snprintf(topic, sizeof topic, "park/v1/gw/%s/up", gateway);
    inbox_put(
        t->inbox, &(struct mqtt_message){.topic = span_of(topic), .payload = span_of(text)}, turn_now_ms);
}

/* One turn that must succeed. */
static inline void turn_once(struct turn *t)
{
    struct error err = {""};
    bool is_changed;
    if (turn_run(t, &is_changed, &err) != ST_OK)
        fail_msg("%s", err.text);
}

/* The mark that is answered to a gateway; -1 = none. */
static inline int64_t turn_mark(const struct turn *t, const char *gateway)
{
    const struct known_gateway *g = known_gateway_find(&t->known, span_of(gateway));
    const struct known_epoch *e = g != NULL ? known_epoch_find(g, g->epoch) : NULL;
    return e != NULL ? e->mark : -1;
}
