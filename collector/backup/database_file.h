/*
 * The collector's database as a file that commands copy, move and compare: they tell a person what is wrong, and return exit
 * codes.
 */
#pragma once

#include "lib/status.h"

#include <stdbool.h>

struct db;

/* Says the error where there is one; the exit code. */
int database_exit_code(enum status status, const struct error *err);

/* A new file `to` with what the database `from` holds, synced and sound; nothing where it fails. Shows how far it is.
 * `is_at_rest`: as db_copy. */
enum status database_copy(const char *from, bool is_at_rest, const char *to, struct error *err);
/* A copy of the collector's database to work on, however long that takes: in a temporary file of this process alone, and its
 * collector goes on undisturbed once it is made. Shows how far it is. */
enum status database_open_copy(const char *path, struct db **ret, struct error *err);
/* A rename that is on the disk afterwards. */
enum status database_move(const char *from, const char *to, struct error *err);

/* Opens the database at `path`, which nobody else uses, brings it to the format of this program, and has `change` change it. What
 * was changed is in the one file, and on the disk. */
enum status database_change(const char *path,
    enum status (*change)(void *user_data, struct db *db, struct error *err), void *user_data,
    struct error *err);

/* False where `path` may be neither source nor target of what is done with the database, because it is that or belongs
 * to it; says so. */
bool database_is_apart(const char *path, const char *database, const char *expected);
