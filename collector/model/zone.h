/* Time zones by name, as the system's tzdata knows them. */
#pragma once

#include <stdbool.h>

/* Whether `name` ("Asia/Shanghai") is a zone file below TZDIR, or /usr/share/zoneinfo; never a path that
 * leaves that folder. */
bool zone_is_known(const char *name);
