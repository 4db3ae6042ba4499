/*
 * How far somebody has come: rows of the table `cursor` (name, position), which the database's schema makes. Whoever works
 * something off piece by piece moves its cursor in the transaction of the piece.
 */
#pragma once

#include "lib/db.h"

/* 0 where the table has no such name. */
enum status cursor_read(struct db *db, const char *name, int64_t *ret, struct error *err);
/* A name that the table has not stays without. */
enum status cursor_move(struct db *db, const char *name, int64_t position, struct error *err);
