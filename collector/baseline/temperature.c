#include "collector/baseline/temperature.h"

#include "collector/baseline/weather.h"

#include <math.h>
#include <stddef.h>

const char temperature_schema[] =
    "CREATE TABLE temperature_point("
    "  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, is_used INTEGER NOT NULL) STRICT;"
    "CREATE TABLE temperature("
    "  point INTEGER NOT NULL, start_ms INTEGER NOT NULL, time_ms INTEGER NOT NULL, mc INTEGER NOT NULL,"
    "  PRIMARY KEY(point, start_ms)) STRICT, WITHOUT ROWID;"
    "INSERT INTO cursor VALUES('temperature', 0);";

bool temperature_of(double celsius, int32_t *ret_mc)
{
    double mc = round(celsius * 1000);
    if (!(mc >= TEMPERATURE_LEAST_MC && mc <= TEMPERATURE_MOST_MC))
        return false;
    *ret_mc = (int32_t)mc;
    return true;
}

enum status temperature_point(struct db *db, const char *name, int64_t *ret_id, struct error *err)
{
    struct db_stmt *find = db_keep(db, "SELECT id FROM temperature_point WHERE name = ?1");
    bool has_row;
    db_bind_text(find, 1, span_of(name));
    enum status status = db_step(find, &has_row, err);
    if (status == ST_OK)
        *ret_id = has_row ? db_int(find, 0) : 0;
    db_reset(find);
    return status;
}

enum status temperature_put(struct db *db, int64_t point, int64_t time_ms, int32_t mc, struct error *err)
{
    struct db_stmt *put =
        db_keep(db, "INSERT INTO temperature VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET"
                    " time_ms = excluded.time_ms, mc = excluded.mc"
                    " WHERE excluded.time_ms < temperature.time_ms");
    db_bind_int(put, 1, point);
    db_bind_int(put, 2, periods_quarter_hour(time_ms));
    db_bind_int(put, 3, time_ms);
    db_bind_int(put, 4, mc);
    return db_run(put, err);
}

enum status temperature_read(
    struct db *db, int64_t point, struct periods_span span, int32_t *ret, struct error *err)
{
    for (int64_t i = 0; i < (span.end_ms - span.begin_ms) / PERIODS_QUARTER_HOUR_MS; i++)
        ret[i] = WEATHER_NONE;
    struct db_stmt *rows = db_keep(
        db, "SELECT start_ms, mc FROM temperature WHERE point = ?1 AND start_ms >= ?2 AND start_ms < ?3");
    bool has_row;
    enum status status;
    db_bind_int(rows, 1, point);
    db_bind_int(rows, 2, span.begin_ms);
    db_bind_int(rows, 3, span.end_ms);
    while ((status = db_step(rows, &has_row, err)) == ST_OK && has_row)
        ret[(db_int(rows, 0) - span.begin_ms) / PERIODS_QUARTER_HOUR_MS] = (int32_t)db_int(rows, 1);
    db_reset(rows);
    return status;
}
