#include "collector/energy_rows.h"

#include "collector/store/outbox.h"

enum status energy_row_put(struct db *db, struct energy_lines *lines, const struct park_meter *meter,
    const struct quarter *quarter, int64_t version, struct error *err)
{
    struct buf line = {0}, series = {0};
    buf_printf(&series, "energy,meter=%s", meter->id);
    bool clears = version > 1 || quarter->quality == QUALITY_UNKNOWN;
    enum status status = energy_line_write(lines, &line, meter, quarter, err);
    if (status == ST_OK)
        status = outbox_put_over(db, (struct span){series.data, series.len}, quarter->start_ms,
            clears ? BOUNDARY_MS : 0, (struct span){line.data, line.len}, err);
    buf_release(&series);
    buf_release(&line);
    return status;
}
