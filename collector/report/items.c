#include "collector/report/items.h"

#include <string.h>

const struct item items[] = {
    {"01000", "电", "Electricity"},
    {"01A00", "照明插座用电", "Lighting and sockets"},
    {"01B00", "空调用电", "HVAC"},
    {"01C00", "动力用电", "Power"},
    {"01D00", "特殊用电", "Special"},
    {"02000", "水", "Water"},
    {"03000", "燃气", "Gas"},
    {"03A00", "天然气", "Natural gas"},
    {"04000", "集中供热（C：须核对原文）", "District heat (C: to be checked)"},
    {NULL, NULL, NULL},
};

const char *items_name(enum page_language language, const char *code)
{
    for (size_t i = 0; items[i].code != NULL; i++)
        if (strcmp(items[i].code, code) == 0)
            return language == PAGE_ZH ? items[i].name : items[i].name_en;
    return NULL;
}
