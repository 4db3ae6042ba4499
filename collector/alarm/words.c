#include "collector/alarm/words.h"

#include "lib/decimal.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_words[ALARM_KINDS][ALARM_LANGUAGES] = {
    [ALARM_NO_DATA] = {"长时间无数据", "No data"},
    [ALARM_THRESHOLD] = {"越限", "Beyond its limit"},
    [ALARM_BASE_LOAD] = {"夜间基荷过高", "Night base load too high"},
    [ALARM_WATER] = {"用水整夜不停", "Water never stops"},
    [ALARM_BALANCE] = {"计量不平衡超限", "Balance gap beyond its limit"},
    [ALARM_LEFT_RUNNING] = {"仪器在非预期时段运行", "Instrument runs when it should not"},
    [ALARM_CLOCK] = {"时钟未同步", "Clock not synchronised"},
    [ALARM_DISK] = {"存储空间将满", "Disk nearly full"},
    [ALARM_LOSS] = {"数据丢失", "Readings lost"},
    [ALARM_HEALTH] = {"采集器自身异常", "Collector is not well"},
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

/* Those of the pages (dashboards/web), by their keys: people read the same of one thing. */
static const struct {
    const char *code, *words[ALARM_LANGUAGES];
} ill_words[] = {
    {"not_accepting", {"采集器暂停确认数据，网关会保留全部读数",
                          "The collector does not acknowledge for now; gateways keep every reading"}},
    {"broker_disconnected", {"与 MQTT 消息服务器的连接中断，网关会保留全部读数",
                                "The MQTT broker is not connected; gateways keep every reading"}},
    {"store_starting", {"时序数据库尚未响应", "The time-series store has not answered yet"}},
    {"store_configuration", {"时序数据库的配置有误，数据已全部保留",
                                "The time-series store is not configured right; everything is kept"}},
    {"store_unavailable",
        {"时序数据库不可用，数据已全部保留", "The time-series store is not available; everything is kept"}},
    {"database_nearly_full",
        {"采集器数据库即将达到容量上限", "The collector's database is close to its limit"}},
    {"outbox_nearly_full",
        {"待写入的派生数据即将达到容量上限", "The outbox of derived rows is close to its limit"}},
    {"store_backlog", {"有批次长时间等待写入时序数据库，数据已全部保留",
                          "Batches wait long for the time-series store; everything is kept"}},
    {"ledger_behind",
        {"电能账簿更新滞后，数据无丢失，能耗数字尚未更新到最新",
            "The energy ledger is behind; nothing is lost, figures of energy are not up to date"}},
    {"ledger_aside", {"部分计量表的账簿出错，请查看日志", "The books of some meters fail; see the log"}},
    {"collector_clock_ahead",
        {"采集器本机时钟未同步，或早于此前收到数据的时间，且有读数时间在其之后；网关会保留这些读数",
            "The collector's own clock is not synchronised, or behind what arrived before, and readings are "
            "ahead of it; gateways keep them"}},
    {"collector_clock", {"采集器本机时钟未同步，或早于此前收到数据的时间",
                            "The collector's own clock is not synchronised, or behind what arrived before"}},
    {"alarms_off", {"采集器本机时钟恢复正常之前不判断告警：除采集器自身的告警外，既不触发也不恢复",
                       "Alarms are off until the collector's clock is right: but for those of the collector "
                       "itself none fires or clears"}},
    {"pruning_behind",
        {"正在加速删除过期证据：请确认采集器时钟是否正确",
            "Old evidence is being deleted faster than usual: is the collector's clock right?"}},
    {"store_uncounted", {"时序数据库不回答其所存数据的计数查询",
                            "The time-series store does not answer a count of what it holds"}},
    {"store_differs",
        {"时序数据库中的数据与应有数量不符", "The time-series store does not hold what it should"}},
};

const char *alarm_ill_word(const char *code, enum alarm_language language)
{
    for (size_t i = 0; i < sizeof ill_words / sizeof ill_words[0]; i++)
        if (strcmp(ill_words[i].code, code) == 0)
            return ill_words[i].words[language];
    return code;
}

json_t *alarm_ills_json(const struct alarm *a)
{
    json_t *list = json_array();
    for (const char *at = a->ills; at != NULL && *at != '\0';) {
        size_t len = strcspn(at, ",");
        json_array_append_new(list, json_stringn(at, len));
        at += at[len] == ',' ? len + 1 : len;
    }
    return list;
}

static const char *reason_word(enum alarm_reason reason, enum alarm_language language)
{
    static const char *const words[][ALARM_LANGUAGES] = {[ALARM_REASON_NONE] = {NULL, NULL},
        [ALARM_REASON_CLOSED] = {"不在开放时间", "outside its opening hours"},
        [ALARM_REASON_NO_SESSION] = {"无使用会话", "no session"},
        [ALARM_REASON_BOTH] = {"不在开放时间且无使用会话", "outside its opening hours, no session"},
        [ALARM_REASON_DATABASE] = {"数据库上限", "limit of the database"},
        [ALARM_REASON_OUTBOX] = {"待送入存储的数据", "what waits for the store"},
        [ALARM_REASON_DISK] = {"磁盘", "the disk itself"}};
    return words[reason][language];
}

void alarm_why(const struct alarm *a, enum alarm_language language, struct buf *out)
{
    const char *word = reason_word(a->reason, language);
    size_t i;
    json_t *code, *ills = alarm_ills_json(a);
    json_array_foreach(ills, i, code)
        buf_printf(out, "%s%s", i > 0 ? " / " : "", alarm_ill_word(json_string_value(code), language));
    json_decref(ills);
    if (word != NULL)
        buf_add_str(out, word);
}

const char *alarm_severity_word(enum alarm_severity severity, enum alarm_language language)
{
    return severity_words[severity][language];
}

const char *alarm_target_word(enum alarm_target_kind kind, enum alarm_language language)
{
    return target_words[kind][language];
}

const char *alarm_unit(enum alarm_kind kind, enum alarm_target_kind target, int carrier)
{
    switch (kind) {
    case ALARM_NO_DATA:
        return "s";
    case ALARM_THRESHOLD:
        return target == ALARM_OF_METER ? "W" : target == ALARM_OF_SPACE ? "1" : "";
    case ALARM_BASE_LOAD:
        return carrier < 0 ? "" : carrier == CARRIER_WATER || carrier == CARRIER_GAS ? "L/h" : "W";
    case ALARM_WATER:
        return park_carrier_unit(carrier);
    case ALARM_BALANCE:
    case ALARM_DISK:
        return "%";
    case ALARM_LOSS:
        return "1";
    case ALARM_LEFT_RUNNING:
    case ALARM_CLOCK:
    case ALARM_HEALTH:
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
    size_t sign = text[0] == '-' ? 1 : 0, whole = strcspn(text, ".");
    for (size_t i = 0; i < whole; i++) {
        if (i > sign && (whole - i) % 3 == 0)
            buf_add_char(out, ',');
        buf_add_char(out, text[i]);
    }
    buf_add_str(out, text + whole);
}

/* What people write larger amounts in; the largest first. */
static const struct larger {
    const char *unit, *larger;
    int64_t factor;
} larger_units[] = {{"W", "MW", 1000000}, {"W", "kW", 1000}, {"J", "GJ", 1000000000}, {"J", "MJ", 1000000},
    {"J", "kJ", 1000}, {"L", "m³", 1000}, {"L/h", "m³/h", 1000}};

/* To the nearest; half away from 0. */
static int64_t divide(int64_t value, int64_t by)
{
    return (value < 0 ? value - by / 2 : value + by / 2) / by;
}

/* In the unit that fits: three digits and more, and no more than two decimals. */
static void add_in_unit(int64_t value_m, const char *unit, struct buf *out)
{
    for (size_t i = 0; i < sizeof larger_units / sizeof larger_units[0]; i++) {
        const struct larger *l = &larger_units[i];
        if (strcmp(l->unit, unit) != 0 || (value_m < 1000 * l->factor && value_m > -1000 * l->factor))
            continue;
        int64_t whole_m = divide(value_m, l->factor), step = whole_m < 10000 && whole_m > -10000 ? 10 : 100;
        alarm_number(divide(value_m, l->factor * step) * step, out);
        buf_printf(out, " %s", l->larger);
        return;
    }
    alarm_number(value_m, out);
    if (unit[0] != '\0')
        buf_printf(out, " %s", unit);
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
    bool is_people = a->kind == ALARM_THRESHOLD && a->target_kind == ALARM_OF_SPACE;
    add_in_unit(value_m, is_people || a->kind == ALARM_LOSS ? "" : unit, out);
    if (is_people)
        buf_add_str(out, language == ALARM_ZH ? " 人" : " people");
    else if (a->kind == ALARM_LOSS)
        buf_add_str(out, language == ALARM_ZH ? " 次" : " recorded");
}

/* What a bare amount would leave open: percent of what, litres of which time. */
static const char *what_of(enum alarm_kind kind, enum alarm_language language)
{
    if (kind == ALARM_BALANCE)
        return language == ALARM_ZH ? "（占允许差额）" : " of the gap that is allowed";
    if (kind == ALARM_WATER)
        return language == ALARM_ZH ? "（用量最少的一刻钟）" : " in the least quarter hour";
    return "";
}

void alarm_value(const struct alarm *a, int carrier, enum alarm_language language, struct buf *out)
{
    if (!a->has_value)
        return;
    add_amount(a, a->value_m, carrier, language, out);
    buf_add_str(out, what_of(a->kind, language));
}

void alarm_bound(const struct alarm *a, int carrier, enum alarm_language language, struct buf *out)
{
    if (a->has_bound)
        add_amount(a, a->bound_m, carrier, language, out);
}

const char *alarm_bound_word(const struct alarm *a, enum alarm_language language)
{
    static const char *const words[][ALARM_LANGUAGES] = {{"限值", "limit"}, {"下限", "lower limit"}};
    return words[a->is_below][language];
}

void alarm_period(const char *from, const char *until, struct buf *out)
{
    bool is_one_day = strncmp(from, until, 10) == 0;
    buf_printf(out, "%.10s %.5s – ", from, from + 11);
    if (!is_one_day)
        buf_printf(out, "%.10s ", until);
    buf_printf(out, "%.5s", until + 11);
}

void alarm_time(const struct zone *zone, int64_t time_ms, struct buf *out)
{
    char text[ZONE_TIME_SIZE];
    zone_format_time(zone, time_ms, text);
    const char *offset = text + 23;
    buf_printf(out, "%.10s %.8s %s", text, text + 11, offset[0] == 'Z' ? "UTC" : offset);
}

struct alarm_place alarm_place_find(const struct park *park, enum alarm_target_kind kind, const char *id)
{
    struct alarm_place place = {.carrier = -1};
    const struct park_building *building = NULL;
    const struct park_site *site = NULL;
    const struct park_meter *m;
    const struct park_gateway *g;
    const struct park_space *s;
    const struct park_instrument *i;
    switch (kind) {
    case ALARM_OF_METER:
        if ((m = park_meter_find(park, id)) != NULL)
            place = (struct alarm_place){.name = m->name, .name_en = m->name_en, .carrier = m->carrier},
            building = m->building;
        break;
    case ALARM_OF_GATEWAY:
        if ((g = park_gateway_find(park, id)) != NULL)
            place.name = g->name, place.name_en = g->name_en, site = g->site;
        break;
    case ALARM_OF_SPACE:
        if ((s = park_space_find(park, id)) != NULL)
            place.name = s->name, place.name_en = s->name_en, building = s->building;
        break;
    case ALARM_OF_INSTRUMENT:
        if ((i = park_instrument_find(park, id)) != NULL)
            place.name = i->name, place.name_en = i->name_en, building = i->building;
        break;
    case ALARM_OF_POINT:
        if ((g = park_gateway_of(park, id)) != NULL)
            site = g->site;
        break;
    case ALARM_OF_COLLECTOR:
        break;
    }
    if (building != NULL)
        site = building->site;
    if (site != NULL) {
        place.site = site->id;
        place.at = building != NULL ? building->name : site->name;
        place.at_en = building != NULL ? building->name_en : site->name_en;
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
        buf_printf(out, language == ALARM_ZH ? " %s（%s）" : " %s (%s)", name, a->target);
    else
        buf_printf(out, " %s", a->target);
}
