/* Shows that a broken law fails the driver, and that the driver says in which file. */
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    LAW(size > 0 && data[0] == 'x', "no 'x' at the begin");
    return 0;
}
