#include "collector/alarm/words.h"

#include "lib/decimal.h"

#include <stdio.h>
#include <string.h>

static const char *const kind_words[ALARM_KINDS][ALARM_LANGUAGES] = {
    [ALARM_NO_DATA] = {"长时间无数据", "No data"},
    [ALARM_THRESHOLD] = {"越限", "Beyond its limit"},
    [ALARM_BASE_LOAD] = {"夜间基荷过高", "Night base load too high"},
    [ALARM_WATER] = {"用水整夜不停", "Water never stops"},
    [ALARM_BALANCE] = {"计量不平衡超限", "Balance gap beyond its limit"},
    [ALARM_LEFT_RUNNING] = {"仪器无人使用仍在运行", "Instrument left running"},
    [ALARM_CLOCK] = {"时钟未同步", "Clock not synchronised"},
    [ALARM_DISK] = {"存储空间将满", "Disk nearly full"},
    [ALARM_LOSS] = {"数据丢失", "Readings lost"},
};
static const char *const severity_words[][ALARM_LANGUAGES] = {[ALARM_INFO] = {"提示", "info"},
    [ALARM_WARNING] = {"警告", "warning"},
    [ALARM_CRITICAL] = {"严重", "critical"}};
static const char *const target_words[ALARM_TARGET_KINDS][ALARM_LANGUAGES] = {
    [ALARM_OF_METER] = {"计量表", "meter"},
    [ALARM_OF_POINT] = {"测点", "point"},
    [ALARM_OF_GATEWAY] = {"网关", "gateway"},
    [ALARM_OF_SPACE] = {"空间", "space"},
    [ALARM_OF_INSTRUMENT] = {"仪器", "instrument"},
    [ALARM_OF_COLLECTOR] = {"采集服务器", "collector"},
};

const char *alarm_kind_word(enum alarm_kind kind, enum alarm_language language)
{
    return kind_words[kind][language];
}

const char *alarm_severity_word(enum alarm_severity severity, enum alarm_language language)
{
    return severity_words[severity][language];
}

const char *alarm_target_word(enum alarm_target_kind kind, enum alarm_language language)
{
    return target_words[kind][language];
}

static const char *base_unit(int carrier)
{
    switch ((enum park_carrier)carrier) {
    case CARRIER_ELECTRICITY:
        return "Wh";
    case CARRIER_HEAT:
    case CARRIER_COOLING:
        return "J";
    case CARRIER_WATER:
    case CARRIER_GAS:
        return "L";
    }
    return "";
}

const char *alarm_unit(enum alarm_kind kind, enum alarm_target_kind target, int carrier)
{
    switch (kind) {
    case ALARM_NO_DATA:
        return "s";
    case ALARM_THRESHOLD:
        return target == ALARM_OF_METER ? "W" : target == ALARM_OF_SPACE ? "1" : "";
    case ALARM_BASE_LOAD:
        if (carrier == CARRIER_ELECTRICITY)
            return "W";
        return carrier == CARRIER_HEAT || carrier == CARRIER_COOLING ? "J/h" : carrier < 0 ? "" : "L/h";
    case ALARM_WATER:
        return base_unit(carrier);
    case ALARM_BALANCE:
    case ALARM_DISK:
        return "%";
    case ALARM_LOSS:
        return "1";
    case ALARM_LEFT_RUNNING:
    case ALARM_CLOCK:
        return "";
    }
    return "";
}

void alarm_number(int64_t value_m, struct buf *out)
{
    struct decimal number = {value_m, 3};
    char text[DECIMAL_TEXT_SIZE];
    while (number.scale > 0 && number.value % 10 == 0) {
        number.value /= 10;
        number.scale--;
    }
    decimal_format(number, text);
    buf_add_str(out, text);
}

static void add_amount(
    const struct alarm *a, int64_t value_m, int carrier, enum alarm_language language, struct buf *out)
{
    const char *unit = alarm_unit(a->kind, a->target_kind, carrier);
    if (a->kind == ALARM_NO_DATA) {
        bool is_short = value_m < 120000;
        buf_printf(out, "%lld ", (long long)(value_m / (is_short ? 1000 : 60000)));
        buf_add_str(out, language == ALARM_ZH ? (is_short ? "秒" : "分钟") : is_short ? "s" : "min");
        return;
    }
    alarm_number(value_m, out);
    if (a->kind == ALARM_THRESHOLD && a->target_kind == ALARM_OF_SPACE)
        buf_add_str(out, language == ALARM_ZH ? " 人" : " people");
    else if (a->kind == ALARM_LOSS)
        buf_add_str(out, language == ALARM_ZH ? " 次" : " recorded");
    else if (unit[0] != '\0')
        buf_printf(out, " %s", unit);
}

void alarm_value(const struct alarm *a, int carrier, enum alarm_language language, struct buf *out)
{
    if (a->has_value)
        add_amount(a, a->value_m, carrier, language, out);
}

void alarm_bound(const struct alarm *a, int carrier, enum alarm_language language, struct buf *out)
{
    if (a->has_bound)
        add_amount(a, a->bound_m, carrier, language, out);
}

void alarm_time(const struct zone *zone, int64_t time_ms, struct buf *out)
{
    char text[ZONE_TIME_SIZE];
    zone_format_time(zone, time_ms, text);
    buf_printf(out, "%.10s %.8s", text, text + 11);
}

struct alarm_place alarm_place_find(const struct park *park, enum alarm_target_kind kind, const char *id)
{
    struct alarm_place place = {.carrier = -1};
    const struct park_meter *m;
    const struct park_gateway *g;
    const struct park_space *s;
    const struct park_instrument *i;
    switch (kind) {
    case ALARM_OF_METER:
        if ((m = park_meter_find(park, id)) != NULL)
            place = (struct alarm_place){m->name, m->name_en, m->building->site_id, m->carrier};
        break;
    case ALARM_OF_GATEWAY:
        if ((g = park_gateway_find(park, id)) != NULL)
            place = (struct alarm_place){g->name, g->name_en, g->site_id, -1};
        break;
    case ALARM_OF_SPACE:
        if ((s = park_space_find(park, id)) != NULL)
            place = (struct alarm_place){s->name, s->name_en, s->building->site_id, -1};
        break;
    case ALARM_OF_INSTRUMENT:
        if ((i = park_instrument_find(park, id)) != NULL)
            place = (struct alarm_place){i->name, i->name_en, i->building->site_id, -1};
        break;
    case ALARM_OF_POINT:
    case ALARM_OF_COLLECTOR:
        break;
    }
    return place;
}

void alarm_target_text(
    const struct alarm *a, const struct alarm_place *place, enum alarm_language language, struct buf *out)
{
    const char *name = language == ALARM_ZH ? place->name : place->name_en;
    buf_add_str(out, alarm_target_word(a->target_kind, language));
    if (a->target[0] == '\0')
        return;
    if (name != NULL)
        buf_printf(out, " %s (%s)", name, a->target);
    else
        buf_printf(out, " %s", a->target);
}
