#include "collector/run.h"
#include "lib/program.h"

int main(int argc, char **argv)
{
    return program_finish(collector_main(argc, argv));
}
