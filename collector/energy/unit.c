#include "collector/energy/unit.h"

static const struct energy_unit units[] = {
    [CARRIER_ELECTRICITY] = {"kWh", 3}, /* of Wh */
    [CARRIER_HEAT] = {"MJ", 6},         /* of J */
    [CARRIER_COOLING] = {"MJ", 6},
    [CARRIER_WATER] = {"m3", 3}, /* of L */
    [CARRIER_GAS] = {"m3", 3},
};

struct energy_unit energy_unit(int carrier)
{
    return units[carrier];
}

void energy_format(int carrier, int64_t amount, char text[static DECIMAL_TEXT_SIZE])
{
    decimal_format((struct decimal){amount, units[carrier].scale}, text);
}
