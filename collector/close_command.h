/* `park-collector close`: a month of a site is closed, or the closings are listed. */
#pragma once

/* `argv[0]` is "close". Returns the exit code. */
int close_command(int argc, char **argv);
