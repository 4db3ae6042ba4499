#include "agent/run.h"
#include "lib/program.h"

int main(int argc, char **argv)
{
    return program_finish(agent_main(argc, argv));
}
