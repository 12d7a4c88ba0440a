/* SPDX-License-Identifier: MIT */
/* runs as root */
/* Modes and owners as root sees them, and as who was root: chmod, chown, mknod, chroot, access. */
#include "files.h"
#include <sys/wait.h>

static mode_t mode_of(const char *name)
{
	struct stat st;

	return lstat(in_dir(name), &st) == 0 ? st.st_mode & 07777 : -1;
}

static long chown_to(const char *name, mode_t mode, int uid, int gid)
{
	struct stat st;

	chown(in_dir(name), 0, 0);
	chmod(in_dir(name), mode);
	if (chown(in_dir(name), uid, gid) != 0)
		return -errno;
	stat(in_dir(name), &st);
	return (st.st_uid == (uid_t)uid || uid == -1) && (st.st_gid == (gid_t)gid || gid == -1) ?
		       (long)(st.st_mode & 07777) :
		       -1000;
}

static void owners(void)
{
	int fd;

	close(open(in_dir("f"), O_CREAT | O_WRONLY, 0644));
	mkdir(in_dir("d"), 0755);
	is(chown_to("f", 0644, 12, 34), 0644, "chown");
	is(chown_to("f", 06755, 12, -1), 0755,
	   "takes set-user-ID and set-group-ID away from root too");
	is(chown_to("f", 06745, 12, -1), 02745, "not set-group-ID without the group's x bit");
	is(chown_to("f", 06755, -1, -1), 0755, "also without a change");
	is(chown_to("f", 07777, 0, 0), 01777, "the sticky bit stays");
	is(chown_to("d", 06755, 12, 34), 06755, "a directory keeps all");
	is(chown_to("f", 0, 0x7fffffff, 0x7fffffff), 0, "large numbers");
	chmod(in_dir("f"), 06755);
	fd = open(in_dir("f"), O_WRONLY);
	write(fd, "x", 1);
	is(mode_of("f"), 06755, "root's write takes nothing away");
	ftruncate(fd, 0);
	is(mode_of("f"), 06755, "nor does its ftruncate");
	close(fd);
	chown(in_dir("d"), 0, 34);
	chmod(in_dir("d"), 02755);
	mkdir(in_dir("d/sub"), 0755);
	is(mode_of("d/sub"), 02755, "set-group-ID of a directory is inherited");
	close(open(in_dir("d/file"), O_CREAT | O_WRONLY, 0644));
	is(mode_of("d/file"), 0644, "by directories");
	{
		struct stat st;

		stat(in_dir("d/file"), &st);
		is(st.st_gid, 34, "its group by all");
	}
	unlink(in_dir("d/file"));
	rmdir(in_dir("d/sub"));
}

static void all_rights(void)
{
	int fd;

	chmod(in_dir("f"), 0);
	fd = open(in_dir("f"), O_RDWR);
	ok(fd >= 0, "root opens a file of mode 0");
	close(fd);
	is(access(in_dir("f"), R_OK | W_OK), 0, "access says so");
	fails(access(in_dir("f"), X_OK), EACCES, "but can't run it: EACCES");
	chmod(in_dir("f"), 0001);
	is(access(in_dir("f"), X_OK), 0, "one x bit is enough");
	chmod(in_dir("d"), 0);
	is(access(in_dir("d"), R_OK | W_OK | X_OK), 0, "a directory of mode 0");
	close(open(in_dir("d/x"), O_CREAT | O_WRONLY, 0));
	is(unlink(in_dir("d/x")), 0, "can be worked in");
	chmod(in_dir("d"), 0755);
}

static void devices(void)
{
	struct stat st;
	char buf[8] = "xxxxxxx";
	int fd;

	is(mknod(in_dir("null"), S_IFCHR | 0600, 0x103), 0, "the device 1:3");
	stat(in_dir("null"), &st);
	is(st.st_rdev, 0x103, "its number");
	fd = open(in_dir("null"), O_RDWR);
	is(write(fd, buf, 8), 8, "is /dev/null: it takes all");
	is(read(fd, buf, 8), 0, "and gives nothing");
	close(fd);
	unlink(in_dir("null"));
	is(mknod(in_dir("zero"), S_IFCHR | 0600, 0x105), 0, "the device 1:5");
	fd = open(in_dir("zero"), O_RDWR);
	is(read(fd, buf, 8), 8, "is /dev/zero");
	is(buf[0] | buf[7], 0, "and reads as zeros");
	close(fd);
	unlink(in_dir("zero"));
	is(mknod(in_dir("big"), S_IFCHR | 0600, 0xabc12345), 0, "a number with all its bits");
	stat(in_dir("big"), &st);
	is(st.st_rdev, 0xabc12345, "is kept");
	fails(open(in_dir("big"), O_RDONLY), ENXIO, "and opens nothing: ENXIO");
	unlink(in_dir("big"));
	is(mknod(in_dir("blk"), S_IFBLK | 0600, 0x7fff), 0, "a block device that isn't there");
	fails(open(in_dir("blk"), O_RDONLY), ENXIO, "opens nothing: ENXIO");
	unlink(in_dir("blk"));
}

/* With root's real id and another's effective one, or the other way round. */
static void real_ids(void)
{
	chown(in_dir("f"), 0, 0);
	chmod(in_dir("f"), 0600);
	if (syscall(SYS_setresuid, -1, 1000, -1) != 0)
		diag("setresuid: errno %d", errno);
	is(access(in_dir("f"), R_OK), 0, "access asks for the real id: root");
	fails(open(in_dir("f"), O_RDONLY), EACCES, "open for the effective one: EACCES");
	fails(syscall(439, AT_FDCWD, in_dir("f"), R_OK, 0x200), EACCES, "AT_EACCESS too: EACCES");
	is(syscall(439, AT_FDCWD, in_dir("f"), R_OK, 0), 0, "faccessat2 without it: root");
	fails(chmod(in_dir("f"), 0644), EPERM, "chmod: EPERM");
	syscall(SYS_setresuid, 1000, 0, 0);
	fails(access(in_dir("f"), R_OK), EACCES, "now the real id is another's: EACCES");
	is(syscall(439, AT_FDCWD, in_dir("f"), R_OK, 0x200), 0, "AT_EACCESS: root");
	syscall(SYS_setresuid, 0, 0, 0);
}

/* As user 1000 of group 1000, also in group 34: what groups are good for. */
static void groups(void)
{
	unsigned int list[] = { 34, 55 };
	int fd;

	chown(in_dir("f"), 0, 34);
	chmod(in_dir("f"), 0640);
	chown(in_dir("d"), 1000, 1000);
	chmod(in_dir("d"), 0755);
	syscall(SYS_setgroups, 2, list);
	syscall(SYS_setresgid, 1000, 1000, 0);
	syscall(SYS_setresuid, 1000, 1000, 0);
	fd = open(in_dir("f"), O_RDONLY);
	ok(fd >= 0, "a file of a further group can be read");
	fails(open(in_dir("f"), O_WRONLY), EACCES, "as its mode says");
	is(access(in_dir("f"), R_OK), 0, "access says so as well");
	fails(fchmod(fd, 0660), EPERM, "but not changed: EPERM");
	close(fd);
	close(open(in_dir("d/x"), O_CREAT | O_WRONLY, 0644));
	is(chown(in_dir("d/x"), -1, 34), 0, "one's own file can be given to a further group");
	fails(chown(in_dir("d/x"), -1, 35), EPERM, "not to another: EPERM");
	is(chmod(in_dir("d/x"), 02755), 0, "set-group-ID of a further group");
	is(mode_of("d/x"), 02755, "is set");
	syscall(SYS_setresuid, 0, 0, 0);
	chown(in_dir("d/x"), 1000, 35);
	syscall(SYS_setresuid, 1000, 1000, 0);
	is(chmod(in_dir("d/x"), 06755), 0, "of a strange group");
	is(mode_of("d/x"), 04755, "it isn't");
	unlink(in_dir("d/x"));
	syscall(SYS_setresuid, 0, 0, 0);
	syscall(SYS_setresgid, 0, 0, 0);
	syscall(SYS_setgroups, 0, NULL);
}

/* What root has opened and somebody else writes: those who write must have the right. */
static void dropped(void)
{
	static const struct {
		const char *what;
		int kind;
	} ways[] = { { "write", 0 }, { "ftruncate", 1 }, { "fallocate", 2 } };

	for (size_t i = 0; i < COUNT(ways); i++) {
		int fd = open(in_dir("f"), O_RDWR);

		chown(in_dir("f"), 0, 0);
		chmod(in_dir("f"), 06755);
		syscall(SYS_setresuid, 1000, 1000, 0);
		if (ways[i].kind == 0)
			is(write(fd, "x", 1), 1, "%s to what root has opened", ways[i].what);
		else if (ways[i].kind == 1)
			is(ftruncate(fd, 5), 0, "%s of it", ways[i].what);
		else
			is(fallocate(fd, 0, 0, 100), 0, "%s of it", ways[i].what);
		syscall(SYS_setresuid, 0, 0, 0);
		is(mode_of("f"), 0755, "takes set-user-ID and set-group-ID away");
		chmod(in_dir("f"), 06755);
		close(fd);
	}
}

static void sticky(void)
{
	chown(in_dir("d"), 0, 0);
	chmod(in_dir("d"), 01777);
	close(open(in_dir("d/roots"), O_CREAT | O_WRONLY, 0666));
	syscall(SYS_setresuid, 1000, 1000, 0);
	close(open(in_dir("d/ours"), O_CREAT | O_WRONLY, 0666));
	fails(unlink(in_dir("d/roots")), EPERM, "a sticky directory keeps other's files: EPERM");
	fails(rename(in_dir("d/roots"), in_dir("d/x")), EPERM, "from being moved: EPERM");
	fails(rename(in_dir("d/ours"), in_dir("d/roots")), EPERM, "or replaced: EPERM");
	is(unlink(in_dir("d/ours")), 0, "one's own can be removed");
	syscall(SYS_setresuid, 0, 0, 0);
	is(unlink(in_dir("d/roots")), 0, "by root all");
}

static int jail_failures;

static void need(bool good, const char *what)
{
	if (good)
		return;
	diag("in the jail: %s: no", what);
	jail_failures++;
}

static int jail_mode(int argc, char **argv)
{
	char cwd[256];
	int out = open(argv[3], O_RDONLY);

	(void)argc;
	need(chdir(argv[3]) == 0 && out >= 0, "a directory is kept open");
	need(chroot(argv[2]) == 0, "chroot");
	need(access("/x", F_OK) == 0, "its files are in /");
	need(access("/etc", F_OK) < 0 && errno == ENOENT, "others are not");
	need(access("/../../x", F_OK) == 0, "nothing is above it");
	need(syscall(SYS_getcwd, cwd, sizeof(cwd)) > 0, "getcwd outside");
	need(strncmp(cwd, "(unreachable)/", 14) == 0, "says that there is no way");
	need(chdir("/") == 0, "chdir");
	need(syscall(SYS_getcwd, cwd, sizeof(cwd)) == 2, "getcwd inside");
	need(strcmp(cwd, "/") == 0, "is /");
	need(fchdir(out) == 0, "an open directory leads out");
	need(chroot(".") == 0, "chroot to there");
	need(access("/f", F_OK) == 0, "its files are in /");
	return jail_failures ? 1 : 0;
}

static const struct mode modes[] = { { "jail", jail_mode }, { NULL, NULL } };

int main(int argc, char **argv)
{
	static const char *const rest[] = { "f", NULL };
	int before;

	tap_start(argc, argv, modes);
	if (geteuid() != 0)
		skip_all("only root may do this");
	before = count_fds();
	umask(022);
	make_dir("modes-root");
	owners();
	all_rights();
	devices();
	real_ids();
	groups();
	dropped();
	sticky();
	close(open(in_dir("d/x"), O_CREAT | O_WRONLY, 0666));
	is(run_mode("jail", in_dir("d"), test_dir), 0, "in a jail");
	unlink(in_dir("d/x"));
	rmdir(in_dir("d"));
	clean_dir(rest);
	is(count_fds(), before, "no descriptor is left open");
	return done_testing();
}
