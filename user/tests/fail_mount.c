/* SPDX-License-Identifier: MIT */
/* Each allocation of mount(2) and umount2(2) made to fail in turn. For root. */
#include "failing.h"
#include "files.h"
#include <sys/mount.h>

static char dir[128];

static void undo_mount(long ret)
{
	(void)ret;
	umount(dir);
}

static void setup_mounted(void)
{
	umount(dir);
	mount("x", dir, "tmpfs", 0, "size=1M");
}

/* Its second call is the one that counts. */
static void setup_marked(void)
{
	setup_mounted();
	umount2(dir, 4 /* MNT_EXPIRE */);
}

#define E(n) ((long)(n))
static const struct row rows[] = {
	{ "mount of a tmpfs", .nr = SYS_mount,
	  .args = { E("source"), E(dir), E("tmpfs"), 0, E("size=1M,mode=700") },
	  .undo = undo_mount },
	{ "mount of a tmpfs without anything", .nr = SYS_mount,
	  .args = { 0, E(dir), E("tmpfs"), 0, 0 }, .undo = undo_mount },
	{ "mount of proc", .nr = SYS_mount, .args = { E("proc"), E(dir), E("proc"), 0, 0 },
	  .undo = undo_mount },
	{ "MS_REMOUNT", .nr = SYS_mount, .args = { 0, E(dir), 0, MS_REMOUNT, E("size=2M") },
	  .setup = setup_mounted, .undo = undo_mount },
	{ "umount2", .nr = SYS_umount2, .args = { E(dir), 0 }, .setup = setup_mounted },
	{ "MNT_EXPIRE", .nr = SYS_umount2, .args = { E(dir), 4 }, .setup = setup_marked,
	  .also = EAGAIN },
	{ "MNT_DETACH", .nr = SYS_umount2, .args = { E(dir), MNT_DETACH }, .setup = setup_mounted },
};

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	if (geteuid() != 0)
		skip_all("only root may mount");
	failing_need();
	make_dir("fail_mount");
	snprintf(dir, sizeof(dir), "%s", in_dir("dir"));
	mkdir(dir, 0755);
	failing_start();
	fail_rows(rows, COUNT(rows));
	failing_summary();
	umount(dir);
	rmdir(dir);
	clean_dir((const char *const[]){ NULL });
	return done_testing();
}
