/* The tables of words beside words.c: code, Chinese, English. Private to words*.c. */
#pragma once

#include <stddef.h>

extern const char *const words_drill[][3];
extern const size_t words_drill_count;

extern const char *const words_statement[][3];
extern const size_t words_statement_count;
