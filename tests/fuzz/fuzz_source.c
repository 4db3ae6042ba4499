/* Messages of devices on a broker, and events of sessions. The first byte says on which topic. */
#include "agent/settings.h"
#include "agent/sources/json_taker.h"
#include "lib/session_event.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <unistd.h>

#define W0 INT64_C(1764000000000)

static int64_t now_ms;

static int64_t wall_ms(void)
{
    return W0 + now_ms;
}

static int64_t mono_ms(void)
{
    return now_ms;
}

static bool is_synchronised(void)
{
    return true;
}

static const struct clock fuzz_clock = {
    .wall_ms = wall_ms, .mono_ms = mono_ms, .is_synchronised = is_synchronised};

static const char settings_text[] =
    "gateway = \"gw-a\"; spool: { path = \"s\"; }; sources = ( { name = \"m\"; source = \"mqtt_json\"; "
    "devices = (\n"
    "{ name = \"a\"; preset = \"vs133\"; id = \"e\"; prefix = \"a\"; points = ("
    "  { name = \"t\"; kind = \"gauge\"; path = \"object.t\"; unit = \"degC\"; },"
    "  { name = \"s\"; kind = \"state\"; path = \"object.list.0.s\"; } ); },\n"
    "{ name = \"b\"; preset = \"shelly_gen1\"; id = \"b\"; prefix = \"b\"; },\n"
    "{ name = \"c\"; preset = \"shelly_gen2\"; id = \"c\"; prefix = \"c\"; },\n"
    "{ name = \"d\"; preset = \"tasmota\"; id = \"d\"; prefix = \"d\"; } ); } );";

static const char *const topics[] = {"application/x/device/e/event/up", "shellies/b/relay/0/energy",
    "shellies/b/relay/0", "c/events/rpc", "c/status/switch:0", "tele/d/SENSOR"};
#define TOPICS (sizeof topics / sizeof *topics)

static int64_t newest_ms[16];
static const struct json_taker *fuzzed;

static void check_reading(void *context, const char *point, enum reading_kind kind,
    const union driver_value *value, int64_t time_ms)
{
    (void)context;
    struct reading reading = {.kind = kind, .point = span_of(point), .time_ms = time_ms};
    if (kind == READING_REGISTER)
        reading.count = value->count;
    else if (kind == READING_GAUGE)
        reading.value = value->number;
    else
        reading.text = span_of(value->text);
    struct buf line = {0};
    struct error err = {""};
    LAW(batch_write_reading(&line, &reading, &err) == ST_OK, "a reading that can never be sent: %s",
        err.text);
    buf_release(&line);
    for (size_t i = 0; i < fuzzed->feed.count; i++)
        if (strcmp(fuzzed->points[i].name, point) == 0) {
            LAW(time_ms > newest_ms[i] || time_ms < newest_ms[i] - 60000 + 1,
                "a time that does not increase");
            newest_ms[i] = time_ms;
        }
}

static void take(struct json_taker *taker, const char *topic, const uint8_t *data, size_t size)
{
    char *payload = mem_alloc(size + 1);
    if (size > 0)
        memcpy(payload, data, size);
    payload[size] = '\0';
    struct json_message message = {topic, {payload, size}, false};
    json_taker_take(taker, &message);
    free(payload);
}

static void check_event(const uint8_t *data, size_t size)
{
    static char word[] = "research";
    static char *words[] = {word};
    static const struct conf_list purposes = {words, 1};
    struct session_event e;
    struct error err = {""};
    (void)session_event_read_state((struct span){(const char *)data, size}, &e, &err);
    enum status status = session_event_read((struct span){(const char *)data, size}, &purposes, false, &e, &err);
    if (status != ST_OK) {
        LAW(err.text[0] != '\0' && text_is_utf8(span_of(err.text)),
            "refused without a reason that people can read");
        return;
    }
    struct session_event again;
    LAW(session_event_read_state(span_of(e.text), &again, &err) == ST_OK && strcmp(again.id, e.id) == 0 &&
            again.is_open == e.is_open && again.class == e.class &&
            strcmp(again.organisation, e.organisation) == 0 && strcmp(again.purpose, e.purpose) == 0,
        "a state that is read as another event");
    struct reading reading = {
        .kind = READING_STATE, .point = SPAN("p"), .time_ms = W0, .text = span_of(e.text)};
    struct buf line = {0};
    LAW(batch_write_reading(&line, &reading, &err) == ST_OK, "a state that can never be sent: %s", err.text);
    LAW(strspn(e.text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-= ") ==
            strlen(e.text),
        "a state that is more than words");
    buf_release(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct agent_settings settings;
    struct conf *conf = conf_load_text("fuzz", span_of(settings_text), &agent_section, &settings);
    LAW(conf_problem_count(conf) == 0, "the settings of this target are wrong");
    const struct source_settings *source = settings.sources.items;
    const struct source_report report = {.reading = check_reading};
    const struct source_context context = {.gateway = "gw-a", .clock = &fuzz_clock, .report = &report};
    struct json_taker taker;
    now_ms = 0;
    json_taker_init(&taker, source->name, source->extra, &context);
    fuzzed = &taker;
    memset(newest_ms, 0, sizeof newest_ms);
    LAW(taker.feed.count <= sizeof newest_ms / sizeof *newest_ms, "too few places");
    take(&taker, topics[data[0] % TOPICS], data + 1, size - 1);
    now_ms += 1;
    take(&taker, topics[data[0] % TOPICS], data + 1, size - 1);
    now_ms += 400000;
    json_taker_tick(&taker);
    check_event(data + 1, size - 1);
    json_taker_release(&taker);
    conf_destroy(conf);
    return 0;
}
