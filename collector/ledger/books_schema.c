#include "collector/ledger/books.h"

/* Days of UTC since 1970, rounded down also before. */
#define DAY_OF(row) "((" row ".start_ms - (" row ".start_ms % 86400000 + 86400000) % 86400000) / 86400000)"
#define NEW_DAY DAY_OF("new")
#define OLD_DAY DAY_OF("old")

const char books_schema[] =
    "CREATE TABLE ledger_meter(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE ledger_hour(id INTEGER PRIMARY KEY, readings BLOB NOT NULL) STRICT;"
    "CREATE TABLE ledger_latest("
    "  meter INTEGER PRIMARY KEY, hour INTEGER NOT NULL, readings BLOB NOT NULL) STRICT;"
    "CREATE TABLE ledger_boundary("
    "  meter INTEGER NOT NULL, time_ms INTEGER NOT NULL, energy INTEGER NOT NULL, quality INTEGER NOT NULL,"
    "  baseline_ms INTEGER NOT NULL, stated INTEGER NOT NULL, PRIMARY KEY(meter, time_ms)) STRICT, WITHOUT "
    "ROWID;"
    "CREATE TABLE ledger_quarter("
    "  meter INTEGER NOT NULL, start_ms INTEGER NOT NULL, version INTEGER NOT NULL, amount INTEGER,"
    "  quality INTEGER NOT NULL, written_ms INTEGER NOT NULL, written_by INTEGER NOT NULL,"
    "  PRIMARY KEY(meter, start_ms, version)) STRICT, WITHOUT ROWID;"
    /* state 2, in doubt, is only found within a transaction. */
    "CREATE TABLE ledger_event("
    "  meter INTEGER NOT NULL, from_ms INTEGER NOT NULL, kind INTEGER NOT NULL, until_ms INTEGER NOT NULL,"
    "  state INTEGER NOT NULL, opened_ms INTEGER NOT NULL, opened_by INTEGER NOT NULL, withdrawn_ms INTEGER,"
    "  withdrawn_by INTEGER, PRIMARY KEY(meter, from_ms, kind, until_ms)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE ledger_snapshot("
    "  meter INTEGER NOT NULL, last_ms INTEGER NOT NULL, reach_ms INTEGER NOT NULL, first_ms INTEGER NOT "
    "NULL,"
    "  hash BLOB NOT NULL, state BLOB NOT NULL, PRIMARY KEY(meter, last_ms)) STRICT, WITHOUT ROWID;"
    /* collector/ledger/latest.h */
    "CREATE TABLE ledger_day("
    "  meter INTEGER NOT NULL, day INTEGER NOT NULL, packed BLOB NOT NULL, PRIMARY KEY(meter, day)) STRICT,"
    "  WITHOUT ROWID;"
    "CREATE TRIGGER ledger_day_deleted AFTER DELETE ON ledger_quarter BEGIN"
    "  DELETE FROM ledger_day WHERE meter = old.meter AND day = " OLD_DAY "; END;"
    "CREATE TRIGGER ledger_day_updated AFTER UPDATE ON ledger_quarter BEGIN"
    "  DELETE FROM ledger_day WHERE meter = old.meter AND day = " OLD_DAY ";"
    "  DELETE FROM ledger_day WHERE meter = new.meter AND day = " NEW_DAY "; END;";
