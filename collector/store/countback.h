/*
 * The count-back: of every measurement and closed UTC hour to which lines went, what the store should hold is
 * compared with its count(); on a difference everything of that hour is posted again, once, and then the
 * difference is told. What it should hold is worked out from the journal, of `energy` from the books, of what else is
 * derived from the outbox, never from a count of posts: a post that was repeated would count twice.
 *
 * It runs on the store's thread while nothing waits to be posted, in slices; it writes nothing to the database,
 * its verdicts are results for the core. The hours that are due stand in the table `hour`, so that neither a
 * restart nor a late reading is forgotten.
 *
 * Where nothing is due it goes its rounds (collector/store/rounds.h): hours that were counted are counted again at
 * leisure, because a store can lose later what it once had. And it takes over what a rebuild left half done
 * (collector/store/unfinished.h). Both only make an hour due.
 *
 * Not judged: hours beyond the store's retention, and hours of which evidence was pruned.
 */
#pragma once

#include "collector/store/energy_body.h"
#include "collector/store/post.h"

struct countback;

struct countback_options {
    struct db *db; /* all borrowed */
    struct body_reader *reader;
    struct energy_reader *energy; /* NULL: that of `energy` is not judged */
    struct poster *poster;
    size_t slice_lines;
    const char *database_path;
    int64_t
        round_ms; /* at least so long between two hours of the rounds; 0 = a minute, below 0 = none is between */
};

struct countback *countback_create(const struct countback_options *options);
void countback_destroy(struct countback *c); /* accepts NULL; before reader and db are gone */

/* Does one slice of work, where there is some. `settled`: journal id up to which everything was posted.
 * *ret_has_worked is false where nothing is to be done before countback_due. May block for a query or a post. */
enum status countback_step(
    struct countback *c, int64_t settled, int64_t now_ms, bool *ret_has_worked, struct error *err);
/* The store lost everything: every hour of which raw evidence is held becomes due, back to a year, and all energy is to
 * be posted again. */
enum status countback_recount(struct countback *c, int64_t now_ms, struct error *err);
int64_t countback_due_mono_ms(const struct countback *c);
/* Lines went to these hours now: what is being counted of them is begun anew, and what is due waits a little,
 * because more may come; but not for ever. */
void countback_disturb(struct countback *c, const struct hour_list *hours, int64_t now_ms);
/* Moves the verdicts since the last call to the end of `list`, lines that were refused when posted again, and hours
 * that must become due. */
void countback_take(struct countback *c, struct hour_count_list *list, struct reject_list *rejects,
    struct hour_list *touched);
/* True once after what the store held of `energy` was found to be gone: its hours are not made due, since the books hold
 * years of them. */
bool countback_take_lost_energy(struct countback *c);
/* Sets the fields of `status` that tell of hours. */
void countback_status(const struct countback *c, struct store_status *status);
