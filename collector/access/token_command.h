/* `park-collector token add | list | revoke`: whether or not a collector runs, which sees the change at once. */
#pragma once

extern const char token_usage[];

/* `argv[0]` is the word "token". Returns the exit code. */
int token_command(int argc, char **argv);
