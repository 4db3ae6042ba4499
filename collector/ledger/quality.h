/* How well an amount is known, the worse the higher (CONTRIBUTING.md, E5). */
#pragma once

enum quality {
    QUALITY_MEASURED,
    QUALITY_ESTIMATED,
    QUALITY_MANUAL,
    QUALITY_UNKNOWN,
};

static inline enum quality quality_worse(enum quality a, enum quality b)
{
    return a > b ? a : b;
}
