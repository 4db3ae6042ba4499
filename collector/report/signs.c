#include "collector/report/signs.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

void signs_init(struct signs *s, const struct report_carrier *carrier, const struct park *park,
    struct periods_span span, enum part_kind last)
{
    *s = (struct signs){.carrier = carrier};
    part_cut(park, span, &s->stretches);
    size_t size = s->stretches.count * carrier->count + 1;
    s->is_there = mem_zalloc(size * sizeof *s->is_there);
    s->of = mem_zalloc(size * sizeof *s->of);
    for (size_t k = 0; k < s->stretches.count; k++)
        for (size_t i = 0; i < carrier->count; i++) {
            const struct part *part = &carrier->figures[i].part;
            s->is_there[k * carrier->count + i] =
                part->kind <= last && part_is_there(part, park, s->stretches.spans[k].begin_ms);
        }
}

void signs_release(struct signs *s)
{
    steps_release(&s->stretches);
    free(s->is_there);
    free(s->of);
    *s = (struct signs){0};
}

bool signs_look_at(struct signs *s, const struct park_meter *meter)
{
    size_t count = s->carrier->count;
    bool enters = false;
    for (size_t at = 0; at < s->stretches.count * count; at++) {
        int64_t time_ms = s->stretches.spans[at / count].begin_ms;
        int sign = s->is_there[at] ? part_sign(&s->carrier->figures[at % count].part, meter, time_ms) : 0;
        s->of[at] = (int8_t)sign;
        enters = enters || sign != 0;
    }
    return enters;
}

const int8_t *signs_in(const struct signs *s, size_t stretch)
{
    return &s->of[stretch * s->carrier->count];
}

struct periods_span signs_run(const struct signs *s, size_t *index)
{
    const int8_t *signs = signs_in(s, *index);
    struct periods_span span = s->stretches.spans[*index];
    while (++*index < s->stretches.count && memcmp(signs, signs_in(s, *index), s->carrier->count) == 0)
        span.end_ms = s->stretches.spans[*index].end_ms;
    return span;
}

bool signs_throughout(const struct signs *s, size_t figure, int *ret_sign)
{
    *ret_sign = s->stretches.count > 0 ? signs_in(s, 0)[figure] : 0;
    for (size_t k = 1; k < s->stretches.count; k++)
        if (signs_in(s, k)[figure] != *ret_sign)
            return false;
    return true;
}
