#pragma once

/* park-collector test-receivers ...: a message of no alarm to each receiver, and what came of it. argv[0] is "test-receivers".
 * Returns the exit code. */
int receivers_command(int argc, char **argv);
