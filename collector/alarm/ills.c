#include "collector/alarm/ills.h"

#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/text.h"

#include <string.h>

const char *const ills_levels[] = {"degraded", "failing", NULL};

/* The next of codes by commas; false: there is none. */
static bool next_code(struct span *rest, struct span *ret)
{
    size_t len = 0;
    while (len < rest->len && rest->at[len] != ',')
        len++;
    *ret = (struct span){rest->at, len};
    size_t used = len < rest->len ? len + 1 : len;
    *rest = (struct span){rest->at + used, rest->len - used};
    return len > 0;
}

static bool has_code(const char *codes, struct span code)
{
    struct span rest = span_of(codes), one;
    while (next_code(&rest, &one))
        if (one.len == code.len && memcmp(one.at, code.at, one.len) == 0)
            return true;
    return false;
}

static const struct ill *find(const struct ills *i, struct span code)
{
    for (size_t n = 0; n < i->count; n++)
        if (span_is(code, i->seen[n].code))
            return &i->seen[n];
    return NULL;
}

static void see(struct ills *i, const char *codes, int64_t mono_ms)
{
    struct span rest = span_of(codes), code;
    while (next_code(&rest, &code))
        if (find(i, code) == NULL && i->count < ILLS_MAX)
            text_copy(i->seen[i->count++].code, ILLS_CODE_SIZE, code);
    for (size_t n = 0; n < i->count; n++) {
        struct ill *one = &i->seen[n];
        bool is_so = has_code(codes, span_of(one->code));
        if (is_so != one->is_so)
            one->since_mono_ms = mono_ms;
        one->is_so = is_so;
    }
}

static void shift(struct ills *i, int64_t ms)
{
    for (int level = 0; level < ILLS_LEVELS; level++)
        i->since_mono_ms[level] += ms;
    for (size_t n = 0; n < i->count; n++)
        i->seen[n].since_mono_ms += ms;
    i->begin_mono_ms += ms;
}

void ills_take(struct ills *i, int reached, const char *codes, int64_t mono_ms)
{
    if (i->is_known && mono_ms - i->taken_mono_ms > ILLS_GAP_MS)
        shift(i, mono_ms - i->taken_mono_ms - ILLS_GAP_MS);
    i->taken_mono_ms = mono_ms;
    for (int level = 0; level < ILLS_LEVELS; level++) {
        bool is_so = reached > level;
        if (!i->is_known || i->is_so[level] != is_so)
            i->since_mono_ms[level] = mono_ms;
        i->is_so[level] = is_so;
    }
    if (!i->is_known)
        i->begin_mono_ms = mono_ms;
    i->is_known = true;
    text_copy(i->codes, sizeof i->codes, span_of(codes));
    see(i, codes, mono_ms);
}

static void add(struct buf *to, struct span code)
{
    buf_printf(to, "%s%.*s", to->len > 0 ? "," : "", (int)code.len, code.at);
}

/* What of `told` is so, or is over for less than that. */
static void add_told(const struct ills *i, const char *told, int64_t less_than_ms, struct buf *to)
{
    struct span rest = span_of(told), code;
    while (next_code(&rest, &code)) {
        const struct ill *one = find(i, code);
        int64_t over_ms = i->taken_mono_ms - (one != NULL ? one->since_mono_ms : i->begin_mono_ms);
        if ((one != NULL && one->is_so) || over_ms < less_than_ms)
            add(to, code);
    }
}

#define NO_STORE "store_starting,store_configuration,store_unavailable"
static const struct {
    const char *code, *causes;
} followers[] = {{"store_backlog", NO_STORE}, {"store_uncounted", NO_STORE},
    {"alarms_off", "collector_clock,collector_clock_ahead"}};

/* Whoever knows of the cause knows of it, until it stands alone for `for`. */
static bool follows(const struct ills *i, const char *code, int64_t for_ms)
{
    struct span cause;
    for (size_t n = 0; n < sizeof followers / sizeof followers[0]; n++) {
        struct span rest = span_of(followers[n].causes);
        while (strcmp(code, followers[n].code) == 0 && next_code(&rest, &cause)) {
            const struct ill *one = find(i, cause);
            if (one != NULL && (one->is_so || i->taken_mono_ms - one->since_mono_ms < for_ms))
                return true;
        }
    }
    return false;
}

void ills_now(const struct ills *i, const char *told, const struct ills_times *times, struct ills_word *ret)
{
    struct buf now = {0}, all = {0};
    *ret = (struct ills_word){0};
    add_told(i, told, times->clear_for_ms, &now);
    add_told(i, told, times->again_ms > times->clear_for_ms ? times->again_ms : times->clear_for_ms, &all);
    for (size_t n = 0; n < i->count; n++) {
        const struct ill *one = &i->seen[n];
        struct span code = span_of(one->code);
        if (!one->is_so || i->taken_mono_ms - one->since_mono_ms < times->for_ms || has_code(told, code))
            continue;
        add(&now, code);
        if (follows(i, one->code, times->for_ms))
            continue;
        add(&all, code);
        ret->is_news = true;
    }
    ret->told = mem_strdup(all.len > 0 ? all.data : "");
    ret->now = mem_strdup(now.len > 0 ? now.data : i->codes);
    buf_release(&now);
    buf_release(&all);
}
