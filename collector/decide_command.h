/* `park-collector decide model`: what of the past the park model's files may change, decided by a person. */
#pragma once

/* `argv[0]` is "decide". Returns the exit code. */
int decide_command(int argc, char **argv);
