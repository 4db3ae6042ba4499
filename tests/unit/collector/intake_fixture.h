/* The intake on a database of its own: gives batches as the core does, one transaction each, and asks the
 * database what became of them. */
#pragma once

#include "collector/intake/receive.h"
#include "tests/unit/collector/fake_journal.h"

#define NOW_MS INT64_C(1764000000000)
#define EPOCH_A "00000000000000aa"
#define EPOCH_B "00000000000000bb"

struct intake {
    struct fake_journal journal;
    struct db *db;
    struct known known;
    struct late search;
    int64_t search_bytes; /* 0 = as in the program */
    bool is_clock_doubtful;
    bool is_behind;                    /* the table of points is left as it is */
    int pieces;                        /* transactions that the last batch took */
    struct snapshot_counters counters; /* of the last batch */
};

static inline void must(enum status status, const struct error *err)
{
    if (status != ST_OK)
        fail_msg("%s: %s", status_name(status), err->text);
}

static inline void intake_reload(struct intake *in)
{
    struct error err = {""};
    known_release(&in->known);
    must(known_load(&in->known, in->db, &err), &err);
}

static inline void intake_open(struct intake *in)
{
    struct error err = {""};
    *in = (struct intake){0};
    fake_journal_open(&in->journal);
    in->db = in->journal.db;
    must(db_exec(in->db, "PRAGMA synchronous = OFF; DELETE FROM gateway", &err), &err);
    intake_reload(in);
}

static inline void intake_close(struct intake *in)
{
    late_release(&in->search);
    known_release(&in->known);
    in->journal.db = in->db;
    fake_journal_close(&in->journal);
}

static inline struct inbox_message *message_of(
    const char *gateway, const char *text, size_t len, int64_t now_ms)
{
    struct inbox_message *m = mem_zalloc(sizeof *m + len + 1);
    snprintf(m->gateway, sizeof m->gateway, "%s", gateway);
    m->received_ms = now_ms;
    m->len = len;
    memcpy(m->payload, text, len);
    return m;
}

static inline enum status intake_try(
    struct intake *in, const struct inbox_message *m, struct receive_answer *ret, struct error *err)
{
    struct receive r = {.db = in->db,
        .known = &in->known,
        .search = &in->search,
        .is_clock_doubtful = in->is_clock_doubtful,
        .search_bytes = in->search_bytes != 0 ? in->search_bytes : RECEIVE_SEARCH_BYTES};
    enum status status = receive_batch(&r, m, ret, err);
    if (status != ST_OK || !ret->is_unfinished)
        late_release(&in->search);
    in->counters = r.counters;
    return status == ST_OK && !in->is_behind ? known_save(&in->known, in->db, err) : status;
}

static inline struct receive_answer intake_give_bytes(
    struct intake *in, const char *gateway, const char *text, size_t len)
{
    struct error err = {""};
    struct receive_answer answer;
    struct inbox_message *m = message_of(gateway, text, len, NOW_MS);
    in->pieces = 0;
    do {
        must(db_begin(in->db, &err), &err);
        must(intake_try(in, m, &answer, &err), &err);
        must(db_commit(in->db, &err), &err);
        in->pieces++;
    } while (answer.is_unfinished);
    free(m);
    return answer;
}

static inline struct receive_answer intake_give(struct intake *in, const char *gateway, const char *text)
{
    return intake_give_bytes(in, gateway, text, strlen(text));
}

static inline int64_t query(struct db *db, const char *sql)
{
    struct error err = {""};
    struct db_stmt *s = db_prepare(db, sql);
    bool has_row;
    must(db_step(s, &has_row, &err), &err);
    assert_true(has_row);
    int64_t value = db_int(s, 0);
    db_finish(s);
    return value;
}

/* The rows as text: columns by '|', rows by ';', NULL as '-'. Valid until the next call. */
static inline const char *rows(struct db *db, int columns, const char *sql)
{
    static char text[16384];
    struct error err = {""};
    struct db_stmt *s = db_prepare(db, sql);
    bool has_row;
    size_t len = 0;
    text[0] = '\0';
    while (true) {
        must(db_step(s, &has_row, &err), &err);
        if (!has_row)
            break;
        for (int i = 0; i < columns; i++) {
            struct span value = db_is_null(s, i) ? SPAN("-") : db_text(s, i);
            len += (size_t)snprintf(text + len, sizeof text - len, "%s%.*s",
                i     ? "|"
                : len ? ";"
                      : "",
                (int)value.len, value.at);
        }
    }
    db_finish(s);
    return text;
}

#define assert_answer(answer, epoch_number, number, is_again) \
    do {                                                      \
        struct receive_answer answer_ = (answer);             \
        assert_true(answer_.has_ack);                         \
        assert_int_equal(answer_.ack.epoch, epoch_number);    \
        assert_int_equal(answer_.ack.seq, number);            \
        assert_int_equal(answer_.ack.is_refusal, is_again);   \
    } while (0)
