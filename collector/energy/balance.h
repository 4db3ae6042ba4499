/* Whether a parent's balance gap (collector/energy/tree.h, TREE_GAP) is within its limit. Pure. */
#pragma once

#include "collector/energy/amounts.h"
#include "lib/number.h"

enum balance {
    BALANCE_WITHIN,
    BALANCE_BEYOND,  /* more than `limit` of the parent's amount is left unexplained, or was metered twice */
    BALANCE_UNKNOWN, /* the gap, or the parent's amount, is */
};

/* `limit` is a share of the parent's amount, whose sign does not matter, nor does the gap's; at the limit is within. */
enum balance balance_judge(const struct amount *gap, const struct amount *parent, struct fraction limit);
