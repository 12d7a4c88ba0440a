/* SPDX-License-Identifier: MIT */
/*
 * hello: an ordinary program, built in every way a static program can be built, that uses what
 * ordinary programs use: printf, malloc (small and large), floating point, the environment.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The sum of a block that was filled by index; 0 when there is no memory. */
static unsigned long fill_and_sum(size_t count)
{
	unsigned long *numbers = malloc(count * sizeof(*numbers)), sum = 0;

	if (!numbers)
		return 0;
	for (size_t i = 0; i < count; i++)
		numbers[i] = i;
	for (size_t i = 0; i < count; i++)
		sum += numbers[i];
	free(numbers);
	return sum;
}

/* Newton's method, so that every way of building it needs the same libraries. */
static double square_root(double x)
{
	double root = x;

	for (int i = 0; i < 50; i++)
		root = (root + x / root) / 2;
	return root;
}

int main(int argc, char **argv)
{
	volatile double two = 2; /* what follows from it is computed here, not by the compiler */
	double large = 1;
	char *text;

	printf("Hello from %s\n", argv[0]);
	for (int i = 1; i < argc; i++)
		printf("argument %d: %s\n", i, argv[i]);
	text = malloc(100);
	if (!text)
		return 1;
	snprintf(text, 100, "%s, %s", "small", "from the heap");
	printf("malloc: %s; sums %lu and %lu\n", text, fill_and_sum(100), fill_and_sum(100000));
	free(text);
	for (int i = 0; i < 100; i++)
		large *= 5 * two;
	printf("sqrt(2) = %.6f, 1/3 = %g, 10^100 = %e\n", square_root(two), 1 / (two + 1), large);
	return 0;
}
