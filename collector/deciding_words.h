/*
 * What a person says of a decision, as words: of a command line, or of JSON. One table says which go with which kind, and what
 * is wrong is said in one sentence. Pure.
 */
#pragma once

#include "collector/deciding.h"

enum deciding_word {
    WORD_KIND,
    WORD_METER,
    WORD_FROM,
    WORD_UNTIL,
    WORD_AT,
    WORD_END,
    WORD_START,
    WORD_SERIAL,
    WORD_MODULUS,
    WORD_RESOLUTION,
    WORD_MAX_RATE,
    WORD_RATIO,
    WORD_ENERGY,
    WORD_REGISTER,
    WORD_UNDO,
    WORD_FORCE,
    WORD_WHY,
    WORDS
};

/* By word; NULL = not said. Times are RFC 3339, numbers decimal integers in base units, `ratio` is "1000/5", `force` "true" or
 * "false"; borrowed. */
struct deciding_words {
    const char *texts[WORDS];
};

const char *deciding_word_name(enum deciding_word word); /* "max_rate" */
/* Is it said by a text, as names and times are; else by a number, or true or false. */
bool deciding_word_is_text(enum deciding_word word);
/* -1: there is no such word. */
int deciding_word_find(const char *name);

/* Borrows the words; who, token and is_preview are the caller's to set. ST_INVALID says which word is wrong, and what is
 * expected. */
enum status deciding_read(const struct deciding_words *words, struct deciding *ret, struct error *err);
