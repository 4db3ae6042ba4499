/* park-collector verify --evidence: a bundle (collector/bundle/bundle.h) by itself, without settings, database or park. Its
 * parts are held against the manifest, and all published figures are worked out anew from the readings. */
#pragma once

/* What the process returns: EXIT_OK = all published figures come out; 1 = some do not, and each is named; EXIT_CONFIG = it
 * is no sound bundle, in one sentence; EXIT_UNAVAILABLE = it was interrupted. */
int check_run(const char *path);
