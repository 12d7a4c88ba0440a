/* SPDX-License-Identifier: MIT */
/* runs as root */
/* File systems that are mounted and unmounted while other threads walk into them, use them and list them. */
#include "smp_dir.h"
#include <sys/mount.h>

static char place[128];

/* Mounts one, another in it, and takes both away, busy or not. */
static int mounts(struct member *m)
{
	char inner[160];

	snprintf(inner, sizeof(inner), "%s/inner", place);
	for (int i = 0; i < 150 * (int)times; i++) {
		long err;

		if (raw(SYS_mount, "x", place, "tmpfs", 0, "size=64k"))
			complain("mount");
		raw(SYS_mkdir, inner, 0755);
		/* Somebody may take the directory away. */
		err = i & 1 ? raw(SYS_mount, "y", inner, "tmpfs", 0, NULL) : 0;
		if (err && err != -ENOENT)
			complain("mount of another in it: %ld", err);
		breathe(i);
		/* Who looks now and then keeps it busy. */
		err = i & 2 ? raw(SYS_umount2, place, 0) : -EBUSY;
		if (err == -EBUSY)
			err = raw(SYS_umount2, place, MNT_DETACH);
		if (err)
			complain("umount2: %ld", err);
	}
	stop_now = 1;
	return 0;
}

/* Makes files in whatever is there, and stays in it for a while. */
static int visits(struct member *m)
{
	char file[192], inner[160];

	snprintf(inner, sizeof(inner), "%s/inner", place);
	snprintf(file, sizeof(file), "%s/file%d", m->number & 1 ? inner : place, m->number);
	while (!stop_now) {
		int fd = raw(SYS_open, file, O_RDWR | O_CREAT, 0644);
		char c = 0;

		if (fd >= 0) {
			if (raw(SYS_pwrite64, fd, "x", 1, 0) != 1 ||
			    raw(SYS_pread64, fd, &c, 1, 0) != 1 || c != 'x')
				complain("an open file is gone");
			raw(SYS_unlink, file);
			raw(SYS_close, fd);
		} else if (fd != -ENOENT) {
			complain("open: %d", fd);
		}
		raw(SYS_rmdir, inner);
		breathe(m->count++);
	}
	return 0;
}

static int lists(struct member *m)
{
	static char text[8192];

	while (!stop_now) {
		int fd = raw(SYS_open, "/proc/self/mounts", O_RDONLY);

		if (raw(SYS_read, fd, text, sizeof(text)) <= 0)
			complain("nothing is mounted");
		raw(SYS_close, fd);
		breathe(m->count++);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const char *const none[] = { NULL };
	int size = 0;

	smp_start(argc, argv, NULL);
	if (raw(SYS_geteuid))
		skip_all("only root may mount");
	dir_make("mount_races");
	in_dir(place, "place");
	raw(SYS_mkdir, place, 0755);
	team_add(&size, 1, mounts);
	team_add(&size, 2, visits);
	team_add(&size, 1, lists);
	team_begin(size);
	team_join(0, size);
	nobody_complained("mounts come and go under those who use them");
	is(raw(SYS_umount2, place, 0), -EINVAL, "nothing is left mounted");
	raw(SYS_rmdir, place);
	dir_remove(none);
	return done_testing();
}
