#include "collector/energy/closing_seal.h"

#include "lib/buf.h"

#include <inttypes.h>

const char closing_seal_schema[] =
    "CREATE TABLE closing_seal("
    "  closing INTEGER PRIMARY KEY REFERENCES closing(id), hash BLOB NOT NULL) STRICT;"
    "CREATE TRIGGER closing_seal_stays BEFORE DELETE ON closing_seal BEGIN"
    "  SELECT RAISE(ABORT, 'a closing stays'); END;"
    "CREATE TRIGGER closing_seal_is_final BEFORE UPDATE ON closing_seal BEGIN"
    "  SELECT RAISE(ABORT, 'a closing stays'); END;";

/* The columns of a row, each a line with its name, and with its length, so that no value can pass for lines. */
static void add_lines(struct buf *text, struct db_stmt *row, const char *const *names)
{
    for (int i = 0; names[i] != NULL; i++) {
        struct span value = db_text(row, i);
        if (db_is_null(row, i)) {
            buf_printf(text, "%s -\n", names[i]);
            continue;
        }
        buf_printf(text, "%s %zu:", names[i], value.len);
        buf_add(text, value.at, value.len);
        buf_add_char(text, '\n');
    }
}

/* Of each row of a query over a closing. */
static enum status add_rows(struct db *db, struct buf *text, const char *sql, int64_t closing,
    const char *const *names, struct error *err)
{
    struct db_stmt *next = db_keep(db, sql);
    bool has_row;
    enum status status;
    db_bind_int(next, 1, closing);
    while ((status = db_step(next, &has_row, err)) == ST_OK && has_row)
        add_lines(text, next, names);
    db_reset(next);
    return status;
}

/* Numbers are read as text: the database makes decimals of them. */
enum status closing_seal_of(
    struct db *db, int64_t closing, const struct hash *previous, struct hash *ret, struct error *err)
{
    static const char *const heads[] = {
        "site", "month", "from", "until", "closed", "token", "who", "why", "model", "journal", NULL};
    static const char *const overrides[] = {"override", "what", "figure", "bound", "why", NULL};
    static const char *const bookings[] = {"booked", "versions", NULL};
    struct buf text = {0};
    char before[HASH_TEXT_SIZE];
    hash_format(previous, before);
    buf_printf(&text, "parkmon closing 1\nclosing %" PRId64 "\nprevious %s\n", closing, before);
    enum status status = add_rows(db, &text,
        "SELECT site, month, from_ms, until_ms, closed_ms, token, who, why, model, journal FROM closing"
        " WHERE id = ?1",
        closing, heads, err);
    if (status == ST_OK)
        status = add_rows(db, &text,
            "SELECT name, what, figure, bound, why FROM closing_override WHERE closing = ?1 ORDER BY name",
            closing, overrides, err);
    if (status == ST_OK)
        status = add_rows(db, &text,
            "SELECT coalesce(name, '?') || ' ' || month || ' ' || quarters || ' ' || known || ' ' || unknown_s || ' ' ||"
            " estimated || ' ' || estimated_s || ' ' || manual || ' ' || manual_s || ' ' || waiting_s || ' ' "
            "||"
            " absent_s, lower(hex(versions)) FROM closing_meter LEFT JOIN ledger_meter ON ledger_meter.id = meter"
            " WHERE closing = ?1 ORDER BY name, month",
            closing, bookings, err);
    if (status == ST_OK)
        *ret = hash_of((struct span){text.data, text.len});
    buf_release(&text);
    return status;
}

static enum status add_seal(struct db *db, int64_t closing, const struct hash *hash, struct error *err)
{
    struct db_stmt *add = db_keep(db, "INSERT INTO closing_seal(closing, hash) VALUES(?1, ?2)");
    db_bind_int(add, 1, closing);
    db_bind_blob(add, 2, hash_bytes(hash));
    return db_run(add, err);
}

/* The next closing without a seal, and the seal before it. */
static enum status find_next(
    struct db *db, bool *ret_is_there, int64_t *ret_closing, struct hash *ret_previous, struct error *err)
{
    struct db_stmt *find = db_keep(db,
        "SELECT id, (SELECT hash FROM closing_seal WHERE closing < id ORDER BY closing DESC LIMIT 1)"
        " FROM closing WHERE id NOT IN (SELECT closing FROM closing_seal) ORDER BY id LIMIT 1");
    enum status status = db_step(find, ret_is_there, err);
    *ret_previous = (struct hash){{0}};
    if (status == ST_OK && *ret_is_there) {
        *ret_closing = db_int(find, 0);
        if (!db_is_null(find, 1) && !hash_read(db_text(find, 1), ret_previous))
            status =
                error_set(err, ST_INVALID, "the seal before closing %" PRId64 " is damaged", *ret_closing);
    }
    db_reset(find);
    return status;
}

enum status closing_seal_all(struct db *db, struct hash *ret, struct error *err)
{
    for (bool is_sealed = false;; is_sealed = true) {
        struct hash previous;
        int64_t closing = 0;
        bool is_there;
        enum status status = find_next(db, &is_there, &closing, &previous, err);
        if (status == ST_OK && !is_there && !is_sealed)
            return error_set(err, ST_INVALID, "the closing has a seal before it was made: somebody wrote it");
        if (status != ST_OK || !is_there)
            return status;
        status = closing_seal_of(db, closing, &previous, ret, err);
        if (status == ST_OK)
            status = add_seal(db, closing, ret, err);
        if (status != ST_OK)
            return status;
    }
}
