#include "agent/drivers/modbus_settings.h"
#include "agent/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Only what these tests look at: a device with points, inside a bus. */
static const struct conf_key point_keys[] = {
    {"kind", CONF_CHOICE, offsetof(struct point_settings, kind),
        .choices = (const char *const[]){"register", "gauge", "state", NULL}, .is_required = true,
        .help = "kind"},
    {0}};

static const struct conf_section *extend_point(const void *object)
{
    (void)object;
    return driver_modbus_tcp.point_section;
}

static const struct conf_section point_section = {.name = "point",
    .size = sizeof(struct point_settings),
    .keys = point_keys,
    .has_where = true,
    .where_offset = offsetof(struct point_settings, where),
    .extend = extend_point,
    .extra_offset = offsetof(struct point_settings, extra)};

static const struct conf_section *extend_device(const void *object)
{
    (void)object;
    return driver_modbus_tcp.device_section;
}

static const struct conf_key device_keys[] = {{"points", CONF_LIST, offsetof(struct device_settings, points),
                                                  .section = &point_section, .help = "points"},
    {0}};

static const struct conf_section device_section = {.name = "device",
    .size = sizeof(struct device_settings),
    .keys = device_keys,
    .extend = extend_device,
    .extra_offset = offsetof(struct device_settings, extra)};

static struct conf *load(const char *text, struct device_settings *ret)
{
    char path[] = "/tmp/test_modbus_settings.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    struct conf *c = conf_load(path, &device_section, ret);
    unlink(path);
    return c;
}

/* The problems without the file's name, line by line. */
static char *problems_of(struct conf *c)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    conf_print_problems(c, out);
    fclose(out);
    return text;
}

static void test_a_good_point_is_ready_to_decode(void **state)
{
    (void)state;
    struct device_settings device;
    struct conf *c =
        load("unit = 7; max_registers = 60; max_gap = 4;\n"
             "points = ({ kind = \"register\"; address = 342; type = \"f32\"; order = \"CDAB\"; unit = "
             "\"kWh\"; },\n"
             " { kind = \"register\"; address = 10; type = \"u32\"; scale = \"0.01\"; unit = \"kWh\"; base = "
             "\"J\"; },\n"
             " { kind = \"state\"; function = \"coil\"; address = 3; type = \"bit\"; states = [\"off\", "
             "\"on\"]; },\n"
             " { kind = \"gauge\"; function = \"input\"; address = 65535; type = \"s16\"; scale = \"0.1\";\n"
             "   unit = \"degC\"; invalid = \"8000\"; });\n",
            &device);
    char *text = problems_of(c);
    assert_string_equal(text, "");
    const struct modbus_device_settings *modbus = device.extra;
    assert_int_equal(modbus->unit, 7);
    assert_int_equal(modbus->max_registers, 60);
    assert_int_equal(modbus->max_gap, 4);
    const struct point_settings *points = device.points.items;
    const struct modbus_point_settings *first = points[0].extra, *second = points[1].extra,
                                       *third = points[2].extra, *fourth = points[3].extra;
    assert_int_equal(first->format.type, MODBUS_TYPE_F32);
    assert_int_equal(first->count, 2);
    assert_memory_equal(first->format.order, ((const uint8_t[]){2, 3, 0, 1}), 4);
    assert_int_equal(first->meaning.factor.num, 1000);
    /* 0.01 kWh = 36 000 J */
    assert_int_equal(second->meaning.factor.num, 36000);
    assert_int_equal(second->meaning.factor.den, 1);
    assert_int_equal(third->count, 1);
    assert_int_equal(third->meaning.state_count, 2);
    assert_string_equal(third->meaning.states[1], "on");
    assert_int_equal(fourth->meaning.factor.den, 10);
    assert_true(fourth->format.has_invalid);
    assert_int_equal(fourth->format.invalid, 0x8000);
    free(text);
    conf_destroy(c);
}

static void test_each_mistake_is_one_line_that_says_what_is_expected(void **state)
{
    (void)state;
    static const struct {
        const char *point;
        const char *problem; /* after the file and "1: points[0]." */
    } cases[] = {
        {"kind = \"register\"; address = 0; type = \"u32\"; unit = \"W\";",
            "unit: \"W\" does not fit kind register; expected one of Wh, "},
        {"kind = \"gauge\"; address = 0; type = \"u32\"; unit = \"kWh\";",
            "unit: \"kWh\" does not fit kind gauge; expected one of s, "},
        {"kind = \"register\"; address = 0; type = \"u32\"; unit = \"kwh\";",
            "unit: \"kwh\" is not known; expected one of Wh, kWh"},
        {"kind = \"register\"; address = 0; type = \"u32\";", "unit: is missing; expected one of Wh"},
        {"kind = \"register\"; address = 65535; type = \"u32\"; unit = \"Wh\";",
            "address: 65535 and 2 registers end beyond 65535; expected at most 65534"},
        {"kind = \"register\"; address = 65533; type = \"u64\"; unit = \"Wh\";",
            "address: 65533 and 4 registers end beyond 65535; expected at most 65532"},
        {"kind = \"register\"; address = 65536; type = \"u16\"; unit = \"Wh\";",
            "address: 65536 is out of range; expected 0 to 65535"},
        {"kind = \"register\"; address = 0; type = \"u33\"; order = \"CDAB\"; unit = \"Wh\";",
            "type: \"u33\" is not known; expected one of u16, s16, u32,"},
        {"kind = \"register\"; address = 0; unit = \"Wh\";",
            "type: is missing; expected how the value is written"},
        {"kind = \"register\"; address = 0; type = \"u32\"; order = \"AB\"; unit = \"Wh\";",
            "order: \"AB\" does not order the 4 bytes of type u32; expected each of the letters A to D once, "
            "such as ABCD, CDAB, BADC, DCBA"},
        {"kind = \"register\"; address = 0; type = \"u32\"; order = \"ABCC\"; unit = \"Wh\";",
            "order: \"ABCC\" does not order the 4 bytes"},
        {"kind = \"gauge\"; address = 0; type = \"bit\"; unit = \"1\";",
            "bit: is missing; expected 0 to 15 for a bit of a holding register"},
        {"kind = \"gauge\"; address = 0; type = \"bit\"; bit = 16; unit = \"1\";",
            "bit: 16 is out of range; expected 0 to 15"},
        {"kind = \"gauge\"; address = 0; type = \"u16\"; bit = 3; unit = \"1\";",
            "bit: does not fit; expected only with type bit"},
        {"kind = \"gauge\"; function = \"coil\"; address = 0; type = \"u16\"; unit = \"1\";",
            "type: \"u16\" does not fit function coil; expected \"bit\""},
        {"kind = \"gauge\"; function = \"coil\"; address = 0; type = \"bit\"; order = \"AB\"; unit = \"1\";",
            "order: does not fit a single bit of coil; expected none"},
        {"kind = \"register\"; address = 0; type = \"bit\"; bit = 0; unit = \"count\";",
            "type: bit does not fit kind register; expected a number"},
        {"kind = \"state\"; address = 0; type = \"u16\";",
            "states: is missing; expected a text for each raw value"},
        {"kind = \"state\"; address = 0; type = \"u16\"; states = [\"off\", \"\"];",
            "states: text 1 is not usable; expected 1 to 256"},
        {"kind = \"state\"; address = 0; type = \"f32\"; states = [\"off\"];",
            "type: f32 does not fit kind state; expected an integer"},
        {"kind = \"state\"; address = 0; type = \"u16\"; states = [\"off\"]; unit = \"W\";",
            "unit: does not fit kind state"},
        {"kind = \"state\"; address = 0; type = \"u16\"; states = [\"off\"]; scale = \"0.1\";",
            "scale: does not fit kind state"},
        {"kind = \"gauge\"; address = 0; type = \"u16\"; unit = \"W\"; states = [\"off\"];",
            "states: does not fit kind gauge"},
        {"kind = \"gauge\"; address = 0; type = \"u16\"; unit = \"W\"; base = \"J\";",
            "base: does not fit unit \"W\"; expected only for energy"},
        {"kind = \"gauge\"; address = 0; type = \"u16\"; unit = \"W\"; scale = \"-1\";",
            "scale: \"-1\" is not a positive number"},
        {"kind = \"register\"; address = 0; type = \"u16\"; unit = \"GJ\"; scale = \"999999999999999999\";",
            "scale: is too fine or too large for unit \"GJ\"; expected fewer digits"},
        {"kind = \"gauge\"; address = 0; type = \"u16\"; unit = \"W\"; invalid = \"FFFFFFFF\";",
            "invalid: \"FFFFFFFF\" is not a raw value of type u16; expected 4 hex digits"},
        {"kind = \"gauge\"; address = 0; type = \"u16\"; unit = \"W\"; invalid = \"FFFG\";",
            "invalid: \"FFFG\" is not a raw value"},
        {"kind = \"gauge\"; address = 0; type = \"u16\"; unit = \"W\"; offset = 3;",
            "offset: unknown key; expected one of"},
        {"kind = \"gauge\"; function = \"write\"; address = 0; type = \"u16\"; unit = \"W\";",
            "function: \"write\" is not known; expected one of holding, input, coil, discrete"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char file[1024];
        snprintf(file, sizeof file, "points = ({ %s });", cases[i].point);
        struct device_settings device;
        struct conf *c = load(file, &device);
        char *text = problems_of(c);
        char wanted[256];
        snprintf(wanted, sizeof wanted, ":1: points[0].%s", cases[i].problem);
        if (strstr(text, wanted) == NULL)
            fail_msg("%s\n   gave: %s   not: %s", cases[i].point, text, cases[i].problem);
        if (conf_problem_count(c) != 1)
            fail_msg("%s\n   gave more than one line: %s", cases[i].point, text);
        free(text);
        conf_destroy(c);
    }
}

static void test_device_limits_are_those_of_the_protocol(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "unit = 256;", "unit = -1;", "max_registers = 126;", "max_registers = 0;", "max_gap = 101;"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct device_settings device;
        struct conf *c = load(bad[i], &device);
        assert_int_equal(conf_problem_count(c), 1);
        conf_destroy(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_point_is_ready_to_decode),
        cmocka_unit_test(test_each_mistake_is_one_line_that_says_what_is_expected),
        cmocka_unit_test(test_device_limits_are_those_of_the_protocol),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
