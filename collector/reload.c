#include "collector/reload.h"

#include "collector/alarm_desk.h"
#include "collector/calendars/calendar_rounds.h"
#include "collector/schema.h"
#include "lib/clock.h"
#include "lib/log.h"

#include <stdlib.h>
#include <string.h>

/* What is taken while it runs. */
static bool is_taken(const char *path)
{
    return strcmp(path, "park") == 0 || strcmp(path, "factors") == 0 || strcmp(path, "tariffs") == 0 ||
           strcmp(path, "alarms") == 0;
}

static void tell_untaken(const struct collector_settings *before, const struct collector_settings *after)
{
    struct facts old = {0}, new = {0};
    struct differences d;
    facts_add(&old, &collector_section, before);
    facts_add(&new, &collector_section, after);
    facts_sort(&old);
    facts_sort(&new);
    differences_find(&old, &new, &(struct difference_now){0}, &d);
    for (size_t i = 0; i < d.count; i++) {
        if (is_taken(d.items[i].path))
            continue;
        char *text = difference_text(&d.items[i]);
        log_warn("reload", "%s; counts from the next start on", text);
        free(text);
    }
    differences_release(&d);
    facts_release(&old);
    facts_release(&new);
}

/* Ends `text`, of a stream that was closed. */
static void log_lines(char *text)
{
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        log_error("reload", "%s", line);
    free(text);
}

/* `m` and `alarms` may be NULL. */
static bool has_problems(const struct conf *conf, const struct model *m, const struct alarm_rules *alarms)
{
    if (conf_problem_count(conf) == 0 && (m == NULL || model_problem_count(m) == 0) &&
        (alarms == NULL || conf_problem_count(alarms->conf) == 0))
        return false;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (out != NULL) {
        conf_print_problems(conf, out);
        if (m != NULL)
            model_print_problems(m, out);
        if (alarms != NULL)
            conf_print_problems(alarms->conf, out);
        fclose(out);
        log_lines(text);
    }
    log_error("reload", "mistakes in the files: everything stays as it is");
    return true;
}

/* What `core` was offered is no longer in `a`. */
static enum status offer(
    const struct collector_settings *settings, const struct model *m, struct core *core, struct error *err)
{
    const char *path = settings->database.path;
    struct acceptance a = {0};
    struct db *db = NULL;
    enum status status = collector_open_reader(path, &db, err);
    if (status == ST_OK)
        status = acceptance_judge(db, path, m, clock_system.wall_ms(), &a, err);
    db_close(db);
    if (status == ST_OK && (a.verdict == VERDICT_SAME || a.verdict == VERDICT_REFUSED))
        acceptance_log(&a);
    if (status == ST_OK)
        status = acceptance_refusal(&a, err);
    if (status == ST_OK && a.verdict != VERDICT_SAME)
        core_offer(core, &a);
    acceptance_release(&a);
    return status;
}

void reload_run(const char *config, const struct collector_settings *settings, struct core *core)
{
    struct collector_settings fresh;
    struct error err;
    log_info("reload", "reading %s and the park model again", config);
    struct conf *conf = collector_settings_load(config, &fresh);
    struct model *m = fresh.park != NULL ? acceptance_load(&fresh) : NULL;
    if (m != NULL)
        calendar_rounds_check(m->park);
    struct alarm_rules *alarms =
        fresh.alarms != NULL ? alarm_desk_load(fresh.alarms, m != NULL ? m->park : NULL, true) : NULL;
    if (!has_problems(conf, m, alarms)) {
        tell_untaken(settings, &fresh);
        if (offer(settings, m, core, &err) == ST_OK) {
            core_offer_alarms(core, alarms);
            alarms = NULL;
        } else {
            log_error("reload", "%s", err.text);
        }
    }
    alarm_rules_destroy(alarms);
    model_put(m);
    conf_destroy(conf);
}
