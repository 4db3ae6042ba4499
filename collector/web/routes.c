#include "collector/web/ops_frame.h"
#include "collector/web/page_params.h"

#include <stdio.h>
#include <string.h>

static struct web_answer answer_asset(const struct web_asset *asset)
{
    struct web_answer answer = {.code = 200,
        .content_type = asset->content_type,
        .shared = asset->data,
        .len = asset->len,
        .cache_control = "no-cache"}; /* keep it, but ask whether it changed */
    memcpy(answer.etag, asset->etag, sizeof answer.etag);
    return answer;
}

static struct web_answer handle_asset(struct web_context *context, const struct web_request *request)
{
    const struct web_asset *asset = assets_find(context->assets, request->path + strlen("/assets/"));
    if (!asset || asset->is_page)
        return answer_error(404, "not_found", "nothing is here");
    return answer_asset(asset);
}

static struct web_answer handle_stream(struct web_context *context, const struct web_request *request)
{
    (void)context;
    (void)request;
    return (struct web_answer){.code = 200, .content_type = "text/event-stream", .is_stream = true};
}

#define NONE " "
#define PAGED " limit before "
#define OUTAGES " state limit before "
#define ALARMS " state limit before "
#define SESSIONS " instrument limit before "
#define ENERGY " site by of id from to step format "
#define INSTRUMENTS " q site building category model organisation available length limit after ids "
#define OCCUPANCY " site building space from to step "
#define PAGE true
#define DATA false
#define LONG true
#define SHORT false

const struct web_route web_routes[] = {
    {"/", "GET", ALLOW_ANYONE, 0, NULL, handle_public_list, PAGE, SHORT, page_search},
    {"/instruments/{id}", "GET", ALLOW_ANYONE, 0, NULL, handle_public_instrument, PAGE, SHORT, page_language},
    {"/instruments/{id}/label", "GET", ALLOW_ANYONE, 0, NULL, handle_public_label, PAGE, SHORT,
        page_language},
    {"/login", "GET", ALLOW_ANYONE, 0, NULL, handle_login_page, PAGE, SHORT, page_login},
    {"/login", "POST", ALLOW_ANYONE, 0, NULL, handle_login, PAGE, SHORT, page_login},
    {"/logout", "POST", ALLOW_ANY_TOKEN, 0, NULL, handle_logout, PAGE, SHORT, page_language},
    {"/ops", "GET", ALLOW_OPERATOR, 0, NULL, handle_ops_view, PAGE, SHORT, page_overview},
    {"/ops/energy", "GET", ALLOW_OPERATOR, 0, NULL, handle_ops_view, PAGE, SHORT, page_energy},
    {"/ops/meters", "GET", ALLOW_OPERATOR, 0, NULL, handle_ops_view, PAGE, SHORT, page_language},
    {"/ops/occupancy", "GET", ALLOW_OPERATOR, 0, NULL, handle_ops_view, PAGE, SHORT, page_occupancy},
    {"/ops/instruments", "GET", ALLOW_OPERATOR, 0, NULL, handle_ops_view, PAGE, SHORT, page_instruments},
    {"/ops/gateways", "GET", ALLOW_OPERATOR, 0, NULL, handle_ops_view, PAGE, SHORT, page_language},
    {"/ops/exceptions", "GET", ALLOW_OPERATOR, 0, NULL, handle_ops_exceptions, PAGE, SHORT, page_exceptions},
    {"/ops/decide", "GET", ALLOW_OPERATOR, 0, NULL, handle_ops_decide, PAGE, SHORT, page_decide},
    {"/ops/decide", "POST", 0, SCOPE_DECISIONS, NULL, handle_ops_decide, PAGE, LONG, page_decide},
    {"/ops/reading", "GET", ALLOW_OPERATOR, SCOPE_READINGS, NULL, handle_ops_reading, PAGE, SHORT,
        page_language},
    {"/ops/reading", "POST", 0, SCOPE_READINGS, NULL, handle_ops_reading, PAGE, LONG, page_language},
    {"/ops/outages", "GET", ALLOW_OPERATOR, 0, NULL, handle_ops_outages, PAGE, SHORT, page_outages},
    {"/ops/outage", "GET", ALLOW_OPERATOR, SCOPE_OUTAGES, NULL, handle_ops_outage, PAGE, SHORT, page_outage},
    {"/ops/outage", "POST", 0, SCOPE_OUTAGES, NULL, handle_ops_outage, PAGE, LONG, page_outage},
    {"/ops/alarms", "GET", ALLOW_OPERATOR, 0, NULL, handle_ops_alarms, PAGE, SHORT, page_alarms},
    {"/ops/alarms", "POST", 0, SCOPE_ALARMS, NULL, handle_ops_alarms, PAGE, LONG, page_alarms},
    {"/audit/", "GET", ALLOW_AUDITOR, 0, " lang format ", handle_audit, PAGE, LONG, page_language},
    {"/assets/", "GET", ALLOW_ANYONE, 0, NULL, handle_asset, DATA, SHORT, NULL},
    {"/api/v1/live", "GET", ALLOW_OPERATOR, 0, NONE, handle_live, DATA, SHORT, NULL},
    {"/api/v1/park", "GET", ALLOW_OPERATOR | ALLOW_AUDITOR, 0, NONE, handle_park, DATA, SHORT, NULL},
    {"/api/v1/summary", "GET", ALLOW_OPERATOR, 0, NONE, handle_summary, DATA, SHORT, NULL},
    {"/api/v1/occupancy", "GET", ALLOW_OPERATOR, 0, OCCUPANCY, handle_occupancy, DATA, LONG, NULL},
    {"/api/v1/public/occupancy", "GET", ALLOW_ANYONE, 0, " site building from to step ",
        handle_occupancy_public, DATA, LONG, NULL},
    {"/api/v1/counts", "POST", 0, SCOPE_READINGS, NONE, handle_count, DATA, LONG, NULL},
    {"/api/v1/energy", "GET", ALLOW_OPERATOR | ALLOW_AUDITOR, 0, ENERGY, handle_energy, DATA, LONG, NULL},
    {"/api/v1/costs", "GET", ALLOW_OPERATOR | ALLOW_AUDITOR, 0, " site period ", handle_costs, DATA, LONG,
        NULL},
    {"/api/v1/instruments", "GET", ALLOW_ANYONE, 0, INSTRUMENTS, handle_instruments, DATA, SHORT, NULL},
    {"/api/v1/instruments/{id}", "GET", ALLOW_ANYONE, 0, NONE, handle_instrument, DATA, SHORT, NULL},
    {"/api/v1/instruments/{id}/timeline", "GET", ALLOW_ANYONE, 0, " from until ", handle_timeline, DATA, LONG,
        NULL},
    {"/api/v1/instruments/{id}.ics", "GET", ALLOW_ANYONE, 0, " lang ", handle_instrument_feed, DATA, SHORT,
        NULL},
    {"/api/v1/calendars", "GET", ALLOW_OPERATOR, 0, NONE, handle_calendars, DATA, SHORT, NULL},
    {"/api/v1/calendars/{id}/confirm", "POST", 0, SCOPE_OUTAGES, NONE, handle_confirm_calendar, DATA, LONG,
        NULL},
    {"/api/v1/instruments/{id}/hours", "GET", ALLOW_OPERATOR, 0, " period ", handle_hours, DATA, LONG, NULL},
    {"/api/v1/stream", "GET", ALLOW_OPERATOR, 0, NONE, handle_stream, DATA, SHORT, NULL},
    {"/api/v1/gateways", "GET", ALLOW_OPERATOR, 0, NONE, handle_gateways, DATA, SHORT, NULL},
    {"/api/v1/losses", "GET", ALLOW_OPERATOR, 0, PAGED, handle_losses, DATA, SHORT, NULL},
    {"/api/v1/quarantine", "GET", ALLOW_OPERATOR, 0, PAGED, handle_quarantine, DATA, SHORT, NULL},
    {"/api/v1/unmapped", "GET", ALLOW_OPERATOR, 0, PAGED, handle_unmapped, DATA, SHORT, NULL},
    {"/api/v1/exceptions", "GET", ALLOW_OPERATOR | ALLOW_AUDITOR, 0, PAGED, handle_exceptions, DATA, SHORT,
        NULL},
    {"/api/v1/decisions", "GET", ALLOW_OPERATOR | ALLOW_AUDITOR, 0, PAGED, handle_decisions, DATA, SHORT,
        NULL},
    {"/api/v1/decisions", "POST", 0, SCOPE_DECISIONS, " preview ", handle_decide, DATA, LONG, NULL},
    {"/api/v1/booked", "GET", ALLOW_OPERATOR | ALLOW_AUDITOR, 0, " site period ", handle_booked, DATA, LONG,
        NULL},
    {"/api/v1/closings", "GET", ALLOW_OPERATOR | ALLOW_AUDITOR, 0, PAGED, handle_closings, DATA, SHORT, NULL},
    {"/api/v1/closings", "POST", 0, SCOPE_CLOSINGS, " preview ", handle_close, DATA, LONG, NULL},
    {"/api/v1/outages", "GET", ALLOW_OPERATOR | ALLOW_AUDITOR, 0, OUTAGES, handle_outages, DATA, SHORT, NULL},
    {"/api/v1/outages", "POST", 0, SCOPE_OUTAGES, NONE, handle_outage, DATA, LONG, NULL},
    {"/api/v1/outages/{id}/change", "POST", 0, SCOPE_OUTAGES, NONE, handle_outage, DATA, LONG, NULL},
    {"/api/v1/outages/{id}/close", "POST", 0, SCOPE_OUTAGES, NONE, handle_outage, DATA, LONG, NULL},
    {"/api/v1/outages/{id}/cancel", "POST", 0, SCOPE_OUTAGES, NONE, handle_outage, DATA, LONG, NULL},
    {"/api/v1/alarms", "GET", ALLOW_OPERATOR, 0, ALARMS, handle_alarms, DATA, SHORT, NULL},
    {"/api/v1/alarms/{id}/ack", "POST", 0, SCOPE_ALARMS, NONE, handle_alarm_ack, DATA, LONG, NULL},
    {"/api/v1/readings", "POST", 0, SCOPE_READINGS, " preview ", handle_reading, DATA, LONG, NULL},
    {"/api/v1/resources", "GET", ALLOW_OPERATOR, 0, NONE, handle_resources, DATA, SHORT, NULL},
    {"/api/v1/resources/{id}/up", "POST", 0, SCOPE_OUTAGES, NONE, handle_resource_up, DATA, LONG, NULL},
    {"/api/v1/sessions", "GET", ALLOW_OPERATOR, 0, SESSIONS, handle_sessions, DATA, SHORT, NULL},
    {"/api/v1/sessions", "POST", 0, SCOPE_SESSIONS, NONE, handle_tell, DATA, LONG, NULL},
    {"/api/v1/changes", "GET", ALLOW_AUDITOR, 0, PAGED, handle_changes, DATA, SHORT, NULL},
    {"/api/v1/versions", "GET", ALLOW_OPERATOR | ALLOW_AUDITOR, 0, PAGED, handle_versions, DATA, SHORT, NULL},
    {"/livez", "GET", ALLOW_HERE | ALLOW_OPERATOR, 0, NULL, handle_livez, DATA, SHORT, NULL},
    {"/readyz", "GET", ALLOW_HERE | ALLOW_OPERATOR, 0, NULL, handle_readyz, DATA, SHORT, NULL},
    {"/metrics", "GET", ALLOW_HERE | ALLOW_OPERATOR, 0, NULL, handle_metrics, DATA, SHORT, NULL},
};
/* A closing with all its overrides, an outlier of DECIDING_TIMES_MAX readings. */
static const struct web_large larges[] = {
    {"/api/v1/closings", CLOSE_MONTH_JSON_MAX}, {"/api/v1/decisions", 64 * 1024}};

const size_t web_route_count = sizeof web_routes / sizeof web_routes[0];

struct router context_router(const struct web_context *context)
{
    return (struct router){.routes = web_routes,
        .count = web_route_count,
        .larges = larges,
        .large_count = sizeof larges / sizeof larges[0],
        .address = context->options->address,
        .name = context->options->name,
        .guard = context->guard,
        .refuse_page = refuse_page,
        .refuse_param = page_refuse};
}

void web_print_routes(FILE *out)
{
    fputs("| method | path | without a token | public | operator | auditor | scope |\n"
          "|---|---|---|---|---|---|---|\n",
        out);
    for (size_t i = 0; i < web_route_count; i++) {
        const struct web_route *r = &web_routes[i];
        char scopes[SCOPES_TEXT_SIZE];
        scopes_format(r->scope, scopes);
        const char *nobody = r->allow & ALLOW_ANYONE ? "yes" : r->allow & ALLOW_HERE ? "here" : "-";
        fprintf(out, "| %s | `%s` | %s | %s | %s | %s | %s |\n", r->method, r->path, nobody,
            r->allow & (ALLOW_ANYONE | ALLOW_PUBLIC) ? "yes" : nobody,
            r->allow & (ALLOW_ANYONE | ALLOW_OPERATOR) ? "yes" : nobody,
            r->allow & (ALLOW_ANYONE | ALLOW_AUDITOR) ? "yes" : nobody, scopes[0] != '\0' ? scopes : "-");
    }
}
