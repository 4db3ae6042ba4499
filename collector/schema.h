/*
 * The collector's database: one file, one writer (the core thread). Whoever reads it in the collector's own process
 * uses db_open_reader, a command collector_open_reader.
 *
 *   gateway          one row per gateway ever heard
 *   epoch            the mark of every epoch: each batch up to it, on the line that leads there, is durable
 *   journal          the raw batches as they came, in order of arrival: the evidence, and the source of the
 *                    raw series
 *   journal_span     where in time a batch lies, in buckets, to find what late readings may repeat
 *   point            every point ever heard, with its newest reading
 *   quarantine       lines and payloads that were refused, with the reason; quarantine_size: how much that is
 *   loss             what an agent had to give up, or what went missing, by name
 *   cursor           how far the store ('raw'), the table of points, the ledger, the temperatures and the spaces have
 *                    taken the journal
 *   outbox           derived lines that wait for the store; the latest of a (series, time) wins; outbox_size:
 *                    how much that is
 *   hour             hours of a measurement that lines went to and that are to be counted against the store, or
 *                    differ there
 *   refused          lines of the journal that the store will never take
 *   pruned           of what times batches were deleted: buckets as in journal_span
 *   archive          the register readings of batches that were deleted, in chunks of a month (counted from January
 *                    1970); archive_content: their text, packed; seal: the chain that seals them
 *   ledger_*         the energy ledger (collector/ledger/books.h, meters.h, decided.h)
 *   temperature*     of baselines, by quarter hour (collector/baseline/temperature.h)
 *   calendar*        bookings of instruments (collector/instrument/booking_rows.h)
 *   timesheet*       which quarter hours of instruments are in the outbox, and which are due (collector/timesheet.h)
 *   space_*          people in spaces (collector/space/tables.h)
 *   repost*          what the store lost, or has otherwise (collector/store/repost.h, repost_rows.h)
 *   alarm*           what fired, and who was told (collector/alarm/rows.h)
 *   change_log       who decided what of the ledger, beside the log of tokens (collector/access/changes.h)
 *   model_version    the versions of the park model that were accepted, each with its texts
 *
 * A script that was ever released does not change: what comes later is a further script (lib/db.h, db_schema).
 */
#pragma once

#include "lib/db.h"

#define COLLECTOR_APPLICATION_ID 0x504b434c /* "PKCL": no other program's database is taken for ours */
extern const struct db_schema collector_schema;

/* Read-only, for a command: ST_INVALID where the file is not the collector's, or of another format than ours. */
enum status collector_open_reader(const char *path, struct db **ret, struct error *err);
