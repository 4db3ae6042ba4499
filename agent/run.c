#include "agent/run.h"

#include "agent/deliver/deliver.h"
#include "agent/poll/poller.h"
#include "agent/replay.h"
#include "agent/settings.h"
#include "agent/sources/running.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/program.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define DRAIN_MS 3000
#define ONCE_MS 60000 /* for what sends by itself */

static const char usage[] =
    "usage: park-agent --config FILE [--check | --once | --replay CSV]\n"
    "       park-agent --help-config | --version | --help\n"
    "\n"
    "Reads the devices of a gateway, takes what others send, and delivers the readings to the collector.\n"
    "\n"
    "  --config FILE   the settings (example: config/agent.cfg)\n"
    "  --check         check the settings, tell every mistake, and end\n"
    "  --once          read every point once, print what came, and end; needs no collector's broker; waits "
    "up\n"
    "                  to 60 s for points that send by themselves\n"
    "  --replay CSV    deliver dated readings (point,value,time) instead of polling, and end when all are "
    "acknowledged\n"
    "  --help-config   print every settings key with type, limits, default and meaning\n";

struct command {
    const char *config;
    const char *replay;
    bool is_check, is_once;
};

/* Every point of the settings, flat: names, kinds and periods by index. */
struct points {
    const char **names;
    int64_t *periods_ms;
    struct replay_point *kinds;
    size_t count;
};

static void add_point(struct points *p, const char *name, enum reading_kind kind, int64_t period_ms)
{
    p->names[p->count] = name;
    p->periods_ms[p->count] = period_ms;
    p->kinds[p->count] = (struct replay_point){name, kind, (uint32_t)p->count};
    p->count++;
}

static void add_source_point(void *context, const struct source_point *point)
{
    add_point(context, point->name, point->kind, point->period_ms);
}

static void list_points(const struct agent_settings *settings, struct points *ret)
{
    *ret = (struct points){0};
    size_t count = 0;
    CONF_EACH (struct bus_settings, bus, settings->buses)
        CONF_EACH (struct device_settings, device, bus->devices)
            count += device->points.count;
    CONF_EACH (struct source_settings, source, settings->sources)
        count += source_count_points(source);
    ret->names = mem_alloc(count * sizeof *ret->names);
    ret->periods_ms = mem_alloc(count * sizeof *ret->periods_ms);
    ret->kinds = mem_alloc(count * sizeof *ret->kinds);
    CONF_EACH (struct bus_settings, bus, settings->buses)
        CONF_EACH (struct device_settings, device, bus->devices)
            CONF_EACH (struct point_settings, point, device->points)
                add_point(ret, point->point, (enum reading_kind)point->kind, device->every_ms);
    CONF_EACH (struct source_settings, source, settings->sources)
        source->source->each_point(source, ret, add_source_point);
    replay_sort_points(ret->kinds, ret->count);
}

static void points_release(struct points *points)
{
    free(points->names);
    free(points->periods_ms);
    free(points->kinds);
}

/* ---- --once ---- */

static void print_value(void *context, const char *point, enum reading_kind kind,
    const union driver_value *value, int64_t time_ms)
{
    (void)context;
    char time[CLOCK_TEXT_SIZE], number[NUMBER_DOUBLE_SIZE];
    clock_format_utc(time_ms, time);
    printf("%s\t%s\t", point, reading_kind_name(kind));
    switch (kind) {
    case READING_REGISTER:
        printf("%lld", (long long)value->count);
        break;
    case READING_GAUGE:
        number_format_double(value->number, number);
        fputs(number, stdout);
        break;
    case READING_STATE:
        fputs(value->text, stdout);
        break;
    }
    printf("\t%s\n", time);
}

static void print_reading(
    void *context, const struct point_settings *point, const union driver_value *value, int64_t time_ms)
{
    print_value(context, point->point, (enum reading_kind)point->kind, value, time_ms);
}

static void print_trouble(void *context, const char *point, const char *why)
{
    (void)context;
    printf("%s\terror\t%s\n", point, why);
}

static void print_failure(void *context, const struct point_settings *point, const char *why)
{
    print_trouble(context, point->point, why);
}

static int once_from_sources(const struct agent_settings *settings, const struct clock *clock)
{
    struct source_report report = {NULL, print_value, print_trouble};
    struct source_context context = {.gateway = settings->gateway, .clock = clock, .report = &report};
    int64_t deadline = clock->mono_ms() + ONCE_MS;
    int failures = 0;
    CONF_EACH (struct source_settings, source, settings->sources)
        failures += source->source->once(source, &context, deadline);
    return failures;
}

static int once(const struct agent_settings *settings, const struct clock *clock)
{
    struct poll_report report = {NULL, print_reading, print_failure};
    int failures = 0;
    CONF_EACH (struct bus_settings, bus, settings->buses)
        failures += poll_once(bus, clock, &report);
    fflush(stdout);
    failures += once_from_sources(settings, clock);
    return failures == 0 ? EXIT_OK : EXIT_UNAVAILABLE;
}

/* ---- running ---- */

static void poll_until_asked_to_end(
    const struct agent_settings *settings, const struct clock *clock, struct deliver *deliver)
{
    struct poller **pollers = mem_zalloc(settings->buses.count * sizeof *pollers);
    size_t count = 0;
    uint32_t first_point = 0;
    CONF_EACH (struct bus_settings, bus, settings->buses) {
        pollers[count++] = poller_create(bus, first_point, clock, deliver);
        CONF_EACH (struct device_settings, device, bus->devices)
            first_point += (uint32_t)device->points.count;
    }
    for (size_t i = 0; i < count; i++)
        poller_start(pollers[i]);
    program_wait_for_end();
    for (size_t i = 0; i < count; i++)
        poller_stop(pollers[i]);
    for (size_t i = 0; i < count; i++)
        poller_destroy(pollers[i]);
    free(pollers);
}

static enum status deliver_all(const struct command *command, const struct agent_settings *settings,
    const struct clock *clock, const struct points *points, struct error *err)
{
    char *password = NULL;
    enum status status = ST_OK;
    if (settings->broker.password_file != NULL &&
        (status = file_read_secret(settings->broker.password_file, &password, err)) != ST_OK)
        return status;
    struct deliver_options options = {.settings = settings,
        .password = password,
        .version = PARKMON_VERSION,
        .clock = clock,
        .points = points->names,
        .periods_ms = points->periods_ms,
        .point_count = points->count,
        .is_replay = command->replay != NULL,
        .on_failure = program_ask_to_end};
    struct deliver *deliver;
    status = deliver_create(&options, &deliver, err);
    struct running_sources running = {0};
    if (status == ST_OK && command->replay == NULL &&
        (status = running_create(settings, clock, deliver, &running, err)) != ST_OK)
        deliver_destroy(deliver);
    if (status == ST_OK) {
        deliver_start(deliver);
        if (command->replay != NULL) {
            status = replay_file(
                command->replay, points->kinds, points->count, deliver, clock, program_is_asked_to_end, err);
        } else {
            running_start(&running);
            poll_until_asked_to_end(settings, clock, deliver);
        }
        running_stop(&running);
        running_destroy(&running);
        struct error stop_err;
        enum status stopped = deliver_stop(deliver, status == ST_OK ? DRAIN_MS : 0, &stop_err);
        if (stopped != ST_OK && status == ST_OK)
            status = error_set(err, stopped, "%s", stop_err.text);
        deliver_destroy(deliver);
    }
    free(password);
    return status;
}

static int run(const struct command *command, const struct agent_settings *settings)
{
    const struct clock *clock = settings->clock == 0 ? &clock_system : &clock_trusted;
    if (command->is_once)
        return once(settings, clock);
    struct points points;
    list_points(settings, &points);
    log_info("agent", "park-agent %s, gateway %s, %zu points on %zu buses", PARKMON_VERSION,
        settings->gateway, points.count, settings->buses.count);
    struct error err;
    enum status status = deliver_all(command, settings, clock, &points, &err);
    if (status != ST_OK)
        log_error("agent", "%s", err.text);
    else
        log_info("agent", "ended");
    points_release(&points);
    return program_exit_code(status);
}

/* ---- command line ---- */

static int refuse(const char *why, const char *what)
{
    fprintf(stderr, "park-agent: %s%s\n%s", why, what, usage);
    return EXIT_USAGE;
}

/* -1: go on; else the exit code. */
static int parse(int argc, char **argv, struct command *ret)
{
    enum { OPT_CONFIG = 1, OPT_CHECK, OPT_ONCE, OPT_REPLAY, OPT_HELP_CONFIG, OPT_VERSION, OPT_HELP };
    static const struct option options[] = {{"config", required_argument, NULL, OPT_CONFIG},
        {"check", no_argument, NULL, OPT_CHECK}, {"once", no_argument, NULL, OPT_ONCE},
        {"replay", required_argument, NULL, OPT_REPLAY}, {"help-config", no_argument, NULL, OPT_HELP_CONFIG},
        {"version", no_argument, NULL, OPT_VERSION}, {"help", no_argument, NULL, OPT_HELP}, {0}};
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case OPT_CONFIG:
            ret->config = optarg;
            break;
        case OPT_CHECK:
            ret->is_check = true;
            break;
        case OPT_ONCE:
            ret->is_once = true;
            break;
        case OPT_REPLAY:
            ret->replay = optarg;
            break;
        case OPT_HELP_CONFIG:
            agent_print_help(stdout);
            return EXIT_OK;
        case OPT_VERSION:
            puts("park-agent " PARKMON_VERSION);
            return EXIT_OK;
        case OPT_HELP:
            fputs(usage, stdout);
            return EXIT_OK;
        default:
            return refuse("unknown option, or its value is missing: ", argv[optind - 1]);
        }
    }
    if (optind < argc)
        return refuse("one argument too many: ", argv[optind]);
    if (ret->config == NULL)
        return refuse("--config is missing", "");
    if (ret->is_check + ret->is_once + (ret->replay != NULL) > 1)
        return refuse("only one of --check, --once and --replay can be done at a time", "");
    return -1;
}

int agent_main(int argc, char **argv)
{
    struct command command = {0};
    int code = parse(argc, argv, &command);
    if (code >= 0)
        return code;
    program_begin();
    struct agent_settings settings;
    struct conf *conf = agent_settings_load(command.config, &settings);
    if (!command.is_once)
        agent_settings_check_access(conf, &settings);
    if (conf_problem_count(conf) > 0) {
        conf_print_problems(conf, stderr);
        code = EXIT_CONFIG;
    } else if (command.is_check) {
        printf("%s: good\n", command.config);
        code = EXIT_OK;
    } else {
        log_open((enum log_level)settings.log_level);
        code = run(&command, &settings);
    }
    conf_destroy(conf);
    return code;
}
