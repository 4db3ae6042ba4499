/*
 * What is wrong with a gateway, told to people: one line in the log for each gateway and kind of trouble, which
 * names the gateway and what to do, and comes again with growing pauses however many messages cause it. One
 * that misbehaves thereby hides no other. Core thread.
 */
#pragma once

#include "lib/id.h"
#include "lib/log.h"

#include <stddef.h>

enum trouble {
    TROUBLE_UNREADABLE, /* a payload that is not a batch */
    TROUBLE_QUARANTINE,
    TROUBLE_LOSS,
    TROUBLE_FLOOD,    /* over its share of the inbox */
    TROUBLE_RETAINED, /* a batch that the broker keeps */
    TROUBLE_STATE,    /* a `state` that is none */
    TROUBLE_KINDS
};

struct troubles {
    struct trouble_gateway *items;
    size_t count, capacity;
};

void troubles_release(struct troubles *t);
/* `why` goes into the line. A gateway takes some memory once it is in trouble: the caller bounds how many. */
void trouble_tell(
    struct troubles *t, const char *gateway, enum trouble kind, const char *why, int64_t now_mono_ms);
