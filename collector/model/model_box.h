/* Where the model in use lies: set by the core between two turns, read by everyone else. Any thread. */
#pragma once

#include "collector/model/model.h"

struct model_box;

struct model_box *model_box_create(void);
void model_box_destroy(struct model_box *box); /* accepts NULL */
/* Takes a reference of its own, and drops that to the one before. */
void model_box_set(struct model_box *box, const struct model *m);
/* With a reference for the caller; NULL before the first. */
const struct model *model_box_get(struct model_box *box);
/* For whoever keeps one in `*held` (NULL at first): true where another one is in use, which `*held` then is. */
bool model_box_follow(struct model_box *box, const struct model **held);
