#include "agent/drivers/modbus_settings.h"

#include "agent/drivers/unit.h"
#include "agent/settings.h"
#include "lib/text.h"

#include <string.h>

#define ADDRESS_MAX 65535
#define NO_BIT (-1)

static const struct conf_key device_keys[] = {
    {"unit", CONF_INT, offsetof(struct modbus_device_settings, unit), .fallback = "1", .min = 0, .max = 255,
        .help = "Modbus unit id (slave address)"},
    {"max_registers", CONF_INT, offsetof(struct modbus_device_settings, max_registers), .fallback = "125",
        .min = 1, .max = MODBUS_REGISTERS_MAX,
        .help = "most registers that the device gives in one answer; 16 coils count as one"},
    {"max_gap", CONF_INT, offsetof(struct modbus_device_settings, max_gap), .fallback = "0", .min = 0,
        .max = 100, .help = "how many unused registers may be read along to join neighbours in one question"},
    {0}};

const struct conf_section modbus_device_section = {
    .name = "modbus device", .size = sizeof(struct modbus_device_settings), .keys = device_keys};

/* In the order of enum unit_base. */
static const char *const bases[] = {"own", "Wh", "J", NULL};

static const struct conf_key point_keys[] = {
    {"function", CONF_CHOICE, offsetof(struct modbus_point_settings, function), .fallback = "holding",
        .choices = modbus_function_names, .help = "the device's table"},
    {"address", CONF_INT, offsetof(struct modbus_point_settings, address), .is_required = true, .min = 0,
        .max = ADDRESS_MAX,
        .help = "address as the protocol counts, from 0: what a manual calls register 40001 or 1 is often 0 "
                "here"},
    {"type", CONF_STRING, offsetof(struct modbus_point_settings, type), .is_required = true,
        .help = "how the value is written: u16 s16 u32 s32 u64 s64 f32 f64 bcd16 bcd32 bcd64 bit; coils and "
                "discrete inputs "
                "are bits"},
    {"bit", CONF_INT, offsetof(struct modbus_point_settings, bit), .fallback = "-1", .min = 0, .max = 15,
        .help = "for type bit in a register: which, 0 = least significant"},
    {"order", CONF_STRING, offsetof(struct modbus_point_settings, order),
        .help = "the bytes as they arrive, A = most significant: AB, BA, ABCD, CDAB, BADC, DCBA, GHEFCDAB or "
                "any other "
                "permutation; absent = most significant first"},
    {"scale", CONF_FRACTION, offsetof(struct modbus_point_settings, scale), .fallback = "1",
        .help = "the raw value times this is in `unit`"},
    {"unit", CONF_STRING, offsetof(struct modbus_point_settings, unit),
        .help = "unit of the scaled value, required for registers and gauges: kWh, m3, W, degC ..."},
    {"base", CONF_CHOICE, offsetof(struct modbus_point_settings, base), .fallback = "own", .choices = bases,
        .help = "energy only: count in Wh (electricity) or J (heat, cooling); own = as `unit` suggests"},
    {"states", CONF_STRINGS, offsetof(struct modbus_point_settings, states),
        .help = "kind state: the text for each raw value from 0, such as [\"off\", \"on\"]"},
    {"invalid", CONF_STRING, offsetof(struct modbus_point_settings, invalid),
        .help = "raw value that means \"no value\", in hex, most significant byte first: 8000, FFFFFFFF"},
    {0}};

/* A point while it is checked. */
struct checked {
    struct conf *c;
    const struct conf_where *where;
    enum reading_kind kind;
    struct modbus_point_settings *point;
};

static bool is_coil(const struct modbus_point_settings *point)
{
    return point->function == MODBUS_COIL || point->function == MODBUS_DISCRETE;
}

/* False: `type` is missing (which conf.c tells) or unknown, and what depends on it cannot be judged. */
static bool check_type(const struct checked *k)
{
    if (k->point->type == NULL || k->point->type[0] == '\0')
        return false;
    struct buf names = {0};
    for (int i = 0; modbus_type_names[i] != NULL; i++) {
        if (strcmp(modbus_type_names[i], k->point->type) == 0) {
            k->point->format.type = (enum modbus_type)i;
            buf_release(&names);
            return true;
        }
        buf_printf(&names, "%s%s", i ? ", " : "", modbus_type_names[i]);
    }
    conf_problem(
        k->c, k->where, "type", "\"%s\" is not known; expected one of %s", k->point->type, names.data);
    buf_release(&names);
    return false;
}

static void check_place(const struct checked *k)
{
    struct modbus_point_settings *point = k->point;
    const char *table = modbus_function_names[point->function];
    bool is_bit = point->format.type == MODBUS_TYPE_BIT;
    point->count = is_coil(point) ? 1 : (int)modbus_type_bytes(point->format.type) / 2;
    if (is_coil(point) && !is_bit)
        conf_problem(
            k->c, k->where, "type", "\"%s\" does not fit function %s; expected \"bit\"", point->type, table);
    else if (point->address + point->count - 1 > ADDRESS_MAX)
        conf_problem(k->c, k->where, "address", "%lld and %d registers end beyond %d; expected at most %d",
            (long long)point->address, point->count, ADDRESS_MAX, ADDRESS_MAX - point->count + 1);
    if (is_bit && !is_coil(point) && point->bit == NO_BIT)
        conf_problem(k->c, k->where, "bit", "is missing; expected 0 to 15 for a bit of a %s register", table);
    else if (point->bit != NO_BIT && (!is_bit || is_coil(point)))
        conf_problem(k->c, k->where, "bit",
            "does not fit; expected only with type bit of holding and input registers");
    point->format.bit = point->bit == NO_BIT ? 0 : (int)point->bit;
}

static void check_order(const struct checked *k)
{
    static const char *const examples[] = {
        [2] = "AB or BA", [4] = "ABCD, CDAB, BADC, DCBA", [8] = "ABCDEFGH, GHEFCDAB"};
    struct modbus_point_settings *point = k->point;
    size_t bytes = modbus_type_bytes(point->format.type);
    modbus_order_default(point->format.order);
    if (point->order == NULL)
        return;
    if (is_coil(point))
        conf_problem(k->c, k->where, "order", "does not fit a single bit of %s; expected none",
            modbus_function_names[point->function]);
    else if (!modbus_order_parse(point->order, bytes, point->format.order))
        conf_problem(k->c, k->where, "order",
            "\"%s\" does not order the %zu bytes of type %s; expected each of the letters A to %c once, such "
            "as %s",
            point->order, bytes, point->type, (int)('A' + bytes - 1), examples[bytes]);
}

static bool parse_hex(const char *text, size_t digits, uint64_t *ret)
{
    static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
    uint64_t value = 0;
    if (strlen(text) != digits)
        return false;
    for (; *text != '\0'; text++) {
        const char *at = strchr(lower, *text), *big = strchr(upper, *text);
        if (at == NULL && big == NULL)
            return false;
        value = value << 4 | (uint64_t)(at != NULL ? at - lower : big - upper);
    }
    *ret = value;
    return true;
}

static void check_invalid(const struct checked *k)
{
    struct modbus_point_settings *point = k->point;
    if (point->invalid == NULL)
        return;
    size_t digits = 2 * modbus_type_bytes(point->format.type);
    point->format.has_invalid = true;
    if (point->format.type == MODBUS_TYPE_BIT)
        conf_problem(k->c, k->where, "invalid", "does not fit a bit; expected none");
    else if (!parse_hex(point->invalid, digits, &point->format.invalid))
        conf_problem(k->c, k->where, "invalid",
            "\"%s\" is not a raw value of type %s; expected %zu hex digits", point->invalid, point->type,
            digits);
}

static void refuse_for_state(const struct checked *k, const char *key)
{
    conf_problem(k->c, k->where, key, "does not fit kind state; expected only for registers and gauges");
}

static void check_states(const struct checked *k)
{
    struct modbus_point_settings *point = k->point;
    if (modbus_type_is_float(point->format.type))
        conf_problem(k->c, k->where, "type", "%s does not fit kind state; expected an integer, BCD or bit",
            point->type);
    if (point->unit != NULL)
        refuse_for_state(k, "unit");
    if (point->scale.num != point->scale.den)
        refuse_for_state(k, "scale");
    if (point->base != UNIT_BASE_OWN)
        refuse_for_state(k, "base");
    if (point->states.count == 0)
        conf_problem(k->c, k->where, "states",
            "is missing; expected a text for each raw value from 0, such as [\"off\", \"on\"]");
    char *const *texts = point->states.items;
    for (size_t i = 0; i < point->states.count; i++) {
        struct span text = span_of(texts[i]);
        if (text.len == 0 || text.len > STATE_TEXT_MAX || !text_is_utf8(text) || text_has_control(text))
            conf_problem(k->c, k->where, "states",
                "text %zu is not usable; expected 1 to %d bytes of printable UTF-8", i, STATE_TEXT_MAX);
    }
    point->meaning.states = (const char *const *)texts;
    point->meaning.state_count = point->states.count;
}

static void unit_problem(const struct checked *k, const char *what)
{
    struct buf list = {0};
    unit_list(&list, k->kind);
    conf_problem(k->c, k->where, "unit", "%s; expected one of %s", what, list.data);
    buf_release(&list);
}

static void check_unit(const struct checked *k)
{
    struct modbus_point_settings *point = k->point;
    const char *kind = reading_kind_name(k->kind);
    struct buf what = {0};
    const struct unit *unit = point->unit != NULL ? unit_find(point->unit) : NULL;
    if (k->kind == READING_REGISTER && point->format.type == MODBUS_TYPE_BIT)
        conf_problem(k->c, k->where, "type", "bit does not fit kind register; expected a number");
    if (point->states.count > 0)
        conf_problem(k->c, k->where, "states", "does not fit kind %s; expected only for kind state", kind);
    if (point->unit == NULL) {
        buf_printf(&what, "is missing");
    } else if (unit == NULL) {
        buf_printf(&what, "\"%s\" is not known", point->unit);
    } else if (!unit_fits(unit, k->kind)) {
        buf_printf(&what, "\"%s\" does not fit kind %s", point->unit, kind);
    } else if (point->base != UNIT_BASE_OWN && unit->energy == UNIT_BASE_OWN) {
        conf_problem(
            k->c, k->where, "base", "does not fit unit \"%s\"; expected only for energy", point->unit);
    } else if (!fraction_multiply(
                   point->scale, unit_factor(unit, (enum unit_base)point->base), &point->meaning.factor)) {
        conf_problem(k->c, k->where, "scale",
            "is too fine or too large for unit \"%s\"; expected fewer digits", point->unit);
    }
    if (what.len > 0)
        unit_problem(k, what.data);
    buf_release(&what);
}

static void check_point(struct conf *c, void *object, const void *parent)
{
    const struct point_settings *generic = parent;
    struct checked k = {c, &generic->where, (enum reading_kind)generic->kind, object};
    k.point->meaning.kind = k.kind;
    if (!check_type(&k))
        return;
    check_place(&k);
    check_order(&k);
    check_invalid(&k);
    if (k.kind == READING_STATE)
        check_states(&k);
    else
        check_unit(&k);
}

const struct conf_section modbus_point_section = {.name = "modbus point",
    .size = sizeof(struct modbus_point_settings),
    .keys = point_keys,
    .check = check_point};
