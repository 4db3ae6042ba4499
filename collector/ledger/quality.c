#include "collector/ledger/quality.h"

#include <stddef.h>

const char *const quality_names[] = {QUALITY_NAMES, NULL};
