/* SPDX-License-Identifier: MIT */
/* runs as root */
/* renameat2(2) with RENAME_NOREPLACE, RENAME_EXCHANGE and RENAME_WHITEOUT on a tmpfs. */
#include "files.h"
#include <dirent.h>
#include <sys/mount.h>

enum { NOREPLACE = 1, EXCHANGE = 2, WHITEOUT = 4 };

static bool root;

static long change(const char *from, const char *to, unsigned int flags)
{
	return result(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags));
}

static ino_t ino(const char *name)
{
	struct stat st;

	return lstat(name, &st) ? 0 : st.st_ino;
}

static struct stat look(const char *name)
{
	struct stat st = { 0 };

	lstat(name, &st);
	return st;
}

static void put(const char *name)
{
	close(open(name, O_CREAT | O_WRONLY, 0644));
}

/* How often a name comes when the directory is read. */
static int listed(const char *dir, const char *name)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int n = 0;

	while ((e = readdir(d)))
		n += strcmp(e->d_name, name) == 0;
	closedir(d);
	return n;
}

/* --- flags ---------------------------------------------------------------------------------------- */

static void flags(void)
{
	put("a"), put("b");
	for (unsigned int f = 8; f; f <<= 1)
		is(change("a", "b", f), -EINVAL, "flag 0x%x: EINVAL", f);
	is(change("a", "b", NOREPLACE | EXCHANGE), -EINVAL, "NOREPLACE with EXCHANGE: EINVAL");
	is(change("a", "b", WHITEOUT | EXCHANGE), -EINVAL, "WHITEOUT with EXCHANGE: EINVAL");
	is(change((char *)8, "b", 8), -EINVAL, "before the names are read");
	is(change((char *)8, "b", EXCHANGE), -EFAULT, "old name at 8: EFAULT");
	is(change("a", (char *)8, EXCHANGE), -EFAULT, "new name at 8: EFAULT");
	is(change("none", "none2", NOREPLACE), -ENOENT, "nothing there: ENOENT");
	is(change("a", "b", NOREPLACE), -EEXIST, "NOREPLACE: EEXIST");
	is(change("a", "a", NOREPLACE), -EEXIST, "of itself, too");
	is(change("a", "..", NOREPLACE), -EEXIST, "of \"..\"");
	is(change("..", "b", NOREPLACE), -EBUSY, "\"..\" itself can't move: EBUSY");
	is(change("a", "c", NOREPLACE), 0, "to a free name");
	is(change("c", "a", WHITEOUT | NOREPLACE), 0, "back, with WHITEOUT");
	unlink("c");
	unlink("a"), unlink("b");
}

/* --- exchange ------------------------------------------------------------------------------------- */

static void exchange_files(void)
{
	const char *lon = "a-name-that-is-too-long-for-the-entry-itself-to-hold-it";
	ino_t a, b;
	int fd;

	put("a"), put("b");
	a = ino("a"), b = ino("b");
	is(change("a", "b", EXCHANGE), 0, "two files change places");
	ok(ino("a") == b && ino("b") == a, "each is where the other was");
	ok(listed(".", "a") == 1 && listed(".", "b") == 1, "each name is there once");
	is(change("a", "none", EXCHANGE), -ENOENT, "with nothing: ENOENT");
	is(change("none", "a", EXCHANGE), -ENOENT, "nothing with a file: ENOENT");
	is(change("a", "a", EXCHANGE), 0, "with itself");
	link("a", "a2");
	is(change("a", "a2", EXCHANGE), 0, "with another name of it");
	is(look("a").st_nlink, 2, "which changes nothing");
	unlink("a2");
	rename("b", lon);
	is(change("a", lon, EXCHANGE), 0, "a short name and a long one");
	ok(ino("a") == a && ino(lon) == b, "are exchanged");
	fd = open("a", O_RDONLY);
	is(change(lon, "a", EXCHANGE), 0, "while one is open");
	unlink("a");
	ok(ino("a") == 0 && ino(lon) == a, "unlink takes what has the name now");
	close(fd);
	symlink("nowhere", "l");
	is(change("l", lon, EXCHANGE), 0, "a link and a file");
	ok(S_ISLNK(look(lon).st_mode) && S_ISREG(look("l").st_mode), "the link itself");
	unlink("l"), unlink(lon);
}

static void exchange_directories(void)
{
	ino_t x, y, file;
	nlink_t links;

	mkdir("d", 0755), mkdir("d/x", 0755), mkdir("e", 0755), mkdir("e/y", 0755);
	put("d/x/in-x"), put("e/file");
	x = ino("d/x"), y = ino("e/y"), file = ino("e/file");
	is(change("d/x", "e/y", EXCHANGE), 0, "two directories");
	ok(ino("d/x") == y && ino("e/y") == x, "change places");
	is(ino("e/y/.."), ino("e"), "\"..\" leads to the new place");
	is(access("e/y/in-x", F_OK), 0, "what is in them goes along");
	is(look("d").st_nlink, 3, "the directories above have as many links as before");
	is(change("e/y", "d/x", EXCHANGE), 0, "and back");
	links = look("d").st_nlink;
	is(change("d/x", "e/file", EXCHANGE), 0, "a directory that isn't empty, and a file");
	ok(ino("d/x") == file && ino("e/file") == x, "change places");
	is(look("d").st_nlink, links - 1, "one link less here");
	is(look("e").st_nlink, 4, "one more there");
	is(ino("e/file/.."), ino("e"), "\"..\" leads there");
	is(change("d/x", "e/file", EXCHANGE), 0, "the file and the directory");
	ok(look("d").st_nlink == links && look("e").st_nlink == 3, "and links are as before");
	is(change("d", "d/x", EXCHANGE), -EINVAL, "with what lies in it: EINVAL");
	is(change("d/x", "d", EXCHANGE), -EINVAL, "or what it lies in");
	is(change("d/x/in-x", "d", EXCHANGE), -EINVAL, "or a file with that: EINVAL");
	is(change("e/file", "d/none/x", EXCHANGE), -ENOENT, "below nothing: ENOENT");
	is(change("e/file", "e/file/x", EXCHANGE), -ENOTDIR, "below a file: ENOTDIR");
	is(change("e/file", "e/.", EXCHANGE), -EBUSY, "\".\" has no place: EBUSY");
	is(change("e/.", "e/file", EXCHANGE), -EBUSY, "nor the other way round");
	is(change("e/file/", "d/x", EXCHANGE), -ENOTDIR, "\"file/\" is none: ENOTDIR");
	is(change("d/x", "e/file/", EXCHANGE), -ENOTDIR, "on the other side as well");
	is(change("e/file", "d/x/", EXCHANGE), 0, "\"directory/\" is one");
	is(change("e/file/", "d/x", EXCHANGE), 0, "now there");
	is(change("e/file", "/proc/self", EXCHANGE), -EXDEV, "another file system: EXDEV");
	is(change("/proc/version", "/proc/uptime", EXCHANGE), root ? -EPERM : -EACCES,
	   "in /proc nothing moves");
	unlink("e/file"), unlink("d/x/in-x");
	rmdir("e/y"), rmdir("d/x"), rmdir("e"), rmdir("d");
}

static void times(void)
{
	struct stat before, after;
	struct timespec moment = { 0, 30000000 };

	mkdir("d", 0755), mkdir("e", 0755);
	put("d/a"), put("e/b");
	before = look("d/a");
	nanosleep(&moment, NULL);
	is(change("d/a", "e/b", EXCHANGE), 0, "an exchange");
	after = look("e/b");
	ok(after.st_ctim.tv_nsec != before.st_ctim.tv_nsec, "sets the time of change of the first");
	ok(after.st_mtim.tv_nsec == before.st_mtim.tv_nsec, "not of its contents");
	ok(look("d/a").st_ctim.tv_nsec != before.st_ctim.tv_nsec, "of the second");
	ok(look("d").st_mtim.tv_nsec != before.st_mtim.tv_nsec &&
		   look("e").st_mtim.tv_nsec != before.st_mtim.tv_nsec,
	   "and of both directories' contents");
	is(look("d").st_size, 60, "their sizes stay");
	unlink("d/a"), unlink("e/b");
	rmdir("d"), rmdir("e");
}

/* --- whiteout ------------------------------------------------------------------------------------- */

static void is_whiteout(const char *name)
{
	struct stat st = look(name);

	ok(S_ISCHR(st.st_mode) && st.st_rdev == 0 && (st.st_mode & 07777) == 0 &&
		   st.st_uid == geteuid() && st.st_gid == getegid() && st.st_nlink == 1,
	   "%s is a character device 0:0 of mode 0, and one's own", name);
}

static void whiteout(void)
{
	ino_t a, b;
	long size;

	mkdir("d", 0755);
	put("d/a");
	a = ino("d/a");
	size = look("d").st_size;
	umask(0);
	is(change("d/a", "d/b", WHITEOUT), 0, "WHITEOUT, whoever asks");
	is(ino("d/b"), a, "the file has the new name");
	is_whiteout("d/a");
	is(look("d").st_size, size + 20, "an entry more in the directory");
	ok(listed("d", "a") == 1 && listed("d", "b") == 1, "both are listed once");
	fails(open("d/a", O_RDONLY), root ? ENXIO : EACCES, "it opens nothing");
	is(unlink("d/a"), 0, "it can be removed");
	put("d/a");
	b = ino("d/a");
	is(change("d/a", "d/b", WHITEOUT), 0, "over another file");
	is(ino("d/b"), b, "which gives way");
	is_whiteout("d/a");
	is(change("d/b", "d/a", WHITEOUT), 0, "over a whiteout");
	ok(ino("d/a") == b, "which gives way as well");
	is_whiteout("d/b");
	unlink("d/b");
	link("d/a", "d/b");
	is(change("d/a", "d/b", WHITEOUT), 0, "to another name of the same file");
	ok(ino("d/a") == b && ino("d/b") == b, "is nothing");
	unlink("d/b");
	mkdir("d/x", 0755), mkdir("d/full", 0755);
	put("d/full/f");
	is(change("d/x", "d/full", WHITEOUT), -ENOTEMPTY, "over a directory with files: ENOTEMPTY");
	ok(S_ISDIR(look("d/x").st_mode), "and nothing has changed");
	is(look("d").st_nlink, 4, "nor links");
	is(change("d/full", "d/x", WHITEOUT), 0, "a directory");
	is(access("d/x/f", F_OK), 0, "has moved");
	is_whiteout("d/full");
	is(look("d").st_nlink, 3, "one directory is left");
	is(change("d/none", "d/y", WHITEOUT), -ENOENT, "of nothing: ENOENT");
	unlink("d/full"), unlink("d/x/f"), unlink("d/a");
	rmdir("d/x");
	umask(022);
	is(rmdir("d"), 0, "the directory is empty");
}

/* --- permissions ---------------------------------------------------------------------------------- */

static void denied(void)
{
	mkdir("d", 0755), mkdir("e", 0755), mkdir("e/sub", 0755), mkdir("d/other", 0755);
	put("d/a"), put("e/b");
	chmod("e", 0555);
	is(change("d/a", "e/b", EXCHANGE), -EACCES, "the other directory can't be written: EACCES");
	is(change("e/b", "d/a", EXCHANGE), -EACCES, "nor the first");
	is(change("e/b", "d/c", WHITEOUT), -EACCES, "a whiteout neither");
	chmod("e", 0755);
	chmod("e/sub", 0555);
	is(change("e/sub", "d/a", EXCHANGE), -EACCES,
	   "a directory whose \"..\" can't change: EACCES");
	is(change("d/a", "e/sub", EXCHANGE), -EACCES, "on the other side as well");
	is(change("e/sub", "e/b", EXCHANGE), 0, "within a directory it needn't");
	is(change("e/sub", "e/b", EXCHANGE), 0, "and back");
	is(change("e/sub", "d/other", EXCHANGE), -EACCES, "two directories: EACCES");
	chmod("e/sub", 0755);
	is(change("/etc/motd", "/etc/passwd", EXCHANGE), -EACCES, "root's: EACCES");
	unlink("d/a"), unlink("e/b");
	rmdir("d/other"), rmdir("e/sub"), rmdir("e"), rmdir("d");
}

static void by_root(void)
{
	mkdir("m", 0755), mkdir("n", 0755);
	is(mount("x", "m", "tmpfs", 0, "nr_inodes=4"), 0, "a small tmpfs");
	is(change("m", "n", EXCHANGE), -EBUSY, "where something is mounted: EBUSY");
	is(change("n", "m", EXCHANGE), -EBUSY, "on the other side as well");
	is(change("m", "o", WHITEOUT), -EBUSY, "WHITEOUT, too");
	put("m/a"), put("m/b"), put("m/c");
	is(change("m/a", "m/d", WHITEOUT), -ENOSPC, "there is no inode for a whiteout: ENOSPC");
	is(change("m/a", "m/b", WHITEOUT), -ENOSPC, "nor if one is going");
	ok(ino("m/a") && ino("m/b") && !ino("m/d"), "nothing has changed");
	is(change("m/a", "m/b", EXCHANGE), 0, "an exchange needs none");
	unlink("m/c");
	is(change("m/a", "m/d", WHITEOUT), 0, "now there is one");
	is(change("m/a", "n", EXCHANGE), -EXDEV, "between file systems: EXDEV");
	mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL);
	is(change("m/a", "m/b", EXCHANGE), -EROFS, "read-only: EROFS");
	is(change("m/none", "m/b", EXCHANGE), -EROFS, "before names are looked for");
	umount("m");
	chmod("n", 01777);
	put("n/roots");
	if (seteuid(1000) == 0) {
		put("n/ours");
		is(change("n/ours", "n/roots", EXCHANGE), -EPERM, "a sticky directory: EPERM");
		is(change("n/roots", "n/ours", EXCHANGE), -EPERM, "the other way round, too");
	}
	seteuid(0);
	unlink("n/roots"), unlink("n/ours");
	rmdir("m"), rmdir("n");
}

int main(int argc, char **argv)
{
	static const char *const none[] = { NULL };

	tap_start(argc, argv, NULL);
	root = geteuid() == 0;
	umask(022);
	make_dir("rename_flags");
	if (chdir(test_dir))
		skip_all("no working directory");
	flags();
	exchange_files();
	exchange_directories();
	times();
	whiteout();
	if (root)
		by_root();
	else
		denied();
	if (chdir("/"))
		return 1;
	clean_dir(none);
	return done_testing();
}
