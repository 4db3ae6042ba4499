/* `park-collector status`: asks the running collector, by its own listener, how it is. */
#pragma once

#include "collector/settings.h"

#include <stdbool.h>

/* Prints reasons (or JSON). Returns the exit code: 0 healthy, 1 degraded, 2 failing or not running. */
int status_print(const struct collector_settings *settings, bool is_json);
