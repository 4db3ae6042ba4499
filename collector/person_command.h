/*
 * A command of a person that writes: the running collector does it, which alone writes the database; where none runs the command
 * does it by itself, with the park model's files as they are. Main thread, of a program that is nothing else.
 */
#pragma once

#include "collector/control.h"
#include "collector/model/model.h"
#include "collector/settings.h"

struct person_command {
    const char *name; /* on the control socket */
    const char *who;  /* as it was entered; NULL = not */
    bool is_preview;
    /* Does it here (collector/offline.h); `who` is for the log of changes. Adds to `text` what is printed. *ret_is_refused: an
     * ST_INVALID is the answer to what was asked, not of the database or the model. */
    enum status (*here)(const struct collector_settings *settings, const struct model *m, const char *who,
        void *context, struct buf *text, bool *ret_is_refused, struct error *err);
    void *context;
};

/* Takes the reference to `body`, which is what the socket is sent. The exit code: EXIT_REFUSED where it is refused, there or here. */
int person_command_run(
    const struct collector_settings *settings, const struct person_command *command, json_t *body);
