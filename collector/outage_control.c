#include "collector/outage_control.h"

#include "collector/core.h"
#include "collector/outage_json.h"
#include "lib/clock.h"

#include <stdlib.h>

void outage_print(const struct outage *o, int64_t now_ms, struct buf *text)
{
    char *words = outaging_text(o);
    buf_printf(text, "outage %lld  %s  %s (%s)\n", (long long)o->id,
        outage_states[outage_state_at(o, now_ms)], words, o->opened_by);
    free(words);
}

enum status outage_control_run(
    void *user_data, const struct control_request *request, struct buf *text, struct error *err)
{
    const json_t *outage = json_object_get(request->body, "outage");
    const char *act = json_string_value(json_object_get(request->body, "act"));
    struct outaging outaging = {
        .request = {.id = json_integer_value(json_object_get(request->body, "id")), .who = request->who}};
    struct outaging_result result;
    if (request->is_preview)
        return error_set(err, ST_INVALID, "an outage has no preview");
    if (!outage_act_parse(act, &outaging.request.act) || !json_is_object(outage))
        return error_set(err, ST_INVALID, "expected {\"act\", \"id\", \"outage\"}");
    enum status status = outage_json_read(outage, &outaging.request, err);
    if (status == ST_OK)
        status = core_outage(user_data, &outaging, &result, err);
    if (status != ST_OK)
        return status;
    outage_print(&result.outage, clock_system.wall_ms(), text);
    outaging_result_release(&result);
    return ST_OK;
}
