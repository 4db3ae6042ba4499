/*
 * How every program of ours lives and ends. The main thread waits for SIGTERM, SIGINT or SIGHUP and takes
 * everything down in order; other threads have these signals blocked (lib/thread.h) and ask for the end with
 * program_ask_to_end.
 */
#pragma once

#include "lib/status.h"

#include <stdbool.h>

/* First in main: a closed connection and a file at its size limit are errors of the call, not signals. */
void program_begin(void);
/* Waits until the program is asked to end. Main thread. */
void program_wait_for_end(void);
/* The same for a program that can read its settings again: it is asked for that by SIGHUP, and to end by the others. */
enum program_wish { PROGRAM_END, PROGRAM_RELOAD };
enum program_wish program_wait(void);
/* Has it been asked? For long work on the main thread. */
bool program_is_asked_to_end(void);
/* Any thread: wakes the main thread, which finds out why. */
void program_ask_to_end(void);
/* Last in main, with what the process is to return: where standard output was not written whole, that is said, and
 * success becomes EXIT_IO. */
int program_finish(int code);
/* Of a command whose input was understood and refused (sysexits.h: EX_DATAERR). */
#define EXIT_REFUSED 65
/* What the process returns when its work ended with `status` (sysexits.h). */
int program_exit_code(enum status status);
