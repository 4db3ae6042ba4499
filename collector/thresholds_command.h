#pragma once

/* park-collector thresholds ...: what an instrument's power was, and what thresholds would have made of it. argv[0] is
 * "thresholds". Returns the exit code. */
int thresholds_command(int argc, char **argv);
