/*
 * fuzz.h -- what a fuzz target is: one function, fed with anything.
 *
 * With libFuzzer (`make fuzz`) it brings its own main; without, replay.c plays
 * the corpus and small mutations of it, so that every `make check` does too.
 */
#ifndef HT_TESTS_FUZZ_FUZZ_H
#define HT_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t in_len);

#endif
