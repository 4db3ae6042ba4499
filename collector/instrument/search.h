/*
 * Finds instruments by what people type and choose. Words are looked for in all that is told about an instrument in
 * either language (id, names, model, category, building, space, place, organisation), as parts of it; all of them must be
 * there. A number of one digit or two is not looked for inside of longer ones. Capital and small letters are the same, and
 * full width and half width. Pure.
 */
#pragma once

#include "collector/model/park.h"

/* What is told about each instrument of a park, made ready to be looked through. */
struct search {
    const struct park *park; /* borrowed */
    struct search_texts {
        char *all, *model, *organisation;
    } * texts; /* in the order of the park */
};

void search_init(struct search *s, const struct park *park);
void search_release(struct search *s); /* accepts a zeroed one */

/* What is wanted. */
struct search_wish {
    char *words[16];                      /* NULL = none from there on */
    char *model, *organisation;           /* a part of it, or of the code; NULL = any */
    const struct park_category *category; /* NULL = any */
    const struct park_building *building;
    const struct park_site *site;
};

/* NULL = nothing is typed. More words than there is room for are one, with their blanks. */
void search_wish_type(
    struct search_wish *wish, const char *words, const char *model, const char *organisation);
void search_wish_release(struct search_wish *wish); /* accepts a zeroed one */

/* Whether the instrument of that number in the park is such a one. */
bool search_is_match(const struct search *s, size_t instrument, const struct search_wish *wish);
