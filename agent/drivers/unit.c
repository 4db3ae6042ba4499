#include "agent/drivers/unit.h"

#include <assert.h>
#include <string.h>

#define JOULES_PER_WH 3600

/* clang-format off */
static const struct unit units[] = {
    /*          register gauge  energy         factor */
    {"Wh",      true,    false, UNIT_BASE_WH,  1},
    {"kWh",     true,    false, UNIT_BASE_WH,  1000},
    {"MWh",     true,    false, UNIT_BASE_WH,  1000000},
    {"GWh",     true,    false, UNIT_BASE_WH,  1000000000},
    {"J",       true,    false, UNIT_BASE_J,   1},
    {"kJ",      true,    false, UNIT_BASE_J,   1000},
    {"MJ",      true,    false, UNIT_BASE_J,   1000000},
    {"GJ",      true,    false, UNIT_BASE_J,   1000000000},
    {"varh",    true,    false, UNIT_BASE_OWN, 1},
    {"kvarh",   true,    false, UNIT_BASE_OWN, 1000},
    {"VAh",     true,    false, UNIT_BASE_OWN, 1},
    {"kVAh",    true,    false, UNIT_BASE_OWN, 1000},
    {"s",       true,    true,  UNIT_BASE_OWN, 1},
    {"L",       true,    true,  UNIT_BASE_OWN, 1},
    {"m3",      true,    true,  UNIT_BASE_OWN, 1000},
    {"count",   true,    true,  UNIT_BASE_OWN, 1},
    {"W",       false,   true,  UNIT_BASE_OWN, 1},
    {"kW",      false,   true,  UNIT_BASE_OWN, 1000},
    {"MW",      false,   true,  UNIT_BASE_OWN, 1000000},
    {"var",     false,   true,  UNIT_BASE_OWN, 1},
    {"kvar",    false,   true,  UNIT_BASE_OWN, 1000},
    {"VA",      false,   true,  UNIT_BASE_OWN, 1},
    {"kVA",     false,   true,  UNIT_BASE_OWN, 1000},
    {"degC",    false,   true,  UNIT_BASE_OWN, 1},
    {"V",       false,   true,  UNIT_BASE_OWN, 1},
    {"A",       false,   true,  UNIT_BASE_OWN, 1},
    {"Hz",      false,   true,  UNIT_BASE_OWN, 1},
    {"%",       false,   true,  UNIT_BASE_OWN, 1},
    {"ppm",     false,   true,  UNIT_BASE_OWN, 1},
    {"ppb",     false,   true,  UNIT_BASE_OWN, 1},
    {"ug/m3",   false,   true,  UNIT_BASE_OWN, 1},
    {"lx",      false,   true,  UNIT_BASE_OWN, 1},
    {"dB",      false,   true,  UNIT_BASE_OWN, 1},
    {"Pa",      false,   true,  UNIT_BASE_OWN, 1},
    {"hPa",     false,   true,  UNIT_BASE_OWN, 1},
    {"kPa",     false,   true,  UNIT_BASE_OWN, 1},
    {"bar",     false,   true,  UNIT_BASE_OWN, 1},
    {"m/s",     false,   true,  UNIT_BASE_OWN, 1},
    {"L/h",     false,   true,  UNIT_BASE_OWN, 1},
    {"m3/h",    false,   true,  UNIT_BASE_OWN, 1},
    {"1",       false,   true,  UNIT_BASE_OWN, 1}, /* a ratio, a power factor */
};
/* clang-format on */
#define UNIT_COUNT (sizeof units / sizeof *units)

const struct unit *unit_find(const char *name)
{
    for (size_t i = 0; i < UNIT_COUNT; i++)
        if (strcmp(units[i].name, name) == 0)
            return &units[i];
    return NULL;
}

bool unit_fits(const struct unit *unit, enum reading_kind kind)
{
    switch (kind) {
    case READING_REGISTER:
        return unit->is_register;
    case READING_GAUGE:
        return unit->is_gauge;
    case READING_STATE:
        return false;
    }
    return false;
}

struct fraction unit_factor(const struct unit *unit, enum unit_base base)
{
    struct fraction factor = {unit->factor, 1};
    if (base == UNIT_BASE_OWN || base == unit->energy)
        return factor;
    assert(unit->energy != UNIT_BASE_OWN);
    struct fraction conversion =
        base == UNIT_BASE_J ? (struct fraction){JOULES_PER_WH, 1} : (struct fraction){1, JOULES_PER_WH};
    bool fits = fraction_multiply(factor, conversion, &factor);
    assert(fits);
    return factor;
}

void unit_list(struct buf *out, enum reading_kind kind)
{
    const char *comma = "";
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        if (unit_fits(&units[i], kind)) {
            buf_printf(out, "%s%s", comma, units[i].name);
            comma = ", ";
        }
    }
}
