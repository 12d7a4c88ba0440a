#!/bin/sh
# SPDX-License-Identifier: MIT
#
# tcc compiles programs here, which then run here: from a file, and from memory as soon as they are made.
export PATH=/usr/bin:/usr/sbin:/bin
work=/tmp/tcc.work
rm -rf $work
mkdir -p $work && cd $work || exit 1

cat >primes.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
#include <errno.h>
#include <unistd.h>

static int is_prime(int n)
{
	for (int i = 2; i * i <= n; i++)
		if (n % i == 0)
			return 0;
	return n > 1;
}

static int descending(const void *a, const void *b)
{
	return *(const int *)b - *(const int *)a;
}

int main(int argc, char **argv)
{
	int count = 0, last[5] = { 0 }, limit = argc > 1 ? atoi(argv[1]) : 1000;
	char *text = malloc(100000);

	for (int n = 0; n < limit; n++)
		if (is_prime(n))
			last[count++ % 5] = n;
	qsort(last, 5, sizeof(last[0]), descending);
	printf("%d primes below %d, the last %d %d %d\n", count, limit, last[0], last[1], last[2]);
	memset(text, 'x', 99999);
	text[99999] = 0;
	printf("%zu %.3f %s\n", strlen(text), sqrt(2), close(-1) ? strerror(errno) : "closed");
	for (int i = 1; i < argc; i++)
		printf("[%s]", argv[i]);
	printf("\n");
	free(text);
	return count % 100;
}
END
echo '--- to a file'
tcc -o primes primes.c -lm && ./primes 2000
echo "status $?"
echo '--- objects, a library of our own'
echo 'int answer = 42; int twice(int x) { return 2 * x; }' >part.c
echo 'extern int answer; int twice(int); int printf(const char *, ...); int main() { printf("%d\n", twice(answer)); return 0; }' >main.c
tcc -c part.c main.c && tcc -o both main.o part.o && ./both
tcc -shared -o libpart.so part.c && tcc -o shared main.c -L. -lpart -Wl,-rpath=$work && ./shared
echo '--- in memory'
tcc -lm -run primes.c 3000 one two
echo "status $?"
printf '#!/usr/bin/tcc -run\n#include <stdio.h>\nint main(void) { puts("a script in C"); return 7; }\n' >script.c
chmod 755 script.c
./script.c
echo "status $?"
echo 'int main(void) { return *(volatile int *)8; }' >crash.c
tcc -o crash crash.c && ./crash
echo "status $?"
echo '--- what is wrong'
echo 'int main(void) { return nothing; }' >wrong.c
tcc -o wrong wrong.c
echo "status $?"
cd / && rm -rf $work
