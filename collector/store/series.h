/*
 * The fixed head of each raw series, "register,building=b1,gateway=gw-a,point=b1.main,site=s1 value=", built
 * once per point and kept for as long as the park says that the point is the same thing.
 */
#pragma once

#include "collector/model/name_map.h"
#include "collector/model/park.h"
#include "lib/batch.h"

struct series_cache {
    const struct park *park; /* borrowed */
    struct name_map points;
    struct series *last; /* asked for */
};

/* The head of the reading's line up to the value. Valid until the next call. */
struct span series_head(struct series_cache *cache, struct span gateway, const struct reading *reading);
void series_cache_release(struct series_cache *cache);
