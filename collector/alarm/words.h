/*
 * The words of alarms, by their codes, in both languages: for messages and for the pages that are filled in here. The API
 * has the codes alone. Pure.
 */
#pragma once

#include "collector/alarm/rows.h"
#include "collector/model/zone.h"
#include "lib/buf.h"
#include "lib/json.h"

const char *alarm_kind_word(enum alarm_kind kind, enum alarm_language language);
/* "outside its opening hours"; of the collector's health what is wrong, in the words of the pages; nothing where there is none. */
void alarm_why(const struct alarm *a, enum alarm_language language, struct buf *out);
/* A code of the collector's health; one that is not known stands for itself. */
const char *alarm_ill_word(const char *code, enum alarm_language language);
/* Codes of `ills` as a list. The caller owns it. */
json_t *alarm_ills_json(const struct alarm *a);
const char *alarm_severity_word(enum alarm_severity severity, enum alarm_language language);
const char *alarm_target_word(enum alarm_target_kind kind, enum alarm_language language);

/* Code of the unit of values and bounds: "W", "L", "L/h", "J", "s", "%", "1"; "" of a gauge, whose unit is its own. `carrier`:
 * enum park_carrier of a meter, -1 = not known. */
const char *alarm_unit(enum alarm_kind kind, enum alarm_target_kind target, int carrier);
/* Thousandths as a decimal without needless zeros: "1,250.5". */
void alarm_number(int64_t value_m, struct buf *out);
/* As people write it, in the unit that fits: "30.8 kW", "15 min"; nothing where there is none. */
void alarm_value(const struct alarm *a, int carrier, enum alarm_language language, struct buf *out);
void alarm_bound(const struct alarm *a, int carrier, enum alarm_language language, struct buf *out);
/* "Lower limit" */
const char *alarm_bound_word(const struct alarm *a, enum alarm_language language);
/* Of two times as RFC 3339 has them: "2026-10-01 01:00 – 05:00", with the second day where it is another. */
void alarm_period(const char *from, const char *until, struct buf *out);
/* "2026-10-01 16:00:00 +08:00" by the zone's clocks. */
void alarm_time(const struct zone *zone, int64_t time_ms, struct buf *out);

/* A name and what it stands for, of a target as the park has it now; an id that it does not have stands for itself. */
struct alarm_place {
    const char *name, *name_en; /* NULL = none: the collector, a point */
    const char *site;           /* its id; NULL = none */
    int carrier;                /* of a meter; -1 = none */
    const char *at, *at_en;     /* name of its building; of its site, where it is in none; NULL = neither */
};
struct alarm_place alarm_place_find(const struct park *park, enum alarm_target_kind kind, const char *id);
/* "meter Main (m1)" */
void alarm_target_text(
    const struct alarm *a, const struct alarm_place *place, enum alarm_language language, struct buf *out);
