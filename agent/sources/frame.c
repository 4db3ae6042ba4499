#include "agent/sources/frame.h"

#include "lib/number.h"

#include <stdio.h>
#include <string.h>

enum frame_verdict frame_judge(const struct frame_mark *newest, const struct frame_mark *message)
{
    bool is_higher = message->frame > newest->frame;
    if (!newest->is_known)
        return FRAME_NEW;
    if (newest->time_ms != 0 && message->time_ms != 0) {
        if (message->time_ms < newest->time_ms || (message->time_ms == newest->time_ms && !is_higher))
            return FRAME_SEEN;
        return is_higher ? FRAME_NEW : FRAME_ANEW;
    }
    if (is_higher)
        return FRAME_NEW;
    return newest->frame - message->frame > FRAME_LATE_MAX ? FRAME_ANEW : FRAME_SEEN;
}

void frame_format(const struct frame_mark *mark, char text[static FRAME_TEXT_SIZE])
{
    snprintf(text, FRAME_TEXT_SIZE, "%lld %lld", (long long)mark->frame, (long long)mark->time_ms);
}

bool frame_parse(struct span text, struct frame_mark *ret)
{
    const char *blank = memchr(text.at, ' ', text.len);
    if (blank == NULL)
        return false;
    size_t before = (size_t)(blank - text.at);
    ret->is_known = true;
    return number_parse_int64(text.at, before, &ret->frame) &&
           number_parse_int64(blank + 1, text.len - before - 1, &ret->time_ms);
}
