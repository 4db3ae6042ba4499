#include "collector/compare.h"

#include "collector/accept.h"
#include "collector/schema.h"
#include "lib/clock.h"
#include "lib/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int print_verdict(const struct acceptance *a)
{
    const struct differences *d = &a->differences;
    long long base = (long long)a->base.number;
    struct error err;
    switch (a->verdict) {
    case VERDICT_FIRST:
        puts("no version was accepted yet: these files would be the first");
        return EXIT_OK;
    case VERDICT_SAME:
        printf("nothing changes against version %lld\n", base);
        return EXIT_OK;
    case VERDICT_LAWFUL:
        printf(
            "against version %lld: changes %zu, of the past 0, entered late %zu\n", base, d->count, d->late);
        return EXIT_OK;
    case VERDICT_DECIDED:
        printf("against version %lld: changes %zu, of the past %zu, decided by %s: %s\n", base, d->count,
            d->past, a->decision.who, a->decision.why);
        return EXIT_OK;
    case VERDICT_REFUSED:
        if (acceptance_refusal(a, &err) != ST_OK && a->gone != NULL) {
            fprintf(stderr, "park-collector: %s\n", err.text);
            return EXIT_CONFIG;
        }
        printf("against version %lld: changes %zu, of the past %zu: they need a decision; `park-collector "
               "decide model "
               "--config FILE --why TEXT` allows exactly these files\n",
            base, d->count, d->past);
        return EXIT_NEEDS_DECISION;
    }
    return EXIT_INTERNAL;
}

static int print(const struct acceptance *a)
{
    for (size_t i = 0; i < a->differences.count; i++) {
        char *text = a->verdict == VERDICT_DECIDED ? difference_text(&a->differences.items[i])
                                                   : difference_sentence(&a->differences.items[i]);
        puts(text);
        free(text);
    }
    return print_verdict(a);
}

static enum status judge(const struct collector_settings *settings, const struct model *m,
    struct acceptance *ret, struct error *err)
{
    const char *path = settings->database.path;
    struct db *db = NULL;
    *ret = (struct acceptance){.verdict = VERDICT_FIRST};
    if (access(path, F_OK) != 0)
        return ST_OK;
    enum status status = collector_open_reader(path, &db, err);
    if (status == ST_OK)
        status = acceptance_judge(db, path, m, clock_system.wall_ms(), ret, err);
    db_close(db);
    return status;
}

int compare_run(const struct collector_settings *settings, const struct model *m)
{
    struct acceptance a;
    struct error err;
    enum status status = judge(settings, m, &a, &err);
    if (status != ST_OK)
        fprintf(stderr, "park-collector: %s\n", err.text);
    int code = status == ST_OK ? print(&a) : program_exit_code(status);
    acceptance_release(&a);
    return code;
}

int compare_require(const struct collector_settings *settings, const struct model *m)
{
    struct acceptance a;
    struct error err;
    if (judge(settings, m, &a, &err) != ST_OK)
        return EXIT_OK;
    int code = EXIT_OK;
    if (acceptance_refusal(&a, &err) != ST_OK) {
        for (size_t i = 0; i < a.differences.count; i++) {
            if (a.differences.items[i].weight != DIFFERENCE_PAST)
                continue;
            char *text = difference_sentence(&a.differences.items[i]);
            fprintf(stderr, "%s\n", text);
            free(text);
        }
        fprintf(stderr, "park-collector: %s\n", err.text);
        code = EXIT_CONFIG;
    }
    acceptance_release(&a);
    return code;
}
