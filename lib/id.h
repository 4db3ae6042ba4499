/* Identifiers of the wire contract (CONTRIBUTING.md, "The wire contract"). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ID_MAX 32    /* gateway, instrument and other ids: [a-z0-9][a-z0-9-]{0,31} */
#define POINT_MAX 64 /* points: [a-z0-9][a-z0-9._-]{0,63} */

bool id_is_valid(const char *text);
bool point_is_valid(const char *text);

/* An epoch: random 64 bits, on the wire as 16 lower-case hex digits. */
#define EPOCH_TEXT_SIZE 17
void epoch_format(uint64_t epoch, char text[static EPOCH_TEXT_SIZE]);
/* From getrandom(2); never 0, so that 0 can mean "none". */
uint64_t epoch_draw(void);
