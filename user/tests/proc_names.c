/* SPDX-License-Identifier: MIT */
/* Names in /proc that are numbers: only the number as one writes it, with nothing before or behind. */
#include "tap.h"

#include <fcntl.h>
#include <sys/stat.h>

static bool there(const char *dir, const char *name)
{
	char path[96];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return lstat(path, &st) == 0;
}

/* Every character before and behind the number. */
static void with_a_character(const char *dir, unsigned nr)
{
	char name[32];
	int before = 0, behind = 0;

	snprintf(name, sizeof(name), "%u", nr);
	ok(there(dir, name), "%s/%u is there", dir, nr);
	for (int c = 1; c < 256; c++) {
		if (c == '/')
			continue;
		snprintf(name, sizeof(name), "%c%u", c, nr);
		before += there(dir, name);
		snprintf(name, sizeof(name), "%u%c", nr, c);
		behind += there(dir, name);
	}
	is(before, 0, "none with a character before it");
	is(behind, 0, "nor behind it");
}

static void far_numbers(const char *dir)
{
	static const char *const names[] = {
		"-1",	      "-2147483648",	      "2147483647", "2147483648", "4294967295",
		"4294967296", "18446744073709551616", "01",	    "+1",	  "0x1"
	};
	int found = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		found += there(dir, names[i]);
	is(found, 0, "%s has no numbers that are none or too large", dir);
}

int main(int argc, char **argv)
{
	int fd = open("/", O_RDONLY);

	tap_start(argc, argv, NULL);
	dup2(fd, 321);
	with_a_character("/proc/self/fd", 321);
	with_a_character("/proc/self/fdinfo", 321);
	far_numbers("/proc/self/fd");
	far_numbers("/proc/self/fdinfo");
	far_numbers("/proc");
	with_a_character("/proc/self/task", (unsigned)getpid());
	return done_testing();
}
