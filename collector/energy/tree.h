/*
 * Which meters make up an amount: of a meter, a virtual one, the balance gap of a parent, or a group of a site
 * (CONTRIBUTING.md, E12 to E14). Rows are drawn up once from the park model, and say of each what is read and added.
 *
 * Amounts of two carriers are never added: a building has a row for each carrier that is metered there. Only meters
 * with a register that is installed then (segments) count; a meter that has but a gauge of its power, or that is not there yet
 * or no longer, is passed over, as if its children were those of its parent.
 */
#pragma once

#include "collector/energy/amounts.h"

enum tree_by { TREE_BUILDING, TREE_TENANT, TREE_METER, TREE_ITEM, TREE_CARRIER };
extern const char *const tree_bys[]; /* names by enum tree_by, NULL-terminated */

enum tree_kind {
    TREE_GROUP,
    TREE_REAL,    /* a meter */
    TREE_VIRTUAL, /* a virtual meter */
    TREE_GAP,     /* a parent's register less its children's: what they leave unexplained */
    TREE_PART,    /* a part that adds up with the others (collector/report/part_tree.h); not of tree_init */
};
extern const char *const tree_kinds[]; /* "group", "meter", "virtual", "gap", "part" */

/* A meter that is added up: real, of one term, or made of signed ones; and when. */
struct tree_part {
    struct park_term *terms;
    size_t count;
    struct periods_span span; /* of the tree's: while the tags of the park say so */
};

struct tree_row {
    enum tree_kind kind;
    const char *
        id; /* of the building, tenant, item, meter, virtual meter, or of the gap's parent; of a carrier its name; NULL = of
             * a part: what has none */
    int carrier;                    /* enum park_carrier */
    const struct park_meter *meter; /* of TREE_REAL, and the parent of TREE_GAP */
    struct tree_part *parts;
    size_t part_count, part_capacity;
    /* Virtual meters of this group that do not count in it, because of their meters, or of those above or below them,
     * one counts already. */
    const struct park_virtual **left_out;
    size_t left_out_count, left_out_capacity;
};

struct tree {
    struct tree_row *rows;
    size_t count, capacity;
};

/* The rows of a site, in the order of the file. A group's row has its topmost meters: those above which, however far,
 * no other of the group stands then; so nothing counts twice in it. Sums over several groups may: a building's main meter
 * counts the tenants behind it. Tags are those in force at the begin of each quarter hour (park_tags_at): where they change in the span, a part
 * is of one side of that. `park` is borrowed. */
void tree_init(struct tree *tree, const struct park *park, const struct park_site *site, enum tree_by by,
    struct periods_span span);
void tree_release(struct tree *tree);
/* A part of the row over a span; where it was the same before, that goes on. Copies the terms. */
void tree_row_add(
    struct tree_row *row, struct periods_span span, const struct park_term *terms, size_t count);
/* Only the rows of that id, which may be none. */
void tree_keep(struct tree *tree, const char *id);

/* The quarter hours of a part in its span, from the database. Of several terms a quarter hour is known where all are; of a sum
 * what is known stands beside the others (struct series), of a difference nothing does, because a part of a difference
 * says nothing. Where it is beyond int64 it is unknown. Reads one meter at a time. The caller releases the series. */
enum status tree_read(
    struct db *db, const struct tree_part *part, int64_t now_ms, struct series *ret, struct error *err);

/* The row's amounts by step: `ret` has room for steps->count. While it has no part, it has no quarter hours. */
enum status tree_amounts(struct db *db, const struct tree_row *row, const struct steps *steps, int64_t now_ms,
    struct amount *ret, struct error *err);
/* Of a gap: the parent's own amounts while it has one, against which it is judged (balance.h). */
enum status tree_parent_amounts(struct db *db, const struct tree_row *gap, const struct steps *steps,
    int64_t now_ms, struct amount *ret, struct error *err);
