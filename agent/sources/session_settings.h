/* Settings of source session. */
#pragma once

#include "agent/sources/subscriber.h"
#include "lib/conf.h"

#define SESSION_INSTRUMENTS_MAX 1000

struct session_instrument {
    struct conf_where where;
    char *name;       /* in events */
    char *point;      /* on the wire */
    int64_t alive_ms; /* 0 = it speaks on events only */
};

struct session_settings {
    struct conf_where where;
    char *socket; /* NULL = none */
    char *topic;  /* NULL = no broker */
    struct link_settings broker;
    struct conf_list purposes;    /* char *; what an event may say */
    struct conf_list instruments; /* struct session_instrument */
};

extern const struct conf_section session_source_section;
