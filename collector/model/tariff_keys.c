/* The tables of config/tariffs.cfg. */
#include "collector/model/tariff.h"
#include "collector/model/tariff_private.h"

#define TEXT_MAX 400
#define PLACED(type) .size = sizeof(type), .where_offset = offsetof(type, where), .has_where = true

#define NAMES(type)                                                                                        \
    {"id", CONF_ID, offsetof(type, id), .is_required = true,                                               \
        .help = "id: a-z 0-9 -, unique among its kind"},                                                   \
        {"name", CONF_STRING, offsetof(type, name), .is_required = true, .max = TEXT_MAX, .help = "name"}, \
    {                                                                                                      \
        "name_en", CONF_STRING, offsetof(type, name_en), .is_required = true, .max = TEXT_MAX,             \
                                                         .help = "name in English"                         \
    }

#define SOURCE(type)                                                                                      \
    {"document", CONF_STRING, offsetof(type, document), .is_required = true, .max = TEXT_MAX,             \
        .help = "number of the document that printed it; with confidence B or C it says \"(B\" or "       \
                "\"(C\""},                                                                                \
    {                                                                                                     \
        "confidence", CONF_CHOICE, offsetof(type, confidence),                                            \
            .is_required = true, .choices = source_confidences,                                           \
            .help = "A: several independent sources agree; B: one; C: to be checked against the document" \
    }

#define DAYS(type)                                                              \
    {"from", CONF_STRING, offsetof(type, from), .is_required = true,            \
        .help = "first local day on which it counts, such as \"2026-07-01\""},  \
    {                                                                           \
        "through", CONF_STRING, offsetof(type, through),                        \
            .help = "last local day on which it counts; absent = it still does" \
    }

#define BANDS(type, member, what)                                                                         \
    {"sharp", CONF_STRING, offsetof(type, member[TARIFF_SHARP]), .max = TEXT_MAX, .help = "尖: " what},   \
        {"peak", CONF_STRING, offsetof(type, member[TARIFF_PEAK]), .max = TEXT_MAX, .help = "峰: " what}, \
        {"flat", CONF_STRING, offsetof(type, member[TARIFF_FLAT]), .max = TEXT_MAX, .help = "平: " what}, \
        {"valley", CONF_STRING, offsetof(type, member[TARIFF_VALLEY]), .max = TEXT_MAX,                   \
            .help = "谷: " what},                                                                         \
    {                                                                                                     \
        "deep", CONF_STRING, offsetof(type, member[TARIFF_DEEP]), .max = TEXT_MAX, .help = "深谷: " what  \
    }

/* Choices that stay -1 were refused: no further complaints about them. */
#define BEGIN(name, type, member)                      \
    static void name(void *object, const void *parent) \
    {                                                  \
        (void)parent;                                  \
        ((type *)object)->member = -1;                 \
    }
BEGIN(begin_holiday, struct tariff_holiday, confidence)
BEGIN(begin_schedule, struct tariff_schedule, confidence)
BEGIN(begin_prices, struct tariff_prices, confidence)
BEGIN(begin_tariff, struct tariff, carrier)

static void check_holiday(struct conf *c, void *object, const void *parent)
{
    (void)parent;
    tariff_holiday_check(c, object);
}

static void check_season(struct conf *c, void *object, const void *parent)
{
    (void)parent;
    tariff_season_check(c, object);
}

static void check_schedule(struct conf *c, void *object, const void *parent)
{
    (void)parent;
    tariff_schedule_check(c, object);
}

static void check_prices(struct conf *c, void *object, const void *parent)
{
    tariff_prices_check(c, object, parent);
}

static void check_tariff(struct conf *c, void *object, const void *parent)
{
    (void)parent;
    tariff_check(c, object);
}

static void check_file(struct conf *c, void *object, const void *parent)
{
    (void)parent;
    tariffs_check(c, object);
}

static const struct conf_key holiday_keys[] = {NAMES(struct tariff_holiday),
    {"days", CONF_STRINGS, offsetof(struct tariff_holiday, days), .is_required = true,
        .help = "its days off, of each year that counts: [\"2026-05-01/2026-05-05\", \"2027-05-01\"]"},
    SOURCE(struct tariff_holiday), {0}};
static const struct conf_section holiday_section = {"holiday", PLACED(struct tariff_holiday),
    .keys = holiday_keys, .begin = begin_holiday, .check = check_holiday};

static const struct conf_key season_keys[] = {
    {"months", CONF_STRING, offsetof(struct tariff_season, months_text), .is_required = true, .max = 64,
        .help = "its months, such as \"2-6, 9-11\""},
    BANDS(struct tariff_season, hours.written, "hours of the band, such as \"08:00-11:00, 13:00-17:00\""),
    {0}};
static const struct conf_section season_section = {
    "season", PLACED(struct tariff_season), .keys = season_keys, .check = check_season};

static const struct conf_key exception_keys[] = {
    {"on", CONF_STRINGS, offsetof(struct tariff_exception, on), .is_required = true,
        .help = "ids of the holidays on which it holds"},
    BANDS(struct tariff_exception, hours.written, "hours of the band, instead of the season's"),
    {"disputed", CONF_STRING, offsetof(struct tariff_exception, disputed), .max = TEXT_MAX,
        .help = "what is not certain about it"},
    {0}};
static const struct conf_section exception_section = {
    "exception", PLACED(struct tariff_exception), .keys = exception_keys};

static const struct conf_key schedule_keys[] = {DAYS(struct tariff_schedule), SOURCE(struct tariff_schedule),
    {"note", CONF_STRING, offsetof(struct tariff_schedule, note), .max = TEXT_MAX,
        .help = "what else a reader should know"},
    {"seasons", CONF_LIST, offsetof(struct tariff_schedule, seasons), .is_required = true, .min = 1,
        .max = 12, .section = &season_section, .help = "the bands of a day, by month"},
    {"exceptions", CONF_LIST, offsetof(struct tariff_schedule, exceptions), .max = 100,
        .section = &exception_section, .help = "other bands on holidays"},
    {0}};
static const struct conf_section schedule_section = {"schedule", PLACED(struct tariff_schedule),
    .keys = schedule_keys, .begin = begin_schedule, .check = check_schedule};

static const struct conf_key prices_keys[] = {DAYS(struct tariff_prices),
    {"unit", CONF_STRING, offsetof(struct tariff_prices, unit), .is_required = true, .max = 32,
        .help = "yuan/kWh of electricity, yuan/GJ of heat and cooling, yuan/m3 of water and gas"},
    BANDS(struct tariff_prices, written, "exact price in the band, such as \"0.6500\""),
    SOURCE(struct tariff_prices),
    {"note", CONF_STRING, offsetof(struct tariff_prices, note), .max = TEXT_MAX,
        .help = "what else a reader should know"},
    {0}};
static const struct conf_section prices_section = {"prices", PLACED(struct tariff_prices),
    .keys = prices_keys, .begin = begin_prices, .check = check_prices};

static const struct conf_key tariff_keys[] = {NAMES(struct tariff),
    {"carrier", CONF_CHOICE, offsetof(struct tariff, carrier), .is_required = true, .choices = park_carriers,
        .help = "of what"},
    {"sites", CONF_STRINGS, offsetof(struct tariff, sites), .is_required = true,
        .help = "ids of the sites that pay by it"},
    {"schedules", CONF_LIST, offsetof(struct tariff, schedules), .is_required = true, .min = 1, .max = 200,
        .section = &schedule_section, .help = "which hours are in which band"},
    {"prices", CONF_LIST, offsetof(struct tariff, prices), .max = 2000, .section = &prices_section,
        .help = "what each band costs; absent = no cost is worked out"},
    {0}};
static const struct conf_section tariff_section = {
    "tariff", PLACED(struct tariff), .keys = tariff_keys, .begin = begin_tariff, .check = check_tariff};

static const struct conf_key tariffs_keys[] = {
    {"holidays", CONF_LIST, offsetof(struct tariffs, holidays), .max = 100, .section = &holiday_section,
        .help = "days off, by name"},
    {"tariffs", CONF_LIST, offsetof(struct tariffs, tariffs), .is_required = true, .min = 1, .max = 100,
        .section = &tariff_section, .help = "tariffs"},
    {0}};
const struct conf_section tariffs_section = {
    "tariffs", sizeof(struct tariffs), .keys = tariffs_keys, .check = check_file};
