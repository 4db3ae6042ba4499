#include "collector/deciding_words.h"

#include "lib/number.h"
#include "lib/rfc3339.h"
#include "lib/text.h"

#include <string.h>

#define BIT(word) (1u << (word))

static const char *const names[WORDS] = {[WORD_KIND] = "kind",
    [WORD_METER] = "meter",
    [WORD_FROM] = "from",
    [WORD_UNTIL] = "until",
    [WORD_AT] = "at",
    [WORD_END] = "end",
    [WORD_START] = "start",
    [WORD_SERIAL] = "serial",
    [WORD_MODULUS] = "modulus",
    [WORD_RESOLUTION] = "resolution",
    [WORD_MAX_RATE] = "max_rate",
    [WORD_RATIO] = "ratio",
    [WORD_ENERGY] = "energy",
    [WORD_REGISTER] = "register",
    [WORD_UNDO] = "undo",
    [WORD_FORCE] = "force",
    [WORD_WHY] = "why"};

#define TEXT_WORDS                                                                                           \
    (BIT(WORD_KIND) | BIT(WORD_METER) | BIT(WORD_FROM) | BIT(WORD_UNTIL) | BIT(WORD_AT) | BIT(WORD_SERIAL) | \
        BIT(WORD_RATIO) | BIT(WORD_WHY))
#define ALWAYS (BIT(WORD_KIND) | BIT(WORD_WHY))
#define REGISTER_WORDS (BIT(WORD_MODULUS) | BIT(WORD_RESOLUTION) | BIT(WORD_MAX_RATE) | BIT(WORD_RATIO))

static const struct kind {
    enum ruling_kind kind;
    unsigned needed, allowed; /* beside ALWAYS; `allowed` beside `needed` */
} kinds[] = {
    {RULING_OUTLIER, BIT(WORD_METER) | BIT(WORD_FROM) | BIT(WORD_UNTIL), 0},
    {RULING_RESET, BIT(WORD_METER) | BIT(WORD_AT) | BIT(WORD_END) | BIT(WORD_START), BIT(WORD_FORCE)},
    {RULING_REPLACED, BIT(WORD_METER) | BIT(WORD_AT) | BIT(WORD_END) | BIT(WORD_START),
        BIT(WORD_SERIAL) | BIT(WORD_FORCE) | REGISTER_WORDS},
    {RULING_ENERGY, BIT(WORD_METER) | BIT(WORD_FROM) | BIT(WORD_UNTIL) | BIT(WORD_ENERGY), BIT(WORD_FORCE)},
    {RULING_READING, BIT(WORD_METER) | BIT(WORD_AT) | BIT(WORD_REGISTER), BIT(WORD_FORCE)},
    {RULING_WITHDRAWAL, BIT(WORD_UNDO), 0},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

const char *deciding_word_name(enum deciding_word word)
{
    return names[word];
}

bool deciding_word_is_text(enum deciding_word word)
{
    return (TEXT_WORDS & BIT(word)) != 0;
}

int deciding_word_find(const char *name)
{
    for (int i = 0; i < WORDS; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

static const struct kind *find_kind(const char *name)
{
    for (size_t i = 0; name != NULL && i < KINDS; i++)
        if (strcmp(decided_kind_name(kinds[i].kind), name) == 0)
            return &kinds[i];
    return NULL;
}

static enum status check_words(const struct deciding_words *words, const struct kind *kind, struct error *err)
{
    for (unsigned i = 0; i < WORDS; i++) {
        bool is_said = words->texts[i] != NULL;
        if (!is_said && (kind->needed | ALWAYS) & BIT(i))
            return error_set(
                err, ST_INVALID, "%s is missing; expected with %s", names[i], decided_kind_name(kind->kind));
        if (is_said && !((kind->needed | kind->allowed | ALWAYS) & BIT(i)))
            return error_set(
                err, ST_INVALID, "%s does not go with %s", names[i], decided_kind_name(kind->kind));
    }
    return ST_OK;
}

static enum status read_text(
    const struct deciding_words *words, enum deciding_word word, size_t max, struct error *err)
{
    struct span s = span_of(words->texts[word]);
    if (s.len == 0 || s.len > max || !text_is_utf8(s) || text_has_control(s) || strspn(s.at, " ") == s.len)
        return error_set(err, ST_INVALID, "%s is not a text of 1 to %zu bytes", names[word], max);
    return ST_OK;
}

static enum status read_time(
    const struct deciding_words *words, enum deciding_word word, int64_t *ret, struct error *err)
{
    const char *text = words->texts[word];
    if (text == NULL || rfc3339_parse(text, ret))
        return ST_OK;
    return error_set(err, ST_INVALID,
        "%s: \"%.40s\" is not a time; expected one like 2026-01-01T10:15:00+08:00", names[word], text);
}

static enum status read_number(
    const struct deciding_words *words, enum deciding_word word, int64_t *ret, struct error *err)
{
    const char *text = words->texts[word];
    if (text == NULL || number_parse_int64(text, strlen(text), ret))
        return ST_OK;
    return error_set(err, ST_INVALID, "%s: \"%.40s\" is not a whole number of base units", names[word], text);
}

static enum status read_ratio(const struct deciding_words *words, struct segment *next, struct error *err)
{
    struct fraction ratio;
    const char *text = words->texts[WORD_RATIO];
    if (text == NULL)
        return ST_OK;
    if (!fraction_parse(text, &ratio) || ratio.num < 1)
        return error_set(err, ST_INVALID, "ratio: \"%.40s\" is not one like 1000/5", text);
    next->p = ratio.num;
    next->q = ratio.den;
    return ST_OK;
}

static enum status read_force(const struct deciding_words *words, bool *ret, struct error *err)
{
    const char *text = words->texts[WORD_FORCE];
    *ret = text != NULL && strcmp(text, "true") == 0;
    if (text == NULL || *ret || strcmp(text, "false") == 0)
        return ST_OK;
    return error_set(err, ST_INVALID, "force: \"%.40s\" is neither true nor false", text);
}

static enum status read_span(const struct deciding_words *words, struct ruling *r, struct error *err)
{
    enum status status = read_time(words, WORD_FROM, &r->from_ms, err);
    if (status == ST_OK)
        status = read_time(words, WORD_UNTIL, &r->until_ms, err);
    if (status == ST_OK && words->texts[WORD_AT] != NULL) {
        status = read_time(words, WORD_AT, &r->from_ms, err);
        r->until_ms = r->from_ms;
    }
    if (status == ST_OK && r->until_ms < r->from_ms)
        status = error_set(err, ST_INVALID, "until is before from");
    return status;
}

static enum status read_numbers(const struct deciding_words *words, struct deciding *d, struct error *err)
{
    struct ruling *r = &d->decided.ruling;
    const struct {
        enum deciding_word word;
        int64_t *to;
    } numbers[] = {{WORD_END, &r->end}, {WORD_START, &r->next.start}, {WORD_MODULUS, &r->next.modulus},
        {WORD_RESOLUTION, &r->next.resolution}, {WORD_MAX_RATE, &r->next.max_rate}, {WORD_ENERGY, &r->energy},
        {WORD_REGISTER, &r->count}, {WORD_UNDO, &d->decided.withdraws}};
    enum status status = ST_OK;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0] && status == ST_OK; i++)
        status = read_number(words, numbers[i].word, numbers[i].to, err);
    return status;
}

enum status deciding_read(const struct deciding_words *words, struct deciding *ret, struct error *err)
{
    const struct kind *kind = find_kind(words->texts[WORD_KIND]);
    if (kind == NULL)
        return error_set(
            err, ST_INVALID, "kind is none of outlier, reset, replacement, energy, reading and undo");
    struct deciding d = {.meter = words->texts[WORD_METER],
        .decided = {.ruling = {.kind = kind->kind},
            .serial = words->texts[WORD_SERIAL],
            .why = words->texts[WORD_WHY]},
        .has_modulus = words->texts[WORD_MODULUS] != NULL,
        .has_resolution = words->texts[WORD_RESOLUTION] != NULL,
        .has_max_rate = words->texts[WORD_MAX_RATE] != NULL,
        .has_ratio = words->texts[WORD_RATIO] != NULL};
    enum status status = check_words(words, kind, err);
    if (status == ST_OK)
        status = read_text(words, WORD_WHY, DECIDING_WHY_MAX, err);
    if (status == ST_OK && d.decided.serial != NULL)
        status = read_text(words, WORD_SERIAL, DECIDING_SERIAL_MAX, err);
    if (status == ST_OK)
        status = read_span(words, &d.decided.ruling, err);
    if (status == ST_OK)
        status = read_numbers(words, &d, err);
    if (status == ST_OK)
        status = read_ratio(words, &d.decided.ruling.next, err);
    if (status == ST_OK)
        status = read_force(words, &d.decided.is_forced, err);
    if (status == ST_OK)
        *ret = d;
    return status;
}
