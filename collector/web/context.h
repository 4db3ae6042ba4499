/* What the handlers share. Belongs to one thread, the listener's or that of its errands, but for what is immutable and
 * the guard. */
#pragma once

#include "collector/instrument/search.h"
#include "collector/live/health.h"
#include "collector/model/zone.h"
#include "collector/web/assets.h"
#include "collector/web/guard.h"
#include "collector/web/page.h"
#include "collector/web/router.h"
#include "collector/web/stream.h"
#include "collector/web/web.h"
#include "lib/clock.h"
#include "lib/db.h"

struct accepted;

enum web_list { WEB_LOSSES, WEB_QUARANTINE, WEB_UNMAPPED, WEB_EXCEPTIONS, WEB_VERSIONS, WEB_LISTS };

struct web_context {
    const struct web_options *options; /* `own`, whose park is the one in use */
    struct web_options own;
    const struct model *model;        /* whose that park is; NULL = somebody else's */
    const struct web_context *beside; /* whose assets, texts and guard these are; NULL = its own */
    const struct clock *clock;
    struct web_assets *assets;
    json_t *texts[PAGE_LANGUAGES]; /* of the pages; NULL where the folder has none */
    struct guard *guard;
    struct zone **zones; /* of the park's sites, in their order */
    struct db *db;       /* the reader, opened by the first who needs it; NULL = not yet */
    struct db_stmt *lists[WEB_LISTS];
    struct accepted *accepted; /* of the reader; NULL = not read yet */
    struct stream_hub *streams;
    const struct model *searched; /* whose instruments `search` is of; NULL = of none yet */
    struct search search;
};

/* What `options` points to is borrowed, but for what is read here: assets and zones. */
enum status context_init(struct web_context *context, const struct web_options *options, struct error *err);
/* Of another thread, with a reader and a park of its own; `first`, which must outlive it, has neither streams nor health for
 * it. */
void context_init_beside(struct web_context *context, const struct web_context *first);
void context_release(struct web_context *context);
/* The reader; where it cannot be opened context->db stays NULL. */
bool context_open_db(struct web_context *context, struct error *err);
/* By which reports are made, until the reader is closed; its model is NULL where none was accepted yet. NULL: the database
 * cannot be read. */
const struct accepted *context_accepted(struct web_context *context, struct error *err);
/* Each answer is of one model: the one in use when this is called. */
void context_follow(struct web_context *context);
void context_close_db(struct web_context *context);
/* After a failure: the next request opens another reader, perhaps on a restored file. The 503 that says so. */
struct web_answer context_give_up_db(struct web_context *context, const struct error *err);

/* Of the ledger's books. */
struct context_books {
    int64_t model_version; /* of the park model, the newest that was accepted */
    int64_t open_exceptions;
    int64_t backlog_batches;  /* of the journal, not folded yet */
    int64_t waiting_since_ms; /* UTC, arrival of the oldest of them; 0 = none waits */
};
/* False: the database cannot be read. */
bool context_books(struct web_context *context, struct context_books *ret);

/* The zone of a site; of the first site where `site` is NULL or unknown; NULL (UTC) where there is none. */
const struct zone *context_zone(const struct web_context *context, const char *site);
/* Whether its sites have clocks of their own, so that a time without its offset may be that of another. */
bool context_has_zones(const struct web_context *context);
/* A JSON string, RFC 3339 at the site; null for 0. */
json_t *context_time(const struct web_context *context, const char *site, int64_t time_ms);
/* The newest snapshot, which the caller puts back. NULL: *ret is the 503 that says the collector is starting.
 */
const struct snapshot *context_snapshot(const struct web_context *context, struct web_answer *ret);
/* The same of the board of instruments: board_put. It has a model of its own, which may be another than the context's. */
const struct board *context_board(const struct web_context *context, struct web_answer *ret);
/* True: *ret is the 503 that says that it tells nothing of now (board_is_old). */
bool context_is_old(const struct web_context *context, const struct board *b, struct web_answer *ret);
/* To look through the instruments of a board; as long as no other board's are. */
const struct search *context_search(struct web_context *context, const struct board *board);
/* The board, as context_board, and the item of the instrument of the request's {id}. NULL: the 404 that says that there is
 * none. */
const struct board *context_instrument(struct web_context *context, const struct web_request *request,
    const struct board_item **ret_item, struct web_answer *ret);
/* The 404 of what an instrument that is not shared does not tell. */
struct web_answer refuse_private(const struct board_item *item);
/* Cache-Control of what is of now: everybody on the way may give it to others, for as long as boards are apart. */
#define WEB_KEEP_NOW "public, max-age=1"

/* {"status", "reasons"} at `o`, which is NULL before the first snapshot. */
json_t *context_health(
    const struct web_context *context, const struct overview *o, enum health_level *ret_level);

/* ---- the handlers, by file ---- */

struct web_answer handle_live(
    struct web_context *context, const struct web_request *request); /* api_live.c */
struct web_answer handle_gateways(struct web_context *context, const struct web_request *request);
struct web_answer handle_costs(
    struct web_context *context, const struct web_request *request); /* api_costs.c */
struct web_answer handle_park(
    struct web_context *context, const struct web_request *request); /* api_park.c */
struct web_answer handle_summary(
    struct web_context *context, const struct web_request *request); /* api_summary.c */
struct web_answer handle_losses(
    struct web_context *context, const struct web_request *request); /* api_lists.c */
struct web_answer handle_quarantine(struct web_context *context, const struct web_request *request);
struct web_answer handle_unmapped(struct web_context *context, const struct web_request *request);
struct web_answer handle_exceptions(struct web_context *context, const struct web_request *request);
struct web_answer handle_versions(struct web_context *context, const struct web_request *request);
struct web_answer handle_booked(struct web_context *context, const struct web_request *request);
struct web_answer handle_closings(struct web_context *context, const struct web_request *request);
struct web_answer handle_close(struct web_context *context, const struct web_request *request);
struct web_answer handle_decisions(
    struct web_context *context, const struct web_request *request); /* api_decisions_list.c */
struct web_answer handle_decide(
    struct web_context *context, const struct web_request *request); /* api_decisions.c */
struct web_answer handle_reading(struct web_context *context, const struct web_request *request);
struct web_answer handle_outages(
    struct web_context *context, const struct web_request *request); /* api_outages.c */
/* Opens one, or does with that of the path what it says. */
struct web_answer handle_outage(struct web_context *context, const struct web_request *request);
struct web_answer handle_alarms(
    struct web_context *context, const struct web_request *request); /* api_alarms.c */
struct web_answer handle_alarm_ack(struct web_context *context, const struct web_request *request);
struct web_answer handle_livez(struct web_context *context, const struct web_request *request); /* readyz.c */
struct web_answer handle_readyz(struct web_context *context, const struct web_request *request);
struct web_answer handle_metrics(
    struct web_context *context, const struct web_request *request); /* metrics.c */

struct web_answer handle_login_page(
    struct web_context *context, const struct web_request *request); /* login.c */
struct web_answer handle_login(struct web_context *context, const struct web_request *request);
struct web_answer handle_logout(struct web_context *context, const struct web_request *request);
struct web_answer refuse_page(struct web_context *context, const struct web_request *request);
struct web_answer handle_changes(
    struct web_context *context, const struct web_request *request); /* api_changes.c */
struct web_answer handle_energy(
    struct web_context *context, const struct web_request *request); /* api_energy.c */
struct web_answer handle_occupancy(
    struct web_context *context, const struct web_request *request); /* api_occupancy.c */
struct web_answer handle_occupancy_public(struct web_context *context, const struct web_request *request);
struct web_answer handle_count(struct web_context *context, const struct web_request *request);
struct web_answer handle_instruments(
    struct web_context *context, const struct web_request *request); /* api_instruments.c */
struct web_answer handle_instrument(
    struct web_context *context, const struct web_request *request); /* api_instrument.c */
struct web_answer handle_timeline(
    struct web_context *context, const struct web_request *request); /* api_timeline.c */
struct web_answer handle_instrument_feed(struct web_context *context, const struct web_request *request);
struct web_answer handle_calendars(
    struct web_context *context, const struct web_request *request); /* api_calendars.c */
struct web_answer handle_confirm_calendar(struct web_context *context, const struct web_request *request);
struct web_answer handle_hours(
    struct web_context *context, const struct web_request *request); /* api_hours.c */
struct web_answer handle_resources(
    struct web_context *context, const struct web_request *request); /* api_resources.c */
struct web_answer handle_resource_up(struct web_context *context, const struct web_request *request);
struct web_answer handle_sessions(
    struct web_context *context, const struct web_request *request); /* api_sessions.c */
struct web_answer handle_tell(struct web_context *context, const struct web_request *request);
struct web_answer handle_audit(struct web_context *context, const struct web_request *request); /* audit.c */
/* drill.c: is the path one of those below a report; such a one. */
bool drill_is_path(const char *path);
struct web_answer handle_drill(
    struct web_context *context, const struct web_request *request, enum page_language language);

struct web_answer handle_public_list(
    struct web_context *context, const struct web_request *request); /* public_page.c */
struct web_answer handle_public_instrument(struct web_context *context, const struct web_request *request);
struct web_answer handle_public_label(struct web_context *context, const struct web_request *request);

struct web_answer handle_ops_exceptions(
    struct web_context *context, const struct web_request *request); /* ops_exceptions.c */
struct web_answer handle_ops_decide(
    struct web_context *context, const struct web_request *request); /* ops_decide.c */
struct web_answer handle_ops_reading(struct web_context *context, const struct web_request *request);
struct web_answer handle_ops_outages(
    struct web_context *context, const struct web_request *request); /* ops_outages.c */
struct web_answer handle_ops_alarms(
    struct web_context *context, const struct web_request *request); /* ops_alarms.c */
struct web_answer handle_ops_outage(
    struct web_context *context, const struct web_request *request); /* ops_outage.c */

/* A page in the frame of all that are filled in here (shell.html). `content` is HTML; `self` is where it is, up to its
 * language ("/login?lang="). A 404 where the folder of the pages has no frame. */
struct web_answer context_page(const struct web_context *context, enum page_language language, int code,
    const char *title, const char *self, const char *content);
/* The same in another frame: the file of that name, which `values` fill beside what every frame is told. */
struct web_answer context_framed(const struct web_context *context, const char *frame_name,
    enum page_language language, int code, const char *title, const char *self, const char *content,
    const struct web_param *values, size_t count);
/* A text of the pages; "" where there is none of that key, or it is NULL. */
const char *context_text(const struct web_context *context, enum page_language language, const char *key);

/* Every path of the listener and who is let through to it; described in dashboards/openapi.yaml. */
extern const struct web_route web_routes[];
extern const size_t web_route_count;
struct router context_router(const struct web_context *context);

/* The body of /api/v1/live, which is also the data of an event; the caller frees it. */
char *live_text(const struct web_context *context, const struct snapshot *s);
