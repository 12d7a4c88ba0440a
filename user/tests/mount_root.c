/* SPDX-License-Identifier: MIT */
/* runs as root */
/* mount(2) and umount2(2) of tmpfs: options, flags, what keeps one busy, and what is left of it. */
#include "failures.h"
#include "files.h"
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#ifndef UMOUNT_NOFOLLOW
#define UMOUNT_NOFOLLOW 8
#endif

static char text[16384];

/* The line of /proc/self/FILE that contains `path` as a word of its own; "" when there is none. */
static const char *line_of(const char *file, const char *path)
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

static bool shows(const char *file, const char *path, const char *what)
{
	const char *line = line_of(file, path);

	if (strstr(line, what))
		return true;
	diag("%s: \"%s\"", file, line);
	return false;
}

static long put(const char *path, size_t size)
{
	int fd = open(path, O_RDWR | O_CREAT, 0644);
	long ret;

	if (fd < 0)
		return -errno;
	ret = size ? result(write(fd, text, size)) : 0;
	close(fd);
	return ret;
}

static void basics(const char *dir)
{
	char file[128], sub[128], up[128];
	struct stat before, in, parent;
	struct statfs fs;

	snprintf(file, sizeof(file), "%s/file", dir);
	snprintf(sub, sizeof(sub), "%s/sub", dir);
	snprintf(up, sizeof(up), "%s/sub/../..", dir);
	put(file, 10);
	stat(dir, &before);
	is(mount("source", dir, "tmpfs", 0, NULL), 0, "mount");
	is(stat(dir, &in), 0, "stat of where it is");
	ok(in.st_dev != before.st_dev, "another device");
	is(in.st_mode, S_IFDIR | S_ISVTX | 0777, "its mode");
	ok(in.st_uid == 0 && in.st_nlink == 2 && in.st_size == 40, "root's, and empty");
	fails(access(file, F_OK), ENOENT, "what was there is covered");
	is(mkdir(sub, 0755), 0, "a directory in it");
	is(put(file, 5000), 5000, "a file in it");
	is(stat(up, &in) | stat(test_dir, &parent), 0, "up and up again");
	ok(in.st_dev == parent.st_dev && in.st_ino == parent.st_ino, "is out of it");
	is(statfs(dir, &fs), 0, "statfs");
	ok(fs.f_type == 0x01021994 && fs.f_bsize == 4096 && fs.f_blocks > 1000, "a tmpfs");
	is(fs.f_blocks - fs.f_bfree, 2, "in which two pages are used");
	is(fs.f_flags & 0xffff, 0x1020, "its flags: relatime");
	ok(shows("mounts", dir, "source "), "a line in /proc/self/mounts");
	ok(shows("mounts", dir, " tmpfs rw,relatime"), "with type and flags");
	ok(shows("mountinfo", dir, " / "), "and in mountinfo");
	ok(shows("mountinfo", dir, " rw,relatime - tmpfs source rw"), "with the same");
	fails(rmdir(dir), EBUSY, "rmdir of where it is: EBUSY");
	fails(rename(dir, in_dir("elsewhere")), EBUSY, "rename: EBUSY");
	mkdir(in_dir("other"), 0755);
	fails(rename(in_dir("other"), dir), EBUSY, "rename to there: EBUSY");
	rmdir(in_dir("other"));
	fails(rename(file, in_dir("out")), EXDEV, "rename of a file in it out of it: EXDEV");
	fails(link(file, in_dir("out")), EXDEV, "link: EXDEV");
	fails(unlink(dir), EISDIR, "unlink: EISDIR");
	is(umount(dir), 0, "umount");
	is(access(file, F_OK), 0, "what was there is there again");
	ok(!line_of("mounts", dir)[0], "no line in /proc/self/mounts");
	fails(umount(dir), EINVAL, "umount again: EINVAL");
	unlink(file);
}

static void refusals(const char *dir)
{
	static char all[8192];
	char file[128];

	snprintf(file, sizeof(file), "%s/file", test_dir);
	put(file, 10);
	fails(mount("x", dir, "nosuchfs", 0, NULL), ENODEV, "an unknown type: ENODEV");
	fails(mount("x", dir, NULL, 0, NULL), EINVAL, "no type: EINVAL");
	fails(mount("x", in_dir("nothing"), "tmpfs", 0, NULL), ENOENT, "no such directory: ENOENT");
	fails(mount("x", in_dir("nothing"), "nosuchfs", 0, NULL), ENOENT,
	      "before the type is looked at");
	fails(mount("x", file, "tmpfs", 0, NULL), ENOTDIR, "on a file: ENOTDIR");
	fails(mount("x", file, "tmpfs", 0, "size=x"), EINVAL, "with a bad option: EINVAL");
	fails(mount("x", file, "nosuchfs", 0, NULL), ENODEV, "of an unknown type: ENODEV");
	fails(syscall(SYS_mount, 1, dir, "tmpfs", 0, 0), EFAULT, "source at 1: EFAULT");
	fails(syscall(SYS_mount, "x", 1, "tmpfs", 0, 0), EFAULT, "directory at 1: EFAULT");
	fails(syscall(SYS_mount, "x", dir, 1, 0, 0), EFAULT, "type at 1: EFAULT");
	fails(syscall(SYS_mount, "x", in_dir("nothing"), "tmpfs", 0, 1), EFAULT,
	      "data at 1: EFAULT");
	fails(mount("x", "", "tmpfs", 0, NULL), ENOENT, "an empty name: ENOENT");
	memset(all, 'a', 300);
	fails(mount("x", all, "tmpfs", 0, NULL), ENAMETOOLONG, "of 300 bytes: ENAMETOOLONG");
	fails(umount(all), ENAMETOOLONG, "for umount, too");
	memset(all, 'a', sizeof(all) - 1);
	fails(mount("x", all, "tmpfs", 0, NULL), ENAMETOOLONG, "of 8191: ENAMETOOLONG");
	fails(mount("x", dir, all, 0, NULL), EINVAL, "a type that is too long: EINVAL");
	fails(mount("x", dir, "tmpfs", 1UL << 31, NULL), EINVAL, "MS_NOUSER: EINVAL");
	fails(mount("x", dir, "tmpfs", 1UL << 32, NULL), EINVAL, "any flag above: EINVAL");
	fails(mount("x", dir, "tmpfs", 1UL << 63, NULL), EINVAL, "up to the last");
	fails(mount("x", dir, "tmpfs", MS_REMOUNT, NULL), EINVAL,
	      "MS_REMOUNT of what isn't mounted: EINVAL");
	fails(mount("x", dir, "tmpfs", MS_PRIVATE, NULL), EINVAL, "MS_PRIVATE of it: EINVAL");
	fails(umount2(dir, 16), EINVAL, "umount2 with an unknown flag: EINVAL");
	fails(umount2(in_dir("nothing"), 16), EINVAL, "before the name is looked at");
	fails(umount(in_dir("nothing")), ENOENT, "of nothing: ENOENT");
	fails(umount(file), EINVAL, "of a file: EINVAL");
	fails(umount((void *)1), EFAULT, "at 1: EFAULT");
	is(symlink(dir, in_dir("link")), 0, "a link");
	is(mount("x", in_dir("link"), "tmpfs", MS_MGC_VAL, NULL), 0, "mount by it, with a mark");
	fails(umount2(in_dir("link"), UMOUNT_NOFOLLOW), EINVAL, "UMOUNT_NOFOLLOW: EINVAL");
	is(umount(in_dir("link")), 0, "umount by it");
	if (fork() == 0) {
		setresuid(1000, 1000, 1000);
		_exit(mount("x", dir, "nosuchfs", 0, NULL) == 0 || errno != EPERM ||
		      mount("x", in_dir("nothing"), "tmpfs", 0, NULL) == 0 || errno != ENOENT ||
		      umount(dir) == 0 || errno != EPERM || umount2(dir, 16) == 0 ||
		      errno != EINVAL);
	} else {
		int status = -1;

		wait(&status);
		is(status, 0, "without the right: EPERM");
	}
	unlink(in_dir("link"));
	unlink(file);
}

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

static void busy(const char *dir)
{
	char file[128], sub[128], cwd[128];
	char *mapped;
	int fd, child;

	snprintf(file, sizeof(file), "%s/file", dir);
	snprintf(sub, sizeof(sub), "%s/sub", dir);
	mount("x", dir, "tmpfs", 0, NULL);
	mkdir(sub, 0755);
	fd = open(file, O_RDWR | O_CREAT, 0644);
	fails(umount(dir), EBUSY, "an open file: EBUSY");
	unlink(file);
	fails(umount(dir), EBUSY, "without a name: EBUSY");
	ftruncate(fd, 4096);
	mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	fails(umount(dir), EBUSY, "a mapped one: EBUSY");
	munmap(mapped, 4096);
	fd = open(dir, O_PATH);
	fails(umount(dir), EBUSY, "an O_PATH descriptor: EBUSY");
	close(fd);
	getcwd(cwd, sizeof(cwd));
	chdir(sub);
	fails(umount(dir), EBUSY, "a current directory: EBUSY");
	chdir(cwd);
	mount("y", sub, "tmpfs", 0, NULL);
	fails(umount(dir), EBUSY, "another one mounted in it: EBUSY");
	fails(umount2(dir, MNT_FORCE), EBUSY, "with MNT_FORCE, too");
	is(umount(sub), 0, "umount of that");
	child = fork();
	if (child == 0) {
		chroot(dir);
		chdir("/");
		pause();
		_exit(0);
	}
	wait_until_asleep(child);
	fails(umount(dir), EBUSY, "another program's root: EBUSY");
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	is(umount(dir), 0, "nobody uses it: umount");
}

/* Unmounted by the second of two calls, if nobody has come into it between them. */
static void expiring(const char *dir)
{
	char sub[128], cwd[128];
	struct stat st;

	snprintf(sub, sizeof(sub), "%s/sub", dir);
	mount("x", dir, "tmpfs", 0, NULL);
	mkdir(sub, 0755);
	fails(umount2(dir, MNT_EXPIRE | MNT_FORCE), EINVAL, "MNT_EXPIRE with MNT_FORCE: EINVAL");
	fails(umount2(dir, MNT_EXPIRE | MNT_DETACH), EINVAL, "with MNT_DETACH: EINVAL");
	fails(umount2(sub, MNT_EXPIRE), EINVAL, "of what isn't mounted: EINVAL");
	fails(umount2(dir, MNT_EXPIRE), EAGAIN, "MNT_EXPIRE marks it: EAGAIN");
	stat(dir, &st);
	fails(umount2(dir, MNT_EXPIRE), EAGAIN, "somebody has looked at it: again");
	stat(sub, &st);
	fails(umount2(dir, MNT_EXPIRE), EAGAIN, "or at something in it");
	getcwd(cwd, sizeof(cwd));
	chdir(sub);
	fails(umount2(dir, MNT_EXPIRE), EBUSY, "somebody is in it: EBUSY");
	chdir(cwd);
	fails(umount2(dir, MNT_EXPIRE), EAGAIN, "who has left: EAGAIN");
	is(umount2(dir, MNT_EXPIRE), 0, "nobody any more: it goes");
	fails(stat(sub, &st), ENOENT, "it is no more");
	mount("x", dir, "tmpfs", 0, NULL);
	fails(umount2(dir, MNT_EXPIRE), EAGAIN, "another begins anew: EAGAIN");
	is(umount2(dir, MNT_EXPIRE | UMOUNT_NOFOLLOW), 0, "and goes");
}

/* One that is used and detached in one moment by two processes. */
static void detaching_race(const char *dir)
{
	char file[128];
	int odd = 0, child;

	snprintf(file, sizeof(file), "%s/file", dir);
	child = fork();
	if (child == 0)
		for (;;)
			close(open(file, O_RDWR | O_CREAT, 0644));
	for (int i = 0; i < 300; i++) {
		odd += mount("x", dir, "tmpfs", 0, NULL) != 0;
		if (i % 3)
			put(file, 1);
		odd += umount2(dir, MNT_DETACH) != 0;
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	is(odd, 0, "mounted and detached 300 times while somebody opens a file in it");
	unlink(file);
}

static void stacked(const char *dir)
{
	char file[128];
	struct stat a, b, c;

	snprintf(file, sizeof(file), "%s/file", dir);
	mount("first", dir, "tmpfs", 0, NULL);
	put(file, 1);
	stat(dir, &a);
	is(mount("second", dir, "tmpfs", 0, NULL), 0, "a second one on top");
	stat(dir, &b);
	ok(a.st_dev != b.st_dev, "is another");
	fails(access(file, F_OK), ENOENT, "and covers the first");
	chdir(dir);
	stat("..", &b);
	stat(test_dir, &c);
	ok(b.st_dev == c.st_dev && b.st_ino == c.st_ino, "up from it is out of both");
	chdir("/");
	is(umount(dir), 0, "umount");
	is(access(file, F_OK), 0, "uncovers it");
	is(umount(dir), 0, "umount");
	fails(umount(dir), EINVAL, "there is no more: EINVAL");
}

static void detaching(const char *dir)
{
	char file[128], sub[128], deep[128];
	int fd;

	snprintf(file, sizeof(file), "%s/file", dir);
	snprintf(sub, sizeof(sub), "%s/sub", dir);
	snprintf(deep, sizeof(deep), "%s/sub/deep", dir);
	mount("x", dir, "tmpfs", 0, NULL);
	mkdir(sub, 0755);
	mount("y", sub, "tmpfs", 0, NULL);
	put(deep, 10);
	fd = open(file, O_RDWR | O_CREAT, 0644);
	write(fd, "still", 5);
	chdir(dir);
	is(umount2(dir, MNT_DETACH), 0, "MNT_DETACH, while it is used");
	ok(!line_of("mounts", dir)[0] && !line_of("mounts", sub)[0],
	   "it is nowhere, nor what was in it");
	fails(access(file, F_OK), ENOENT, "it can't be reached from outside");
	is(access("file", F_OK), 0, "but from inside");
	is(pread(fd, text, 10, 0), 5, "the open file can be read");
	is(put("new", 10), 10, "a new one made");
	is(syscall(SYS_getcwd, text, sizeof(text)) > 0 && strncmp(text, "(unreachable)", 13) == 0,
	   1, "getcwd: unreachable");
	chdir("..");
	is(access("file", F_OK), 0, "it has no way out");
	fails(umount("."), EINVAL, "nor can it be unmounted again: EINVAL");
	chdir("/");
	is(pread(fd, text, 10, 0), 5, "the last descriptor still reads");
	is(write(fd, "more", 4), 4, "and writes");
	close(fd);
	is(umount2(dir, MNT_DETACH), -1, "it is no more");
	is(mount("x", dir, "tmpfs", 0, NULL), 0, "another");
	is(umount2(dir, MNT_DETACH | MNT_FORCE), 0, "that nobody uses");
}

/* What is not mounted, though one can name it, can't be changed, unmounted, nor mounted on. */
static void not_mounted(const char *dir)
{
	int pipes[2], memfd = syscall(SYS_memfd_create, "memfd", 0);
	char path[64];

	pipe(pipes);
	for (int i = 0; i < 2; i++) {
		const char *what = i ? "a memfd" : "a pipe";

		snprintf(path, sizeof(path), "/proc/self/fd/%d", i ? memfd : pipes[0]);
		fails(umount(path), EINVAL, "umount of %s: EINVAL", what);
		fails(umount2(path, MNT_DETACH), EINVAL, "with MNT_DETACH: EINVAL");
		fails(mount("x", path, NULL, MS_REMOUNT | MS_RDONLY, NULL), EINVAL,
		      "MS_REMOUNT of it: EINVAL");
		fails(mount("x", path, NULL, MS_PRIVATE, NULL), EINVAL, "MS_PRIVATE: EINVAL");
		fails(mount("x", path, "tmpfs", 0, NULL), EINVAL, "mount on it: EINVAL");
	}
	is(write(memfd, "x", 1), 1, "nothing has become read-only");
	close(memfd), close(pipes[0]), close(pipes[1]);
	mount("x", dir, "tmpfs", 0, NULL);
	chdir(dir);
	mkdir("sub", 0755);
	put("file", 1);
	umount2(dir, MNT_DETACH);
	fails(mount("x", "sub", "tmpfs", 0, NULL), EINVAL, "mount in what was unmounted: EINVAL");
	fails(mount("x", ".", "tmpfs", 0, NULL), EINVAL, "on its root: EINVAL");
	fails(mount("x", "file", "tmpfs", 0, NULL), EINVAL, "on a file in it: EINVAL");
	fails(mount("x", ".", NULL, MS_REMOUNT | MS_RDONLY, NULL), EINVAL, "MS_REMOUNT: EINVAL");
	is(put("new", 1), 1, "it isn't read-only");
	chdir("/");
}

/* Whether the text of a file under /proc says so. */
static bool says(const char *file, const char *what)
{
	int fd = open(file, O_RDONLY), n = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return strstr(text, what);
}

/* In the child: what is mounted, as it is seen from its root. */
static int in_its_root(const char *dir)
{
	int bad = 0;

	chroot(dir);
	chdir("/");
	bad |= !says("/proc/self/mounts", "outer / tmpfs rw") << 0;
	bad |= !strstr(text, "inner /proc proc rw") << 1;
	bad |= !strstr(text, "deep /a/b\\040c tmpfs rw") << 2;
	bad |= (strstr(text, "beside") || strstr(text, "/dev")) << 3;
	bad |= !says("/proc/self/mountinfo", " / / rw,relatime - tmpfs outer") << 4;
	bad |= !strstr(text, " / /a/b\\040c rw") << 5;
	return bad;
}

static void chrooted(const char *dir)
{
	char sub[3][128];
	pid_t child;

	snprintf(sub[0], sizeof(sub[0]), "%s/proc", dir);
	snprintf(sub[1], sizeof(sub[1]), "%s/a", dir);
	snprintf(sub[2], sizeof(sub[2]), "%s/a/b c", dir);
	mkdir(in_dir("beside"), 0755);
	mount("beside", in_dir("beside"), "tmpfs", 0, NULL);
	mount("outer", dir, "tmpfs", 0, NULL);
	for (int i = 0; i < 3; i++)
		mkdir(sub[i], 0755);
	mount("inner", sub[0], "proc", 0, NULL);
	mount("deep", sub[2], "tmpfs", 0, NULL);
	ok(says("/proc/self/mounts", "beside"), "the one beside it is seen from here");
	child = fork();
	if (child == 0)
		_exit(in_its_root(dir));
	is(wait_status(child), 0,
	   "from another root only what is below it, by its name from there");
	umount(sub[2]), umount(sub[0]), umount(in_dir("beside"));
	is(umount(dir), 0, "umount");
	rmdir(in_dir("beside"));
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

/* Each takes memory, and all of it comes back: else so many didn't fit. */
static void again_and_again(const char *dir)
{
	static char page[65536];
	char name[128];
	int good = 0;

	for (int i = 0; i < 100; i++) {
		int fd;

		if (mount("x", dir, "tmpfs", 0, "size=16M") != 0)
			break;
		snprintf(name, sizeof(name), "%s/some-name-that-is-longer-than-what-fits-%d", dir,
			 i);
		fd = open(name, O_RDWR | O_CREAT, 0644);
		for (int k = 0; k < 128; k++)
			if (write(fd, page, sizeof(page)) != sizeof(page))
				break;
		close(fd);
		good += umount2(dir, i & 1 ? MNT_DETACH : 0) == 0;
	}
	is(good, 100, "8 MiB a hundred times");
}

/* Each allocation of a mount fails in turn: it says so, and nothing is mounted. */
static void without_memory(const char *dir)
{
	int tries = 0, odd = 0;

	if (access("/proc/self/fail-nth", W_OK) != 0)
		return;
	fail_fd = open("/proc/self/fail-nth", O_RDWR);
	for (;;) {
		long ret;

		fail_at(++tries);
		ret = result(mount("x", dir, "tmpfs", 0, "size=1M"));
		if (!failed_now()) {
			is(ret, 0, "mount works when nothing fails");
			is(umount(dir), 0, "umount");
			break;
		}
		if (ret == 0)
			odd += umount(dir) != 0;
		else
			odd += ret != -ENOMEM || umount(dir) == 0 || errno != EINVAL;
	}
	is(odd, 0, "%d allocations failed, and it said so", tries - 1);
	close(fail_fd);
}

static void proc(const char *dir)
{
	char name[128];

	is(mount("proc", dir, "proc", 0, NULL), 0, "proc");
	snprintf(name, sizeof(name), "%s/self/status", dir);
	is(access(name, R_OK), 0, "is there");
	fails(mount("proc", dir, "proc", 0, "nosuch"), EINVAL, "an unknown option: EINVAL");
	is(mount("proc", dir, "proc", 0, NULL), 0, "another on it");
	is(umount(dir), 0, "umount of that");
	is(umount(dir), 0, "umount");
}

int main(int argc, char **argv)
{
	static const char *const rest[] = { NULL };
	const char *dir;
	int before;

	tap_start(argc, argv, NULL);
	if (geteuid() != 0)
		skip_all("only root may mount");
	umask(022);
	before = count_fds();
	make_dir("mount");
	dir = strdup(in_dir("dir"));
	mkdir(dir, 0755);
	basics(dir);
	refusals(dir);
	options(dir);
	read_only(dir);
	flags(dir);
	busy(dir);
	stacked(dir);
	detaching(dir);
	not_mounted(dir);
	chrooted(dir);
	all_or_nothing(dir);
	unlimited(dir);
	access_times(dir);
	detaching_race(dir);
	expiring(dir);
	again_and_again(dir);
	without_memory(dir);
	proc(dir);
	rmdir(dir);
	clean_dir(rest);
	is(count_fds(), before, "no descriptor is left open");
	return done_testing();
}
