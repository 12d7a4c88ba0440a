/* SPDX-License-Identifier: MIT */
/*
 * What `make fuzz` lets libFuzzer look for, for a short while and with any compiler: inputs of random
 * bytes, and those that once found something.
 */
#include "tests/host/fuzz/fuzz_mm.c"
#include "tests/host/tap.h"

#define INPUTS 2000
#define LENGTH 300

int main(void)
{
	static u8 bytes[LENGTH];

	for (int i = 0; i < INPUTS; i++) {
		for (int k = 0; k < LENGTH; k++)
			bytes[k] = (u8)(test_random() >> 16);
		LLVMFuzzerTestOneInput(bytes, LENGTH);
	}
	ok(true, "%d random programs do what the model says", INPUTS);
	return done_testing();
}
