/*
 * The laws of delivery over long random histories: an agent that restarts, drops and is refused; a network
 * that loses, repeats and reorders; a collector that fails to commit, is killed, and is restored from a
 * backup. After every group and at the end the database is held against what the agent really cut: each batch
 * is journalled once or lost once by name, and nothing is acknowledged before. PARKMON_SEED picks a history.
 */
#include "tests/unit/collector/intake_fixture.h"
#include "tests/unit/random.h"

#define BATCHES_MAX 400
#define EPOCHS_MAX 200
#define WIRE_MAX 256
#define WINDOW 16

struct epoch {
    int64_t prev_seq, last;
};

struct sent {
    int64_t seq, first;
};

struct world {
    struct intake in;
    uint64_t random;
    char backup[128];
    bool has_backup;
    /* the agent; epochs are numbered from 1, which is their id on the wire */
    struct epoch epochs[EPOCHS_MAX + 1];
    int epoch_count;
    int epoch_of[BATCHES_MAX + 1];
    int64_t last, first, mark, next;
    bool is_restarted;
    /* the network */
    struct sent wire[WIRE_MAX];
    int wire_count;
};

static int pick(struct world *w, int below)
{
    w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int)((w->random >> 33) % (uint64_t)below);
}

/* ---- the agent, by section 3 ---- */

static void agent_cut(struct world *w)
{
    if (w->last - w->mark >= WINDOW || w->last == BATCHES_MAX || (w->is_restarted && w->last > w->mark))
        return;
    if (w->is_restarted && w->epoch_count < EPOCHS_MAX) {
        w->epochs[++w->epoch_count] = (struct epoch){.prev_seq = w->last};
        w->is_restarted = false;
    }
    w->epoch_of[++w->last] = w->epoch_count;
    w->epochs[w->epoch_count].last = w->last;
}

static void agent_drop(struct world *w, int64_t up_to)
{
    if (up_to > w->last)
        up_to = w->last;
    if (w->first <= up_to)
        w->first = up_to + 1;
    if (w->mark < w->first - 1)
        w->mark = w->first - 1;
    if (w->next <= w->mark)
        w->next = w->mark + 1;
}

static void agent_send(struct world *w, int64_t seq)
{
    if (w->wire_count < WIRE_MAX)
        w->wire[w->wire_count++] = (struct sent){seq, w->first};
}

static void agent_hear(struct world *w, const struct ack *ack)
{
    int64_t seq = ack->seq;
    assert_true(ack->epoch >= 1 && ack->epoch <= (uint64_t)w->epoch_count);
    if (ack->epoch == (uint64_t)w->epoch_count) {
        if (seq > w->last)
            return;
    } else if (seq > w->epochs[ack->epoch].last) {
        seq = w->epochs[ack->epoch].last;
    }
    if (ack->is_refusal) {
        w->mark = seq < w->first - 1 ? w->first - 1 : seq;
        w->next = w->mark + 1;
    } else if (seq > w->mark) {
        w->mark = seq;
        if (w->next <= seq)
            w->next = seq + 1;
    }
}

static void write_batch(const struct world *w, const struct sent *sent, struct buf *text)
{
    int epoch = w->epoch_of[sent->seq];
    struct batch_header h = {
        .epoch = (uint64_t)epoch, .seq = sent->seq, .first = sent->first, .has_prev = epoch > 1};
    if (h.has_prev) {
        h.prev_epoch = (uint64_t)epoch - 1;
        h.prev_seq = w->epochs[epoch].prev_seq;
    }
    batch_write_header(text, &h);
    buf_printf(text, "register,point=m value=%lldi %lld\n", (long long)sent->seq,
        (long long)(NOW_MS - 1000000 + sent->seq));
}

/* ---- the oracle: what the database says of each batch ---- */

struct fate {
    int journalled, lost, unknown;
};

static void read_fates(const struct world *w, struct fate fates[BATCHES_MAX + 1])
{
    struct error err;
    bool has_row;
    memset(fates, 0, (BATCHES_MAX + 1) * sizeof *fates);
    struct db_stmt *s = db_prepare(w->in.db, "SELECT seq, epoch FROM journal");
    while (db_step(s, &has_row, &err) == ST_OK && has_row) {
        assert_int_equal(db_int(s, 1), w->epoch_of[db_int(s, 0)]);
        fates[db_int(s, 0)].journalled++;
    }
    db_finish(s);
    s = db_prepare(
        w->in.db, "SELECT first_seq, last_seq, reason LIKE '%unknown%' OR reason LIKE 'history%' FROM loss");
    while (db_step(s, &has_row, &err) == ST_OK && has_row)
        for (int64_t seq = db_int(s, 0); seq <= db_int(s, 1); seq++) {
            assert_true(seq >= 1 && seq <= w->last);
            *(db_int(s, 2) ? &fates[seq].unknown : &fates[seq].lost) += 1;
        }
    db_finish(s);
}

/* Everything up to `seq` has its fate; and no batch has two. */
static void check_fates(const struct world *w, int64_t seq, const char *when)
{
    static struct fate fates[BATCHES_MAX + 1];
    read_fates(w, fates);
    for (int64_t n = 1; n <= w->last; n++) {
        int sure = fates[n].journalled + fates[n].lost;
        if (sure > 1)
            fail_msg("%s: batch %lld is %d times in the journal and %d times lost", when, (long long)n,
                fates[n].journalled, fates[n].lost);
        if (n <= seq && sure + fates[n].unknown == 0)
            fail_msg(
                "%s: %lld is acknowledged, but batch %lld is nowhere", when, (long long)seq, (long long)n);
    }
}

/* ---- the collector ---- */

static void collector_backup(struct world *w)
{
    struct error err = {""};
    unlink(w->backup);
    char *sql = mem_printf("VACUUM INTO '%s'", w->backup);
    must(db_exec(w->in.db, sql, &err), &err);
    free(sql);
    w->has_backup = true;
}

static void collector_restore(struct world *w)
{
    struct error err = {""};
    if (!w->has_backup)
        return;
    known_release(&w->in.known);
    db_close(w->in.db);
    char *wal = mem_printf("%s-wal", w->in.journal.path),
         *copy = mem_printf("cp '%s' '%s'", w->backup, w->in.journal.path);
    unlink(wal);
    assert_int_equal(system(copy), 0);
    free(wal);
    free(copy);
    must(db_open(w->in.journal.path, &collector_schema, &w->in.db, &err), &err);
    w->in.journal.db = w->in.db;
    must(db_exec(w->in.db, "PRAGMA synchronous = OFF", &err), &err);
    must(known_load(&w->in.known, w->in.db, &err), &err);
}

static void collector_take(struct world *w, int count, bool fails, bool answers_arrive)
{
    struct error err = {""};
    struct ack acks[WIRE_MAX];
    int ack_count = 0;
    must(db_begin(w->in.db, &err), &err);
    for (int i = 0; i < count; i++) {
        struct buf text = {0};
        write_batch(w, &w->wire[i], &text);
        struct inbox_message *m = message_of("gw-a", text.data, text.len, NOW_MS);
        struct receive_answer answer;
        must(intake_try(&w->in, m, &answer, &err), &err);
        assert_true(answer.has_ack);
        acks[ack_count++] = answer.ack;
        free(m);
        buf_release(&text);
    }
    memmove(w->wire, w->wire + count, (size_t)(w->wire_count - count) * sizeof *w->wire);
    w->wire_count -= count;
    if (fails) {
        db_rollback(w->in.db);
        intake_reload(&w->in);
        return;
    }
    must(db_commit(w->in.db, &err), &err);
    for (int i = 0; i < ack_count; i++) {
        if (!acks[i].is_refusal)
            check_fates(w, acks[i].seq, "after a commit");
        if (answers_arrive)
            agent_hear(w, &acks[i]);
    }
}

/* ---- a history ---- */

static void step(struct world *w)
{
    int what = pick(w, 100);
    if (what < 30) {
        agent_cut(w);
    } else if (what < 60) {
        if (w->next <= w->last)
            agent_send(w, w->next++);
    } else if (what < 63) {
        w->is_restarted = true; /* the spool is on disk; what was cut keeps its epoch */
        w->next = w->mark + 1;
        w->wire_count = 0;
    } else if (what < 65) {
        agent_drop(w, w->first + pick(w, 12));
    } else if (what < 67) {
        agent_drop(w, w->mark); /* frees what is acknowledged */
    } else if (what < 70) {
        w->wire_count = 0; /* a connection breaks */
        w->next = w->mark + 1;
    } else if (what < 73) {
        if (w->wire_count > 0)
            w->wire_count -= 1; /* over quota */
    } else if (what < 77) {
        if (w->wire_count > 0 && w->wire_count < WIRE_MAX) { /* the broker repeats itself */
            w->wire[w->wire_count] = w->wire[pick(w, w->wire_count)];
            w->wire_count++;
        }
    } else if (what < 81) {
        if (w->wire_count > 1) {
            int i = pick(w, w->wire_count - 1);
            struct sent moved = w->wire[i];
            w->wire[i] = w->wire[i + 1];
            w->wire[i + 1] = moved;
        }
    } else if (what < 97) {
        collector_take(w, pick(w, w->wire_count + 1), pick(w, 8) == 0, pick(w, 8) != 0);
    } else if (what < 98) {
        intake_reload(&w->in);
    } else if (what < 99) {
        collector_backup(w);
    } else {
        collector_restore(w);
    }
}

/* Without further faults everything gets its fate. */
static void drain(struct world *w)
{
    w->next = w->mark + 1;
    w->wire_count = 0;
    for (int i = 0; w->mark < w->last && i < 3 * BATCHES_MAX; i++) {
        int64_t mark = w->mark;
        for (int n = 0; n < WINDOW && w->next <= w->last; n++)
            agent_send(w, w->next++);
        collector_take(w, w->wire_count, false, true);
        if (w->mark == mark)
            w->next = w->mark + 1;
    }
    if (w->mark < w->last)
        fail_msg("delivery stands still at %lld of %lld", (long long)w->mark, (long long)w->last);
}

static void run(uint64_t seed)
{
    static struct world w;
    w = (struct world){.random = seed * 2 + 1, .first = 1, .next = 1, .is_restarted = true};
    intake_open(&w.in);
    snprintf(w.backup, sizeof w.backup, "%s/backup", w.in.journal.folder);
    for (int i = 0; i < 700; i++)
        step(&w);
    agent_cut(&w);
    drain(&w);
    agent_cut(&w); /* one more, of a new epoch perhaps: what was restored last is found by it */
    drain(&w);
    check_fates(&w, w.last, "at the end");
    /* The journal holds each reading once: what a restored collector took again were no duplicates. */
    assert_int_equal(query(w.in.db, "SELECT count(*) FROM journal WHERE skipped IS NOT NULL"), 0);
    unlink(w.backup);
    intake_close(&w.in);
}

static void test_every_batch_ends_once_in_the_journal_or_in_a_loss_record(void **state)
{
    (void)state;
    random_histories(run, 25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_batch_ends_once_in_the_journal_or_in_a_loss_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
