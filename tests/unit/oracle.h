/* Expectations that another program works out: tests/unit/<name>, in Python, with the seed as its argument, prints
 * lines that the test reads. It shares no code and no table with what is tested. */
#pragma once

#include "lib/mem.h"
#include "tests/unit/random.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct oracle {
    FILE *out;
    char line[65536];
    size_t count;
};

/* `more` (may be NULL) is a further argument. */
static inline void oracle_open(struct oracle *o, const char *name, uint64_t seed, const char *more)
{
    const char *source = getenv("PARKMON_SOURCE");
    char *command = mem_printf("exec /usr/bin/python3 '%s/tests/unit/%s' %" PRIu64 " '%s'",
        source != NULL ? source : ".", name, seed, more != NULL ? more : "");
    o->out = popen(command, "r");
    o->count = 0;
    if (o->out == NULL)
        fail_msg("%s cannot be started", command);
    free(command);
}

/* The next line, without its end; false after the last. */
static inline bool oracle_read(struct oracle *o)
{
    if (fgets(o->line, sizeof o->line, o->out) == NULL)
        return false;
    char *end = strchr(o->line, '\n');
    assert_non_null(end);
    *end = '\0';
    o->count++;
    return true;
}

/* It must have ended well, and said at least so many lines: an oracle that says nothing proves nothing. */
static inline void oracle_close(struct oracle *o, size_t least)
{
    assert_int_equal(pclose(o->out), 0);
    if (o->count < least)
        fail_msg("%zu lines of the oracle; expected at least %zu", o->count, least);
    print_message("%zu lines of the oracle\n", o->count);
}
