/* Units in which amounts are shown: kWh of electricity, MJ of heat and cooling, m3 of water and gas. Exact: the base
 * unit is a power of ten of them. */
#pragma once

#include "collector/model/park.h"
#include "lib/decimal.h"

struct energy_unit {
    const char *name;
    int scale; /* 10^scale base units are one of it */
};

/* `carrier`: enum park_carrier. */
struct energy_unit energy_unit(int carrier);

/* "-1234.500": all decimals of the unit. */
void energy_format(int carrier, int64_t amount, char text[static DECIMAL_TEXT_SIZE]);
