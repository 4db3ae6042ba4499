/*
 * The names of time zones that Microsoft's programs write ("China Standard Time") and the zones of tzdata that they
 * mean. Source: Unicode CLDR, common/supplemental/windowsZones.xml (types of 2021a), the rows of territory 001.
 */
#pragma once

#include <stddef.h>

/* "Asia/Shanghai", without regard to case; NULL = no such name. */
const char *windows_zone(const char *name);
/* The names in their order, for whoever checks them all; NULL after the last. */
const char *windows_zone_at(size_t index, const char **ret_zone);
