/*
 * How a call fails: what the program should do is the returned `enum status`; what a person should
 * read is one line in a `struct error` on the caller's stack, always the last parameter, untouched
 * on success. A function logs or returns, never both.
 */
#pragma once

enum status {
    ST_OK,
    ST_TIMEOUT,     /* a peer did not answer in time; try again later */
    ST_UNREACHABLE, /* a peer cannot be reached; try again later */
    ST_PROTOCOL,    /* a peer answered, but not by its protocol, or it refused */
    ST_INVALID,     /* input from a person, a file or a wire is wrong */
    ST_FULL,        /* a limit of ours or a disk is full; nothing was changed */
    ST_STORAGE,     /* a disk failed; durable state can no longer be trusted to move */
};

struct error {
    char text[512];
};

/* Writes the text (truncated if too long, and clean whatever a peer's words in it are: see text_clean; `err`
 * may be NULL) and returns `status`, so that a failure is one statement: return error_set(err, ST_TIMEOUT,
 * "unit %d did not answer", unit); */
enum status error_set(struct error *err, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "<text>: " in front of what `err` already says. Returns `status`. */
enum status error_prefix(struct error *err, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The status in one word, for logs and tests. */
const char *status_name(enum status status);

/* Exit codes of both programs (sysexits.h). */
enum exit_code {
    EXIT_OK = 0,
    EXIT_USAGE = 64,
    EXIT_UNAVAILABLE = 69,
    EXIT_INTERNAL = 70,
    EXIT_IO = 74,
    EXIT_CONFIG = 78,
};
