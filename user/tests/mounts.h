/* SPDX-License-Identifier: MIT */
/* mounts.h: for tests of mount(2): what /proc/self says of a mount, and a file in it. */
#ifndef USER_TESTS_MOUNTS_H
#define USER_TESTS_MOUNTS_H

#include "files.h"
#include <sys/mount.h>
#include <sys/statfs.h>

static char text[16384];

/* The line of /proc/self/FILE that contains `path` as a word of its own; "" when there is none. */
TAP_FN const char *line_of(const char *file, const char *path)
{
	static char line[512];
	char word[160], name[64];
	int fd, n = 0, got;
	char *at, *start;

	snprintf(name, sizeof(name), "/proc/self/%s", file);
	fd = open(name, O_RDONLY);
	while ((got = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += got;
	close(fd);
	text[n] = '\0';
	line[0] = '\0';
	snprintf(word, sizeof(word), " %s ", path);
	for (at = text; (at = strstr(at, word)); at++) {
		for (start = at; start > text && start[-1] != '\n'; start--)
			;
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(start, "\n"), start);
	}
	return line;
}

TAP_FN bool shows(const char *file, const char *path, const char *what)
{
	const char *line = line_of(file, path);

	if (strstr(line, what))
		return true;
	diag("%s: \"%s\"", file, line);
	return false;
}

TAP_FN long put(const char *path, size_t size)
{
	int fd = open(path, O_RDWR | O_CREAT, 0644);
	long ret;

	if (fd < 0)
		return -errno;
	ret = size ? result(write(fd, text, size)) : 0;
	close(fd);
	return ret;
}

/* Each of the parts gets the same empty directory to mount on. */
TAP_FN int test_mounts(int argc, char **argv, const char *name,
		       void (*const *parts)(const char *dir), size_t nr)
{
	static const char *const rest[] = { NULL };
	const char *dir;
	int before;

	tap_start(argc, argv, NULL);
	if (geteuid() != 0)
		skip_all("only root may mount");
	umask(022);
	before = count_fds();
	make_dir(name);
	dir = strdup(in_dir("dir"));
	mkdir(dir, 0755);
	for (size_t i = 0; i < nr; i++)
		parts[i](dir);
	rmdir(dir);
	clean_dir(rest);
	is(count_fds(), before, "no descriptor is left open");
	return done_testing();
}

#endif
