/* park-collector outage: outages that people tell, through the running collector, or by itself where none runs. */
#pragma once

int outage_command(int argc, char **argv);
