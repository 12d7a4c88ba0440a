/* SPDX-License-Identifier: MIT */
/* runs as root */
/* mount(2) and umount2(2) of tmpfs: where one may be, what keeps it busy, and what is left of it. */
#include "failures.h"
#include "mounts.h"

#ifndef UMOUNT_NOFOLLOW
#define UMOUNT_NOFOLLOW 8
#endif

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
	static void (*const parts[])(const char *) = {
		basics,	  refusals,	  busy,	    stacked,	     detaching,	     not_mounted,
		chrooted, detaching_race, expiring, again_and_again, without_memory, proc,
	};

	return test_mounts(argc, argv, "mount", parts, COUNT(parts));
}
