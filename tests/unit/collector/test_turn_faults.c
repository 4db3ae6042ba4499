/*
 * The core's turns on a disk that fails (D1, D7): the I/O operations and the commits of a scenario are counted, and
 * the n-th fails, for every n (PARKMON_LONG=1). Whatever fails, nothing is answered that another reader of the
 * database does not find there, synced; memory is what the disk says; and once everything that was not answered
 * has come again, the database says the same, byte for byte, as after a run in which nothing failed.
 */
#include "tests/unit/collector/turn_fixture.h"
#include "tests/unit/faulty_disk.h"
#include "tests/unit/random.h"

#include <inttypes.h>
#include <time.h>

#define STEPS 12
#define GATEWAYS 4
#define TRIES_MAX 12
#define LOG_PAGES 60 /* small, so that the log is folded in within the scenario */
#define DAY_MS INT64_C(86400000)
/* For each instrument each quarter hour of them is written: few, so that a run is short. */
#define EVIDENCE_DAYS 1
#define BEGIN_MS (NOW_MS - 3 * HOUR_MS)
#define EACH_KIND_MIN 3 /* so many operations of each kind fail, at least, where there are */

static int64_t commits, refused_commit; /* the n-th; 0 = none */

static int on_commit(void *db)
{
    /* Not in on_open: opening sets its own after that. */
    sqlite3_wal_autocheckpoint(db, LOG_PAGES);
    return ++commits == refused_commit;
}

/* Of every connection that the turn opens. */
static int on_open(sqlite3 *db, char **message, const struct sqlite3_api_routines *api)
{
    (void)message;
    (void)api;
    sqlite3_commit_hook(db, on_commit, db);
    return SQLITE_OK;
}

static bool is_long(void)
{
    return getenv("PARKMON_LONG") != NULL;
}

/* Which of the `count` operations of the run before are to fail: of each kind every `stride`-th, from another one on at each
 * run, and not fewer than EACH_KIND_MIN; all with PARKMON_LONG. A full disk fails what needs room. */
static void choose(bool *ret, int64_t count, int64_t stride, enum fault fault)
{
    uint64_t seed = random_seed((uint64_t)time(NULL));
    int64_t of_kind[FAULTY_KINDS] = {0}, seen[FAULTY_KINDS] = {0};
    assert_true(count <= FAULTY_OPERATIONS_MAX);
    for (int64_t n = 1; n <= count; n++)
        of_kind[faulty_disk.kinds[n]]++;
    for (int64_t n = 1; n <= count; n++) {
        int kind = faulty_disk.kinds[n];
        int64_t every = of_kind[kind] / EACH_KIND_MIN < stride ? of_kind[kind] / EACH_KIND_MIN : stride;
        if (every < 1 || is_long())
            every = 1;
        ret[n] = seen[kind]++ % every == (int64_t)(seed % (uint64_t)every) &&
                 (fault != FAULT_FULL || kind < FAULTY_TRUNCATE);
    }
    memset(faulty_disk.failed_kinds, 0, sizeof faulty_disk.failed_kinds);
}

/* Each kind of operation that there is has failed. */
static void check_kinds(const bool *chosen, int64_t count, const unsigned char *kinds)
{
    for (int64_t n = 1; n <= count; n++)
        if (chosen[n] && faulty_disk.failed_kinds[kinds[n]] == 0)
            fail_msg("no operation of kind %d has failed", kinds[n]);
}

static char template_path[] = "/tmp/parkmon-test-faults-XXXXXX"; /* a database that nothing was written to */

/* ---- what is sent ---- */

#define METER(id, point)                                                                                    \
    "{ id = \"" id "\"; name = \"x\"; name_en = \"x\"; building = \"b1\"; carrier = \"heat\"; segments = (" \
    " { serial = \"1\"; from = \"2025-01-01T00:00:00Z\"; point = \"" point "\"; max_rate = 1000; } ); }"
#define GATEWAY(id) "{ id = \"" id "\"; name = \"x\"; name_en = \"x\"; site = \"s1\"; }"
#define INSTRUMENT(id, session, power)                                                                      \
    "{ id = \"" id "\"; name = \"x\"; name_en = \"x\"; building = \"b1\"; category = \"c\"; owner = \"o\";" \
    " owner_en = \"o\"; owner_code = \"O\"; contact = \"8\"; session = \"" session "\"; power = \"" power   \
    "\";"                                                                                                   \
    " off_w = 1; standby_w = 2; exit_w = 3; enter_w = 4; off_means = \"available\"; enter_s = 0; exit_s = " \
    "0; max_session = 3600; }"
/* Of some points the ledger keeps books, and some are of instruments. */
static const char park_text[] =
    "sites = ({ id = \"s1\"; name = \"x\"; name_en = \"x\"; zone = \"UTC\"; });\n"
    "buildings = ({ id = \"b1\"; name = \"x\"; name_en = \"x\"; site = \"s1\"; });\n"
    "gateways = (" GATEWAY("gw-a") "," GATEWAY("gw-b") "," GATEWAY(
        "gw-c") ");\n"
                "meters = (" METER("a0", "gw-a/m0") "," METER("a19", "gw-a/m19") "," METER(
                    "b0", "gw-b/m0") "," METER("c19",
                    "gw-c/m19") ");\n"
                                "categories = ({ id = \"c\"; name = \"x\"; name_en = \"x\"; });\n"
                                "instruments = (" INSTRUMENT(
                                    "i", "gw-a/s0.session", "gw-a/twice.power") "," INSTRUMENT("j",
                                    "gw-b/s1.session", "gw-b/twice.power") ");\n";

static const char *const gateways[GATEWAYS] = {"gw-a", "gw-b", "gw-c", "gw-d"};

/* One batch of a gateway. Beside its own lines it has readings that repeat, or contradict, those of other batches. */
static void send_batch(
    struct turn *t, int gateway, unsigned epoch, int64_t seq, int64_t first, const char *more)
{
    struct buf text = {0};
    buf_printf(&text, "#park1 epoch=%016x seq=%" PRId64 " first=%" PRId64 "%s\n", epoch, seq, first, more);
    int64_t time_ms = BEGIN_MS + seq * 100000;
    for (int i = 0; i < 20; i++) /* one of them reads 0 now and then */
        buf_printf(&text, "register,point=m%d value=%" PRId64 "i %" PRId64 "\n", i,
            i == 19 && seq % 5 == 3 ? 0 : seq, time_ms + i);
    buf_printf(&text, "state,point=s%" PRId64 ".session value=\"%s event=%" PRId64 "\" %" PRId64 "\n",
        seq % 5, seq % 2 ? "open" : "close", seq, time_ms);
    buf_printf(&text, "gauge,point=twice.power value=%" PRId64 " %" PRId64 "\n", seq % 3 * 2, time_ms);
    buf_printf(
        &text, "gauge,point=twice value=1.5 %" PRId64 "\n", BEGIN_MS); /* a duplicate from the second on */
    buf_printf(&text, "gauge,point=odd value=%" PRId64 " %" PRId64 "\n", seq, BEGIN_MS); /* a conflict */
    if (seq % 3 == 0)
        buf_add_str(&text, "gauge,point=WRONG value=1 1\n");
    turn_give(t, gateways[gateway], text.data);
    buf_release(&text);
}

/* Everything of a step; the gateways that are to be answered as bits. */
static unsigned send_step(struct turn *t, int64_t step, bool is_first_time)
{
    static const char prev[] = " prev=00000000000000aa:8";
    for (int64_t seq = 2 * step + 1; seq <= 2 * step + 2; seq++)
        send_batch(t, 0, seq <= 8 ? 0xaa : 0xab, seq, seq <= 8 ? 1 : seq, seq <= 8 ? "" : prev);
    send_batch(t, 1, 0xba, step + 1, 1, step == 5 ? " dropped=7 from=1763000000000 to=1763000000999" : "");
    if (step == 3)
        send_batch(t, 1, 0xba, 2, 1, ""); /* it comes twice */
    if (step == 6)
        send_batch(t, 1, 0xba, step + 3, 1, ""); /* one too far: refused */
    if (step == 9 && is_first_time)
        turn_give(t, "gw-b", "#park2 this is no batch");
    unsigned answers = 1 | 2;
    if (step >= 2) { /* ran before we did; gives up three batches at step 7 */
        int64_t seq = step + 3 + (step >= 7 ? 3 : 0);
        send_batch(t, 2, 0xca, seq, step >= 7 ? seq : 5, "");
        answers |= 4;
    }
    if (step >= 4) { /* begins a new spool at step 8 */
        send_batch(t, 3, step < 8 ? 0xda : 0xdb, step < 8 ? step - 3 : step - 7, 1, "");
        answers |= 8;
    }
    return answers;
}

/* ---- what another reader finds ---- */

static sqlite3 *open_reader(const struct turn_scene *s)
{
    sqlite3 *db;
    assert_int_equal(
        sqlite3_open_v2(s->files.path, &db, SQLITE_OPEN_READONLY, faulty_disk.real->zName), SQLITE_OK);
    return db;
}

static sqlite3_stmt *ask(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *q;
    if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    return q;
}

static bool next(sqlite3_stmt *q)
{
    int code = sqlite3_step(q);
    if (code == SQLITE_ROW)
        return true;
    assert_int_equal(code, SQLITE_DONE);
    sqlite3_finalize(q);
    return false;
}

static int64_t number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *q = ask(db, sql);
    assert_true(next(q));
    int64_t value = sqlite3_column_int64(q, 0);
    assert_false(next(q));
    return value;
}

static void dump_query(struct buf *text, sqlite3 *db, const char *query)
{
    sqlite3_stmt *q = ask(db, query);
    buf_printf(text, "%s\n", query);
    while (next(q)) {
        for (int column = 0; column < sqlite3_column_count(q); column++) {
            const char *value = sqlite3_column_blob(q, column); /* as text, also of a number */
            buf_printf(text, "%d|%.*s|", sqlite3_column_type(q, column), sqlite3_column_bytes(q, column),
                value != NULL ? value : "");
        }
        buf_add_str(text, "\n");
    }
}

/* All that may not depend on what failed. Not here: rows of the minutes, which tell what was known when they were
 * made, and what is quarantined without a header, which nobody sends again. */
static char *dump(sqlite3 *db)
{
    static const char *const queries[] = {"SELECT * FROM gateway ORDER BY id",
        "SELECT * FROM epoch ORDER BY id", "SELECT * FROM journal ORDER BY id",
        "SELECT * FROM journal_span ORDER BY journal, width_ms, bucket", "SELECT * FROM point ORDER BY id",
        "SELECT * FROM loss ORDER BY id",
        "SELECT gateway, epoch, seq, line, reason, content, recorded_ms, journal FROM quarantine"
        " WHERE epoch IS NOT NULL OR journal IS NOT NULL ORDER BY 1, 2, 3, 4, 5, 8",
        "SELECT * FROM cursor", "SELECT * FROM hour ORDER BY measurement, hour",
        "SELECT * FROM refused ORDER BY journal, line", "SELECT * FROM pruned ORDER BY width_ms, bucket",
        "SELECT * FROM instrument ORDER BY id", "SELECT * FROM activity_span ORDER BY instrument, from_ms",
        "SELECT * FROM session ORDER BY id", "SELECT * FROM session_unseen ORDER BY instrument, from_ms"};
    struct buf text = {0};
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++)
        dump_query(&text, db, queries[i]);
    /* Snapshots are a cache. */
    sqlite3_stmt *tables =
        ask(db, "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'ledger\\_%' ESCAPE '\\'"
                " AND name NOT LIKE '%snapshot%' ORDER BY name");
    while (next(tables)) {
        char *query = mem_printf("SELECT * FROM %s", sqlite3_column_text(tables, 0));
        dump_query(&text, db, query);
        free(query);
    }
    return buf_take(&text);
}

/* What the triggers count is what is there. */
static void check_sums(sqlite3 *db)
{
    assert_int_equal(number(db, "SELECT bytes FROM outbox_size"),
        number(db,
            "SELECT coalesce(sum(length(line) + 2 * length(series) + 64), 0) FROM outbox WHERE sent_ms IS "
            "NULL"));
    assert_int_equal(number(db, "SELECT coalesce(sum(bytes), 0) FROM quarantine_size WHERE gateway = '*'"),
        number(db, "SELECT coalesce(sum(length(content) + 256), 0) FROM quarantine"));
    assert_int_equal(
        number(db, "SELECT count(*) FROM journal_span WHERE journal NOT IN (SELECT id FROM journal)"), 0);
}

/* ---- D1: the answers that are due ---- */

/* Is every batch of the gateway up to `seq` journalled, or pruned, or recorded as loss or history? */
static bool is_settled(sqlite3 *db, const char *gateway, int64_t seq)
{
    char *sql = mem_printf(
        "WITH RECURSIVE n(seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < %" PRId64 ")"
        " SELECT count(*) FROM n WHERE %" PRId64 " > 0 AND seq NOT IN"
        " (SELECT seq FROM journal JOIN gateway g ON g.id = journal.gateway WHERE g.name = '%s')"
        " AND NOT EXISTS (SELECT 1 FROM loss WHERE gateway = '%s' AND n.seq BETWEEN first_seq AND last_seq)"
        " AND (NOT EXISTS (SELECT 1 FROM pruned) OR seq >= (SELECT min(seq) FROM journal JOIN gateway g"
        " ON g.id = journal.gateway WHERE g.name = '%s'))",
        seq, seq, gateway, gateway, gateway);
    int64_t missing = number(db, sql);
    free(sql);
    return missing == 0;
}

static int64_t mark_on_disk(sqlite3 *db, const char *gateway, uint64_t epoch)
{
    char *sql = mem_printf("SELECT coalesce(max(mark), -1) FROM epoch JOIN gateway g ON g.id = epoch.gateway"
                           " WHERE g.name = '%s' AND epoch.epoch = %" PRId64,
        gateway, (int64_t)epoch);
    int64_t mark = number(db, sql);
    free(sql);
    return mark;
}

/* Takes the answers as the publisher would; the gateways that have one, as bits. */
static unsigned publish(struct turn_scene *s, sqlite3 *db)
{
    unsigned answered = 0;
    for (size_t i = 0; i < s->turn.acks.count; i++) {
        struct acks_gateway *a = &s->turn.acks.items[i];
        if (!a->is_due && !a->is_refusal_due)
            continue;
        a->is_due = a->is_refusal_due = false;
        assert_int_equal(faulty_disk.unsynced_log, 0);
        if (mark_on_disk(db, a->gateway, a->ack.epoch) < a->ack.seq ||
            !is_settled(db, a->gateway, a->ack.seq))
            fail_msg("%s: %" PRId64 " is acknowledged, and is not on the disk", a->gateway, a->ack.seq);
        for (unsigned g = 0; g < GATEWAYS; g++)
            answered |= strcmp(a->gateway, gateways[g]) == 0 ? 1u << g : 0;
    }
    return answered;
}

/* ---- D7: memory is what is committed ---- */

static void check_gateways(const struct known *k, sqlite3 *db)
{
    size_t epochs = 0, at = 0;
    sqlite3_stmt *q =
        ask(db, "SELECT name, id, epoch, lost, lost_ms, (SELECT count(*) FROM point WHERE gateway = g.id),"
                " (SELECT coalesce(max(time_ms), 0) FROM point WHERE gateway = g.id) FROM gateway g");
    while (next(q)) {
        const struct known_gateway *g =
            known_gateway_find(k, span_of((const char *)sqlite3_column_text(q, 0)));
        assert_non_null(g);
        assert_int_equal(g->id, sqlite3_column_int64(q, 1));
        assert_int_equal(g->epoch, sqlite3_column_int64(q, 2));
        assert_int_equal(g->lost, sqlite3_column_int64(q, 3));
        assert_int_equal(g->lost_ms, sqlite3_column_int64(q, 4));
        if (k->changed_count > 0) /* the table of points is behind */
            continue;
        assert_int_equal(g->points, sqlite3_column_int64(q, 5));
        assert_int_equal(g->newest_ms, sqlite3_column_int64(q, 6));
    }
    for (struct known_gateway *g; (g = name_map_next(&k->gateways, &at)) != NULL;) {
        for (size_t i = 0; i < g->epoch_count; i++, epochs++)
            assert_int_equal(mark_on_disk(db, g->name, g->epochs[i].epoch), g->epochs[i].mark);
    }
    assert_int_equal(k->gateways.count, number(db, "SELECT count(*) FROM gateway"));
    assert_int_equal(epochs, number(db, "SELECT count(*) FROM epoch"));
}

static void check_points(const struct known *k, sqlite3 *db)
{
    sqlite3_stmt *q =
        ask(db, "SELECT g.name, p.name, p.id, kind, quality, time_ms, arrived_ms, count, value, text"
                " FROM point p JOIN gateway g ON g.id = p.gateway");
    while (next(q)) {
        const struct known_gateway *g =
            known_gateway_find(k, span_of((const char *)sqlite3_column_text(q, 0)));
        const struct known_point *p =
            known_point_find(k, g, span_of((const char *)sqlite3_column_text(q, 1)));
        assert_non_null(p);
        assert_int_equal(p->id, sqlite3_column_int64(q, 2));
        if (p->is_changed)
            continue;
        const int64_t in_memory[] = {p->kind, p->quality, p->time_ms, p->arrived_ms, p->count};
        for (int i = 0; i < 5; i++)
            assert_int_equal(in_memory[i], sqlite3_column_int64(q, 3 + i));
        assert_true(p->value == sqlite3_column_double(q, 8));
        const char *text = (const char *)sqlite3_column_text(q, 9);
        assert_string_equal(p->text != NULL ? p->text : "-", text != NULL ? text : "-");
    }
    assert_int_equal(k->saved, number(db, "SELECT position FROM cursor WHERE name = 'points'"));
    if (k->changed_count == 0)
        assert_int_equal(k->points.count, number(db, "SELECT count(*) FROM point"));
}

/* Points that the table does not have yet are in the journal: a start would find them there. */
static void check_points_behind(const struct known *k, const char *path)
{
    struct db *db;
    struct known loaded = {0};
    struct error err = {""};
    if (db_open_reader(path, &db, &err) != ST_OK || known_load(&loaded, db, &err) != ST_OK)
        fail_msg("%s", err.text);
    size_t at = 0;
    for (const struct known_point *p; (p = name_map_next(&k->points, &at)) != NULL;) {
        const struct known_gateway *g = known_gateway_find(&loaded, span_of(p->gateway->name));
        const struct known_point *same = known_point_find(&loaded, g, span_of(p->name));
        assert_non_null(same);
        assert_true(
            p->kind == same->kind && p->time_ms == same->time_ms && p->arrived_ms == same->arrived_ms);
        assert_true(p->count == same->count && p->value == same->value);
        assert_string_equal(p->text != NULL ? p->text : "-", same->text != NULL ? same->text : "-");
    }
    assert_int_equal(k->points.count, loaded.points.count);
    known_release(&loaded);
    db_close(db);
}

static void check_memory(const struct turn_scene *s, sqlite3 *db)
{
    const struct turn *t = &s->turn;
    check_gateways(&t->known, db);
    check_points(&t->known, db);
    if (t->known.changed_count > 0)
        check_points_behind(&t->known, s->files.path);
    assert_int_equal(t->settled, number(db, "SELECT position FROM cursor WHERE name = 'raw'"));
    assert_int_equal(t->journal_end, number(db, "SELECT coalesce(max(id), 0) FROM journal"));
    assert_int_equal(t->bookkeeper.position, number(db, "SELECT position FROM cursor WHERE name = 'ledger'"));
}

/* ---- a run ---- */

struct run {
    struct turn_scene scene;
    sqlite3 *reader;
    bool is_killed; /* at an I/O error; else it ends by itself */
    bool was_ended; /* and started again: what was heard before is not known any more */
    int64_t failures, operations;
};

/* Of the store in each step: what was journalled before it. Set by the run in which nothing fails. */
static int64_t positions[STEPS];

/* Database and log as they lie there when a process is killed; back = as the next one finds them. */
static void keep_files(const struct turn_scene *s, bool back)
{
    static const char *const suffixes[] = {"", "-wal"};
    for (int i = 0; i < 2; i++) {
        char *own = mem_printf("%s%s", s->files.path, suffixes[i]), *copy = mem_printf("%s-copy", own);
        turn_copy_file(back ? copy : own, back ? own : copy);
        if (back)
            unlink(copy);
        free(own);
        free(copy);
    }
}

static void remove_database(const struct turn_scene *s)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    for (int i = 0; i < 3; i++) {
        char *path = mem_printf("%s%s", s->files.path, suffixes[i]);
        unlink(path);
        free(path);
    }
}

static void restart(struct run *r)
{
    struct turn_scene *s = &r->scene;
    struct error err = {""};
    if (r->is_killed)
        keep_files(s, false);
    sqlite3_close(r->reader);
    turn_close(&s->turn);
    if (r->is_killed)
        keep_files(s, true);
    faulty_disk.fails_at = 0;
    if (turn_open(&s->turn, &s->settings, s->park, &turn_clock, &err) != ST_OK)
        fail_msg("%s", err.text);
    r->reader = open_reader(s);
    r->was_ended = true;
    check_memory(s, r->reader);
}

/* The store took what was journalled before this step, but for a line that it refuses. */
static void give_result(struct run *r, int64_t step)
{
    struct turn *t = &r->scene.turn;
    int64_t position = positions[step];
    if (step % 3 != 2 || t->has_result || position <= t->settled)
        return;
    t->has_result = true;
    t->result = (struct store_result){.raw_position = position,
        .outbox_position = number(r->reader, "SELECT coalesce(max(id), 0) FROM outbox"),
        .rejects = mem_zalloc(sizeof *t->result.rejects),
        .reject_count = 1};
    *t->result.rejects = (struct store_reject){.journal = step,
        .reason = mem_strdup("refused"),
        .content = mem_strdup("register,point=m0 value=1i 1")};
    int64_t hour = (BEGIN_MS) / HOUR_MS;
    hour_list_add(&t->result.touched, SPAN("register"), hour + step);
    t->result.counted.items = mem_zalloc(sizeof *t->result.counted.items);
    t->result.counted.count = t->result.counted.capacity = 1;
    *t->result.counted.items = (struct hour_count){.hour = {"register", hour + step - 3},
        .touched = 1,
        .outcome = step == 5 ? HOUR_EQUAL : HOUR_DIFFERENT,
        .expected = 7,
        .found = 6};
}

/* A full disk: the reserve makes the room in which the result of the store is recorded, but no batch is taken until
 * there is room for it. */
static void go_on_after_full(struct run *r)
{
    struct turn_scene *s = &r->scene;
    struct turn *t = &s->turn;
    assert_false(t->reserve.is_held);
    assert_int_not_equal(access(t->reserve.path, F_OK), 0);
    assert_true(t->is_disk_full);
    faulty_disk.fails_at = 0;
    for (int i = 0; i < 3; i++) {
        turn_give(t, "gw-a", "#park1 epoch=00000000000000ff seq=99 first=99\n");
        turn_once(t);
        assert_int_equal(publish(s, r->reader), 0);
        assert_false(t->has_result);
        check_memory(&r->scene, r->reader);
    }
    turn_now_mono_ms += 2000;
}

/* A turn, and what must hold after it; returns whether it went well. */
static bool take_turn(struct run *r, unsigned *ret_answered)
{
    struct turn *t = &r->scene.turn;
    struct error err = {""};
    bool is_changed, is_full = false;
    int64_t failures = faulty_disk.failures;
    enum status status = turn_run(t, &is_changed, &err);
    *ret_answered = publish(&r->scene, r->reader);
    r->failures += status != ST_OK;
    switch (status) {
    case ST_OK:
        check_memory(&r->scene, r->reader);
        return true;
    case ST_STORAGE:
        break;
    case ST_FULL:
        is_full = true;
        break;
    case ST_INVALID: /* the hook's */
        assert_int_equal(commits, refused_commit);
        break;
    case ST_TIMEOUT:
    case ST_UNREACHABLE:
    case ST_PROTOCOL:
        fail_msg("%s: %s", status_name(status), err.text);
    }
    assert_int_equal(*ret_answered, 0);
    assert_true(status == ST_INVALID || faulty_disk.failures > failures);
    /* An I/O error ends the process; nothing else does. */
    bool is_io = faulty_disk.failures > failures && faulty_disk.fault != FAULT_FULL;
    assert_int_equal(status == ST_STORAGE, is_io);
    if (status == ST_STORAGE)
        restart(r);
    else
        check_memory(&r->scene, r->reader);
    if (is_full)
        go_on_after_full(r);
    return false;
}

static void forget_inbox(struct turn *t)
{
    for (struct inbox_message *m; (m = inbox_take(t->inbox)) != NULL;)
        free(m);
}

/* Until everyone is answered: what was not is sent again. */
static void make_step(struct run *r, int64_t step)
{
    struct turn *t = &r->scene.turn;
    turn_now_ms = NOW_MS + step * 60000;
    int64_t heard = number(r->reader, "SELECT count(*) FROM gateway");
    for (int tries = 0; tries < TRIES_MAX; tries++) {
        turn_now_mono_ms += step % 3 == 1 ? 10 : 10000; /* the points are not written at each commit */
        give_result(r, step);
        forget_inbox(t);
        unsigned due = send_step(t, step, tries == 0), answered;
        if (!take_turn(r, &answered) || answered == 0)
            continue;
        /* After a failure everyone is asked for what was not taken. */
        assert_true(answered == due || (r->failures > 0 && (answered & due) == due));
        char *sql = mem_printf("SELECT count(*) FROM outbox WHERE time_ms = %" PRId64, turn_now_ms);
        assert_true(r->was_ended || step == 0 || number(r->reader, sql) >= heard);
        free(sql);
        return;
    }
    fail_msg("step %" PRId64 ": still not answered", step);
}

/* The oldest half of the journal goes, at the pace of pruning. */
static void prune_half(struct run *r)
{
    turn_now_ms = NOW_MS + EVIDENCE_DAYS * DAY_MS + STEPS / 2 * 60000;
    for (int i = 0; i < 6; i++) {
        unsigned answered;
        turn_now_mono_ms += DAY_MS;
        while (!take_turn(r, &answered))
            ;
        assert_true(answered == 0 || r->failures > 0);
    }
    assert_true(number(r->reader, "SELECT min(id) FROM journal") > 1);
    assert_true(r->scene.turn.journal_end > 0);
}

enum way { WAY_NO_FAULT, WAY_DISK, WAY_COMMIT };

static int set_up(void **state)
{
    (void)state;
    log_open(LOG_LEVEL_ERROR);
    turn_evidence_days = EVIDENCE_DAYS;
    int fd = mkstemp(template_path);
    if (fd < 0 || close(fd) != 0 || !faulty_disk_register() ||
        sqlite3_auto_extension((void (*)(void))on_open) != SQLITE_OK)
        return -1;
    struct turn_scene s;
    turn_scene_open_with(&s, park_text);
    turn_close(&s.turn);
    turn_copy_file(s.files.path, template_path);
    park_destroy(s.park);
    fake_journal_close(&s.files);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(template_path);
}

/* The scenario, in which the n-th operation or commit fails. Returns what the database says in the end; the caller
 * frees. */
static char *play(struct run *r, enum way way, int64_t n)
{
    struct turn_scene *s = &r->scene;
    turn_now_ms = NOW_MS;
    turn_now_mono_ms = 1000;
    turn_database = template_path;
    turn_scene_open_with(s, park_text);
    turn_database = NULL;
    r->reader = open_reader(s);
    faulty_disk.operations = faulty_disk.failures = commits = 0;
    faulty_disk.fails_at = way == WAY_DISK ? n : 0;
    refused_commit = way == WAY_COMMIT ? n : 0;
    for (int64_t step = 0; step < STEPS; step++) {
        if (way == WAY_NO_FAULT)
            positions[step] = s->turn.journal_end;
        make_step(r, step);
    }
    prune_half(r);
    check_sums(r->reader);
    char *text = dump(r->reader);
    r->operations = faulty_disk.operations;
    sqlite3_close(r->reader);
    faulty_disk.fails_at = refused_commit = 0;
    turn_scene_close(s);
    return text;
}

static void compare(const char *found, const char *expected, int64_t n)
{
    if (strcmp(found, expected) == 0)
        return;
    size_t at = 0;
    while (found[at] == expected[at])
        at++;
    size_t from = at > 200 ? at - 200 : 0;
    fail_msg("the %" PRId64 "th fails: found\n%.400s\nexpected\n%.400s", n, found + from, expected + from);
}

enum end { END_BY_ITSELF, END_KILLED };

static void fail_each(enum way way, enum fault fault, enum end end)
{
    faulty_disk.fault = fault;
    struct run good = {0};
    char *expected = play(&good, WAY_NO_FAULT, 0);
    int64_t count = way == WAY_DISK ? good.operations : commits, failures = 0;
    bool chosen[FAULTY_OPERATIONS_MAX + 1] = {false};
    unsigned char kinds[FAULTY_OPERATIONS_MAX + 1];
    memcpy(kinds, faulty_disk.kinds, sizeof kinds);
    if (way == WAY_DISK)
        choose(chosen, count, 101, fault);
    for (int64_t n = is_long() ? 1 : 1 + time(NULL) % 3; way == WAY_COMMIT && n <= count;
         n += is_long() ? 1 : 3)
        chosen[n] = true;
    for (int64_t n = 1; n <= count; n++) {
        if (!chosen[n])
            continue;
        struct run r = {.is_killed = end == END_KILLED};
        char *found = play(&r, way, n);
        compare(found, expected, n);
        free(found);
        failures += r.failures;
    }
    print_message("%" PRId64 " counted, %" PRId64 " turns failed\n", count, failures);
    assert_true(count > (way == WAY_DISK ? 300 : STEPS));
    assert_true(failures > 0);
    check_kinds(chosen, way == WAY_DISK ? count : 0, kinds);
    free(expected);
}

static void test_the_scenario_has_all_that_can_be_lost(void **state)
{
    (void)state;
    char *text = play(&(struct run){0}, WAY_NO_FAULT, 0);
    static const char *const marks[] = {"history not held", "before they were acknowledged",
        "before they were cut", "began a new spool", "another value of this point and time", "point=WRONG",
        "refused", "close event=12", "FROM activity_span ORDER BY instrument, from_ms\n1|",
        "FROM session ORDER BY id\n1|", "FROM ledger_quarter\n1|", "FROM ledger_event\n1|"};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (strstr(text, marks[i]) == NULL)
            fail_msg("no \"%s\" in\n%s", marks[i], text);
    char *again = play(&(struct run){0}, WAY_NO_FAULT, 0);
    assert_string_equal(again, text);
    free(again);
    free(text);
}

static void test_an_io_error_ends_it_with_nothing_answered_and_the_next_start_goes_on(void **state)
{
    (void)state;
    fail_each(WAY_DISK, FAULT_ONCE, END_BY_ITSELF);
}

static void test_killed_at_an_io_error_what_was_written_is_there_as_a_whole_or_not_at_all(void **state)
{
    (void)state;
    fail_each(WAY_DISK, FAULT_ONCE, END_KILLED);
}

static void test_a_disk_that_fails_from_then_on(void **state)
{
    (void)state;
    fail_each(WAY_DISK, FAULT_FOR_EVER, END_KILLED);
}

static void test_a_full_disk_takes_the_reserve_and_it_goes_on_when_there_is_room(void **state)
{
    (void)state;
    fail_each(WAY_DISK, FAULT_FULL, END_BY_ITSELF);
}

static void test_a_commit_that_is_refused_leaves_nothing_in_memory(void **state)
{
    (void)state;
    fail_each(WAY_COMMIT, FAULT_ONCE, END_BY_ITSELF);
}

/* From no file at all, through every format; `n` = 0: nothing fails. Returns how many operations there were. */
static int64_t start_anew(struct turn_scene *s, int64_t n)
{
    struct error err = {""};
    turn_close(&s->turn);
    remove_database(s);
    faulty_disk.operations = faulty_disk.failures = 0;
    faulty_disk.fails_at = n;
    enum status status = turn_open(&s->turn, &s->settings, s->park, &turn_clock, &err);
    bool has_failed = faulty_disk.failures > 0;
    assert_true(status == ST_OK || (has_failed && (status == ST_STORAGE || status == ST_FULL)));
    faulty_disk.fails_at = 0;
    return faulty_disk.operations;
}

static void test_a_start_that_fails_leaves_a_database_that_the_next_start_takes(void **state)
{
    (void)state;
    struct turn_scene s;
    struct error err = {""};
    turn_now_ms = NOW_MS;
    turn_now_mono_ms = 1000;
    turn_scene_open(&s);
    for (int fault = FAULT_ONCE; fault <= FAULT_FULL; fault++) {
        bool chosen[FAULTY_OPERATIONS_MAX + 1] = {false};
        unsigned char kinds[FAULTY_OPERATIONS_MAX + 1];
        faulty_disk.fault = (enum fault)fault;
        int64_t count = start_anew(&s, 0);
        memcpy(kinds, faulty_disk.kinds, sizeof kinds);
        choose(chosen, count, 101, (enum fault)fault);
        assert_true(count > 50);
        for (int64_t n = 1; n <= count; n++) {
            if (!chosen[n])
                continue;
            start_anew(&s, n);
            turn_close(&s.turn);
            if (turn_open(&s.turn, &s.settings, s.park, &turn_clock, &err) != ST_OK)
                fail_msg("after the %" PRId64 "th failed: %s", n, err.text);
            turn_give(&s.turn, "gw-a", "#park1 epoch=00000000000000aa seq=1 first=1\n");
            turn_once(&s.turn);
            assert_int_equal(turn_mark(&s.turn, "gw-a"), 1);
        }
        check_kinds(chosen, count, kinds);
    }
    turn_scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_scenario_has_all_that_can_be_lost),
        cmocka_unit_test(test_an_io_error_ends_it_with_nothing_answered_and_the_next_start_goes_on),
        cmocka_unit_test(test_killed_at_an_io_error_what_was_written_is_there_as_a_whole_or_not_at_all),
        cmocka_unit_test(test_a_disk_that_fails_from_then_on),
        cmocka_unit_test(test_a_full_disk_takes_the_reserve_and_it_goes_on_when_there_is_room),
        cmocka_unit_test(test_a_commit_that_is_refused_leaves_nothing_in_memory),
        cmocka_unit_test(test_a_start_that_fails_leaves_a_database_that_the_next_start_takes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
