/*
 * Sessions over a restart of the collector: "<database>.sessions", whose owner alone may read it, written whole. Apart
 * from the database, so that no backup brings back who signed out; without it, everybody has to sign in again.
 *
 *   parkmon sessions 2
 *   run <the machine's run, as clock.h has it>
 *   <hash of the id> <token> <hash of its secret> <begun_ms> <until_mono_ms> <left_ms> <kept or -> <csrf>  for each
 *   sum <SHA-256 of what is before>
 *
 * In the same run of the machine the rest of a life is as monotonic time has it, whatever became of wall time. In another,
 * it is by wall time, but never more than was left when the file was written: however often the machine is started with its
 * clock set back, no life becomes longer by it. So the file is to be written at least each SESSIONS_NOTED_MS, by which
 * left_ms is less than what was left. A begin that lies further ahead than its life is none.
 */
#pragma once

#include "collector/access/sessions.h"
#include "lib/status.h"

#define SESSIONS_NOTED_MS (10 * 60000)

/* The caller frees it. */
char *sessions_path(const char *database);
/* Those that are not over. None where there is no file. ST_INVALID: it is damaged, or of another version; none then, too. */
enum status sessions_read(
    const char *path, const char *boot_id, struct session_time now, struct sessions *ret, struct error *err);
/* ST_FULL: the file is what it was; ST_STORAGE: or already this, on a disk that may forget it. */
enum status sessions_write(const char *path, const struct sessions *s, const char *boot_id,
    struct session_time now, struct error *err);
