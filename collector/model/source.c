#include "collector/model/source.h"

#include <stdio.h>
#include <string.h>

const char *const source_confidences[] = {"A", "B", "C", NULL};

void source_check(struct conf *c, const struct conf_where *where, const char *document, int confidence)
{
    if (document == NULL || confidence <= SOURCE_A)
        return;
    char mark[8];
    snprintf(mark, sizeof mark, "(%s", source_confidences[confidence]);
    if (strstr(document, mark) == NULL)
        conf_problem(c, where, "document",
            "does not say that its confidence is %s; expected \"%s\" in it, such as \"... %s: to be "
            "checked)\"",
            source_confidences[confidence], mark, mark);
}
