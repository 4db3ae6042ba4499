#include "collector/schema.h"

#include "collector/access/changes.h"
#include "collector/alarm/rows.h"
#include "collector/baseline/temperature.h"
#include "collector/board_maker.h"
#include "collector/energy/booked.h"
#include "collector/energy/closing_seal.h"
#include "collector/instrument/booking_rows.h"
#include "collector/instrument/outage.h"
#include "collector/instrument/told.h"
#include "collector/ledger/books.h"
#include "collector/ledger/decided.h"
#include "collector/space/tables.h"
#include "collector/store/repost_rows.h"
#include "collector/timesheet.h"

static const char *const scripts[] = {
    "CREATE TABLE gateway("
    "  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, epoch INTEGER, first_heard_ms INTEGER NOT NULL,"
    "  lost INTEGER NOT NULL DEFAULT 0, lost_ms INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE TABLE epoch("
    "  id INTEGER PRIMARY KEY, gateway INTEGER NOT NULL, epoch INTEGER NOT NULL, prev_epoch INTEGER,"
    "  prev_seq INTEGER, mark INTEGER NOT NULL, UNIQUE(gateway, epoch)) STRICT;"
    /* `skipped`: line numbers of the body (from 0, comma separated) that are not in the series: quarantined
     * or duplicates; NULL = none. AUTOINCREMENT: a cursor must never meet an id again after pruning. */
    "CREATE TABLE journal("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, gateway INTEGER NOT NULL, epoch INTEGER NOT NULL,"
    "  seq INTEGER NOT NULL, received_ms INTEGER NOT NULL, lines INTEGER NOT NULL, payload BLOB NOT NULL,"
    "  skipped TEXT) STRICT;"
    "CREATE INDEX journal_received ON journal(received_ms);"
    "CREATE TABLE journal_span("
    "  gateway INTEGER NOT NULL, width_ms INTEGER NOT NULL, bucket INTEGER NOT NULL, journal INTEGER NOT "
    "NULL,"
    "  from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL,"
    "  PRIMARY KEY(gateway, width_ms, bucket, journal)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX journal_span_journal ON journal_span(journal);"
    "CREATE TABLE point("
    "  id INTEGER PRIMARY KEY, gateway INTEGER NOT NULL, name TEXT NOT NULL, kind INTEGER NOT NULL,"
    "  quality INTEGER NOT NULL, time_ms INTEGER NOT NULL, arrived_ms INTEGER NOT NULL, count INTEGER,"
    "  value REAL, text TEXT, UNIQUE(gateway, name)) STRICT;"
    /* `journal`: a line that is journalled but that the store refused; it is refused here once. */
    "CREATE TABLE quarantine("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, gateway TEXT NOT NULL, epoch INTEGER, seq INTEGER, line INTEGER,"
    "  reason TEXT NOT NULL, content BLOB NOT NULL, recorded_ms INTEGER NOT NULL, journal INTEGER) STRICT;"
    "CREATE INDEX quarantine_recorded ON quarantine(recorded_ms);"
    "CREATE UNIQUE INDEX quarantine_journal ON quarantine(journal, line) WHERE journal IS NOT NULL;"
    /* How much is kept of each gateway, and of all ('*'); `omitted`: entries that were only counted. Triggers
     * keep it right whoever adds or prunes. 256 bytes stand for what a row costs beside its content. */
    "CREATE TABLE quarantine_size("
    "  gateway TEXT PRIMARY KEY, bytes INTEGER NOT NULL, omitted INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT "
    "ROWID;"
    "CREATE TRIGGER quarantine_added AFTER INSERT ON quarantine BEGIN"
    "  INSERT INTO quarantine_size(gateway, bytes) VALUES"
    "    (new.gateway, length(new.content) + 256), ('*', length(new.content) + 256)"
    "    ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes; END;"
    "CREATE TRIGGER quarantine_removed AFTER DELETE ON quarantine BEGIN"
    "  UPDATE quarantine_size SET bytes = bytes - length(old.content) - 256 WHERE gateway IN (old.gateway, "
    "'*'); END;"
    "CREATE TABLE loss("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, gateway TEXT NOT NULL, epoch INTEGER, first_seq INTEGER,"
    "  last_seq INTEGER, readings INTEGER, from_ms INTEGER, to_ms INTEGER, reason TEXT NOT NULL,"
    "  recorded_ms INTEGER NOT NULL) STRICT;"
    "CREATE TABLE cursor(name TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "INSERT INTO cursor VALUES('raw', 0);"
    "CREATE TABLE outbox("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, series TEXT NOT NULL, time_ms INTEGER NOT NULL, line TEXT NOT "
    "NULL,"
    "  UNIQUE(series, time_ms)) STRICT;",

    /* What the outbox takes: the series stands in the row and in its index, 64 bytes stand for the rest. Rows
     * are added and deleted, never replaced nor changed in length, so that the triggers see everything. */
    "CREATE TABLE outbox_size(bytes INTEGER NOT NULL) STRICT;"
    "INSERT INTO outbox_size SELECT coalesce(sum(length(CAST(line AS BLOB)) + 2 * length(CAST(series AS "
    "BLOB))"
    "  + 64), 0) FROM outbox;"
    "CREATE TRIGGER outbox_added AFTER INSERT ON outbox BEGIN"
    "  UPDATE outbox_size SET bytes = bytes + length(CAST(new.line AS BLOB))"
    "    + 2 * length(CAST(new.series AS BLOB)) + 64; END;"
    "CREATE TRIGGER outbox_removed AFTER DELETE ON outbox BEGIN"
    "  UPDATE outbox_size SET bytes = bytes - length(CAST(old.line AS BLOB))"
    "    - 2 * length(CAST(old.series AS BLOB)) - 64; END;",

    /* A row that was sent stays until its hour is counted, and no longer weighs on the outbox's limit. */
    "ALTER TABLE outbox ADD COLUMN sent_ms INTEGER;"
    "CREATE INDEX outbox_sent ON outbox(sent_ms) WHERE sent_ms IS NOT NULL;"
    "CREATE INDEX outbox_sent_time ON outbox(time_ms) WHERE sent_ms IS NOT NULL;"
    "DROP TRIGGER outbox_removed;"
    "CREATE TRIGGER outbox_removed AFTER DELETE ON outbox WHEN old.sent_ms IS NULL BEGIN"
    "  UPDATE outbox_size SET bytes = bytes - length(CAST(old.line AS BLOB))"
    "    - 2 * length(CAST(old.series AS BLOB)) - 64; END;"
    "CREATE TRIGGER outbox_was_sent AFTER UPDATE OF sent_ms ON outbox"
    "  WHEN old.sent_ms IS NULL AND new.sent_ms IS NOT NULL BEGIN"
    "  UPDATE outbox_size SET bytes = bytes - length(CAST(old.line AS BLOB))"
    "    - 2 * length(CAST(old.series AS BLOB)) - 64; END;"
    /* `touched`: how often lines went there since it was counted; 0 = nothing to count. `counted`: how
     * many rows of the outbox were let go, at least. `told_ms`: when the store was found to differ; NULL = it does not. */
    "CREATE TABLE hour("
    "  measurement TEXT NOT NULL, hour INTEGER NOT NULL, touched INTEGER NOT NULL, counted INTEGER,"
    "  expected INTEGER, found INTEGER, told_ms INTEGER, PRIMARY KEY(measurement, hour)) STRICT, WITHOUT "
    "ROWID;"
    "CREATE INDEX hour_due ON hour(hour, measurement) WHERE touched > 0;"
    "CREATE INDEX hour_told ON hour(told_ms) WHERE told_ms IS NOT NULL;"
    "CREATE TABLE refused(journal INTEGER NOT NULL, line INTEGER NOT NULL, PRIMARY KEY(journal, line)) "
    "STRICT,"
    "  WITHOUT ROWID;"
    "INSERT INTO refused SELECT journal, line FROM quarantine WHERE journal IS NOT NULL AND line IS NOT NULL;"
    "CREATE TRIGGER journal_removed AFTER DELETE ON journal BEGIN"
    "  DELETE FROM refused WHERE journal = old.id; END;"
    "CREATE TABLE pruned("
    "  width_ms INTEGER NOT NULL, bucket INTEGER NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL,"
    "  PRIMARY KEY(width_ms, bucket)) STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER journal_span_removed AFTER DELETE ON journal_span BEGIN"
    "  INSERT INTO pruned VALUES(old.width_ms, old.bucket, old.from_ms, old.to_ms) ON CONFLICT DO UPDATE SET"
    "    from_ms = min(from_ms, excluded.from_ms), to_ms = max(to_ms, excluded.to_ms); END;",

    /* How far the table of points has come: what is journalled after it is not in it yet. */
    "INSERT INTO cursor SELECT 'points', coalesce(max(id), 0) FROM journal;",

    /* collector/evidence/archive.h and seal.h. What a chunk holds lies apart: sealing must not write it again. */
    "CREATE TABLE archive("
    "  id INTEGER PRIMARY KEY, month INTEGER NOT NULL, seal INTEGER, begun_ms INTEGER NOT NULL,"
    "  readings INTEGER NOT NULL, bytes INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;"
    "CREATE INDEX archive_seal ON archive(seal, month);"
    "CREATE TABLE archive_content(id INTEGER PRIMARY KEY, packed BLOB NOT NULL) STRICT;"
    "CREATE TABLE seal("
    "  number INTEGER PRIMARY KEY, month INTEGER NOT NULL, supplement INTEGER NOT NULL,"
    "  readings INTEGER NOT NULL, hash BLOB NOT NULL, sealed_ms INTEGER NOT NULL, deleted_ms INTEGER,"
    "  UNIQUE(month, supplement)) STRICT;",

    books_schema,

    /* collector/ledger/meters.h. The cursor begins before all that the journal holds. */
    "CREATE TABLE ledger_point("
    "  id INTEGER PRIMARY KEY, meter INTEGER NOT NULL, name TEXT NOT NULL, is_used INTEGER NOT NULL,"
    "  since INTEGER NOT NULL, UNIQUE(meter, name)) STRICT;"
    "CREATE INDEX ledger_event_open ON ledger_event(from_ms) WHERE state = 0 AND kind BETWEEN 5 AND 7;"
    "CREATE TABLE ledger_folded(meter INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT;"
    "INSERT INTO cursor VALUES('ledger', 0);"
    /* Of the row's series as much time is deleted in the store before the line is written; NULL = none. */
    "ALTER TABLE outbox ADD COLUMN clears_ms INTEGER;",

    /* collector/model/version.h. */
    "CREATE TABLE model_version("
    "  number INTEGER PRIMARY KEY, accepted_ms INTEGER NOT NULL, hash BLOB NOT NULL, park_name TEXT NOT NULL,"
    "  factors_name TEXT, tariffs_name TEXT, park BLOB NOT NULL, factors BLOB, tariffs BLOB, who TEXT, why "
    "TEXT)"
    " STRICT;"
    "CREATE TRIGGER model_version_stays BEFORE DELETE ON model_version BEGIN"
    "  SELECT RAISE(ABORT, 'a version stays'); END;"
    "CREATE TRIGGER model_version_is_final BEFORE UPDATE ON model_version BEGIN"
    "  SELECT RAISE(ABORT, 'a version stays'); END;",

    /* collector/ledger/decided.h; who changed what in this database. */
    decided_schema, CHANGES_SCRIPT,

    /* collector/store/repost.h. Cursor 'energy': the version of the park model by which rows of `energy` are posted, 0 =
     * none yet (collector/energy_model.h). */
    "CREATE TABLE repost("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, meter TEXT NOT NULL UNIQUE, from_ms INTEGER NOT NULL,"
    "  until_ms INTEGER NOT NULL) STRICT;"
    "INSERT INTO cursor VALUES('energy', 0);",

    temperature_schema,

    booked_schema,

    /* The batch that a chunk begins with (its number in the journal); of chunks from before this was noted 0. */
    "ALTER TABLE archive ADD COLUMN first INTEGER NOT NULL DEFAULT 0",

    closing_seal_schema,

    outage_schema,

    booking_schema,

    told_schema,

    board_schema,

    timesheet_schema,

    space_schema,

    /* The journal's newest batch when it was accepted; of versions from before this was noted 0. Cursor 'watch_noted': up to
     * this batch instruments were followed by whatever model was in use (collector/verify/verify_told.c). */
    "ALTER TABLE model_version ADD COLUMN journal INTEGER NOT NULL DEFAULT 0;"
    "INSERT INTO cursor SELECT 'watch_noted', coalesce(max(id), 0) FROM journal;",

    repost_rows_schema,

    booking_known_schema,

    told_word_schema,

    timesheet_gone_schema,

    told_resource_schema,

    told_late_schema,

    told_reach_schema,

    told_doubt_schema,

    told_place_schema,

    timesheet_again_schema,

    alarm_schema,

    alarm_reason_schema,

    alarm_tried_schema,

    alarm_period_schema,

    alarm_news_schema};

const struct db_schema collector_schema = {scripts, sizeof scripts / sizeof scripts[0]};

enum status collector_open_reader(const char *path, struct db **ret, struct error *err)
{
    struct db *db;
    enum status status = db_open_reader_own(path, COLLECTOR_APPLICATION_ID, collector_schema.count, &db, err);
    if (status != ST_OK)
        return status;
    if (db_format(db) < collector_schema.count) {
        status = error_set(err, ST_INVALID,
            "%s is of an older format (%lld, this program's is %d); start the collector once, which brings "
            "it up to date",
            path, (long long)db_format(db), collector_schema.count);
        db_close(db);
        return status;
    }
    *ret = db;
    return ST_OK;
}
