/* SPDX-License-Identifier: MIT */
/* transfers.h: another process at the other end of a pipe or a socket. It is a mode of the test's own program. */
#ifndef USER_TESTS_TRANSFERS_H
#define USER_TESTS_TRANSFERS_H

#include "files.h"

/* Starts a mode with a descriptor and one more argument. */
TAP_FN pid_t start_at(const char *mode, int fd, const char *arg)
{
	char number[12];

	snprintf(number, sizeof(number), "%d", fd);
	return start_mode(mode, number, arg);
}

/* argv[2]: descriptor to write to, once the parent sleeps; argv[3]: the text. */
TAP_FN int write_mode(int argc, char **argv)
{
	(void)argc;
	wait_until_asleep(getppid());
	return write(atoi(argv[2]), argv[3], strlen(argv[3])) < 0;
}

/* argv[2]: descriptor to read from, once the parent sleeps, until the end; argv[3]: how many. */
TAP_FN int read_mode(int argc, char **argv)
{
	long left = atol(argv[3]), n;
	char part[5000];

	(void)argc;
	wait_until_asleep(getppid());
	while (left > 0 && (n = read(atoi(argv[2]), part, left < 5000 ? left : 5000)) > 0)
		left -= n;
	return left != 0;
}

/* Writes numbers 0... of 4 bytes, argv[3] of them, in writes of odd sizes, to the descriptor argv[2]. */
TAP_FN int flood_mode(int argc, char **argv)
{
	unsigned int count = atoi(argv[3]), *numbers = malloc(count * sizeof(*numbers));
	size_t size = count * sizeof(*numbers), done = 0, step = 1;

	(void)argc;
	for (unsigned int i = 0; i < count; i++)
		numbers[i] = i;
	while (done < size) {
		ssize_t n;

		step = step * 7 % 50021;
		n = write(atoi(argv[2]), (char *)numbers + done,
			  step < size - done ? step : size - done);
		if (n <= 0)
			return 1;
		done += n;
	}
	return 0;
}

/* Reads such numbers to the end: how many came in order, up to the first that didn't. */
TAP_FN unsigned int read_flood(int fd)
{
	unsigned int next = 0, got[2000];
	size_t have = 0, nr;
	ssize_t n;

	while ((n = read(fd, (char *)got + have, 7777)) > 0) {
		have += n;
		nr = have / sizeof(got[0]);
		for (size_t i = 0; i < nr; i++)
			if (got[i] != next++)
				return next - 1;
		have -= nr * sizeof(got[0]);
		memmove(got, got + nr, have);
	}
	return next;
}

#endif
