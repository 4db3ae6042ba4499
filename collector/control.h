/*
 * The control socket "<database>.socket" of a running collector: how a command at this machine that writes has the collector
 * do it, which alone writes the database. A unix socket that is open to its owner alone, and to root; who asks is the user
 * of this machine that the kernel names (SO_PEERCRED).
 *
 * A request is one line of JSON, {"command": "decide", "who": "Anna" (or null), "preview": false, "body": {...}}; the answer is
 * one line, {"status": "ok", "text": "..."}: a word of status_name, and what is printed, or what is wrong. Then the connection
 * ends. One is answered after another; a request must be whole, and an answer taken, within a time of its own.
 */
#pragma once

#include "lib/buf.h"
#include "lib/json.h"
#include "lib/status.h"

#include <stdbool.h>

#define CONTROL_REQUEST_MAX (6 * 1024 * 1024 + 1024) /* the longest: a closing, CLOSE_MONTH_JSON_MAX */
#define CONTROL_WHO_MAX 64

struct control_request {
    const char *who; /* for the log of changes: "user anna", or "Anna (user anna)" */
    bool is_preview;
    const json_t *body; /* an object */
};

struct control_command {
    const char *name;
    /* On the socket's thread; may wait for the core. Adds to `text` what the command prints. */
    enum status (*run)(
        void *user_data, const struct control_request *request, struct buf *text, struct error *err);
};

struct control;

/* `commands` is borrowed. Takes the place of a socket that a killed collector left: the caller holds the database's lock.
 * ST_INVALID: the name is too long for a socket, or something else has it. ST_UNREACHABLE: it cannot be made. */
enum status control_start(const char *database, const struct control_command *commands, size_t count,
    void *user_data, struct control **ret, struct error *err);
void control_stop(struct control *c); /* returns when its thread is gone; accepts NULL */

/* For commands: has the collector that runs with `database` do it. Takes the reference to `body`; `who` may be NULL. Blocks until it
 * is answered. *ret_is_there is false where no collector listens (ST_UNREACHABLE); else what it says, with the text, which
 * the caller frees. */
enum status control_ask(const char *database, const char *command, const char *who, bool is_preview,
    json_t *body, bool *ret_is_there, char **ret_text, struct error *err);
