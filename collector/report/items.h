/* What item codes mean (住建部 国家机关办公建筑和大型公共建筑能耗监测系统 分项能耗数据采集技术导则; A, of 04000 C). */
#pragma once

#include "collector/web/page.h"

struct item {
    const char *code, *name, *name_en;
};
extern const struct item items[]; /* code NULL = the end */

/* NULL: the code is none of the standard's. */
const char *items_name(enum page_language language, const char *code);
