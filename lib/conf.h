/*
 * Settings by tables. A section is a table of keys (name, type, limits, default, help) over a struct of ours;
 * from the table alone follow parsing, defaults, messages, the refusal of unknown keys, --check and
 * --help-config. All mistakes of a file are found in one run and read "file:line: path: what is wrong; what
 * is expected".
 *
 *     struct broker { char *host; int64_t port; };
 *     static const struct conf_key broker_keys[] = {
 *         {"host", CONF_STRING, offsetof(struct broker, host), .is_required = true, .help = "name or address"},
 *         {"port", CONF_INT, offsetof(struct broker, port), .fallback = "1883", .min = 1, .max = 65535,
 *             .help = "TCP port"},
 *         {0}};
 *     static const struct conf_section broker_section = {"broker", sizeof(struct broker), broker_keys};
 */
#pragma once

#include "lib/line.h"
#include "lib/number.h"
#include "lib/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum conf_type {
    CONF_STRING, /* char *; NULL when absent without fallback */
    CONF_ID,     /* char *; a gateway or other id of the wire contract (lib/id.h) */
    CONF_POINT,  /* char *; a point of the wire contract */
    CONF_PATH, /* char *; a relative path is resolved against the folder of the settings file it stands in */
    CONF_INT,  /* int64_t in [min, max]; also an integer literal too large for 32 bits (with or without L) */
    CONF_SECONDS,  /* int64_t in milliseconds; written in seconds, integer or decimal fraction: 0.5, 10; [min,
                      max] in ms */
    CONF_BOOL,     /* bool */
    CONF_FRACTION, /* struct fraction; written as a string "0.01" or "1000/5", or an integer; positive */
    CONF_CHOICE,   /* int: index into `choices` */
    CONF_STRINGS,  /* struct conf_list of char *: ("a", "b") or ["a", "b"] */
    CONF_GROUP,    /* a struct described by `section`, in place; absent = its defaults */
    CONF_LIST,     /* struct conf_list of structs described by `section`: ( {...}, {...} ) */
};

struct conf_list {
    void *items; /* count x section->size bytes */
    size_t count;
};

/* Where a thing was written; every section's struct may hold one (where_offset). `path` as in messages:
 * "buses[0].devices[2]". */
struct conf_where {
    const char *file; /* lives as long as the struct conf */
    int line;
    const char *path;
    const void *setting; /* for conf_problem only */
};

struct conf_section;

struct conf_key {
    const char *name;
    enum conf_type type;
    size_t offset;
    bool is_required;
    const char *fallback; /* as it would be written, without quotes; NULL = zero. Also what a key holds that
                             was refused. */
    int64_t min, max;     /* CONF_INT, CONF_SECONDS (ms), texts (bytes), lists (entries); max 0 = no limit */
    const char *const *choices; /* NULL-terminated */
    const struct conf_section *section;
    const char *unit; /* for help and messages: "days", "MiB" */
    const char *help; /* a noun phrase that also completes "is missing; expected ..." */
};

struct conf; /* one loaded file, those it names, and their problems */

struct conf_section {
    const char *name;
    size_t size;
    const struct conf_key *keys; /* ends with a zeroed key */
    size_t where_offset;         /* offset of a struct conf_where, used where has_where */
    bool has_where;
    /* All optional, in the order in which they run. `parent` is the enclosing section's struct (NULL at the
     * top). */
    void (*begin)(void *object, const void *parent);
    /* After the plain keys, before groups and lists: further keys (of a driver, say) whose struct is
     * allocated and stored in the void * at extra_offset; its groups and lists come after those of the section itself. NULL = none. Their check is left out where a
     * CONF_CHOICE of either section was refused: a choice decides what other keys mean. */
    const struct conf_section *(*extend)(const void *object);
    size_t extra_offset;
    /* After everything: checks across keys, told with conf_problem. */
    void (*check)(struct conf *c, void *object, const void *parent);
    /* For --help-config: the i-th section that `extend` may return, NULL after the last. */
    const struct conf_section *(*alternative)(size_t i);
};

/* For `extend`: what decides about further keys is wrong itself, so that none of them can be called unknown.
 */
extern const struct conf_section conf_anything;

/* Loads a file into `object`, which is zeroed first. The struct conf is always returned (even where the file
 * is missing or does not parse: that is a problem too); it owns every string and list in `object`. */
struct conf *conf_load(const char *path, const struct conf_section *section, void *object);
/* The same of a text that was read before; in messages it is called `name`. */
struct conf *conf_load_text(
    const char *name, struct span text, const struct conf_section *section, void *object);
/* The text of that file, byte by byte, lives as long as `c`; empty where it could not be read. */
struct span conf_text(const struct conf *c);
/* Loads a further file on behalf of the first (a register map, say): same rules, same list of problems.
 * `object` is not zeroed; `where` and `key` are the place that named the file. */
void conf_load_more(struct conf *c, const char *path, const struct conf_section *section, void *object,
    const void *parent, const struct conf_where *where, const char *key);
/* Memory that lives as long as the struct conf, zeroed. */
void *conf_alloc(struct conf *c, size_t size);
void conf_destroy(struct conf *c); /* accepts NULL; frees what `object` points to */

/* Reports a mistake at a place: "file:line: path: what is wrong; what is expected". For section checks and
 * cross-checks. `key` (may be NULL) is appended to the path and, where it is written in the file, gives the
 * line. Dropped where the key was refused when it was read: one mistake, one line. */
void conf_problem(struct conf *c, const struct conf_where *where, const char *key, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The line of a key at a place, or of the place where the key is not written. */
int conf_line(const struct conf_where *where, const char *key);
/* Checks of what a key names; NULL paths are fine. A password file must be readable, and not by everyone. */
void conf_check_secret(struct conf *c, const struct conf_where *where, const char *key, const char *path);
/* A file that the program will write and, with others beside it, may have to make: its folder must exist and
 * allow it. */
void conf_check_writable(struct conf *c, const struct conf_where *where, const char *key, const char *path);
size_t conf_problem_count(const struct conf *c);
/* One line each, sorted by file and line, no duplicates; at most CONF_PROBLEMS_MAX, and then how many more.
 */
#define CONF_PROBLEMS_MAX 1000
void conf_print_problems(const struct conf *c, FILE *out);

/* --help-config: every key with type, limits, default and meaning, nested as it would be written. */
void conf_print_help(const struct conf_section *section, FILE *out);

/* Iterates over a list of structs: CONF_EACH(struct bus, bus, settings->buses) { ... } (an empty one is NULL,
 * to which nothing may be added) */
#define CONF_EACH(type, item, list)                                                          \
    for (type *item = (list).items, *item##_end = item != NULL ? item + (list).count : item; \
         item < item##_end; item++)
