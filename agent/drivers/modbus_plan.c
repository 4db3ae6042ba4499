#include "agent/drivers/modbus_plan.h"

#include "lib/mem.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

const char *const modbus_function_names[] = {"holding", "input", "coil", "discrete", NULL};

static int by_place(const void *a, const void *b)
{
    const struct modbus_want *p = a, *q = b;
    if (p->function != q->function)
        return p->function < q->function ? -1 : 1;
    if (p->address != q->address)
        return p->address < q->address ? -1 : 1;
    return (p->point > q->point) - (p->point < q->point);
}

static bool can_join(
    const struct modbus_request *request, const struct modbus_want *want, int max_registers, int max_gap)
{
    if (want->function != request->function)
        return false;
    bool is_bits = want->function == MODBUS_COIL || want->function == MODBUS_DISCRETE;
    int unit = is_bits ? MODBUS_BITS_PER_REGISTER : 1;
    int gap = want->address - (request->address + request->count);
    int count = want->address + want->count - request->address;
    return gap <= max_gap * unit && count <= max_registers * unit;
}

void modbus_plan_init(
    struct modbus_plan *plan, struct modbus_want *wants, size_t count, int max_registers, int max_gap)
{
    if (count > 0)
        qsort(wants, count, sizeof *wants, by_place);
    *plan = (struct modbus_plan){.wants = wants, .want_count = count};
    size_t capacity = 0;
    struct modbus_request *request = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct modbus_want *want = &wants[i];
        if (request == NULL || !can_join(request, want, max_registers, max_gap)) {
            MEM_GROW(plan->requests, plan->request_count, capacity);
            request = &plan->requests[plan->request_count++];
            *request = (struct modbus_request){want->function, want->address, want->count, i, i};
        }
        /* A point may lie inside another: two bits of one register. */
        int end = want->address + want->count - request->address;
        if (end > request->count)
            request->count = end;
        request->end = i + 1;
    }
}

void modbus_plan_release(struct modbus_plan *plan)
{
    free(plan->wants);
    free(plan->requests);
    memset(plan, 0, sizeof *plan);
}
