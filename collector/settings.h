/* The settings of the collector (config/collector.cfg), as tables and as structs. */
#pragma once

#include "lib/conf.h"

struct collector_broker_settings {
    struct conf_where where;
    char *host;
    int64_t port;
    char *user;          /* default: park-collector */
    char *password_file; /* NULL = no password */
    int64_t keep_alive_ms;
    int64_t retry_max_ms;
};

struct database_settings {
    struct conf_where where;
    char *path;
    int64_t limit_mib;     /* at the limit the collector stops acknowledging */
    int64_t evidence_days; /* raw batches are kept this long after arrival, and until they are in the store */
    int64_t audit_years;   /* and their register readings this long, in the archive */
};

struct store_settings {
    struct conf_where where;
    char *url;
    char *database;
    char *user; /* NULL = no authentication */
    char *password_file;
    int64_t raw_retention_days; /* 0 = for ever */
    int64_t body_lines;         /* lines per write */
    int64_t timeout_ms;
    int64_t outbox_limit_mib; /* at the limit the collector stops acknowledging */
};

struct http_settings {
    struct conf_where where;
    char *address; /* a loopback address, where access is "loopback" */
    int64_t port;
    int access; /* index into: loopback, token; see collector/web/guard.h */
    char *name; /* by which browsers reach it beside the address; NULL = none */
    bool is_https;
    char *web; /* the folder of the pages' assets */
};

struct collector_settings {
    char *id;
    char *park;    /* the park model's file */
    char *factors; /* the file of conversion and emission factors; NULL = none */
    char *tariffs; /* the file of tariffs; NULL = none */
    char *alarms;  /* the file of the rules of alarms; NULL = none */
    int log_level;
    int clock; /* index into: kernel, trusted */
    struct collector_broker_settings broker;
    struct database_settings database;
    struct store_settings store;
    struct http_settings http;
};

extern const struct conf_section collector_section;
/* In bytes: the setting, but at most a quarter of the database's limit, whose rest is the journal's. */
int64_t collector_settings_outbox_limit(const struct collector_settings *settings);
struct conf *collector_settings_load(const char *path, struct collector_settings *ret);
/* Whether the files that a running collector needs can be read and written by this user: problems of `c`.
 * `status` does without. */
void collector_settings_check_access(struct conf *c, const struct collector_settings *settings);
