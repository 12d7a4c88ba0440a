/* SPDX-License-Identifier: MIT */
/* smp_dir.h: a directory for files that several threads use at once. */
#ifndef USER_TESTS_SMP_DIR_H
#define USER_TESTS_SMP_DIR_H

#include "smp.h"

static char dir[64];
static volatile int stop_now;

TAP_FN void dir_make(const char *name)
{
	snprintf(dir, sizeof(dir), "/tmp/%s.%d", name, my_pid());
	if (raw(SYS_mkdir, dir, 0755))
		skip_all("no directory can be made in /tmp");
}

TAP_FN char *in_dir(char *buf, const char *name)
{
	snprintf(buf, 128, "%s/%s", dir, name);
	return buf;
}

TAP_FN int open_in_dir(const char *name, int flags)
{
	char path[128];

	return raw(SYS_open, in_dir(path, name), flags, 0644);
}

/* A page of equal bytes. */
TAP_FN void fill_file(const char *name, int value)
{
	int fd = open_in_dir(name, O_RDWR | O_CREAT | O_TRUNC);
	char block[PAGE];

	memset(block, value, sizeof(block));
	raw(SYS_write, fd, block, sizeof(block));
	raw(SYS_close, fd);
}

/* With the files named; ends with NULL. */
TAP_FN void dir_remove(const char *const *files)
{
	char path[128];

	for (; *files; files++)
		raw(SYS_unlink, in_dir(path, *files));
	is(raw(SYS_rmdir, dir), 0, "nothing else is left in the directory");
}

#endif
