/*
 * The preloaded library of the campaign: what a power cut, a bad disk and a wrong clock do to a program, without
 * the program's help. `struct shim_control` lies in a file that the campaign writes and that every process which
 * is started with it maps: PARKMON_SHIM names the file. Without it the library does nothing.
 *
 *   shim_power.c   a VFS of SQLite that holds back what is not synced
 *   shim_calls.c   system calls on SQLite's files that fail; the wall clock; whether the clock is synchronised
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { SHIM_WRITE = 1, SHIM_SYNC = 2, SHIM_TRUNCATE = 4, SHIM_CREATE = 8 };

/* The layout that shim.py packs. */
struct shim_control {
    uint32_t holds_writes;    /* read at the start of the process: its SIGKILL is a loss of power */
    uint32_t through_percent; /* of the 512-byte sectors, drawn: not held back */
    uint32_t seed;            /* of that draw */
    uint32_t fails;           /* calls that fail: SHIM_WRITE ...; 0 = none */
    int32_t error;            /* with this errno */
    int32_t skip;             /* so many matching calls succeed first */
    int64_t clock_offset_ms;
    uint32_t is_unsynchronised; /* what the kernel says of its clock */
    uint32_t failed;            /* counted by the library, over all processes */
    uint32_t dropped_syncs;     /* how often something was held back until a sync */
    uint32_t unused;
};

/* NULL = no control file. */
volatile struct shim_control *shim_control(void);
