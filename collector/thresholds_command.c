#include "collector/thresholds_command.h"

#include "collector/accept.h"
#include "collector/command_line.h"
#include "collector/instrument/thresholds.h"
#include "collector/schema.h"
#include "collector/watch.h"
#include "lib/number.h"
#include "lib/program.h"
#include "lib/progress.h"
#include "lib/rfc3339.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: park-collector thresholds --config FILE --instrument ID [--from TIME] [--until TIME]\n"
    "                                 [--off-w W] [--exit-w W] [--enter-w W] [--enter-s S] [--exit-s S]\n"
    "\n"
    "Shows what the power of an instrument was, as far back as the journal holds it, and what the thresholds "
    "of\n"
    "the park file, those that are given, and enter_w alone would have made of it. Changes nothing, whether "
    "or\n"
    "not a collector runs. Thresholds belong where the histogram is empty.\n"
    "\n"
    "  --from, --until  by the times of the readings, RFC 3339 with an offset\n"
    "  --off-w, ...     in place of those of the park file\n";

#define BAR 40 /* of the longest */
#define HOUR_MS 3600000.0
#define STEP_MS 1000 /* of reading in one go, which holds up the writer's log */
/* Power may be told before its time by the gateway's clock. */
#define AHEAD_MS INT64_C(3600000)

struct words {
    const char *config, *instrument, *from, *until, *off_w, *exit_w, *enter_w, *enter_s, *exit_s, *help;
};

struct look {
    const struct words *words;
    int64_t from_ms, until_ms;
    struct activity_limits given; /* -1 = as in the park file */
    struct thresholds thresholds;
};

/* ---- what is asked ---- */

/* In thousandths. */
static bool read_amount(const char *text, int64_t *ret)
{
    struct fraction value, exact;
    if (text == NULL) {
        *ret = -1;
        return true;
    }
    if (strchr(text, '/') != NULL || !fraction_parse(text, &value) ||
        !fraction_multiply(value, (struct fraction){1000, 1}, &exact) || exact.den != 1 || exact.num < 0 ||
        exact.num > INT64_C(1000000000000))
        return false;
    *ret = exact.num;
    return true;
}

static int parse(int argc, char **argv, struct words *w, struct look *ret)
{
    const struct command_option options[] = {{"config", &w->config, false},
        {"instrument", &w->instrument, false}, {"from", &w->from, false}, {"until", &w->until, false},
        {"off-w", &w->off_w, false}, {"exit-w", &w->exit_w, false}, {"enter-w", &w->enter_w, false},
        {"enter-s", &w->enter_s, false}, {"exit-s", &w->exit_s, false}, {"help", &w->help, true}};
    int code = command_line_read(argc, argv, usage, options, sizeof options / sizeof options[0]);
    if (code >= 0)
        return code;
    if (w->help != NULL) {
        fputs(usage, stdout);
        return EXIT_OK;
    }
    if (argc > optind)
        return command_line_refuse(usage, "one argument too many: ", argv[optind]);
    if (w->config == NULL || w->instrument == NULL)
        return command_line_refuse(
            usage, w->config == NULL ? "--config is missing" : "--instrument is missing", "");
    ret->words = w;
    ret->from_ms = INT64_MIN;
    ret->until_ms = INT64_MAX;
    if (w->from != NULL && !rfc3339_parse(w->from, &ret->from_ms))
        return command_line_refuse(usage, "--from is no time such as 2026-10-01T08:00:00+08:00: ", w->from);
    if (w->until != NULL && !rfc3339_parse(w->until, &ret->until_ms))
        return command_line_refuse(usage, "--until is no time such as 2026-10-01T08:00:00+08:00: ", w->until);
    if (ret->from_ms >= ret->until_ms)
        return command_line_refuse(usage, "--until is not after --from: ", w->until);
    const struct {
        const char *text;
        int64_t *place;
    } amounts[] = {{w->off_w, &ret->given.off_mw}, {w->exit_w, &ret->given.exit_mw},
        {w->enter_w, &ret->given.enter_mw}, {w->enter_s, &ret->given.enter_ms},
        {w->exit_s, &ret->given.exit_ms}};
    for (size_t i = 0; i < sizeof amounts / sizeof amounts[0]; i++)
        if (!read_amount(amounts[i].text, amounts[i].place))
            return command_line_refuse(
                usage, "no number from 0 on with at most three decimals: ", amounts[i].text);
    return -1;
}

static int64_t one_of(int64_t given, int64_t otherwise)
{
    return given >= 0 ? given : otherwise;
}

/* The park file's, those that are given, where some are, and enter_w alone. */
static enum status begin(struct look *l, const struct park_instrument *n, struct error *err)
{
    struct activity_limits own = {.off_mw = n->off_mw,
        .exit_mw = n->exit_mw,
        .enter_mw = n->enter_mw,
        .enter_ms = n->enter_ms,
        .exit_ms = n->exit_ms};
    struct activity_limits given = {.off_mw = one_of(l->given.off_mw, own.off_mw),
        .exit_mw = one_of(l->given.exit_mw, own.exit_mw),
        .enter_mw = one_of(l->given.enter_mw, own.enter_mw),
        .enter_ms = one_of(l->given.enter_ms, own.enter_ms),
        .exit_ms = one_of(l->given.exit_ms, own.exit_ms)};
    if (given.off_mw >= given.exit_mw || given.exit_mw >= given.enter_mw)
        return error_set(err, ST_INVALID,
            "the thresholds are out of order: off_w %.10g, exit_w %.10g, enter_w %.10g; expected off_w < "
            "exit_w < "
            "enter_w",
            (double)given.off_mw / 1000, (double)given.exit_mw / 1000, (double)given.enter_mw / 1000);
    struct activity_limits bare = {
        .off_mw = given.off_mw, .exit_mw = given.enter_mw, .enter_mw = given.enter_mw};
    thresholds_init(&l->thresholds, activity_gap_ms(n->power_period_ms));
    thresholds_add(&l->thresholds, own);
    thresholds_add(&l->thresholds, given);
    thresholds_add(&l->thresholds, bare);
    return ST_OK;
}

/* ---- the journal ---- */

static enum status take(void *user_data, void *item, const struct follower_reading *r, struct error *err)
{
    struct look *l = user_data;
    int64_t time_ms = r->reading->time_ms, power_mw;
    (void)item;
    (void)err;
    if (time_ms >= l->from_ms && time_ms < l->until_ms && watch_power_mw(r->reading->value, &power_mw))
        thresholds_read(&l->thresholds, time_ms, power_mw);
    return ST_OK;
}

/* No reading arrives before its time. */
static enum status first_batch(struct db *db, int64_t from_ms, int64_t *ret, struct error *err)
{
    struct db_stmt *find =
        db_prepare(db, "SELECT id FROM journal WHERE received_ms >= ?1 ORDER BY id LIMIT 1");
    bool has_row;
    db_bind_int(find, 1, from_ms);
    enum status status = db_step(find, &has_row, err);
    *ret = status == ST_OK && has_row ? db_int(find, 0) - 1 : INT64_MAX;
    db_finish(find);
    return status;
}

static enum status read_journal(
    struct look *l, struct db *db, const struct park_instrument *n, struct error *err)
{
    struct db *scratch = NULL;
    struct progress progress;
    int64_t position = 0;
    enum status status = db_open_scratch(&collector_schema, &scratch, err);
    if (status == ST_OK && l->from_ms != INT64_MIN)
        status = first_batch(db, l->from_ms - AHEAD_MS, &position, err);
    struct follower f = {.db = scratch,
        .journal = db,
        .until = INT64_MAX,
        .cursor = "watch",
        .step_ms = STEP_MS,
        .rest_ms = INT64_C(1) << 40,
        .take = take,
        .user_data = l};
    f.position = position;
    follower_add(&f, n->power_point, READING_GAUGE, l);
    progress_begin(&progress);
    while (status == ST_OK && f.due_mono_ms == 0 && f.position != INT64_MAX) {
        bool is_changed = false;
        status = follower_step(&f, &clock_system, &is_changed, err);
        progress_show(&progress, "read the journal up to batch %lld", (long long)f.position);
        if (status == ST_OK && program_is_asked_to_end())
            status = error_set(err, ST_TIMEOUT, "stopped");
    }
    progress_end(&progress);
    follower_release(&f);
    db_close(scratch);
    thresholds_end(&l->thresholds);
    return status;
}

/* ---- what is printed ---- */

static void print_edge(int64_t mw, char *text, size_t size)
{
    if (mw == INT64_MIN || mw == INT64_MAX)
        snprintf(text, size, "%s", mw == INT64_MIN ? "less" : "more");
    else
        snprintf(text, size, "%.10g", (double)mw / 1000);
}

static void print_histogram(const struct thresholds *t)
{
    size_t first = THRESHOLDS_BINS, last = 0;
    int64_t most_ms = 1;
    for (size_t i = 0; i < THRESHOLDS_BINS; i++)
        if (t->bins[i].readings > 0) {
            first = i < first ? i : first;
            last = i;
            most_ms = t->bins[i].time_ms > most_ms ? t->bins[i].time_ms : most_ms;
        }
    printf("\n%19s %9s %10s\n", "power, W", "time, h", "readings");
    for (size_t i = first; i <= last && first < THRESHOLDS_BINS; i++) {
        char from[24], to[24], bar[BAR + 1] = "";
        int64_t ms = t->bins[i].time_ms;
        print_edge(thresholds_edge_mw(i), from, sizeof from);
        print_edge(thresholds_edge_mw(i + 1), to, sizeof to);
        size_t length = (size_t)((ms * BAR + most_ms - 1) / most_ms);
        memset(bar, '#', length);
        bar[length] = '\0';
        printf("%8s ..%8s %9.2f %10" PRId64 "%s%s\n", from, to, (double)ms / HOUR_MS, t->bins[i].readings,
            length > 0 ? "  " : "", bar);
    }
}

static void print_trial(const char *name, const struct thresholds_trial *t)
{
    const struct activity_limits *l = &t->limits;
    printf("%-12s %8.10g %8.10g %8.10g %8.10g %8.10g %6" PRId64 " %10.2f %10.2f %10.2f %10.2f\n", name,
        (double)l->off_mw / 1000, (double)l->exit_mw / 1000, (double)l->enter_mw / 1000,
        (double)l->enter_ms / 1000, (double)l->exit_ms / 1000, t->runs,
        (double)t->state_ms[ACTIVITY_RUNNING] / HOUR_MS, (double)t->state_ms[ACTIVITY_STANDBY] / HOUR_MS,
        (double)t->state_ms[ACTIVITY_OFF] / HOUR_MS, (double)t->state_ms[ACTIVITY_UNKNOWN] / HOUR_MS);
}

static bool is_given(const struct look *l)
{
    const struct words *w = l->words;
    return w->off_w != NULL || w->exit_w != NULL || w->enter_w != NULL || w->enter_s != NULL ||
           w->exit_s != NULL;
}

static void print(const struct look *l, const struct park_instrument *n)
{
    const struct thresholds *t = &l->thresholds;
    if (t->readings == 0) {
        printf("instrument %s: the journal holds no power of %s\n", n->id, n->power_point);
        return;
    }
    char first[CLOCK_TEXT_SIZE], last[CLOCK_TEXT_SIZE];
    clock_format_utc(t->first_ms, first);
    clock_format_utc(t->last_ms, last);
    printf("instrument %s: %" PRId64 " readings of %s from %s to %s\n", n->id, t->readings, n->power_point,
        first, last);
    if (t->dropped > 0)
        printf("%" PRId64 " more, whose time was not later than that of the one before, are not counted\n",
            t->dropped);
    print_histogram(t);
    printf("\n%-12s %8s %8s %8s %8s %8s %6s %10s %10s %10s %10s\n", "thresholds", "off_w", "exit_w",
        "enter_w", "enter_s", "exit_s", "runs", "running, h", "standby, h", "off, h", "unknown, h");
    print_trial("park file", &t->trials[0]);
    if (is_given(l))
        print_trial("given", &t->trials[1]);
    print_trial("enter_w bare", &t->trials[2]);
}

/* ---- the command ---- */

static enum status find(
    const struct model *m, const char *id, const struct park_instrument **ret, struct error *err)
{
    *ret = park_instrument_find(m->park, id);
    if (*ret == NULL)
        return error_set(err, ST_INVALID,
            "--instrument %s is not in the park model; expected the id of one of its instruments", id);
    if ((*ret)->power_point == NULL)
        return error_set(err, ST_INVALID,
            "instrument %s has no power in the park model; expected `power`, or a `meter` that has it", id);
    return ST_OK;
}

static int perform(const struct collector_settings *settings, void *context)
{
    struct look *l = context;
    struct model *m = acceptance_load(settings);
    const struct park_instrument *n;
    struct db *db = NULL;
    struct error err;
    int code = EXIT_CONFIG;
    if (model_problem_count(m) > 0) {
        model_print_problems(m, stderr);
    } else {
        enum status status = find(m, l->words->instrument, &n, &err);
        if (status == ST_OK)
            status = begin(l, n, &err);
        if (status == ST_OK)
            status = collector_open_reader(settings->database.path, &db, &err);
        if (status == ST_OK)
            status = read_journal(l, db, n, &err);
        if (status == ST_OK)
            print(l, n);
        code = command_line_end(status, &err);
    }
    db_close(db);
    model_put(m);
    return code;
}

int thresholds_command(int argc, char **argv)
{
    struct words words = {0};
    static struct look look;
    int code = parse(argc, argv, &words, &look);
    return code >= 0 ? code : command_line_perform(words.config, perform, &look);
}
