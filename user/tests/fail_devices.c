/* SPDX-License-Identifier: MIT */
/*
 * Devices, with each allocation failed in turn: /dev/memdemo, which has memory while it is open, and
 * for root the disk in memory, and what root alone may make.
 */
#include "failing.h"
#include "files.h"
#include "vm.h"
#include <sys/sysmacros.h>

#ifndef O_DIRECT
#define O_DIRECT 040000
#endif

enum { FD_DISK = 10, FD_DIRECT, FD_HERE };

static char page[PAGE] __attribute__((aligned(4096)));

static void clear_disk(void)
{
	fallocate(FD_DISK, 3, 0, 64 * PAGE);
	memset(page, 'd', sizeof(page));
}

static long all(long n, long want)
{
	return n == want ? 0 : n < 0 ? n : -ENOMEM;
}

static long do_direct(void)
{
	return all(result(pwrite(FD_DIRECT, page, PAGE, 3 * PAGE)), PAGE);
}

static long do_direct_read(void)
{
	return all(result(pread(FD_DIRECT, page, PAGE, 3 * PAGE)), PAGE);
}

static long do_cached(void)
{
	return all(result(pwrite(FD_DISK, page, PAGE, 5 * PAGE)), PAGE);
}

static void setup_cached(void)
{
	clear_disk();
	do_cached();
}

static long do_sync(void)
{
	return result(fsync(FD_DISK));
}

static long do_read(void)
{
	return all(result(pread(FD_DISK, page, PAGE, 7 * PAGE)), PAGE);
}

static void forget(void)
{
	clear_disk();
	write_number("/proc/sys/vm/drop_caches", 1);
}

static void undo_disk(long ret)
{
	clear_disk();
	fsync(FD_DISK);
	write_number("/proc/sys/vm/drop_caches", 1);
}

static void undo_node(long ret)
{
	unlink("node");
}

static const struct row everybody[] = {
	{ "open of /dev/memdemo", .nr = SYS_open, .args = { (long)"/dev/memdemo", O_RDWR },
	  .undo = undo_close },
	{ "open of /dev/null", .nr = SYS_open, .args = { (long)"/dev/null", O_RDWR },
	  .undo = undo_close },
};

static const struct row disk_rows[] = {
	{ "open of the disk", .nr = SYS_open, .args = { (long)"/dev/ram0", O_RDWR },
	  .undo = undo_close },
	{ "O_DIRECT: write", .call = do_direct, .setup = clear_disk, .undo = undo_disk,
	  .also = ENOSPC, .flags = PARTLY },
	{ "O_DIRECT: read", .call = do_direct_read, .setup = clear_disk, .undo = undo_disk },
	{ "a write to the disk", .call = do_cached, .setup = clear_disk, .undo = undo_disk,
	  .also = ENOSPC },
	{ "fsync of the disk", .call = do_sync, .setup = setup_cached, .undo = undo_disk,
	  .also = ENOSPC },
	{ "a read of the disk", .call = do_read, .setup = forget, .undo = undo_disk },
};

static const struct row root_rows[] = {
	{ "mknod of a device", .nr = SYS_mknod, .args = { (long)"node", S_IFCHR | 0600, 0x103 },
	  .undo = undo_node },
	{ "chown", .nr = SYS_chown, .args = { (long)".", 0, 0 } },
};

static void at_number(int fd, int number)
{
	dup2(fd, number);
	close(fd);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	failing_need();
	make_dir("fail_devices");
	if (chdir(test_dir))
		skip_all("no working directory");
	failing_start();
	fail_rows(everybody, COUNT(everybody));
	if (am_root()) {
		fail_rows(root_rows, COUNT(root_rows));
		at_number(open("/dev/ram0", O_RDWR), FD_DISK);
		at_number(open("/dev/ram0", O_RDWR | O_DIRECT), FD_DIRECT);
		fail_rows(disk_rows, COUNT(disk_rows));
		close(FD_DISK), close(FD_DIRECT);
	}
	failing_summary();
	if (chdir("/"))
		return 1;
	clean_dir((const char *const[]){ NULL });
	return done_testing();
}
