/* The quarter hours of a span, which pieces of a level are laid over. Pure. */
#pragma once

#include "collector/space/rows.h"

struct quarter_rows {
    int64_t from_ms; /* whole quarter hours */
    size_t count;
    struct space_row *rows; /* owned */
    bool *is_there;         /* owned; of each: it is to have a row */
};

int64_t quarter_floor(int64_t time_ms);
int64_t quarter_ceil(int64_t time_ms);
/* All that have a part of [from, until). */
void quarter_rows_init(struct quarter_rows *q, int64_t from_ms, int64_t until_ms);
void quarter_rows_release(struct quarter_rows *q);
int64_t quarter_rows_end(const struct quarter_rows *q);
/* The one that holds that time; NULL = it is outside. */
struct space_row *quarter_rows_at(const struct quarter_rows *q, int64_t time_ms);
/* Adds what of a piece lies inside; `context` of a level_sink. */
void quarter_rows_add(void *context, const struct level_piece *piece);
/* Those that have a part of [from, until] are to have a row. */
void quarter_rows_see(struct quarter_rows *q, int64_t from_ms, int64_t until_ms);
/* Writes those that are there, with rows_write. */
enum status quarter_rows_write(struct quarter_rows *q, struct db *db, int64_t source, struct error *err);
