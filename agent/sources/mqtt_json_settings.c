#include "agent/sources/mqtt_json_settings.h"

#include "agent/drivers/unit.h"
#include "agent/settings.h"
#include "agent/sources/feed.h"
#include "agent/sources/preset.h"
#include "lib/id.h"
#include "lib/text.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 255
#define ALIVE_PERIODS 3

static const char *const kinds[] = {"register", "gauge", "state", NULL};
static const char *const bases[] = {"own", "Wh", "J", NULL}; /* in the order of enum unit_base */

/* ---- values ---- */

static const struct conf_key value_keys[] = {
    {"name", CONF_STRING, offsetof(struct json_value, name), .fallback = "", .max = POINT_MAX,
        .help = "name after the device's prefix and a dot; empty = the prefix itself"},
    {"kind", CONF_CHOICE, offsetof(struct json_value, kind), .is_required = true, .choices = kinds,
        .help = "cumulative register, gauge, or state"},
    {"topic", CONF_STRING, offsetof(struct json_value, topic), .min = 1, .max = TEXT_MAX,
        .help = "topic or filter, {id} is the device's; absent = the device's"},
    {"path", CONF_STRING, offsetof(struct json_value, path), .fallback = "", .max = TEXT_MAX,
        .help = "where it stands in the message: keys and indices from 0, parted by dots; empty = the "
                "message is the "
                "value"},
    {"scale", CONF_FRACTION, offsetof(struct json_value, scale), .fallback = "1",
        .help = "the device's number times this is in `unit`"},
    {"unit", CONF_STRING, offsetof(struct json_value, unit),
        .help = "unit of the scaled value, required for registers and gauges: kWh, count, W, degC ..."},
    {"base", CONF_CHOICE, offsetof(struct json_value, base), .fallback = "own", .choices = bases,
        .help = "energy only: count in Wh (electricity) or J (heat, cooling); own = as `unit` suggests"},
    {"states", CONF_STRINGS, offsetof(struct json_value, states),
        .help =
            "kind state: the texts for false and true, or for numbers from 0; absent = a text is the state"},
    {0}};

static void check_states(struct conf *c, struct json_value *v)
{
    if (v->unit != NULL || v->scale.num != v->scale.den || v->base != UNIT_BASE_OWN)
        conf_problem(c, &v->where,
            v->unit != NULL            ? "unit"
            : v->base != UNIT_BASE_OWN ? "base"
                                       : "scale",
            "does not fit kind state; expected only for registers and gauges");
    char *const *texts = v->states.items;
    for (size_t i = 0; i < v->states.count; i++) {
        struct span text = span_of(texts[i]);
        if (text.len == 0 || text.len > STATE_TEXT_MAX || !text_is_utf8(text) || text_has_control(text))
            conf_problem(c, &v->where, "states",
                "text %zu is not usable; expected 1 to %d bytes of printable UTF-8", i, STATE_TEXT_MAX);
    }
    v->meaning.states = (const char *const *)texts;
    v->meaning.state_count = v->states.count;
}

static void check_unit(struct conf *c, struct json_value *v)
{
    enum reading_kind kind = (enum reading_kind)v->kind;
    const struct unit *unit = v->unit != NULL ? unit_find(v->unit) : NULL;
    if (v->states.count > 0)
        conf_problem(
            c, &v->where, "states", "does not fit kind %s; expected only for kind state", kinds[kind]);
    if (unit == NULL || !unit_fits(unit, kind)) {
        struct buf list = {0};
        unit_list(&list, kind);
        if (v->unit == NULL)
            conf_problem(c, &v->where, "unit", "is missing; expected one of %s", list.data);
        else
            conf_problem(c, &v->where, "unit", "\"%s\" %s; expected one of %s", v->unit,
                unit == NULL ? "is not known" : "does not fit this kind", list.data);
        buf_release(&list);
    } else if (v->base != UNIT_BASE_OWN && unit->energy == UNIT_BASE_OWN) {
        conf_problem(c, &v->where, "base", "does not fit unit \"%s\"; expected only for energy", v->unit);
    } else if (!fraction_multiply(v->scale, unit_factor(unit, (enum unit_base)v->base), &v->meaning.factor)) {
        conf_problem(c, &v->where, "scale", "is too fine or too large for unit \"%s\"; expected fewer digits",
            v->unit);
    }
}

static void check_value(struct conf *c, void *object, const void *parent)
{
    (void)parent;
    struct json_value *v = object;
    v->is_own = true;
    v->meaning.kind = (enum reading_kind)v->kind;
    v->meaning.factor = (struct fraction){1, 1};
    if (v->kind == READING_STATE)
        check_states(c, v);
    else
        check_unit(c, v);
}

static const struct conf_section value_section = {.name = "value",
    .size = sizeof(struct json_value),
    .keys = value_keys,
    .has_where = true,
    .where_offset = offsetof(struct json_value, where),
    .check = check_value};

/* ---- devices ---- */

static const struct conf_key device_keys[] = {
    {"name", CONF_ID, offsetof(struct json_device, name), .is_required = true, .help = "name in messages"},
    {"prefix", CONF_STRING, offsetof(struct json_device, prefix), .fallback = "", .max = POINT_MAX,
        .help = "start of its points' names"},
    {"preset", CONF_CHOICE, offsetof(struct json_device, preset), .fallback = "none", .choices = preset_names,
        .help = "what the device is: gives topics, paths and units"},
    {"id", CONF_STRING, offsetof(struct json_device, id), .min = 1, .max = TEXT_MAX,
        .help = "with a preset: the device's name in its topics (LoRaWAN: DevEUI in lower case)"},
    {"topic", CONF_STRING, offsetof(struct json_device, topic), .min = 1, .max = TEXT_MAX,
        .help = "topic or filter of its messages, {id} is the device's; absent = the preset's"},
    {"every", CONF_SECONDS, offsetof(struct json_device, every_ms), .fallback = "60", .min = 1000,
        .max = 86400000,
        .help = "it tells something at least so often; its points are called late after twice this time"},
    {"alive", CONF_SECONDS, offsetof(struct json_device, alive_ms), .min = 1000, .max = 604800000,
        .help = "silence after which it counts as gone: nothing of it is sent again; absent = 3 x every"},
    {"on_change", CONF_BOOL, offsetof(struct json_device, is_on_change),
        .help = "it speaks on change only: its gauges, too, are sent again after `every` while it is alive"},
    {"frame", CONF_STRING, offsetof(struct json_device, frame), .min = 1, .max = TEXT_MAX,
        .help = "path of the message's frame counter, by which a repeated or late one is known; absent = the "
                "preset's"},
    {"time", CONF_STRING, offsetof(struct json_device, time), .min = 1, .max = TEXT_MAX,
        .help = "path of the message's time, RFC 3339 or seconds since 1970; absent = the preset's, or when "
                "it came"},
    {"points", CONF_LIST, offsetof(struct json_device, values), .max = JSON_VALUES_MAX,
        .section = &value_section, .help = "what to pick, beside what the preset has"},
    {0}};

static char *expand(struct conf *c, const char *template, const char *id)
{
    struct buf text = {0};
    const char *at = template, *hit;
    while ((hit = strstr(at, "{id}")) != NULL) {
        buf_add(&text, at, (size_t)(hit - at));
        buf_add_str(&text, id);
        at = hit + strlen("{id}");
    }
    buf_add_str(&text, at);
    char *kept = strcpy(conf_alloc(c, text.len + 1), text.data != NULL ? text.data : "");
    buf_release(&text);
    return kept;
}

/* A filter of MQTT 5, section 4.7.1. */
static bool is_filter(const char *filter)
{
    if (filter[0] == '\0' || !text_is_utf8(span_of(filter)) || text_has_control(span_of(filter)))
        return false;
    for (const char *at = filter; *at != '\0'; at++) {
        bool is_begin = at == filter || at[-1] == '/';
        if (*at == '#' && (!is_begin || at[1] != '\0'))
            return false;
        if (*at == '+' && (!is_begin || (at[1] != '\0' && at[1] != '/')))
            return false;
    }
    return true;
}

static void add_place(
    struct conf *c, struct json_device *d, const char *template, const char *path, size_t value)
{
    const struct json_value *v = (const struct json_value *)d->values.items + value;
    if (template == NULL)
        return;
    const char *topic = expand(c, template, d->id != NULL ? d->id : "{id}");
    if (!is_filter(topic))
        conf_problem(c, v->topic != NULL ? &v->where : &d->where,
            v->topic != NULL || d->topic != NULL ? "topic" : "id",
            "makes the topic \"%s\"; expected one of MQTT: + a level of its own, # the last one", topic);
    d->places[d->place_count++] = (struct json_place){topic, path, value};
}

static size_t find_value(const struct json_device *d, size_t count, const char *name)
{
    const struct json_value *values = d->values.items;
    size_t i = 0;
    while (i < count && (values[i].is_own || strcmp(values[i].name, name) != 0))
        i++;
    return i;
}

static struct json_value value_of_preset(const struct json_device *d, const struct preset_value *p)
{
    struct fraction scale = {1, 1};
    if (p->scale != NULL)
        fraction_parse(p->scale, &scale);
    struct json_value v = {.where = d->where,
        .name = (char *)p->name,
        .path = (char *)p->path,
        .kind = (int)p->kind,
        .meaning = {p->kind, scale, NULL, 0}};
    if (p->kind == READING_STATE) {
        v.meaning.states = p->states;
        v.meaning.state_count = 2;
    } else {
        fraction_multiply(scale, unit_factor(unit_find(p->unit), UNIT_BASE_OWN), &v.meaning.factor);
    }
    return v;
}

/* Its own values, then those of the preset; a value that the preset has in two topics is one. */
static void list_values(struct conf *c, struct json_device *d, const struct preset *preset)
{
    size_t own = d->values.count, more = 0;
    while (preset->values[more].name != NULL)
        more++;
    struct json_value *all = conf_alloc(c, (own + more) * sizeof *all);
    if (own > 0)
        memcpy(all, d->values.items, own * sizeof *all);
    d->values = (struct conf_list){all, own};
    d->places = conf_alloc(c, (own + more) * sizeof *d->places);
    const char *topic = d->topic != NULL ? d->topic : preset->topic;
    for (size_t i = 0; i < own; i++)
        add_place(c, d, all[i].topic != NULL ? all[i].topic : topic, all[i].path, i);
    for (size_t i = 0; i < more; i++) {
        const struct preset_value *p = &preset->values[i];
        size_t value = find_value(d, d->values.count, p->name);
        if (value == d->values.count)
            all[d->values.count++] = value_of_preset(d, p);
        add_place(c, d, p->topic != NULL ? p->topic : topic, p->path, value);
    }
}

static void name_values(struct conf *c, struct json_device *d)
{
    CONF_EACH (struct json_value, v, d->values) {
        v->point = agent_point_name(c, d->prefix, v->name);
        if (!point_is_valid(v->point))
            conf_problem(c, &v->where, v->is_own ? "name" : "prefix", POINT_PROBLEM, v->point, POINT_MAX);
        if (v->kind == READING_STATE && d->every_ms > FEED_STATE_REPEAT_MS &&
            d->alive_ms < FEED_STATE_REPEAT_MS)
            d->alive_ms = FEED_STATE_REPEAT_MS;
    }
}

static void check_device(struct conf *c, void *object, const void *parent)
{
    (void)parent;
    struct json_device *d = object;
    const struct preset *preset = &presets[d->preset];
    bool has_preset = d->preset > 0;
    if (has_preset && d->id == NULL && d->topic == NULL)
        conf_problem(c, &d->where, "id", "is missing; expected the device's name in the topics of preset %s",
            preset->name);
    if (!has_preset && d->topic == NULL)
        CONF_EACH (struct json_value, v, d->values)
            if (v->topic == NULL)
                conf_problem(
                    c, &v->where, "topic", "is missing; expected one here or at the device, or a `preset`");
    if (d->values.count == 0 && preset->values[0].name == NULL)
        conf_problem(c, &d->where, "points", "is missing or empty; expected what to pick from its messages");
    if (d->frame == NULL)
        d->frame = (char *)preset->frame;
    if (d->time == NULL)
        d->time = (char *)preset->time;
    d->is_on_change = d->is_on_change || preset->is_on_change;
    if (d->alive_ms == 0)
        d->alive_ms = ALIVE_PERIODS * d->every_ms;
    else if (d->alive_ms < d->every_ms)
        conf_problem(c, &d->where, "alive", "is shorter than `every`; expected at least %g s",
            (double)d->every_ms / 1000);
    list_values(c, d, preset);
    name_values(c, d);
}

static const struct conf_section device_section = {.name = "source's device",
    .size = sizeof(struct json_device),
    .keys = device_keys,
    .has_where = true,
    .where_offset = offsetof(struct json_device, where),
    .check = check_device};

int64_t json_repeat_ms(const struct json_device *device, const struct json_value *value)
{
    if (value->kind == READING_STATE)
        return device->every_ms < FEED_STATE_REPEAT_MS ? device->every_ms : FEED_STATE_REPEAT_MS;
    return value->kind == READING_GAUGE && device->is_on_change ? device->every_ms : 0;
}

/* ---- the source ---- */

static const struct conf_key source_keys[] = {
    {"broker", CONF_GROUP, offsetof(struct json_settings, broker), .section = &link_section,
        .help = "the broker that the devices publish to"},
    {"keep", CONF_SECONDS, offsetof(struct json_settings, keep_ms), .fallback = "0", .max = 604800000,
        .help = "so long that broker keeps messages while this agent is away; only where all of them tell "
                "their time"},
    {"devices", CONF_LIST, offsetof(struct json_settings, devices), .is_required = true, .min = 1,
        .max = JSON_DEVICES_MAX, .section = &device_section, .help = "whose messages to take"},
    {0}};

static void check_source(struct conf *c, void *object, const void *parent)
{
    (void)parent;
    struct json_settings *s = object;
    CONF_EACH (struct json_device, d, s->devices)
        for (const struct json_device *other = s->devices.items; other < d; other++)
            if (d->name != NULL && other->name != NULL && strcmp(d->name, other->name) == 0) {
                conf_problem(c, &d->where, "name", "device \"%s\" is also at line %d; expected once", d->name,
                    other->where.line);
                break;
            }
    if (s->keep_ms > 0)
        CONF_EACH (struct json_device, d, s->devices)
            if (d->time == NULL)
                conf_problem(c, &d->where, "time",
                    "is missing; expected one where `keep` is set: what came late would be dated when it "
                    "came");
}

const struct conf_section json_source_section = {.name = "mqtt_json source",
    .size = sizeof(struct json_settings),
    .keys = source_keys,
    .has_where = true,
    .where_offset = offsetof(struct json_settings, where),
    .check = check_source};
