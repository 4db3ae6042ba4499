/* `park-collector decide outlier | reset | replacement | energy | reading | undo | list`: what a person decides of a meter,
 * through the running collector (control.h), or by itself where none runs. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

void decide_meter_print_usage(FILE *out);
bool decide_meter_is(const char *word);
/* `argv[0]` is "decide", argv[1] one of these. Returns the exit code. */
int decide_meter_command(int argc, char **argv);
