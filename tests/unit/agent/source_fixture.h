/* A source's taker without a broker: messages in, readings as text out, on a clock of the test's own. */
#pragma once

#include "agent/settings.h"
#include "agent/sources/json_taker.h"
#include "tests/unit/settings_file.h"

#define W0 INT64_C(1764000000000) /* 2025-11-24T16:00:00Z, when its monotonic clock says M0 */
#define M0 INT64_C(5000000)

static int64_t passed_ms;
static bool is_clock_right = true;

static inline int64_t test_wall_ms(void)
{
    return W0 + passed_ms;
}

static inline int64_t test_mono_ms(void)
{
    return M0 + passed_ms;
}

static inline bool test_is_synchronised(void)
{
    return is_clock_right;
}

static const struct clock test_clock = {
    .wall_ms = test_wall_ms, .mono_ms = test_mono_ms, .is_synchronised = test_is_synchronised};

static struct buf seen; /* "<point> <value> +<ms after W0>\n" */

static inline void see_reading(void *context, const char *point, enum reading_kind kind,
    const union driver_value *value, int64_t time_ms)
{
    (void)context;
    if (kind == READING_REGISTER)
        buf_printf(&seen, "%s %lld", point, (long long)value->count);
    else if (kind == READING_GAUGE)
        buf_printf(&seen, "%s %.10g", point, value->number);
    else
        buf_printf(&seen, "%s %s", point, value->text);
    buf_printf(&seen, " %+lld\n", (long long)(time_ms - W0));
}

static const struct source_report test_report = {.reading = see_reading};
static const struct source_context test_context = {
    .gateway = "gw-a", .clock = &test_clock, .report = &test_report};

/* What was seen since the last call is exactly this. */
static inline void expect_seen(const char *expected)
{
    const char *got = seen.data != NULL ? seen.data : "";
    if (strcmp(got, expected) != 0)
        fail_msg("gave:\n%snot:\n%s", got, expected);
    buf_reset(&seen);
}

struct scene {
    struct agent_settings settings;
    struct conf *conf;
    struct json_taker taker;
};

/* A source of these devices: "{ ... }, { ... }". */
static inline void scene_open(struct scene *s, const char *devices)
{
    char *text = mem_printf("gateway = \"gw-a\"; spool: { path = \"s\"; };\n"
                            "sources = ( { name = \"m\"; source = \"mqtt_json\"; devices = ( %s ); } );\n",
        devices);
    char *path = settings_write("scene.cfg", text);
    s->conf = agent_settings_load(path, &s->settings);
    char *problems = settings_problems(s->conf);
    assert_string_equal(problems, "");
    const struct source_settings *source = s->settings.sources.items;
    passed_ms = 0;
    is_clock_right = true;
    buf_reset(&seen);
    json_taker_init(&s->taker, source->name, source->extra, &test_context);
    free(problems);
    free(path);
    free(text);
}

static inline void scene_close(struct scene *s)
{
    json_taker_release(&s->taker);
    conf_destroy(s->conf);
}

static inline void give(struct scene *s, const char *topic, const char *payload)
{
    struct json_message message = {topic, span_of(payload), false};
    json_taker_take(&s->taker, &message);
}

static inline void give_retained(struct scene *s, const char *topic, const char *payload)
{
    struct json_message message = {topic, span_of(payload), true};
    json_taker_take(&s->taker, &message);
}
