/*
 * The park model as a whole: the park, and what its settings name beside it (factors, tariffs), as they were read
 * together. Immutable once loaded; shared by threads and snapshots, and freed with the last reference to it.
 */
#pragma once

#include "collector/model/difference.h"
#include "collector/model/facts.h"
#include "collector/model/park.h"
#include "collector/model/rates.h"

/* One text each: of the park, of factors, of tariffs. */
enum model_file { MODEL_PARK, MODEL_FACTORS, MODEL_TARIFFS };
#define MODEL_FILES 3

struct model {
    struct park *park;
    struct rates rates;
    char *names[MODEL_FILES]; /* of the files, as they are called in messages; NULL = there is none */
    struct facts facts;       /* of all files, sorted */
    struct hash hash;         /* of the facts: what counts of the files, see facts.h */
};

/* Paths of the files by enum model_file; NULL = there is none (but for the park). Never NULL. */
struct model *model_load(const char *const paths[MODEL_FILES]);
/* The same of texts that were loaded once; `texts[i].at` NULL = none. With what they say mistakes this program finds in
 * them all the same counts as far as it could be read: it was accepted then. */
struct model *model_load_texts(const char *const names[MODEL_FILES], const struct span texts[MODEL_FILES]);
/* With problems it must not be used, only released. */
size_t model_problem_count(const struct model *m);
void model_print_problems(const struct model *m, FILE *out);
/* As it was read; `at` NULL = there is no such file. */
struct span model_text(const struct model *m, enum model_file file);
/* The time, since when there are figures, and the local days of both; nothing is closed. */
struct difference_now model_now(const struct model *m, int64_t now_ms, int64_t figures_ms);

/* One more, and one less reference; a model is loaded with one. Any thread. model_put accepts NULL. */
const struct model *model_get(const struct model *m);
void model_put(const struct model *m);
