#include "collector/web/context.h"

#include <string.h>

static struct web_answer answer_asset(const struct web_asset *asset)
{
    return (struct web_answer){.code = 200,
        .content_type = asset->content_type,
        .shared = asset->data,
        .len = asset->len,
        .cache_control = "no-cache", /* keep it, but ask whether it changed */
        .etag = asset->etag};
}

static struct web_answer handle_root(struct web_context *context, const struct web_request *request)
{
    (void)context;
    (void)request;
    return (struct web_answer){.code = 302, .location = "/ops"};
}

static struct web_answer handle_ops(struct web_context *context, const struct web_request *request)
{
    (void)request;
    return answer_asset(assets_find(context->assets, "ops.html"));
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

const struct web_route web_routes[] = {
    {"/", NULL, handle_root},
    {"/ops", NULL, handle_ops},
    {"/assets/", NULL, handle_asset},
    {"/api/v1/live", NONE, handle_live},
    {"/api/v1/stream", NONE, handle_stream},
    {"/api/v1/gateways", NONE, handle_gateways},
    {"/api/v1/losses", " limit before ", handle_losses},
    {"/api/v1/quarantine", " limit before ", handle_quarantine},
    {"/api/v1/unmapped", " limit before ", handle_unmapped},
    {"/livez", NULL, handle_livez},
    {"/readyz", NULL, handle_readyz},
    {"/metrics", NULL, handle_metrics},
};
const size_t web_route_count = sizeof web_routes / sizeof web_routes[0];
