/* SPDX-License-Identifier: MIT */
/* Modes and owners as an ordinary user sees them: chmod, chown, umask, access. */
#include "files.h"

static mode_t mode_of(const char *name)
{
	struct stat st;

	return lstat(in_dir(name), &st) == 0 ? st.st_mode & 07777 : -1;
}

static void making(void)
{
	mode_t old = umask(027);

	is(umask(027), 027, "umask gives back what it was");
	close(open(in_dir("f"), O_CREAT | O_WRONLY, 0777));
	is(mode_of("f"), 0750, "a file is made under the umask");
	mkdir(in_dir("d"), 01777);
	is(mode_of("d"), 01750, "a directory too, with its sticky bit");
	mkdir(in_dir("d2"), 06777);
	is(mode_of("d2"), 0750, "but not with set-user-ID");
	close(open(in_dir("f2"), O_CREAT | O_WRONLY, 07777));
	is(mode_of("f2"), 07750, "a file with all of them");
	symlink("f", in_dir("l"));
	is(mode_of("l"), 0777, "a symbolic link always has 777");
	is(umask(07777), 027, "umask knows only 0777");
	is(umask(old), 0777, "of 07777");
	rmdir(in_dir("d2"));
}

static void changing(void)
{
	int fd = open(in_dir("f"), O_RDWR), path = open(in_dir("f"), O_PATH);
	struct stat before, after;

	is(chmod(in_dir("f"), 0640), 0, "chmod");
	is(mode_of("f"), 0640, "the mode");
	is(fchmod(fd, 0600), 0, "fchmod");
	is(mode_of("f"), 0600, "the mode");
	is(chmod(in_dir("l"), 0644), 0, "chmod by a link");
	is(mode_of("f"), 0644, "changes the file");
	is(mode_of("l"), 0777, "and not the link");
	is(fchmodat(AT_FDCWD, in_dir("f"), 0611, 0), 0, "fchmodat");
	is(mode_of("f"), 0611, "the mode");
	is(chmod(in_dir("f"), 0170000 | 0104755), 0, "bits of the type are ignored");
	is(mode_of("f"), 04755, "set-user-ID is set");
	is(chmod(in_dir("f"), 02755), 0, "set-group-ID of one's own group");
	is(mode_of("f"), 02755, "is set");
	is(chmod(in_dir("f"), 01644), 0, "the sticky bit of a file");
	is(mode_of("f"), 01644, "is set");
	fails(syscall(SYS_fchmod, path, 0600), EBADF, "fchmod of O_PATH: EBADF");
	fails(chmod(in_dir("none"), 0600), ENOENT, "of nothing: ENOENT");
	fails(chmod(in_dir("f/x"), 0600), ENOTDIR, "below a file: ENOTDIR");
	fails(chmod("", 0600), ENOENT, "of the empty path: ENOENT");
	fails(chmod("/etc/motd", 0600), EPERM, "of somebody else's: EPERM");
	fails(chmod("/", 0755), EPERM, "of /: EPERM");
	fails(fchmodat(99, "f", 0600, 0), EBADF, "fchmodat of a closed descriptor: EBADF");
	fails(fchmodat(fd, "f", 0600, 0), ENOTDIR, "of a file: ENOTDIR");
	stat(in_dir("f"), &before);
	chmod(in_dir("f"), 0644);
	stat(in_dir("f"), &after);
	ok(after.st_mtim.tv_sec == before.st_mtim.tv_sec &&
		   after.st_mtim.tv_nsec == before.st_mtim.tv_nsec,
	   "chmod leaves the time of change of the contents");
	ok(after.st_ctim.tv_sec > before.st_ctim.tv_sec ||
		   (after.st_ctim.tv_sec == before.st_ctim.tv_sec &&
		    after.st_ctim.tv_nsec >= before.st_ctim.tv_nsec),
	   "and sets that of the status");
	close(fd), close(path);
}

/* What happens to set-user-ID when somebody without privileges changes the file. */
static void losing_suid(void)
{
	int fd;

	chmod(in_dir("f"), 06755);
	fd = open(in_dir("f"), O_WRONLY);
	write(fd, "x", 0);
	is(mode_of("f"), 06755, "a write of nothing changes nothing");
	write(fd, "x", 1);
	is(mode_of("f"), 0755, "a write takes set-user-ID and set-group-ID away");
	chmod(in_dir("f"), 06744);
	write(fd, "x", 1);
	is(mode_of("f"), 02744, "without the group's x bit only set-user-ID");
	chmod(in_dir("f"), 06755);
	ftruncate(fd, 0);
	is(mode_of("f"), 0755, "ftruncate does too");
	chmod(in_dir("f"), 06755);
	truncate(in_dir("f"), 10);
	is(mode_of("f"), 0755, "and truncate");
	chmod(in_dir("f"), 06755);
	close(open(in_dir("f"), O_WRONLY | O_TRUNC));
	is(mode_of("f"), 0755, "and O_TRUNC");
	chmod(in_dir("f"), 06755);
	is(chown(in_dir("f"), getuid(), getgid()), 0, "chown to oneself is allowed");
	is(mode_of("f"), 0755, "and takes them away");
	chmod(in_dir("f"), 06755);
	is(chown(in_dir("f"), -1, -1), 0, "chown of nothing");
	is(mode_of("f"), 0755, "takes them away as well");
	chmod(in_dir("f"), 06744);
	is(fchown(fd, -1, getgid()), 0, "fchown to the own group");
	is(mode_of("f"), 02744, "leaves set-group-ID without the group's x bit");
	chmod(in_dir("d"), 06755);
	is(chown(in_dir("d"), -1, getgid()), 0, "chown of a directory");
	is(mode_of("d"), 06755, "leaves it all");
	chmod(in_dir("d"), 0750);
	close(fd);
}

static void owning(void)
{
	struct stat st;
	int fd = open(in_dir("f"), O_RDONLY), path = open(in_dir("f"), O_PATH);

	fails(chown(in_dir("f"), 0, -1), EPERM, "a file can't be given away: EPERM");
	fails(chown(in_dir("f"), -1, 0), EPERM, "nor to a group one isn't in: EPERM");
	fails(chown(in_dir("f"), getuid(), 12345), EPERM, "EPERM");
	fails(chown("/etc/motd", getuid(), -1), EPERM, "nor taken: EPERM");
	fails(chown("/etc/motd", -1, getgid()), EPERM, "EPERM");
	fails(chown("/etc/motd", 0, 0), EPERM, "nor left as it is: EPERM");
	is(chown("/etc/motd", -1, -1), 0, "but nothing can be asked for");
	is(lchown(in_dir("l"), getuid(), getgid()), 0, "lchown of a link");
	is(fchownat(AT_FDCWD, in_dir("l"), -1, -1, AT_SYMLINK_NOFOLLOW), 0, "fchownat of a link");
	is(fchownat(fd, "", -1, -1, 0x1000), 0, "fchownat of a descriptor");
	is(fchownat(path, "", -1, -1, 0x1000), 0, "also of O_PATH");
	fails(syscall(SYS_fchown, path, -1, -1), EBADF, "fchown of O_PATH: EBADF");
	fails(fchownat(fd, "", -1, -1, 0), ENOENT, "the empty path without the flag: ENOENT");
	fails(fchownat(fd, "", -1, -1, 0x2000), EINVAL, "an unknown flag: EINVAL");
	fails(chown(in_dir("none"), -1, -1), ENOENT, "of nothing: ENOENT");
	is(symlink("none", in_dir("dangling")), 0, "a link to nothing");
	fails(chown(in_dir("dangling"), -1, -1), ENOENT, "chown follows it: ENOENT");
	is(lchown(in_dir("dangling"), -1, -1), 0, "lchown doesn't");
	unlink(in_dir("dangling"));
	stat(in_dir("f"), &st);
	ok(st.st_uid == getuid() && st.st_gid == getgid(), "the file is ours as before");
	close(fd), close(path);
}

static void accessing(void)
{
	static const int modes[] = { 0, 0400, 0200, 0100, 0700, 0077, 0644, 0111 };
	int fd;

	for (size_t i = 0; i < COUNT(modes); i++) {
		int bits = modes[i] >> 6;

		chmod(in_dir("f"), modes[i]);
		for (int want = 0; want < 8; want++) {
			bool granted = !(want & ~bits);

			if (!ok(access(in_dir("f"), want) == (granted ? 0 : -1) &&
					(granted || errno == EACCES),
				"access %d of a file of mode %03o", want, modes[i]))
				diag("errno %d", errno);
		}
		fd = open(in_dir("f"), O_RDONLY);
		ok((fd >= 0) == !!(bits & 4), "open for reading");
		close(fd);
		fd = open(in_dir("f"), O_WRONLY);
		ok((fd >= 0) == !!(bits & 2), "for writing");
		close(fd);
		fd = open(in_dir("f"), O_RDWR);
		ok((fd >= 0) == ((bits & 6) == 6), "for both");
		close(fd);
		fd = open(in_dir("f"), 3);
		ok((fd >= 0) == ((bits & 6) == 6), "and with access mode 3");
		close(fd);
		fd = open(in_dir("f"), O_RDONLY | O_TRUNC);
		ok((fd >= 0) == ((bits & 6) == 6), "reading with O_TRUNC");
		close(fd);
	}
	fails(access(in_dir("f"), 8), EINVAL, "access 8: EINVAL");
	fails(access(in_dir("none"), 8), EINVAL, "before the name: EINVAL");
	fails(access(in_dir("none"), F_OK), ENOENT, "of nothing: ENOENT");
	fails(syscall(439, AT_FDCWD, in_dir("f"), 0, 0x8000), EINVAL, "faccessat2, unknown flag");
	is(syscall(439, AT_FDCWD, in_dir("l"), 0, AT_SYMLINK_NOFOLLOW), 0, "of a link itself");
	is(syscall(439, AT_FDCWD, in_dir("f"), 0, 0x200), 0, "with AT_EACCESS");
	chmod(in_dir("f"), 0644);
}

/* The x bit of a directory lets one through, the r bit lets one look. */
static void directories(void)
{
	char inside[128];
	int fd;

	snprintf(inside, sizeof(inside), "%s/x", in_dir("d"));
	chmod(in_dir("d"), 0700);
	close(open(inside, O_CREAT | O_WRONLY, 0644));
	chmod(in_dir("d"), 0600);
	fails(access(inside, F_OK), EACCES, "without x nothing in it can be reached: EACCES");
	fails(open(inside, O_RDONLY), EACCES, "nor opened");
	fails(unlink(inside), EACCES, "nor removed");
	fails(chdir(in_dir("d")), EACCES, "nor entered");
	fd = open(in_dir("d"), O_RDONLY);
	ok(fd >= 0, "but listed");
	close(fd);
	chmod(in_dir("d"), 0300);
	fails(open(in_dir("d"), O_RDONLY), EACCES, "without r it can't be listed: EACCES");
	is(access(inside, F_OK), 0, "but gone through");
	chmod(in_dir("d"), 0500);
	fails(unlink(inside), EACCES, "without w nothing can be removed: EACCES");
	fails(mknod(in_dir("d/y"), S_IFIFO | 0600, 0), EACCES, "nor made");
	fails(rename(inside, in_dir("y")), EACCES, "nor moved");
	is(chmod(inside, 0600), 0, "but changed");
	chmod(in_dir("d"), 0700);
	is(unlink(inside), 0, "removed");
}

static void devices(void)
{
	struct stat st;

	fails(mknod(in_dir("c"), S_IFCHR | 0666, 0x103), EPERM, "a device: EPERM");
	fails(mknod(in_dir("b"), S_IFBLK | 0666, 0x103), EPERM, "a block device: EPERM");
	fails(mknod(in_dir("f"), S_IFCHR | 0666, 0x103), EEXIST, "where something is: EEXIST");
	is(mknod(in_dir("c"), S_IFCHR | 0666, 0), 0, "the device 0:0, which is none");
	stat(in_dir("c"), &st);
	ok(S_ISCHR(st.st_mode) && st.st_rdev == 0, "is there");
	fails(open(in_dir("c"), O_RDONLY), ENXIO, "and opens nothing: ENXIO");
	unlink(in_dir("c"));
	is(mknod(in_dir("s"), S_IFSOCK | 0666, 0), 0, "a socket's node");
	fails(open(in_dir("s"), O_RDONLY), ENXIO, "opens nothing: ENXIO");
	unlink(in_dir("s"));
	fails(chroot(in_dir("d")), EPERM, "chroot: EPERM");
	fails(chroot(in_dir("none")), ENOENT, "to nothing: ENOENT");
	fails(chroot(in_dir("f")), ENOTDIR, "to a file: ENOTDIR");
	fails(chmod("/proc/self/maps", 0600), EPERM, "chmod in /proc: EPERM");
	fails(chmod("/proc/meminfo", 0600), EPERM, "EPERM");
}

int main(int argc, char **argv)
{
	static const char *const rest[] = { "f", "f2", "l", NULL };
	int before;

	tap_start(argc, argv, NULL);
	if (geteuid() == 0)
		skip_all("root may do all this");
	before = count_fds();
	make_dir("modes");
	making();
	changing();
	losing_suid();
	owning();
	accessing();
	directories();
	devices();
	rmdir(in_dir("d"));
	clean_dir(rest);
	is(count_fds(), before, "no descriptor is left open");
	return done_testing();
}
