/*
 * Picking values out of a message. Pure. Numbers are decimal texts up to the integer in base units: a register never
 * is a double.
 */
#pragma once

#include "agent/drivers/driver.h"
#include "lib/json.h"
#include "lib/line.h"
#include "lib/number.h"

/* What a value means. */
struct pick_meaning {
    enum reading_kind kind;
    struct fraction factor; /* register, gauge: base units in one of the device's */
    const char *const
        *states; /* state: texts for false and true, or by number from 0; NULL = a text is the state */
    size_t state_count;
};

/* Does a topic match a filter of MQTT 5 (section 4.7), whose `+` stands for one level, and `#` at its end for any? */
bool topic_matches(const char *filter, struct span topic);

/* What stands at a path of keys that are parted by dots; in a list a key is an index from 0. NULL = nothing, or null. */
json_t *pick_find(json_t *message, const char *path);
/* A whole number >= 0, as frame counters are. */
bool pick_integer(json_t *value, int64_t *ret);
/* A time as RFC 3339 has it, with any number of decimals, or as seconds since 1970. Milliseconds of UTC. */
bool pick_time(json_t *value, int64_t *ret_ms);

/* A value from a string (a number of json_read_exact, or a text), true or false. `ret->text` is borrowed from `value`
 * or `meaning`. A register is rounded to nearest where it is no whole number of base units; what stands further behind
 * the point than nine digits is cut. ST_INVALID: a text for a number, a number beyond +-10^15, a state without text. */
enum status pick_value(
    json_t *value, const struct pick_meaning *meaning, union driver_value *ret, struct error *err);
/* The same of a message that is not JSON but the value itself. */
enum status pick_text(
    const char *text, const struct pick_meaning *meaning, union driver_value *ret, struct error *err);
