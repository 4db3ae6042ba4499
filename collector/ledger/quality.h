/* How well an amount is known, the worse the higher (CONTRIBUTING.md, E5). */
#pragma once

enum quality {
    QUALITY_MEASURED,
    QUALITY_ESTIMATED,
    QUALITY_MANUAL,
    QUALITY_UNKNOWN,
};
/* Names, which lie in files, answers and the store; NULL-terminated. Who has more states begins with these. */
#define QUALITY_NAMES "measured", "estimated", "manual", "unknown"
extern const char *const quality_names[];

static inline enum quality quality_worse(enum quality a, enum quality b)
{
    return a > b ? a : b;
}
