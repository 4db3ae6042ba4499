/*
 * A fuzz target: one function that takes any bytes from outside, gives them to what decodes them, and aborts
 * where a law does not hold. Sanitizers watch the rest. The same function is a fuzzer (libFuzzer) and a
 * regression test (replay_corpus.c over tests/fuzz/corpus/<target>).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Which file is being given; "" in a fuzzer. */
extern __attribute__((weak)) const char *fuzz_file;

/* A law that must hold for every input; the rest of the line is a printf text that names the law. */
#define LAW(holds, ...)                                                               \
    do {                                                                              \
        if (!(holds)) {                                                               \
            fprintf(stderr, "%s: law broken: ", &fuzz_file != NULL ? fuzz_file : ""); \
            fprintf(stderr, __VA_ARGS__);                                             \
            fputc('\n', stderr);                                                      \
            abort();                                                                  \
        }                                                                             \
    } while (0)
