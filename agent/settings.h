/* The settings of an agent (config/agent.cfg), as tables and as structs. */
#pragma once

#include "agent/drivers/driver.h"
#include "agent/sources/source.h"
#include "lib/batch.h"
#include "lib/conf.h"

struct point_settings {
    struct conf_where where;
    char *name;  /* relative to the device's prefix; "" = the prefix itself */
    char *point; /* the full name on the wire, made from prefix and name */
    int kind;    /* enum reading_kind */
    const struct driver *driver;
    void *extra; /* the driver's point settings */
};

struct device_settings {
    struct conf_where where;
    char *name;
    char *prefix;
    char *map; /* a register map: a file with `points`, shared by devices of one make; NULL = none */
    int64_t every_ms;
    struct conf_list points; /* struct point_settings: its own, then the map's */
    const struct bus_settings *bus;
    const struct driver *driver;
    void *extra;
};

struct bus_settings {
    struct conf_where where;
    char *name;
    char *driver_name;
    const struct driver *driver;
    int64_t timeout_ms;
    struct conf_list devices; /* struct device_settings */
    void *extra;
};

struct source_settings {
    struct conf_where where;
    char *name;
    char *source_name;
    const struct source *source;
    void *extra; /* the source's settings */
};

struct broker_settings {
    struct conf_where where;
    char *host;
    int64_t port;
    char *user; /* default: the gateway's id */
    char *password_file;
    int64_t keep_alive_ms;
    int64_t retry_max_ms;
};

struct spool_settings {
    struct conf_where where;
    char *path;
    int64_t limit_mib;
    int64_t commit_ms; /* at most this much of answered readings is at risk when the agent is killed */
    int64_t
        probe_ms; /* silence after which the lowest unacknowledged batch is sent again; doubles to 10 min */
};

struct agent_settings {
    struct conf_where where;
    char *gateway;
    int clock;     /* index into: kernel, trusted */
    int log_level; /* enum log_level */
    struct broker_settings broker;
    struct spool_settings spool;
    struct conf_list buses;   /* struct bus_settings */
    struct conf_list sources; /* struct source_settings */
};

extern const struct conf_section agent_section;

/* The name on the wire: prefix and name with a dot between, where neither is empty. Lives as long as `c`. */
char *agent_point_name(struct conf *c, const char *prefix, const char *name);
/* For a name that point_is_valid refuses: the name, and POINT_MAX. */
#define POINT_PROBLEM \
    "makes the point \"%s\"; expected 1 to %d of a-z 0-9 . _ -, starting with a letter or digit"

/* --help-config: every key, those of each driver included. */
void agent_print_help(FILE *out);

/* Loads and cross-checks. Problems are in the returned conf. */
struct conf *agent_settings_load(const char *path, struct agent_settings *ret);
/* Whether the files that a delivering agent needs can be read and written by this user: problems of `c`.
 * `--once` does without. */
void agent_settings_check_access(struct conf *c, const struct agent_settings *settings);
