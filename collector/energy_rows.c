#include "collector/energy_rows.h"

#include "collector/store/outbox.h"
#include "lib/line.h"

#include <string.h>

static const char *const qualities[] = {
    [QUALITY_MEASURED] = "measured",
    [QUALITY_ESTIMATED] = "estimated",
    [QUALITY_MANUAL] = "manual",
    [QUALITY_UNKNOWN] = "unknown",
};

/* Base units in what people read. */
static double unit_of(int carrier)
{
    return carrier == CARRIER_HEAT || carrier == CARRIER_COOLING ? 1e6 : 1e3;
}

/* No tag may end in a backslash: one that does is left out, like one that is not given. */
static struct span optional(const char *text)
{
    size_t len = text != NULL ? strlen(text) : 0;
    return len > 0 && text[len - 1] != '\\' ? span_of(text) : SPAN("");
}

static enum status write_line(
    struct buf *out, const struct park_meter *meter, const struct quarter *quarter, struct error *err)
{
    struct park_tags at = park_tags_at(meter, quarter->start_ms);
    const struct line_tag tags[] = {{SPAN("building"), optional(at.building_id)},
        {SPAN("carrier"), span_of(park_carriers[meter->carrier])}, {SPAN("item"), optional(at.item)},
        {SPAN("meter"), span_of(meter->id)},
        {SPAN("site"), optional(at.building != NULL ? at.building->site_id : NULL)},
        {SPAN("tenant"), optional(at.tenant_id)}};
    bool is_covered = quarter->quality == QUALITY_MEASURED || quarter->quality == QUALITY_MANUAL;
    struct line_field fields[4] = {
        {SPAN("quality"), {.type = LINE_STRING, .s = span_of(qualities[quarter->quality])}},
        {SPAN("coverage"), {.type = LINE_FLOAT, .f = is_covered ? 1 : 0}}};
    size_t count = 2;
    if (quarter->quality != QUALITY_UNKNOWN) {
        fields[count++] = (struct line_field){SPAN("count"), {.type = LINE_INT, .i = quarter->amount}};
        fields[count++] = (struct line_field){
            SPAN("amount"), {.type = LINE_FLOAT, .f = (double)quarter->amount / unit_of(meter->carrier)}};
    }
    return line_write(
        out, SPAN("energy"), tags, sizeof tags / sizeof tags[0], fields, count, quarter->start_ms, err);
}

enum status energy_row_put(struct db *db, const struct park_meter *meter, const struct quarter *quarter,
    int64_t version, struct error *err)
{
    struct buf line = {0}, series = {0};
    buf_printf(&series, "energy,meter=%s", meter->id);
    bool clears = version > 1 || quarter->quality == QUALITY_UNKNOWN;
    enum status status = write_line(&line, meter, quarter, err);
    if (status == ST_OK)
        status = outbox_put_over(db, (struct span){series.data, series.len}, quarter->start_ms,
            clears ? BOUNDARY_MS : 0, (struct span){line.data, line.len}, err);
    buf_release(&series);
    buf_release(&line);
    return status;
}
