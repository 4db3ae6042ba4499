/* The text of a chunk of the archive, read back (collector/evidence/archive.h has its form). Pure. */
#pragma once

#include "lib/line.h"

#include <stdbool.h>
#include <stdint.h>

struct archived {
    struct span gateway, epoch, point; /* valid during the call */
    int64_t seq, time_ms, count;
    bool is_of_wrong_clock;
};
typedef void archive_lines_take(void *context, const struct archived *reading);
/* In the order of the text, up to the first line that has not this form. */
void archive_lines_each(struct span text, archive_lines_take *take, void *context);
