/*
 * Folds readings from standard input with the collector's ledger and prints quarter hours and events, in the words
 * of the slow model that it is compared with (tests/oracle/README.md has the text). Exit codes: 0; 64 for input
 * that does not keep to the text, with the line that does not.
 */
#include "lib/number.h"
#include "lib/status.h"
#include "tests/unit/ledger_book.h"

#include <inttypes.h>
#include <stdio.h>

#define FIELDS 16
#define TIME_MAX INT64_C(253402300799999)

struct fold {
    struct book book;
    struct segment *segments;
    size_t segment_count, segment_capacity;
    struct unwrap_reading *conflicts; /* what came for times that were taken, each once */
    size_t conflict_count, conflict_capacity;
    struct ruling *decisions;
    size_t decision_count, decision_capacity;
    int64_t max_gap_ms, from_ms, until_ms;
    bool is_open, is_reading, is_ended;
    int64_t line;
};

static _Noreturn void refuse(const struct fold *f, const char *what)
{
    fprintf(stderr, "ledger_fold: line %" PRId64 ": %s\n", f->line, what);
    exit(EXIT_USAGE);
}

static int64_t number(const struct fold *f, const char *text, int64_t least, int64_t most)
{
    int64_t value;
    if (!number_parse_int64(text, strlen(text), &value) || value < least || value > most)
        refuse(f, "a number that is none, or out of range");
    return value;
}

/* The value of "name=value". */
static const char *value_of(const struct fold *f, const char *field, const char *name)
{
    size_t length = strlen(name);
    if (strncmp(field, name, length) != 0 || field[length] != '=')
        refuse(f, "not the field that stands here");
    return field + length + 1;
}

static int64_t field(
    const struct fold *f, char **fields, int at, const char *name, int64_t least, int64_t most)
{
    return number(f, value_of(f, fields[at], name), least, most);
}

/* "-" is none. */
static bool optional(
    const struct fold *f, char **fields, int at, const char *name, int64_t least, int64_t most, int64_t *ret)
{
    const char *text = value_of(f, fields[at], name);
    if (strcmp(text, "-") == 0)
        return false;
    *ret = number(f, text, least, most);
    return true;
}

static void take_meter(struct fold *f, char **fields)
{
    f->max_gap_ms = field(f, fields, 1, "max_gap", 0, INT64_MAX);
    f->segment_count = f->conflict_count = f->decision_count = 0;
    f->is_open = true;
    f->is_reading = f->is_ended = false;
}

static struct ruling *add_decision(struct fold *f, enum ruling_kind kind, char **fields)
{
    MEM_GROW(f->decisions, f->decision_count, f->decision_capacity);
    struct ruling *d = &f->decisions[f->decision_count++];
    int64_t time_ms = number(f, fields[1], -TIME_MAX, TIME_MAX);
    *d = (struct ruling){.kind = kind, .from_ms = time_ms, .until_ms = time_ms};
    return d;
}

static void take_outlier(struct fold *f, char **fields)
{
    add_decision(f, RULING_OUTLIER, fields)->time_count = 1; /* ->times when all are there: they move */
}

static void take_replaced(struct fold *f, char **fields)
{
    struct ruling *d = add_decision(f, RULING_REPLACED, fields);
    d->end = field(f, fields, 2, "end", INT64_MIN, INT64_MAX);
    d->next.start = field(f, fields, 3, "start", INT64_MIN, INT64_MAX);
    optional(f, fields, 4, "modulus", 1, INT64_MAX, &d->next.modulus);
    d->next.resolution = field(f, fields, 5, "resolution", 1, INT64_MAX);
    d->next.max_rate = field(f, fields, 6, "max_rate", 0, SEGMENT_RATE_MAX);
    d->next.p = field(f, fields, 7, "p", 1, SEGMENT_RATIO_MAX);
    d->next.q = field(f, fields, 8, "q", 1, SEGMENT_RATIO_MAX);
}

static void take_stated(struct fold *f, char **fields)
{
    struct ruling *d = add_decision(f, RULING_ENERGY, fields);
    d->until_ms = number(f, fields[2], d->from_ms + 1, TIME_MAX);
    d->energy = number(f, fields[3], 0, INT64_MAX);
}

static void take_by_hand(struct fold *f, char **fields)
{
    add_decision(f, RULING_READING, fields)->count = number(f, fields[2], INT64_MIN, INT64_MAX);
}

static void take_segment(struct fold *f, char **fields)
{
    if (f->is_reading)
        refuse(f, "a segment after readings");
    struct segment s = {.until_ms = INT64_MAX};
    s.from_ms = field(f, fields, 1, "from", -TIME_MAX, TIME_MAX);
    optional(f, fields, 2, "until", -TIME_MAX, TIME_MAX, &s.until_ms);
    s.has_start = optional(f, fields, 3, "start", INT64_MIN, INT64_MAX, &s.start);
    s.has_end = optional(f, fields, 4, "end", INT64_MIN, INT64_MAX, &s.end);
    optional(f, fields, 5, "modulus", 1, INT64_MAX, &s.modulus);
    s.resolution = field(f, fields, 6, "resolution", 1, INT64_MAX);
    s.max_rate = field(f, fields, 7, "max_rate", 0, SEGMENT_RATE_MAX);
    s.p = field(f, fields, 8, "p", 1, SEGMENT_RATIO_MAX);
    s.q = field(f, fields, 9, "q", 1, SEGMENT_RATIO_MAX);
    if (segment_problem(&s) != NULL)
        refuse(f, segment_problem(&s));
    if (f->segment_count > 0 && f->segments[f->segment_count - 1].until_ms != s.from_ms)
        refuse(f, "a segment that does not begin where the one before ends");
    MEM_GROW(f->segments, f->segment_count, f->segment_capacity);
    f->segments[f->segment_count++] = s;
}

static void take_reading(struct fold *f, char **fields)
{
    if (!f->is_reading) {
        if (f->segment_count == 0)
            refuse(f, "a reading of a meter without a segment");
        book_init(&f->book, (struct segments){f->segments, (int64_t)f->segment_count}, f->max_gap_ms);
        f->is_reading = true;
    }
    struct unwrap_reading reading = {.time_ms = number(f, fields[1], -TIME_MAX, TIME_MAX),
        .count = number(f, fields[2], INT64_MIN, INT64_MAX)};
    if (book_insert(&f->book, reading))
        return;
    if (f->book.readings[book_find(&f->book, reading.time_ms)].count == reading.count)
        return;
    for (size_t i = 0; i < f->conflict_count; i++)
        if (f->conflicts[i].time_ms == reading.time_ms && f->conflicts[i].count == reading.count)
            return;
    MEM_GROW(f->conflicts, f->conflict_count, f->conflict_capacity);
    f->conflicts[f->conflict_count++] = reading;
}

struct line {
    const char *kind;
    int64_t from_ms, until_ms; /* INT64_MAX: none */
};

struct lines {
    struct line *items;
    size_t count, capacity;
};

static void add(struct lines *lines, const char *kind, int64_t from_ms, int64_t until_ms)
{
    MEM_GROW(lines->items, lines->count, lines->capacity);
    lines->items[lines->count++] = (struct line){kind, from_ms, until_ms};
}

static int by_time(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    if (x->from_ms != y->from_ms)
        return x->from_ms < y->from_ms ? -1 : 1;
    if (x->until_ms != y->until_ms)
        return x->until_ms < y->until_ms ? -1 : 1;
    return strcmp(x->kind, y->kind);
}

static const char *kind_name(enum event_kind kind)
{
    switch (kind) {
    case EVENT_FROZEN:
        return "frozen";
    case EVENT_ROLLOVER:
        return "rollover";
    case EVENT_EXCEPTION:
        return "open_exception";
    case EVENT_LIMIT:
        return "limit";
    case EVENT_CONFIRM:
        return "confirm_meter";
    case EVENT_STATED:
        return "stated";
    case EVENT_STEP:
    case EVENT_BASELINE:
    case EVENT_OUTLIERS:
    case EVENT_WITHDRAWN:
    case EVENT_OUTSIDE:
    case EVENT_QUARANTINED:
        break;
    }
    abort();
}

static void add_pending(struct lines *lines, const struct book *book)
{
    struct unwrap_pending pending = unwrap_pending(&book->unwrap, &book->segments);
    switch (pending.kind) {
    case UNWRAP_DECIDED:
        break;
    case UNWRAP_HELD:
        add(lines, "held", pending.from_ms, pending.until_ms);
        break;
    case UNWRAP_EXCEPTION:
        add(lines, "open_exception", pending.from_ms, INT64_MAX);
        break;
    case UNWRAP_LIMIT:
        add(lines, "limit", pending.from_ms, INT64_MAX);
        break;
    case UNWRAP_CONFIRM:
        add(lines, "confirm_meter", pending.from_ms, INT64_MAX);
        break;
    }
}

static void print_events(const struct fold *f)
{
    static const char *const verdicts[] = {NULL, "outlier", "outside", "quarantined"};
    const struct book *book = &f->book;
    struct lines lines = {0};
    for (size_t i = 0; i < f->conflict_count; i++)
        add(&lines, "conflict", f->conflicts[i].time_ms, f->conflicts[i].time_ms);
    for (size_t i = 0; i < book->count; i++)
        if (book->verdicts[i] != BOOK_NOTHING)
            add(&lines, verdicts[book->verdicts[i]], book->readings[i].time_ms, book->readings[i].time_ms);
    for (size_t i = 0; i < book->span_count; i++)
        if (!book_is_hidden(book, &book->spans[i]))
            add(&lines, kind_name(book->spans[i].kind), book->spans[i].from_ms, book->spans[i].until_ms);
    add_pending(&lines, book);
    if (lines.count > 0)
        qsort(lines.items, lines.count, sizeof *lines.items, by_time);
    for (size_t i = 0; i < lines.count; i++) {
        printf("event %s %" PRId64, lines.items[i].kind, lines.items[i].from_ms);
        if (lines.items[i].until_ms == INT64_MAX)
            puts(" -");
        else
            printf(" %" PRId64 "\n", lines.items[i].until_ms);
    }
    free(lines.items);
}

static void print_quarters(const struct book *book)
{
    static const char *const qualities[] = {"measured", "estimated", "manual", "unknown"};
    for (size_t i = 0; i + 1 < book->boundary_count; i++) {
        struct quarter quarter = book_quarter(book, i);
        printf("quarter %" PRId64 " ", quarter.start_ms);
        if (quarter.quality == QUALITY_UNKNOWN)
            puts("- unknown");
        else
            printf("%" PRId64 " %s\n", quarter.amount, qualities[quarter.quality]);
    }
}

static void take_quarters(struct fold *f, char **fields)
{
    int64_t from_ms = number(f, fields[1], -TIME_MAX, TIME_MAX),
            until_ms = number(f, fields[2], from_ms, TIME_MAX);
    if (from_ms % BOUNDARY_MS != 0 || until_ms % BOUNDARY_MS != 0)
        refuse(f, "a period that is not of whole quarter hours");
    if (!f->is_reading) {
        book_init(&f->book, (struct segments){f->segments, (int64_t)f->segment_count}, f->max_gap_ms);
        f->is_reading = true;
    }
    book_period(&f->book, from_ms, until_ms);
    f->is_ended = true;
}

static bool has_reading(const struct book *b, int64_t time_ms)
{
    size_t at = book_find(b, time_ms);
    return at < b->count && b->readings[at].time_ms == time_ms;
}

static bool is_stated(const struct book *b, const struct ruling *d)
{
    for (size_t i = 0; i < b->span_count; i++)
        if (b->spans[i].kind == EVENT_STATED && b->spans[i].from_ms == d->from_ms &&
            b->spans[i].until_ms == d->until_ms)
            return true;
    return false;
}

/* `had_reading`: by decision, whether its time had one before. */
static void print_idle(const struct fold *f, const struct overlay *o, const bool *had_reading)
{
    struct lines lines = {0};
    for (size_t i = 0; i < f->decision_count; i++) {
        const struct ruling *d = &f->decisions[i];
        bool is_idle = d->kind == RULING_OUTLIER   ? !had_reading[i]
                       : d->kind == RULING_READING ? had_reading[i]
                       : d->kind == RULING_ENERGY  ? !is_stated(&f->book, d)
                                                   : o->is_idle[i];
        if (is_idle)
            add(&lines, "", d->from_ms, d->until_ms);
    }
    if (lines.count > 0)
        qsort(lines.items, lines.count, sizeof *lines.items, by_time);
    for (size_t i = 0; i < lines.count; i++)
        printf("idle %" PRId64 " %" PRId64 "\n", lines.items[i].from_ms, lines.items[i].until_ms);
    free(lines.items);
}

static void take_end(struct fold *f, char **fields)
{
    (void)fields;
    if (!f->is_ended)
        refuse(f, "an end without quarters");
    struct overlay overlay;
    bool *had_reading = mem_zalloc((f->decision_count + 1) * sizeof *had_reading);
    for (size_t i = 0; i < f->decision_count; i++) {
        f->decisions[i].times = &f->decisions[i].from_ms;
        had_reading[i] = has_reading(&f->book, f->decisions[i].from_ms);
    }
    overlay_init(&overlay, &f->book.segments, &(struct rulings){f->decisions, f->decision_count});
    book_decide(&f->book, &overlay);
    book_fold(&f->book);
    print_quarters(&f->book);
    print_events(f);
    print_idle(f, &overlay, had_reading);
    puts("end");
    book_release(&f->book);
    overlay_release(&overlay);
    free(had_reading);
    f->is_open = false;
}

static void take_line(struct fold *f, char *text)
{
    static const struct {
        const char *word;
        int fields;
        bool is_before_quarters;
        void (*take)(struct fold *f, char **fields);
    } kinds[] = {
        {"meter", 2, true, take_meter},
        {"segment", 10, true, take_segment},
        {"reading", 3, true, take_reading},
        {"outlier", 2, true, take_outlier},
        {"replaced", 9, true, take_replaced},
        {"stated", 4, true, take_stated},
        {"byhand", 3, true, take_by_hand},
        {"quarters", 3, true, take_quarters},
        {"end", 1, false, take_end},
    };
    char *fields[FIELDS], *rest = text;
    int count = 0;
    while (count < FIELDS && (fields[count] = strsep(&rest, " ")) != NULL)
        count++;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (count != kinds[i].fields || strcmp(fields[0], kinds[i].word) != 0)
            continue;
        if ((i == 0) == f->is_open || (f->is_open && kinds[i].is_before_quarters && f->is_ended))
            refuse(f, "a line that does not belong here");
        kinds[i].take(f, fields);
        return;
    }
    refuse(f, "not a line of the text");
}

int main(void)
{
    struct fold f = {0};
    char *text = NULL;
    size_t size = 0;
    ssize_t length;
    while ((length = getline(&text, &size, stdin)) >= 0) {
        f.line++;
        if (length == 0 || text[length - 1] != '\n')
            refuse(&f, "a line without an end");
        text[length - 1] = '\0';
        take_line(&f, text);
    }
    if (f.is_open)
        refuse(&f, "a meter without an end");
    free(text);
    free(f.segments);
    free(f.conflicts);
    free(f.decisions);
    return fflush(stdout) == 0 ? EXIT_OK : EXIT_IO;
}
