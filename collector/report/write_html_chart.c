/* Charts as SVG, by integers alone, so that the same figures give the same bytes everywhere. Colours are those of the
 * style sheet. */
#include "collector/report/write.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

#define WIDTH 2000
#define HEIGHT 400
#define LEFT 170
#define RIGHT 20
#define TOP 34
#define BOTTOM 60
#define TICKS_MAX 5
#define LABELS_MAX 12

struct chart {
    struct buf *out;
    int64_t low, high, step; /* of the axis, in units of the values; low <= 0 */
    int scale;               /* decimals of the values */
    size_t count;            /* places along the x axis */
};

static void find_axis(struct chart *c, int64_t least, int64_t greatest)
{
    static const int64_t steps[] = {1, 2, 5};
    __int128 range = (__int128)greatest - least, step = 1, power = 1;
    for (size_t i = 0; step * TICKS_MAX < range; i++) {
        if (i % 3 == 0 && i > 0)
            power *= 10;
        step = steps[i % 3] * power;
    }
    c->step = (int64_t)step;
    c->low = least < 0 ? -((-least + c->step - 1) / c->step) * c->step : 0;
    c->high = greatest > 0 ? (greatest + c->step - 1) / c->step * c->step : 0;
    if (c->high == c->low)
        c->high = c->low + c->step;
}

static int y_of(const struct chart *c, int64_t value)
{
    return TOP + (int)(((__int128)c->high - value) * (HEIGHT - TOP - BOTTOM) / (c->high - c->low));
}

/* The left edge of a place. */
static int x_of(const struct chart *c, size_t place)
{
    return LEFT + (int)(place * (WIDTH - LEFT - RIGHT) / c->count);
}

static void begin(const struct tables *tables, struct chart *c, const char *title, const char *unit)
{
    buf_add_str(c->out, "<figure>\n<figcaption>");
    buf_add_html(c->out, title);
    buf_add_str(c->out, "</figcaption>\n");
    buf_printf(c->out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
    buf_add_html(c->out, title);
    buf_add_str(c->out, "\">\n");
    for (int64_t value = c->low; value <= c->high; value += c->step) {
        struct cell cell = {.kind = CELL_NUMBER, .number = {value, c->scale}};
        char *text = table_show(tables, &cell);
        char *point = strchr(text, '.'); /* without the zeros at its end */
        if (point != NULL && strspn(point + 1, "0") == strlen(point + 1))
            *point = '\0';
        int y = y_of(c, value);
        buf_printf(c->out, "<line class=\"%s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>",
            value == 0 ? "zero" : "grid", LEFT, y, WIDTH - RIGHT, y);
        buf_printf(c->out, "<text class=\"y\" x=\"%d\" y=\"%d\">%s</text>\n", LEFT - 12, y + 8, text);
        free(text);
        if (c->step > INT64_MAX - value)
            break;
    }
    buf_printf(c->out, "<text class=\"unit\" x=\"%d\" y=\"%d\">%s</text>\n", 0, 20, unit);
}

static void end(struct chart *c)
{
    buf_add_str(c->out, "</svg>\n</figure>\n");
}

static void add_label(const struct chart *c, size_t place, const char *text, size_t length)
{
    buf_printf(c->out, "<text class=\"x\" x=\"%d\" y=\"%d\">%.*s</text>\n",
        (x_of(c, place) + x_of(c, place + 1)) / 2, HEIGHT - BOTTOM + 36, (int)length, text);
}

/* ---- the load curve: bars ---- */

enum { CURVE_CARRIER, CURVE_FROM, CURVE_UNTIL, CURVE_UNIT, CURVE_AMOUNT, CURVE_KNOWN };

/* Of a day the hour, of a year the month, else the day. */
static void label_bar(
    const struct tables *tables, const struct chart *c, size_t place, const struct cell *cells)
{
    char *text = table_show(tables, &cells[CURVE_FROM]);
    int64_t lasts_ms = cells[CURVE_UNTIL].time_ms - cells[CURVE_FROM].time_ms;
    if (lasts_ms > INT64_C(2) * 86400000)
        add_label(c, place, text, 7);
    else if (lasts_ms > INT64_C(2) * 3600000)
        add_label(c, place, text + 5, 5);
    else
        add_label(c, place, text + 11, 5);
    free(text);
}

static void add_bar(const struct chart *c, size_t place, const struct cell *cells)
{
    const struct cell *amount = &cells[CURVE_AMOUNT], *known = &cells[CURVE_KNOWN];
    bool is_known = amount->kind == CELL_NUMBER;
    if (!is_known && known->kind != CELL_NUMBER)
        return;
    int64_t value = is_known ? amount->number.value : known->number.value;
    int width = x_of(c, place + 1) - x_of(c, place), gap = width / 6 + 1;
    int from = y_of(c, value > 0 ? value : 0), until = y_of(c, value > 0 ? 0 : value);
    buf_printf(c->out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n",
        is_known ? "bar" : "bar part", x_of(c, place) + gap / 2, from, width - gap, until - from);
}

static void add_curve(
    const struct tables *tables, const struct table *curve, size_t first, size_t count, struct buf *out)
{
    struct chart c = {.out = out, .count = count};
    int64_t least = 0, greatest = 0;
    bool has_part = false;
    for (size_t i = first; i < first + count; i++) {
        const struct cell *cells = curve->rows[i].cells;
        const struct cell *cell =
            cells[CURVE_AMOUNT].kind == CELL_NUMBER ? &cells[CURVE_AMOUNT] : &cells[CURVE_KNOWN];
        has_part = has_part || cells[CURVE_AMOUNT].kind != CELL_NUMBER;
        if (cell->kind != CELL_NUMBER)
            continue;
        least = cell->number.value < least ? cell->number.value : least;
        greatest = cell->number.value > greatest ? cell->number.value : greatest;
        c.scale = cell->number.scale;
    }
    const char *carrier = words_of(tables->language, curve->rows[first].cells[CURVE_CARRIER].text);
    find_axis(&c, least, greatest);
    char *caption = has_part ? mem_printf("%s · ▨ %s", carrier, words_of(tables->language, "chart_part"))
                             : mem_strdup(carrier);
    begin(tables, &c, caption, curve->rows[first].cells[CURVE_UNIT].text);
    size_t each = (count + LABELS_MAX - 1) / LABELS_MAX;
    for (size_t i = 0; i < count; i++) {
        const struct cell *cells = curve->rows[first + i].cells;
        add_bar(&c, i, cells);
        if (i % each == 0)
            label_bar(tables, &c, i, cells);
    }
    end(&c);
    free(caption);
}

/* Rows from `first` on that are of one carrier. */
static size_t count_of_carrier(const struct table *table, size_t first)
{
    size_t count = 0;
    while (first + count < table->count &&
           strcmp(table->rows[first + count].cells[0].text, table->rows[first].cells[0].text) == 0)
        count++;
    return count;
}

void write_html_curve(const struct tables *tables, const struct table *curve, struct buf *out)
{
    for (size_t first = 0, count; first < curve->count; first += count) {
        count = count_of_carrier(curve, first);
        add_curve(tables, curve, first, count, out);
    }
}

/* ---- the mean day: two lines ---- */

enum { PROFILE_CARRIER, PROFILE_TIME, PROFILE_WORKDAY, PROFILE_WEEKEND };

/* Where nothing is known the line is broken. */
static void add_line(
    const struct chart *c, const struct table *profile, size_t first, int column, const char *class)
{
    bool is_down = false;
    buf_printf(c->out, "<path class=\"%s\" d=\"", class);
    for (size_t i = 0; i < c->count; i++) {
        const struct cell *cell = &profile->rows[first + i].cells[column];
        if (cell->kind == CELL_NUMBER)
            buf_printf(c->out, "%c%d %d", is_down ? 'L' : 'M', (x_of(c, i) + x_of(c, i + 1)) / 2,
                y_of(c, cell->number.value));
        is_down = cell->kind == CELL_NUMBER;
    }
    buf_add_str(c->out, "\"/>\n");
}

static void add_profile(
    const struct tables *tables, const struct table *profile, size_t first, size_t count, struct buf *out)
{
    struct chart c = {.out = out, .count = count, .scale = 3};
    int64_t least = 0, greatest = 0;
    for (size_t i = first; i < first + count; i++)
        for (int column = PROFILE_WORKDAY; column <= PROFILE_WEEKEND; column++) {
            const struct cell *cell = &profile->rows[i].cells[column];
            if (cell->kind != CELL_NUMBER)
                continue;
            least = cell->number.value < least ? cell->number.value : least;
            greatest = cell->number.value > greatest ? cell->number.value : greatest;
        }
    const char *carrier = words_of(tables->language, profile->rows[first].cells[PROFILE_CARRIER].text);
    find_axis(&c, least, greatest);
    char *caption = mem_printf("%s · ━ %s · ┅ %s", carrier, words_of(tables->language, "workday_kw"),
        words_of(tables->language, "weekend_kw"));
    begin(tables, &c, caption, "kW");
    for (size_t i = 0; i < count; i += 8)
        add_label(&c, i, profile->rows[first + i].cells[PROFILE_TIME].text, 5);
    add_line(&c, profile, first, PROFILE_WEEKEND, "line weekend");
    add_line(&c, profile, first, PROFILE_WORKDAY, "line workday");
    end(&c);
    free(caption);
}

void write_html_profile(const struct tables *tables, const struct table *profile, struct buf *out)
{
    for (size_t first = 0, count; first < profile->count; first += count) {
        count = count_of_carrier(profile, first);
        add_profile(tables, profile, first, count, out);
    }
}
