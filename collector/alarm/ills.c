#include "collector/alarm/ills.h"

#include "lib/buf.h"
#include "lib/text.h"

#include <string.h>

const char *const ills_levels[] = {"degraded", "failing", NULL};

void ills_take(struct ills *i, int reached, const char *codes, int64_t mono_ms)
{
    for (int level = 0; level < ILLS_LEVELS; level++) {
        bool is_so = reached > level;
        if (!i->is_known || i->is_so[level] != is_so)
            i->since_mono_ms[level] = mono_ms;
        i->is_so[level] = is_so;
    }
    i->is_known = true;
    text_copy(i->codes, sizeof i->codes, span_of(codes));
}

static bool has_code(const struct buf *codes, const char *code, size_t len)
{
    for (const char *at = codes->len > 0 ? codes->data : NULL; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strcspn(at, ",") == len && memcmp(at, code, len) == 0)
            return true;
    }
    return false;
}

static void add_codes(struct buf *to, const char *codes)
{
    for (size_t len; codes != NULL && (len = strcspn(codes, ",")) > 0;) {
        if (!has_code(to, codes, len))
            buf_printf(to, "%s%.*s", to->len > 0 ? "," : "", (int)len, codes);
        codes = codes[len] == ',' ? codes + len + 1 : NULL;
    }
}

char *ills_join(const char *codes, const char *more)
{
    struct buf all = {0};
    add_codes(&all, codes);
    add_codes(&all, more);
    return buf_take(&all);
}
