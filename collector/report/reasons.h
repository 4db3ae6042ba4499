/* Why there is no factor or price, for people: the sentence of collector/model/factor.c, tariff.c and collector/energy/charge.c,
 * which is English, in the language of a report. The caller frees it; one that is not known stays as it is. Pure. */
#pragma once

#include "collector/web/page.h"

char *reasons_show(enum page_language language, const char *why);
