#include "agent/drivers/driver.h"

#include "agent/drivers/modbus_frame.h"
#include "agent/drivers/modbus_settings.h"
#include "agent/settings.h"
#include "lib/mem.h"

#include <errno.h>
#include <modbus/modbus.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* The state of a bus. `context` is NULL while there is no connection; `settings` is NULL while the bus is not
 * open. */
struct tcp_bus {
    modbus_t *context;
    const struct bus_settings *settings;
    uint16_t transaction;
};

static const struct conf_key bus_keys[] = {
    {"host", CONF_STRING, offsetof(struct modbus_tcp_settings, host), .is_required = true, .max = 253,
        .help =
            "address of the device or gateway (a name is looked up at each connect, beyond the time-out)"},
    {"port", CONF_INT, offsetof(struct modbus_tcp_settings, port), .fallback = "502", .min = 1, .max = 65535,
        .help = "TCP port"},
    {0}};

static const struct conf_section bus_section = {
    "modbus_tcp", sizeof(struct modbus_tcp_settings), .keys = bus_keys};

static void hang_up(struct tcp_bus *bus)
{
    if (bus->context == NULL)
        return;
    modbus_close(bus->context);
    modbus_free(bus->context);
    bus->context = NULL;
}

/* One address within the time given. libmodbus takes texts only, and tells a failed look-up as "connection
 * refused". */
static int connect_address(struct tcp_bus *bus, const struct addrinfo *address, int64_t wait_ms)
{
    char host[NI_MAXHOST], port[NI_MAXSERV];
    if (getnameinfo(address->ai_addr, address->ai_addrlen, host, sizeof host, port, sizeof port,
            NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return EINVAL;
    bus->context = modbus_new_tcp_pi(host, port);
    if (bus->context == NULL)
        return errno;
    modbus_set_response_timeout(bus->context, (uint32_t)(wait_ms / 1000), (uint32_t)(wait_ms % 1000) * 1000);
    if (modbus_connect(bus->context) == 0)
        return 0;
    int failure = errno;
    hang_up(bus);
    return failure;
}

static enum status dial(struct tcp_bus *bus, struct error *err)
{
    const struct modbus_tcp_settings *tcp = bus->settings->extra;
    int64_t timeout_ms = bus->settings->timeout_ms;
    char port[16];
    snprintf(port, sizeof port, "%d", (int)tcp->port);
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *addresses;
    int failure = getaddrinfo(tcp->host, port, &hints, &addresses);
    if (failure != 0)
        return error_set(err, ST_UNREACHABLE, "%s: %s", tcp->host, gai_strerror(failure));
    int64_t deadline_mono_ms = clock_system.mono_ms() + timeout_ms, left_ms = timeout_ms;
    failure = ETIMEDOUT;
    for (const struct addrinfo *a = addresses; a != NULL && left_ms > 0; a = a->ai_next) {
        failure = connect_address(bus, a, left_ms);
        if (failure == 0)
            break;
        left_ms = deadline_mono_ms - clock_system.mono_ms();
    }
    freeaddrinfo(addresses);
    if (failure != 0)
        return error_set(
            err, ST_UNREACHABLE, "cannot connect to %s port %s: %s", tcp->host, port, strerror(failure));
    modbus_set_response_timeout(
        bus->context, (uint32_t)(timeout_ms / 1000), (uint32_t)(timeout_ms % 1000) * 1000);
    /* No time-out between bytes: the one for the answer covers all of it, however slowly it comes. */
    modbus_set_byte_timeout(bus->context, 0, 0);
    return ST_OK;
}

/* Many devices end idle connections, and what arrived unasked must not be taken for an answer: both call for
 * a new one. */
static bool is_quiet(const struct tcp_bus *bus)
{
    char byte;
    ssize_t n = recv(modbus_get_socket(bus->context), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

static enum status send_question(struct tcp_bus *bus, const uint8_t *frame, struct error *err)
{
    /* modbus_send_raw_request would leave the transaction id zero. */
    ssize_t n = send(modbus_get_socket(bus->context), frame, MODBUS_QUESTION_SIZE, MSG_NOSIGNAL);
    if (n != MODBUS_QUESTION_SIZE)
        return error_set(
            err, ST_UNREACHABLE, "cannot send: %s", n < 0 ? strerror(errno) : "the connection is full");
    return ST_OK;
}

static enum status receive_answer(struct tcp_bus *bus, uint8_t *frame, size_t *ret_len, struct error *err)
{
    int timeout_ms = (int)bus->settings->timeout_ms;
    int n = modbus_receive_confirmation(bus->context, frame);
    if (n >= 0) {
        *ret_len = (size_t)n;
        return ST_OK;
    }
    int failure = errno;
    if (failure == ECONNRESET)
        return error_set(err, ST_UNREACHABLE, "the device closed the connection instead of an answer");
    if (failure == EMBBADDATA)
        return error_set(err, ST_PROTOCOL, "the answer is longer than Modbus allows");
    if (failure != ETIMEDOUT)
        return error_set(err, ST_UNREACHABLE, "cannot receive: %s", modbus_strerror(failure));
    /* libmodbus does not say how much came. The frame was zeroed, and no answer of ours begins with zeros. */
    for (int i = 0; i < MODBUS_ANSWER_MAX; i++)
        if (frame[i] != 0)
            return error_set(err, ST_PROTOCOL, "only a part of an answer within %d ms", timeout_ms);
    return error_set(err, ST_TIMEOUT, "no answer within %d ms", timeout_ms);
}

static enum status exchange(struct tcp_bus *bus, int unit, const struct modbus_request *request,
    uint8_t *frame, struct modbus_answer *ret, struct error *err)
{
    uint8_t question[MODBUS_QUESTION_SIZE];
    if (++bus->transaction == 0)
        bus->transaction = 1;
    modbus_frame_question(question, bus->transaction, unit, request);
    memset(frame, 0, MODBUS_ANSWER_MAX);
    size_t len = 0;
    enum status status = send_question(bus, question, err);
    if (status == ST_OK)
        status = receive_answer(bus, frame, &len, err);
    if (status == ST_OK)
        status = modbus_frame_answer(frame, len, bus->transaction, unit, request, ret, err);
    return status;
}

static void give_up_points(const struct modbus_plan *plan, const struct modbus_request *request,
    int exception, const struct driver_sink *sink)
{
    char place[MODBUS_PLACE_SIZE];
    struct error why;
    modbus_place_format(request, place);
    error_set(&why, ST_PROTOCOL, "%s: %s (exception %d)", modbus_exception_name(exception), place, exception);
    for (size_t i = request->first; i < request->end; i++)
        sink->point_failed(sink->context, plan->wants[i].point, &why);
}

static void give_points(const struct modbus_plan *plan, const struct modbus_request *request,
    const struct modbus_answer *answer, const struct device_settings *device, const struct driver_sink *sink,
    int64_t time_ms)
{
    const struct point_settings *points = device->points.items;
    for (size_t i = request->first; i < request->end; i++) {
        const struct modbus_want *want = &plan->wants[i];
        const struct modbus_point_settings *point = points[want->point].extra;
        uint8_t bytes[MODBUS_VALUE_BYTES];
        union driver_value value;
        struct error why;
        modbus_frame_value(answer, request, want, bytes);
        if (modbus_decode(&point->format, &point->meaning, bytes, &value, &why) == ST_OK)
            sink->reading(sink->context, want->point, &value, time_ms);
        else
            sink->point_failed(sink->context, want->point, &why);
    }
}

static enum status tcp_open(void *state, const struct bus_settings *settings, struct error *err)
{
    struct tcp_bus *bus = state;
    bus->settings = settings;
    return dial(bus, err);
}

static enum status tcp_poll(void *state, void *device_state, const struct device_settings *device,
    const struct driver_sink *sink, struct error *err)
{
    struct tcp_bus *bus = state;
    const struct modbus_plan *plan = device_state;
    const struct modbus_device_settings *modbus = device->extra;
    if (bus->settings == NULL)
        return error_set(err, ST_UNREACHABLE, "the connection is not open");
    for (size_t i = 0; i < plan->request_count; i++) {
        const struct modbus_request *request = &plan->requests[i];
        if (bus->context != NULL && !is_quiet(bus))
            hang_up(bus);
        enum status status = bus->context == NULL ? dial(bus, err) : ST_OK;
        if (status != ST_OK)
            return status;
        uint8_t frame[MODBUS_ANSWER_MAX];
        struct modbus_answer answer;
        char place[MODBUS_PLACE_SIZE];
        modbus_place_format(request, place);
        status = exchange(bus, (int)modbus->unit, request, frame, &answer, err);
        if (status != ST_OK) {
            /* What this connection may still bring would be taken for the answer to the next question. */
            hang_up(bus);
            return error_prefix(err, status, "unit %d, %s", (int)modbus->unit, place);
        }
        int64_t time_ms = sink->clock->wall_ms();
        if (modbus_exception_means_silence(answer.exception))
            return error_set(err, ST_TIMEOUT, "unit %d, %s: %s (exception %d)", (int)modbus->unit, place,
                modbus_exception_name(answer.exception), answer.exception);
        if (answer.exception != 0)
            give_up_points(plan, request, answer.exception, sink);
        else
            give_points(plan, request, &answer, device, sink, time_ms);
    }
    return ST_OK;
}

static void tcp_plan(void *device_state, const struct device_settings *device)
{
    const struct modbus_device_settings *modbus = device->extra;
    const struct point_settings *points = device->points.items;
    size_t count = device->points.count;
    struct modbus_want *wants = mem_zalloc((count + 1) * sizeof *wants);
    for (size_t i = 0; i < count; i++) {
        const struct modbus_point_settings *point = points[i].extra;
        wants[i] =
            (struct modbus_want){(enum modbus_function)point->function, (int)point->address, point->count, i};
    }
    modbus_plan_init(device_state, wants, count, (int)modbus->max_registers, (int)modbus->max_gap);
}

static void tcp_release(void *device_state)
{
    modbus_plan_release(device_state);
}

static void tcp_close(void *state)
{
    struct tcp_bus *bus = state;
    hang_up(bus);
    memset(bus, 0, sizeof *bus);
}

const struct driver driver_modbus_tcp = {.name = "modbus_tcp",
    .bus_section = &bus_section,
    .device_section = &modbus_device_section,
    .point_section = &modbus_point_section,
    .bus_size = sizeof(struct tcp_bus),
    .device_size = sizeof(struct modbus_plan),
    .open = tcp_open,
    .plan = tcp_plan,
    .poll = tcp_poll,
    .release = tcp_release,
    .close = tcp_close};
