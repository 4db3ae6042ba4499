#include "collector/run.h"

#include "collector/accept.h"
#include "collector/access/token_command.h"
#include "collector/alarm_desk.h"
#include "collector/backup/backup.h"
#include "collector/bundle/check.h"
#include "collector/bundle/command.h"
#include "collector/calendars/calendar_rounds.h"
#include "collector/close_command.h"
#include "collector/close_control.h"
#include "collector/compare.h"
#include "collector/control.h"
#include "collector/core.h"
#include "collector/couriers/needs.h"
#include "collector/decide_command.h"
#include "collector/decide_control.h"
#include "collector/ledger/meters.h"
#include "collector/outage_command.h"
#include "collector/outage_control.h"
#include "collector/rebuild.h"
#include "collector/receivers_command.h"
#include "collector/reload.h"
#include "collector/report/command.h"
#include "collector/statement/command.h"
#include "collector/status.h"
#include "collector/thresholds_command.h"
#include "collector/verify/verify.h"
#include "collector/web/web.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/program.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: park-collector --config FILE [--check [--diff]]\n"
    "       park-collector status --config FILE [--json]\n"
    "       park-collector backup --config FILE --output FILE [--force]\n"
    "       park-collector restore --config FILE [--drop-decisions] BACKUP\n"
    "       park-collector rebuild --config FILE [--period PERIOD] [--energy] [--site ID] [--drop-unknown]\n"
    "       park-collector verify --config FILE [--period PERIOD] | --evidence FILE\n"
    "       park-collector evidence --config FILE --site ID --period PERIOD -o FILE\n"
    "       park-collector report | statement --config FILE --site ID --period PERIOD [--format html | xlsx "
    "| csv | "
    "json]\n"
    "                             [--language zh | en] [-o FILE]\n"
    "       park-collector token add | list | revoke ...    (token --help)\n"
    "       park-collector close --config FILE --site ID --period MONTH ... | list   (close --help)\n"
    "       park-collector decide model ...                 (decide --help)\n"
    "       park-collector decide list | outlier | reset | replacement | energy | reading | undo ...\n"
    "       park-collector outage open | change | close | cancel | list ...   (outage --help)\n"
    "       park-collector thresholds --config FILE --instrument ID ...    (thresholds --help)\n"
    "       park-collector test-receivers --config FILE [RECEIVER ...]\n"
    "       park-collector --help-config | --help-park | --help-factors | --help-tariffs | --help-alarms | "
    "--help-routes |\n"
    "                      --version | --help\n"
    "\n"
    "Takes the gateways' readings, keeps them, and shows the park. At SIGHUP it reads the park model, "
    "factors,\n"
    "tariffs and alarms again, while it runs.\n"
    "\n"
    "  --config FILE   the settings (example: config/collector.cfg); they name the other files\n"
    "  --check         check settings and the files they name, tell every mistake, and end\n"
    "  --diff          and say what would change against the park model that was accepted last, one line "
    "each: exit 0\n"
    "                  nothing, or what may; 1 something of the past does, and nobody decided that\n"
    "  status          ask the running collector how it is: exit 0 healthy, 1 degraded, 2 failing\n"
    "  backup          copy the database, whether or not a collector runs, to a file that is checked\n"
    "  -o, --output    where to; an existing file is only replaced with --force\n"
    "  restore         put a backup in the database's place, and what is there aside; no collector may run\n"
    "  --drop-decisions  although the backup lacks what persons decided, closed or told in the present "
    "database; each is named\n"
    "  rebuild         delete the raw series and energy of a period in the time-series store and write them "
    "again from\n"
    "                  the journal and the books, whether or not a collector runs\n"
    "  --energy        energy alone: the books have it when the journal's readings are pruned\n"
    "  --site          energy alone, of the meters of this site\n"
    "  --drop-unknown  also where the store holds points that the journal does not, or energy of other "
    "meters\n"
    "  verify          recompute the seals of the archive and the ledger from its evidence, whether or not a "
    "collector\n"
    "                  runs: exit 0 all is as it was, 1 something differs, and each difference is named; of "
    "what "
    "was\n"
    "                  deleted by age it says \"no evidence\"\n"
    "  evidence        write all that it takes to work out the figures of a site's period again, for another "
    "machine:\n"
    "                  a zip file of CSV; periods as those of a report\n"
    "  --evidence      check such a file, without settings: exit 0 all published figures come out, 1 some do "
    "not, which\n"
    "                  are named\n"
    "  --period        2026-10, 2026-10-05, or FROM/TO on whole hours (UTC); default: all that is held\n"
    "  report          write the energy report of a site for a day (2026-10-05), month (2026-10), quarter "
    "(2026-Q4)\n"
    "                  or year (2026) of its own time zone, whether or not a collector runs\n"
    "  statement       the same of its shared instruments: hours, sessions and energy of each, and of each "
    "organisation\n"
    "                  that used them\n"
    "  --format        default: as the output's name ends, else html\n"
    "  --language      of the report's words; default zh\n"
    "  --help-config   print every settings key with type, limits, default and meaning\n"
    "  --help-park     the same for the park model\n"
    "  --help-factors  the same for the factors of coal equivalent and CO2\n"
    "  --help-tariffs  the same for tariffs\n"
    "  --help-alarms   the same for the rules of alarms\n"
    "  decide          settle what no program can know of a meter (an open exception, a reading by hand, "
    "...), or allow "
    "the\n"
    "                  park model's files, as they are now, to change what held in the past\n"
    "  close           close a month of a site: what is booked of it stays, whatever becomes known later\n"
    "  outage          what is broken or planned to be out, of an instrument, a resource or a space\n"
    "  thresholds      what an instrument's power was, and what thresholds would have made of it\n"
    "  test-receivers  a message of no alarm to each receiver of alarms, and what came of it\n"
    "  token           who may read and write over HTTP, whether or not a collector runs\n"
    "  --help-routes   print who is let through to what over HTTP\n";

enum command_name {
    COMMAND_RUN,
    COMMAND_STATUS,
    COMMAND_BACKUP,
    COMMAND_RESTORE,
    COMMAND_REBUILD,
    COMMAND_VERIFY,
    COMMAND_EVIDENCE,
    COMMAND_REPORT,
    COMMAND_STATEMENT
};

struct command {
    enum command_name name;
    const char *config, *output, *operand, *period;
    const char *site, *format, *language; /* of a report; the site also of others */
    const char *evidence;                 /* to be verified; NULL = the database is */
    bool is_check, is_diff, is_json, is_forced, drops_unknown, drops_decisions, is_energy;
};

static void wake_core(void *core)
{
    core_wake(core);
}

/* Everything that runs, in the order in which it is started; it ends in reverse. */
struct running {
    char *broker_password, *store_password;
    struct snapshot_box *box;
    struct model_box *models;
    struct board_box *board;
    struct core *core;
    struct store *store;
    struct web *web;
    struct control *control;
};

/* What a command at this machine has the running collector do; `user_data` is the core. */
static const struct control_command control_commands[] = {
    {"decide", decide_control_run}, {"close", close_control_run}, {"outage", outage_control_run}};

static enum status read_secrets(
    const struct collector_settings *settings, struct running *r, struct error *err)
{
    enum status status = ST_OK;
    if (settings->broker.password_file != NULL)
        status = file_read_secret(settings->broker.password_file, &r->broker_password, err);
    if (status == ST_OK && settings->store.password_file != NULL)
        status = file_read_secret(settings->store.password_file, &r->store_password, err);
    return status;
}

static enum status check_restored(const struct collector_settings *settings, struct error *err)
{
    char *unfinished = restore_unfinished_path(settings->database.path);
    enum status status = ST_OK;
    if (access(unfinished, F_OK) == 0)
        status = error_set(err, ST_INVALID,
            "%s is there: a restore was interrupted; run it again (to go back instead, remove it and, where "
            "the database is gone, put the newest %s.before-* with its -wal in its place)",
            unfinished, settings->database.path);
    free(unfinished);
    return status;
}

/* Without it the collector does all that it is there for. */
static void start_control(const char *database, struct running *r)
{
    struct error err;
    if (control_start(database, control_commands, sizeof control_commands / sizeof control_commands[0],
            r->core, &r->control, &err) != ST_OK)
        log_warn("collector", "commands that write cannot reach this collector: %s", err.text);
}

static enum status start(const struct collector_settings *settings, const struct model *model,
    struct alarm_rules **alarms, struct running *r, struct error *err)
{
    enum status status = check_restored(settings, err);
    if (status == ST_OK)
        status = read_secrets(settings, r, err);
    if (status != ST_OK)
        return status;
    r->box = snapshot_box_create();
    r->models = model_box_create();
    r->board = board_box_create();
    struct core_options core_options = {.settings = settings,
        .password = r->broker_password,
        .model = model,
        .clock = settings->clock == 0 ? &clock_system : &clock_trusted,
        .box = r->box,
        .models = r->models,
        .board = r->board};
    if ((status = core_create(&core_options, &r->core, err)) != ST_OK)
        return status;
    core_offer_alarms(r->core, *alarms);
    *alarms = NULL;
    struct store_options store_options = {.database_path = settings->database.path,
        .url = settings->store.url,
        .database = settings->store.database,
        .user = settings->store.user,
        .password = r->store_password,
        .raw_retention_days = settings->store.raw_retention_days,
        .body_lines = (int)settings->store.body_lines,
        .timeout_ms = (int)settings->store.timeout_ms,
        .park = model->park,
        .models = r->models,
        .user_data = r->core,
        .on_result = wake_core};
    r->store = store_create(&store_options);
    core_attach(r->core, r->store);
    struct web_options web_options = {.address = settings->http.address,
        .port = (int)settings->http.port,
        .access = (enum web_access)settings->http.access,
        .name = settings->http.name,
        .is_https = settings->http.is_https,
        .assets = settings->http.web,
        .database_path = settings->database.path,
        .box = r->box,
        .board = r->board,
        .park = model->park,
        .models = r->models,
        .store = r->store,
        .core_heartbeat_mono_ms = core_heartbeat_mono_ms,
        .decide = core_decide,
        .close_month = core_close_month,
        .count_people = core_count_people,
        .outage = core_outage,
        .confirm_calendar = core_confirm_calendar,
        .tell = core_tell,
        .tell_resource = core_tell_resource,
        .ack_alarm = core_ack_alarm,
        .user_data = r->core};
    if ((status = web_start(&web_options, &r->web, err)) != ST_OK)
        return status;
    store_start(r->store);
    core_start(r->core);
    start_control(settings->database.path, r);
    log_info("collector", "park-collector %s, id %s, http://%s:%lld/", PARKMON_VERSION, settings->id,
        settings->http.address, (long long)settings->http.port);
    return ST_OK;
}

/* The core last of the threads: it records what the store still had to say. */
static enum status stop(struct running *r, bool was_started, struct error *err)
{
    enum status status = ST_OK;
    web_stop(r->web);
    control_stop(r->control);
    if (was_started) {
        store_stop(r->store);
        status = core_stop(r->core, err);
    }
    /* The writer closes last: with nobody beside it SQLite takes all of the write-ahead log into the database, so that
     * the file alone is whole. */
    store_destroy(r->store);
    core_destroy(r->core);
    snapshot_box_destroy(r->box);
    model_box_destroy(r->models);
    board_box_destroy(r->board);
    free(r->broker_password);
    free(r->store_password);
    return status;
}

/* Takes *alarms. */
static int run(const char *config, const struct collector_settings *settings, const struct model *model,
    struct alarm_rules **alarms)
{
    struct running running = {0};
    struct error err, stop_err;
    enum status status = start(settings, model, alarms, &running, &err);
    bool is_started = status == ST_OK;
    while (is_started && program_wait() == PROGRAM_RELOAD)
        reload_run(config, settings, running.core);
    enum status stopped = stop(&running, is_started, &stop_err);
    if (status == ST_OK && stopped != ST_OK) {
        status = stopped;
        err = stop_err;
    }
    if (status != ST_OK)
        log_error("collector", "%s", err.text);
    else
        log_info("collector", "ended");
    return program_exit_code(status);
}

/* What is done with the settings and what they name, when all is good. */
static int perform_with_model(const struct command *command, const struct collector_settings *settings,
    const struct model *model, struct alarm_rules **alarms)
{
    if (command->is_check) {
        printf("%s: good\n%s: good\n", command->config, settings->park);
        if (settings->factors != NULL)
            printf("%s: good\n", settings->factors);
        if (settings->tariffs != NULL)
            printf("%s: good\n", settings->tariffs);
        if (settings->alarms != NULL)
            printf("%s: good\n", settings->alarms);
        return command->is_diff ? compare_run(settings, model) : EXIT_OK;
    }
    if (command->name == COMMAND_REBUILD && compare_require(settings, model) != EXIT_OK)
        return EXIT_CONFIG;
    if (command->name == COMMAND_REBUILD)
        return rebuild_run(&(struct rebuild_options){settings, model, command->period, command->drops_unknown,
            command->is_energy || command->site != NULL, command->site});
    if (command->name == COMMAND_REPORT || command->name == COMMAND_STATEMENT)
        return (command->name == COMMAND_REPORT ? report_run : statement_run)(
            &(struct report_command){.settings = settings,
                .model = model,
                .config = command->config,
                .site = command->site,
                .period = command->period,
                .format = command->format,
                .language = command->language,
                .output = command->output});
    log_open((enum log_level)settings->log_level);
    if (*alarms != NULL)
        needs_log(*alarms);
    return run(command->config, settings, model, alarms);
}

static int check_and_perform(const struct command *command, const struct collector_settings *settings)
{
    struct model *model = acceptance_load(settings);
    if (command->name == COMMAND_RUN)
        calendar_rounds_check(model->park);
    struct alarm_rules *alarms = command->name == COMMAND_RUN && settings->alarms != NULL
                                     ? alarm_desk_load(settings->alarms, model->park, command->is_check)
                                     : NULL;
    int code = EXIT_CONFIG;
    if (model_problem_count(model) > 0 || (alarms != NULL && conf_problem_count(alarms->conf) > 0)) {
        model_print_problems(model, stderr);
        if (alarms != NULL)
            conf_print_problems(alarms->conf, stderr);
    } else {
        code = perform_with_model(command, settings, model, &alarms);
    }
    alarm_rules_destroy(alarms);
    model_put(model);
    return code;
}

/* Mistakes in all files in one run, as far as the settings name them. */
static void print_problems_of_files(const struct collector_settings *settings)
{
    struct park *park = settings->park != NULL ? park_load(settings->park) : NULL;
    if (park != NULL)
        meters_check(park);
    struct rates rates;
    rates_init(&rates, settings->factors, settings->tariffs, park);
    if (park != NULL)
        conf_print_problems(park->conf, stderr);
    rates_print_problems(&rates, stderr);
    struct alarm_rules *alarms =
        settings->alarms != NULL ? alarm_desk_load(settings->alarms, park, true) : NULL;
    if (alarms != NULL)
        conf_print_problems(alarms->conf, stderr);
    alarm_rules_destroy(alarms);
    rates_release(&rates);
    park_destroy(park);
}

/* ---- command line ---- */

static int refuse(const char *why, const char *what)
{
    fprintf(stderr, "park-collector: %s%s\n%s", why, what, usage);
    return EXIT_USAGE;
}

/* Which command, and which options go with it, by their letters below. */
static const struct command_row {
    const char *word; /* NULL = none */
    enum command_name name;
    const char *options;
    const char *operand; /* what stands behind the command; NULL = nothing */
} command_rows[] = {
    {NULL, COMMAND_RUN, "ci", NULL},
    {"status", COMMAND_STATUS, "j", NULL},
    {"backup", COMMAND_BACKUP, "of", NULL},
    {"restore", COMMAND_RESTORE, "D", "the backup"},
    {"rebuild", COMMAND_REBUILD, "pdeS", NULL},
    {"verify", COMMAND_VERIFY, "pE", NULL},
    {"evidence", COMMAND_EVIDENCE, "oSp", NULL},
    {"report", COMMAND_REPORT, "oSpFL", NULL},
    {"statement", COMMAND_STATEMENT, "oSpFL", NULL},
};

static const struct command_row *find_command(const char *word)
{
    for (size_t i = 0; i < sizeof command_rows / sizeof command_rows[0]; i++)
        if (word == NULL ? command_rows[i].word == NULL
                         : command_rows[i].word != NULL && strcmp(command_rows[i].word, word) == 0)
            return &command_rows[i];
    return NULL;
}

static const char *option_name(char letter)
{
    static const char *const names[] = {"c--check", "i--diff", "j--json", "o--output", "f--force",
        "p--period", "d--drop-unknown", "D--drop-decisions", "S--site", "F--format", "L--language",
        "E--evidence", "e--energy"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i][0] == letter)
            return names[i] + 1;
    return "?";
}

/* The words that are no options: a command, and what it is about. -1: go on; else the exit code. */
static int parse_words(int count, char **words, const char *given, struct command *ret)
{
    const struct command_row *row = find_command(count > 0 ? words[0] : NULL);
    if (row == NULL)
        return refuse("unknown command, or one argument too many: ", words[0]);
    int expected = (row->word != NULL) + (row->operand != NULL);
    if (count > expected)
        return refuse("unknown command, or one argument too many: ", words[expected]);
    if (count < expected)
        return refuse("one argument is missing: ", row->operand);
    if (ret->config == NULL && ret->evidence == NULL)
        return refuse("--config is missing", "");
    size_t fitting = strspn(given, row->options);
    if (given[fitting] != '\0')
        return refuse("this option does not go together with this command: ", option_name(given[fitting]));
    if (ret->is_diff && !ret->is_check)
        return refuse("--diff goes together with --check", "");
    if (ret->evidence != NULL && (ret->config != NULL || ret->period != NULL))
        return refuse(
            "a bundle is verified by itself, as a whole; this does not go together with --evidence: ",
            ret->config != NULL ? "--config" : "--period");
    if ((row->name == COMMAND_BACKUP || row->name == COMMAND_EVIDENCE) && ret->output == NULL)
        return refuse("--output is missing", "");
    if ((row->name == COMMAND_REPORT || row->name == COMMAND_STATEMENT || row->name == COMMAND_EVIDENCE) &&
        (ret->site == NULL || ret->period == NULL))
        return refuse(ret->site == NULL ? "--site is missing" : "--period is missing", "");
    ret->name = row->name;
    ret->operand = row->operand != NULL ? words[1] : NULL;
    return -1;
}

/* -1: go on; else the exit code. */
static int parse(int argc, char **argv, struct command *ret)
{
    enum {
        OPT_CONFIG = 256,
        OPT_HELP_CONFIG,
        OPT_HELP_PARK,
        OPT_HELP_FACTORS,
        OPT_HELP_TARIFFS,
        OPT_HELP_ALARMS,
        OPT_HELP_ROUTES,
        OPT_VERSION,
        OPT_HELP
    };
    static const struct option options[] = {{"config", required_argument, NULL, OPT_CONFIG},
        {"check", no_argument, NULL, 'c'}, {"diff", no_argument, NULL, 'i'}, {"json", no_argument, NULL, 'j'},
        {"output", required_argument, NULL, 'o'}, {"force", no_argument, NULL, 'f'},
        {"period", required_argument, NULL, 'p'}, {"site", required_argument, NULL, 'S'},
        {"format", required_argument, NULL, 'F'}, {"language", required_argument, NULL, 'L'},
        {"evidence", required_argument, NULL, 'E'}, {"drop-unknown", no_argument, NULL, 'd'},
        {"drop-decisions", no_argument, NULL, 'D'}, {"energy", no_argument, NULL, 'e'},
        {"help-config", no_argument, NULL, OPT_HELP_CONFIG}, {"help-park", no_argument, NULL, OPT_HELP_PARK},
        {"help-factors", no_argument, NULL, OPT_HELP_FACTORS},
        {"help-routes", no_argument, NULL, OPT_HELP_ROUTES},
        {"help-tariffs", no_argument, NULL, OPT_HELP_TARIFFS},
        {"help-alarms", no_argument, NULL, OPT_HELP_ALARMS}, {"version", no_argument, NULL, OPT_VERSION},
        {"help", no_argument, NULL, OPT_HELP}, {0}};
    int option;
    char given[16] = "";
    opterr = 0;
    while ((option = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
        switch (option) {
        case OPT_CONFIG:
            if (ret->config != NULL)
                return refuse("given twice: ", "--config");
            ret->config = optarg;
            continue;
        case 'c':
            ret->is_check = true;
            break;
        case 'i':
            ret->is_diff = true;
            break;
        case 'j':
            ret->is_json = true;
            break;
        case 'o':
            ret->output = optarg;
            break;
        case 'f':
            ret->is_forced = true;
            break;
        case 'p':
            ret->period = optarg;
            break;
        case 'd':
            ret->drops_unknown = true;
            break;
        case 'D':
            ret->drops_decisions = true;
            break;
        case 'e':
            ret->is_energy = true;
            break;
        case 'S':
            ret->site = optarg;
            break;
        case 'F':
            ret->format = optarg;
            break;
        case 'L':
            ret->language = optarg;
            break;
        case 'E':
            ret->evidence = optarg;
            break;
        case OPT_HELP_CONFIG:
            conf_print_help(&collector_section, stdout);
            return EXIT_OK;
        case OPT_HELP_PARK:
            conf_print_help(&park_section, stdout);
            return EXIT_OK;
        case OPT_HELP_FACTORS:
            conf_print_help(&factors_section, stdout);
            return EXIT_OK;
        case OPT_HELP_TARIFFS:
            conf_print_help(&tariffs_section, stdout);
            return EXIT_OK;
        case OPT_HELP_ALARMS:
            conf_print_help(&alarms_section, stdout);
            return EXIT_OK;
        case OPT_HELP_ROUTES:
            web_print_routes(stdout);
            return EXIT_OK;
        case OPT_VERSION:
            puts("park-collector " PARKMON_VERSION);
            return EXIT_OK;
        case OPT_HELP:
            fputs(usage, stdout);
            return EXIT_OK;
        default:
            return refuse("unknown option, or its value is missing: ", argv[optind - 1]);
        }
        if (strchr(given, option) != NULL)
            return refuse("given twice: ", option_name((char)option));
        given[strlen(given)] = (char)option;
    }
    return parse_words(argc - optind, argv + optind, given, ret);
}

static int perform(const struct command *command, const struct collector_settings *settings)
{
    switch (command->name) {
    case COMMAND_RUN:
    case COMMAND_REBUILD:
    case COMMAND_REPORT:
    case COMMAND_STATEMENT:
        return check_and_perform(command, settings);
    case COMMAND_STATUS:
        return status_print(settings, command->is_json);
    case COMMAND_BACKUP:
        return backup_run(settings, command->output, command->is_forced);
    case COMMAND_RESTORE:
        return restore_run(settings, command->operand, command->drops_decisions);
    case COMMAND_VERIFY:
        return verify_run(settings, command->period);
    case COMMAND_EVIDENCE:
        return evidence_run(
            &(struct evidence_command){settings, command->site, command->period, command->output});
    }
    return EXIT_INTERNAL;
}

int collector_main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "token") == 0)
        return token_command(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "close") == 0)
        return close_command(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "outage") == 0)
        return outage_command(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "decide") == 0)
        return decide_command(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "thresholds") == 0)
        return thresholds_command(argc - 1, argv + 1);
    if (argc > 1 && strcmp(argv[1], "test-receivers") == 0)
        return receivers_command(argc - 1, argv + 1);
    struct command command = {0};
    int code = parse(argc, argv, &command);
    if (code >= 0)
        return code;
    program_begin();
    if (command.evidence != NULL)
        return check_run(command.evidence);
    struct collector_settings settings;
    struct conf *conf = collector_settings_load(command.config, &settings);
    if (command.name == COMMAND_RUN)
        collector_settings_check_access(conf, &settings);
    if (conf_problem_count(conf) > 0) {
        conf_print_problems(conf, stderr);
        print_problems_of_files(&settings);
        code = EXIT_CONFIG;
    } else {
        code = perform(&command, &settings);
    }
    conf_destroy(conf);
    return code;
}
