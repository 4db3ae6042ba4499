/*
 * Which rows of `energy` look otherwise by another park model: those of a meter whose building, site, tenant, item or
 * carrier is another at their begin, or whose factors or prices of the day are, or that the model names no more or
 * anew. They are posted again under what holds now, and what the store holds of them is deleted
 * (collector/store/repost.h).
 */
#pragma once

#include "collector/model/model.h"
#include "lib/db.h"

/* Of each meter one span, of what the books hold, at most that and what lies between. Inside a transaction. */
enum status energy_model_repost(
    struct db *db, const struct model *before, const struct model *now, struct error *err);
/* The version by which the rows are posted (cursor 'energy') becomes the newest one, which `now` is; what that changes is
 * posted again. Inside the core's transaction; two look-ups where nothing is to be done. */
enum status energy_model_follow(
    struct db *db, const struct model *now, bool *ret_is_changed, struct error *err);
