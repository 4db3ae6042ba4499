/* The collector's command line. */
#pragma once

int collector_main(int argc, char **argv);
