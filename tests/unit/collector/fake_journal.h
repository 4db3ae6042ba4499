/* A collector's database in a folder of its own, for tests of what reads it. */
#pragma once

#include "collector/model/model.h"
#include "collector/schema.h"
#include "lib/batch.h"
#include "lib/buf.h"
#include "lib/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fake_journal {
    char folder[48];
    char path[80];
    struct db *db;
    int64_t seq;
};

/* The folder alone. */
static inline void fake_journal_place(struct fake_journal *f)
{
    *f = (struct fake_journal){.folder = "/tmp/parkmon-test-store-XXXXXX"};
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof f->path, "%.47s/db", f->folder);
}

static inline void fake_journal_open(struct fake_journal *f)
{
    fake_journal_place(f);
    struct error err = {""};
    if (db_open(f->path, &collector_schema, &f->db, &err) != ST_OK ||
        db_exec(f->db, "INSERT INTO gateway(id, name, first_heard_ms) VALUES(1, 'gw-a', 0), (2, 'gw-b', 0)",
            &err) != ST_OK)
        fail_msg("%s", err.text);
}

static inline void fake_journal_close(struct fake_journal *f)
{
    db_close(f->db);
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock", ".reserve", ".rebuild"};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char path[96];
        snprintf(path, sizeof path, "%s%s", f->path, suffixes[i]);
        unlink(path);
    }
    rmdir(f->folder);
}

/* Journals a batch with these lines (each with its line feed); returns its id. */
static inline int64_t fake_journal_add(
    struct fake_journal *f, int gateway, const char *lines, const char *skipped)
{
    struct buf payload = {0};
    batch_write_header(&payload, &(struct batch_header){.epoch = 7, .seq = ++f->seq, .first = 1});
    buf_add_str(&payload, lines);
    int count = 0;
    for (const char *c = lines; *c; c++)
        count += *c == '\n';
    struct db_stmt *add = db_keep(f->db, "INSERT INTO journal(gateway, epoch, seq, received_ms, lines, "
                                         "payload, skipped) VALUES(?, 7, ?, 0, ?, ?, ?)");
    db_bind_int(add, 1, gateway);
    db_bind_int(add, 2, f->seq);
    db_bind_int(add, 3, count);
    db_bind_blob(add, 4, (struct span){payload.data, payload.len});
    if (skipped)
        db_bind_text(add, 5, span_of(skipped));
    else
        db_bind_null(add, 5);
    struct error err;
    if (db_run(add, &err) != ST_OK)
        fail_msg("%s", err.text);
    buf_release(&payload);
    return db_last_id(f->db);
}

static inline int64_t fake_journal_add_outbox(struct fake_journal *f, const char *line)
{
    struct db_stmt *add = db_prepare(f->db, "INSERT INTO outbox(series, time_ms, line) VALUES(?1, 0, ?1)");
    db_bind_text(add, 1, span_of(line));
    struct error err;
    if (db_run(add, &err) != ST_OK)
        fail_msg("%s", err.text);
    return db_last_id(f->db);
}

/* A park of one site; gw-a stands in building b1, its point "m" is the register of a meter of building b2,
 * from 2026 on. */
#define FAKE_PARK                                                                                          \
    "sites = ( { id = \"s1\"; name = \"x\"; name_en = \"x\"; zone = \"UTC\"; } );\n"                       \
    "buildings = ( { id = \"b1\"; name = \"x\"; name_en = \"x\"; site = \"s1\"; },\n"                      \
    "{ id = \"b2\"; name = \"x\"; name_en = \"x\"; site = \"s1\"; } );\n"                                  \
    "gateways = ( { id = \"gw-a\"; name = \"x\"; name_en = \"x\"; site = \"s1\"; building = \"b1\"; } "    \
    ");\n"                                                                                                 \
    "meters = ( { id = \"m1\"; name = \"x\"; name_en = \"x\"; building = \"b2\"; carrier = "               \
    "\"electricity\";\n"                                                                                   \
    "segments = ( { serial = \"1\"; from = \"2026-01-01T00:00:00Z\"; point = \"gw-a/m\"; max_rate = 1; } " \
    "); } );\n"

static inline char *fake_park_file(const struct fake_journal *f, const char *text)
{
    char *path = mem_printf("%s/park.cfg", f->folder);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    return path;
}

static inline struct park *fake_park_of(const struct fake_journal *f, const char *text)
{
    char *path = fake_park_file(f, text);
    struct park *park = park_load(path);
    conf_print_problems(park->conf, stderr);
    assert_int_equal(conf_problem_count(park->conf), 0);
    unlink(path);
    free(path);
    return park;
}

static inline struct park *fake_park(const struct fake_journal *f)
{
    return fake_park_of(f, FAKE_PARK);
}

static inline struct model *fake_model(const struct fake_journal *f)
{
    char *path = fake_park_file(f, FAKE_PARK);
    struct model *model = model_load((const char *const[MODEL_FILES]){path});
    model_print_problems(model, stderr);
    assert_int_equal(model_problem_count(model), 0);
    unlink(path);
    free(path);
    return model;
}
