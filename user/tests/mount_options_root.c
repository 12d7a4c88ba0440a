/* SPDX-License-Identifier: MIT */
/* runs as root */
/* Options and flags of a mounted tmpfs, MS_REMOUNT of them, and what each makes of calls in it. */
#include "mounts.h"
#include <sys/sysmacros.h>

static void options(const char *dir)
{
	static const char *const good[] = { "",
					    ",",
					    "size=1M",
					    "size=50%",
					    "nr_blocks=16",
					    "nr_inodes=1k",
					    "mode=755",
					    "mode=0",
					    "uid=7,gid=8",
					    "huge=never",
					    "rw",
					    "size=0",
					    "size=0x10000",
					    "inode64",
					    "mode=17777" };
	static const char *const bad[] = { "size",	     "size=x",	     "size=1Mx",
					   "size=50%x",	     "nr_blocks=z",  "mode=9",
					   "mode=",	     "uid=x",	     "uid=-1",
					   "uid=4294967295", "gid=",	     "nosuch",
					   "nosuch=1",	     "nr_inodes=1q", "huge=sometimes" };
	struct stat st;
	struct statfs fs;
	char name[128];
	int n = 0;

	for (size_t i = 0; i < COUNT(good); i++) {
		is(mount("x", dir, "tmpfs", 0, good[i]), 0, "option \"%s\"", good[i]);
		umount(dir);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		fails(mount("x", dir, "tmpfs", 0, bad[i]), EINVAL, "option \"%s\": EINVAL", bad[i]);
	is(mount("x", dir, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME,
		 "size=65537,nr_inodes=5,mode=0750,uid=7,gid=8"),
	   0, "many");
	stat(dir, &st);
	ok(st.st_uid == 7 && st.st_gid == 8 && (st.st_mode & 07777) == 0750, "owner and mode");
	statfs(dir, &fs);
	is(fs.f_blocks, 17, "17 pages");
	is(fs.f_files, 5, "5 files");
	is(fs.f_ffree, 4, "4 of which are left");
	is(fs.f_flags & 0xffff, 0xc2e, "its flags");
	ok(shows("mounts", dir,
		 " tmpfs rw,nosuid,nodev,noexec,noatime,nodiratime,size=68k,nr_inodes=5,mode=750,uid=7,gid=8"),
	   "all of it in /proc/self/mounts");
	do {
		snprintf(name, sizeof(name), "%s/%d", dir, n);
	} while (put(name, 0) == 0 && ++n < 10);
	is(n, 4, "four files fit");
	is(put(name, 0), -ENOSPC, "then ENOSPC");
	snprintf(name, sizeof(name), "%s/0", dir);
	n = open(name, O_RDWR);
	is(fallocate(n, 0, 0, 17 * 4096), 0, "17 pages fit");
	fails(fallocate(n, 0, 17 * 4096, 1), ENOSPC, "then ENOSPC");
	close(n);
	fails(mount("x", dir, NULL, MS_REMOUNT, "size=64k"), EINVAL,
	      "smaller than what is in it: EINVAL");
	is(mount("x", dir, NULL, MS_REMOUNT, "size=128k"), 0, "larger");
	statfs(dir, &fs);
	is(fs.f_blocks, 32, "32 pages");
	is(fs.f_files, 5, "5 files, as before");
	is(fs.f_flags & 0xffff, 0xc20, "flags as said this time, but for those of times");
	fails(mount("x", dir, NULL, MS_REMOUNT, "nosuch"), EINVAL, "an unknown option: EINVAL");
	is(umount(dir), 0, "umount");
}

/* Calls that would change something in a read-only file system. */
static void read_only(const char *dir)
{
	char file[128], new[128], sub[128];
	struct statfs fs;
	int fd, w;

	snprintf(file, sizeof(file), "%s/file", dir);
	snprintf(new, sizeof(new), "%s/new", dir);
	snprintf(sub, sizeof(sub), "%s/sub", dir);
	mount("x", dir, "tmpfs", 0, NULL);
	put(file, 100);
	mkdir(sub, 0777);
	w = open(file, O_WRONLY);
	fails(mount("x", dir, NULL, MS_REMOUNT | MS_RDONLY, NULL), EBUSY,
	      "read-only, while somebody may write: EBUSY");
	close(w);
	fd = open(file, O_RDONLY);
	is(mount("x", dir, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0, "read-only");
	statfs(dir, &fs);
	is(fs.f_flags & 1, 1, "statfs says so");
	ok(shows("mounts", dir, " tmpfs ro,relatime"), "and /proc/self/mounts");
	is(read(fd, text, 10), 10, "it can be read");
	fails(open(file, O_WRONLY), EROFS, "open for writing: EROFS");
	fails(open(file, O_RDONLY | O_TRUNC), EROFS, "O_TRUNC: EROFS");
	w = open(file, O_RDONLY | O_CREAT, 0644);
	ok(w >= 0, "O_CREAT of what is there");
	close(w);
	fails(open(new, O_RDONLY | O_CREAT, 0644), EROFS, "of what isn't: EROFS");
	fails(open(dir, O_TMPFILE | O_RDWR, 0644), EROFS, "O_TMPFILE: EROFS");
	fails(mkdir(new, 0755), EROFS, "mkdir: EROFS");
	fails(mkdir(sub, 0755), EEXIST, "of what is there: EEXIST");
	fails(mknod(new, S_IFIFO | 0644, 0), EROFS, "mknod: EROFS");
	fails(symlink("x", new), EROFS, "symlink: EROFS");
	fails(link(file, new), EROFS, "link: EROFS");
	fails(unlink(file), EROFS, "unlink: EROFS");
	fails(unlink(new), EROFS, "unlink of nothing: EROFS");
	fails(rmdir(sub), EROFS, "rmdir: EROFS");
	fails(rename(file, new), EROFS, "rename: EROFS");
	fails(truncate(file, 0), EROFS, "truncate: EROFS");
	fails(chmod(file, 0600), EROFS, "chmod: EROFS");
	fails(fchmod(fd, 0600), EROFS, "fchmod: EROFS");
	fails(chown(file, 1, 1), EROFS, "chown: EROFS");
	fails(utimensat(AT_FDCWD, file, NULL, 0), EROFS, "utimensat: EROFS");
	fails(access(file, W_OK), EROFS, "access: EROFS");
	is(access(file, R_OK), 0, "to read: 0");
	is(mount("x", dir, NULL, MS_REMOUNT, NULL), 0, "for writing again");
	is(put(new, 10), 10, "it can be written");
	close(fd);
	umount(dir);
	is(mount("x", dir, "tmpfs", MS_RDONLY, NULL), 0, "read-only from the start");
	fails(mkdir(sub, 0755), EROFS, "mkdir: EROFS");
	umount(dir);
}

static int run_it(const char *path)
{
	char *argv[] = { (char *)path, NULL };
	pid_t pid = spawn(path, argv, NULL);

	return pid < 0 ? pid : wait_status(pid);
}

static void flags(const char *dir)
{
	char file[128], link[128];
	int fd;

	snprintf(file, sizeof(file), "%s/file", dir);
	snprintf(link, sizeof(link), "%s/link", dir);
	mount("x", dir, "tmpfs", MS_NOEXEC | MS_NODEV | 256, NULL);
	fd = open(file, O_RDWR | O_CREAT, 0755);
	write(fd, "#!/bin/sh\n", 10);
	ok(mmap(NULL, 4096, PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == EPERM,
	   "MS_NOEXEC: PROT_EXEC is EPERM");
	close(fd);
	is(run_it(file), -EACCES, "execve: EACCES");
	fails(access(file, X_OK), EACCES, "access: EACCES");
	unlink(file);
	mknod(file, S_IFCHR | 0666, makedev(1, 3));
	fails(open(file, O_RDWR), EACCES, "MS_NODEV: open of a device is EACCES");
	symlink("file", link);
	fails(open(link, O_RDWR), ELOOP, "MS_NOSYMFOLLOW: ELOOP");
	is(readlink(link, text, 10), 4, "it can be read");
	mount("x", dir, NULL, MS_REMOUNT, NULL);
	fd = open(link, O_RDWR);
	ok(fd >= 0, "remounted without: all is possible");
	close(fd);
	is(umount(dir), 0, "umount");
}

/* A change that fails changes nothing. */
static void all_or_nothing(const char *dir)
{
	char file[128];
	struct statfs fs;
	int w;

	snprintf(file, sizeof(file), "%s/file", dir);
	mount("x", dir, "tmpfs", 0, "size=64k");
	w = open(file, O_WRONLY | O_CREAT, 0644);
	fails(mount("x", dir, NULL, MS_REMOUNT | MS_RDONLY | MS_NOEXEC, "size=128k"), EBUSY,
	      "read-only, and larger, while somebody may write: EBUSY");
	statfs(dir, &fs);
	is(fs.f_blocks, 16, "as large as before");
	is(fs.f_flags & 0xffff, 0x1020, "with the flags of before");
	close(w);
	fails(mount("x", dir, NULL, MS_REMOUNT | MS_RDONLY | MS_NOEXEC, "size=x"), EINVAL,
	      "with a bad size: EINVAL");
	is(put(file, 1), 1, "it can still be written");
	umount(dir);
}

/* A limit can be taken away, and then not come back. */
static void unlimited(const char *dir)
{
	char file[128], more[128];
	struct statfs fs;

	snprintf(file, sizeof(file), "%s/file", dir);
	snprintf(more, sizeof(more), "%s/more", dir);
	mount("x", dir, "tmpfs", 0, "size=8k,nr_inodes=2");
	is(put(file, 8192), 8192, "two pages fit");
	is(put(more, 1), -ENOSPC, "and one file");
	is(mount("x", dir, NULL, MS_REMOUNT, "size=0,nr_inodes=0"), 0, "both limits go");
	statfs(dir, &fs);
	ok(fs.f_blocks == 0 && fs.f_files == 0, "statfs shows none");
	ok(shows("mounts", dir, ",size=0k,nr_inodes=0,"), "nor does /proc/self/mounts");
	is(put(more, sizeof(text)), sizeof(text), "a file more");
	is(truncate(file, 0), 0, "the first is cut");
	is(put(file, sizeof(text)), sizeof(text), "and may have more than two pages");
	fails(mount("x", dir, NULL, MS_REMOUNT, "size=1M"), EINVAL, "a limit again: EINVAL");
	fails(mount("x", dir, NULL, MS_REMOUNT, "nr_inodes=100"), EINVAL, "of files, too: EINVAL");
	is(umount(dir), 0, "umount");
}

static long atime_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : st.st_atim.tv_sec * 1000000000L + st.st_atim.tv_nsec;
}

static void look_at(const char *path)
{
	struct timespec moment = { 0, 20000000 };
	int fd = open(path, O_RDONLY);

	nanosleep(&moment, NULL);
	if (syscall(SYS_getdents64, fd, text, sizeof(text)) < 0)
		read(fd, text, 1);
	close(fd);
}

/* Which reads a file system takes note of. */
static void access_times(const char *dir)
{
	static const struct {
		unsigned long flags;
		const char *shown;
		bool file, again, sub;
	} cases[] = {
		{ 0, " rw,relatime", true, false, true },
		{ MS_STRICTATIME, " rw,inode64", true, true, true },
		{ MS_STRICTATIME | MS_NOATIME, " rw,inode64", true, true, true },
		{ MS_NOATIME, " rw,noatime,inode64", false, false, false },
		{ MS_NOATIME | MS_RELATIME, " rw,noatime,inode64", false, false, false },
		{ MS_NODIRATIME, " rw,nodiratime,relatime,inode64", true, false, false },
	};
	char file[128], sub[128];

	snprintf(file, sizeof(file), "%s/file", dir);
	snprintf(sub, sizeof(sub), "%s/sub", dir);
	for (size_t i = 0; i < COUNT(cases); i++) {
		long then;

		mount("x", dir, "tmpfs", cases[i].flags, NULL);
		ok(shows("mounts", dir, cases[i].shown), "flags 0x%lx:%s", cases[i].flags,
		   cases[i].shown);
		put(file, 1);
		mkdir(sub, 0755);
		then = atime_of(file);
		look_at(file);
		is(atime_of(file) > then, cases[i].file, "a first read of a file");
		then = atime_of(file);
		look_at(file);
		is(atime_of(file) > then, cases[i].again, "a second one");
		then = atime_of(sub);
		look_at(sub);
		is(atime_of(sub) > then, cases[i].sub, "a read of a directory");
		mount("x", dir, NULL, MS_REMOUNT, NULL);
		ok(shows("mounts", dir, cases[i].shown), "MS_REMOUNT without any keeps them");
		umount(dir);
	}
}

int main(int argc, char **argv)
{
	static void (*const parts[])(const char *) = {
		options, read_only, flags, all_or_nothing, unlimited, access_times,
	};

	return test_mounts(argc, argv, "mount_options", parts, COUNT(parts));
}
