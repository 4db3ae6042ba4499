/* The agent's command line. */
#pragma once

int agent_main(int argc, char **argv);
