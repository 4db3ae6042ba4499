/* Below /api/v1/instruments: one instrument, and its busy times as a calendar. */
#include "collector/instrument/ahead.h"
#include "collector/instrument/board_json.h"
#include "collector/instrument/ical_feed.h"
#include "collector/web/context.h"

#define FEED_REFRESH_MIN 15
#define FEED_AHEAD_MS (400 * INT64_C(86400000))

const struct board *context_instrument(struct web_context *context, const struct web_request *request,
    const struct board_item **ret_item, struct web_answer *ret)
{
    const struct board *board = context_board(context, ret);
    *ret_item = board != NULL ? board_find(board, request->id) : NULL;
    if (board == NULL || *ret_item != NULL)
        return board;
    board_put(board);
    *ret = answer_error(404, "unknown_instrument", "no instrument has the id \"%.40s\"", request->id);
    return NULL;
}

struct web_answer handle_instrument(struct web_context *context, const struct web_request *request)
{
    struct web_answer answer;
    const struct board_item *item;
    const struct board *board = context_instrument(context, request, &item, &answer);
    if (board == NULL)
        return answer;
    answer = answer_json(200, board_json(item));
    answer_keep(&answer, WEB_KEEP_NOW);
    board_put(board);
    return answer;
}
