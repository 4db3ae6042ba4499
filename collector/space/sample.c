#include "collector/space/sample.h"

static void emit(const struct level_sink *sink, int64_t from_ms, int64_t until_ms, int64_t level)
{
    if (from_ms < until_ms)
        sink->emit(
            sink->context, &(struct level_piece){.from_ms = from_ms, .until_ms = until_ms, .level = level});
}

int64_t sample_gap_ms(enum sample_telling telling, int64_t gap_ms)
{
    return telling == SAMPLE_ON_CHANGE && gap_ms < SAMPLE_TOLD_GAP_MS ? SAMPLE_TOLD_GAP_MS : gap_ms;
}

/* Until when the reading speaks: its own time where the next one is too late. */
static int64_t speaks_until(
    const struct sample *samples, size_t count, size_t i, int64_t gap_ms, int64_t until_ms)
{
    int64_t next_ms = i + 1 < count && samples[i + 1].time_ms < until_ms ? samples[i + 1].time_ms : until_ms;
    return next_ms - samples[i].time_ms <= sample_gap_ms(samples[i].telling, gap_ms) ? next_ms
                                                                                     : samples[i].time_ms;
}

void sample_count(const struct sample *samples, size_t count, int64_t gap_ms, int64_t until_ms,
    const struct level_sink *sink)
{
    for (size_t i = 0; i < count; i++)
        emit(sink, samples[i].time_ms, speaks_until(samples, count, i, gap_ms, until_ms),
            samples[i].persons * LEVEL_PERSON);
}

static int64_t later(int64_t a_ms, int64_t b_ms)
{
    return a_ms > b_ms ? a_ms : b_ms;
}

void sample_presence(const struct sample *samples, size_t count, int64_t hold_ms, int64_t gap_ms,
    int64_t until_ms, const struct level_sink *sink)
{
    int64_t held_ms = INT64_MIN; /* somebody is taken to be there until then */
    for (size_t i = 0; i < count; i++) {
        int64_t from_ms = samples[i].time_ms;
        int64_t end_ms = speaks_until(samples, count, i, gap_ms, until_ms);
        if (samples[i].persons > 0) {
            held_ms = later(end_ms, (samples[i].telling == SAMPLE_ON_CHANGE ? end_ms : from_ms) + hold_ms);
            emit(sink, from_ms, end_ms, LEVEL_PERSON);
            continue;
        }
        int64_t free_ms = later(from_ms, held_ms < end_ms ? held_ms : end_ms);
        emit(sink, from_ms, free_ms, LEVEL_PERSON);
        emit(sink, free_ms, end_ms, 0);
    }
}
