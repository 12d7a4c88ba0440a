/* SPDX-License-Identifier: MIT */
/* FIFOs: pipes with a name. Whose opening waits for whose. */
#include "files.h"
#include <poll.h>

static char buf[256];

static void making(void)
{
	struct stat st;
	mode_t old = umask(022);

	is(mkfifo(in_dir("fifo"), 0666), 0, "mkfifo");
	is(stat(in_dir("fifo"), &st), 0, "stat");
	is(st.st_mode, S_IFIFO | 0644, "its mode, under the umask");
	ok(st.st_size == 0 && st.st_nlink == 1 && st.st_rdev == 0, "size 0, one link, no device");
	fails(mkfifo(in_dir("fifo"), 0666), EEXIST, "again: EEXIST");
	is(mknod(in_dir("f2"), S_IFIFO | 0600, 0x1234), 0, "mknod, with a device number");
	is(stat(in_dir("f2"), &st), 0, "stat");
	ok(st.st_mode == (S_IFIFO | 0600), "a FIFO as well");
	is(st.st_rdev, 0, "the number means nothing");
	is(unlink(in_dir("f2")), 0, "unlink");
	is(mknod(in_dir("plain"), 0600, 0), 0, "mknod without a type");
	is(stat(in_dir("plain"), &st), 0, "stat");
	is(st.st_mode, S_IFREG | 0600, "a regular file");
	is(unlink(in_dir("plain")), 0, "unlink");
	fails(mknod(in_dir("d"), S_IFDIR | 0755, 0), EPERM, "mknod of a directory: EPERM");
	fails(mknod(in_dir("l"), S_IFLNK | 0755, 0), EINVAL, "of a link: EINVAL");
	fails(mknod(in_dir("x"), 0170000 | 0755, 0), EINVAL, "of nothing known: EINVAL");
	if (geteuid() != 0)
		fails(mknod(in_dir("null"), S_IFCHR | 0666, 0x103), EPERM, "of a device: EPERM");
	fails(mkfifo(in_dir("no/fifo"), 0666), ENOENT, "in no directory: ENOENT");
	umask(old);
}

static void without_waiting(void)
{
	struct pollfd pfd = { .events = POLLIN };
	struct stat st;
	int r, w, rw;

	fails(open(in_dir("fifo"), O_WRONLY | O_NONBLOCK), ENXIO,
	      "no reader, O_NONBLOCK: ENXIO for a writer");
	r = open(in_dir("fifo"), O_RDONLY | O_NONBLOCK);
	ok(r >= 0, "a reader doesn't wait with O_NONBLOCK");
	is(read(r, buf, 10), 0, "without a writer it reads 0");
	pfd.fd = r;
	is(poll(&pfd, 1, 0), 0, "but poll sees no end as long as there was no writer");
	w = open(in_dir("fifo"), O_WRONLY | O_NONBLOCK);
	ok(w >= 0, "now a writer needn't wait");
	fails(read(r, buf, 10), EAGAIN, "a writer, and nothing there: EAGAIN");
	is(write(w, "text", 4), 4, "write");
	fstat(w, &st);
	is(st.st_size, 0, "the size stays 0");
	is(read(r, buf, 10), 4, "read");
	write(w, "left", 4);
	close(w);
	is(poll(&pfd, 1, 0), 1, "the writer is gone");
	is(pfd.revents, POLLIN | POLLHUP, "data, and the end");
	is(read(r, buf, 10), 4, "read");
	is(poll(&pfd, 1, 0), 1, "poll again");
	is(pfd.revents, POLLHUP, "the end alone");
	w = open(in_dir("fifo"), O_WRONLY);
	is(poll(&pfd, 1, 0), 0, "a new writer, and it is no end any more");
	close(r);
	signal(SIGPIPE, SIG_IGN);
	fails(write(w, "x", 1), EPIPE, "the reader gone: EPIPE");
	r = open(in_dir("fifo"), O_RDONLY);
	is(write(w, "y", 1), 1, "a new reader, and it goes on");
	close(w);
	close(r);
	rw = open(in_dir("fifo"), O_RDWR);
	ok(rw >= 0, "for both: nobody has to come");
	is(fcntl(rw, F_GETFL) & O_ACCMODE, O_RDWR, "open for both");
	is(write(rw, "both", 4), 4, "write");
	is(read(rw, buf, 10), 4, "and read");
	write(rw, "gone", 4);
	close(rw);
	r = open(in_dir("fifo"), O_RDONLY | O_NONBLOCK);
	is(read(r, buf, 10), 0, "what was in it when the last left is lost");
	close(r);
	fails(open(in_dir("fifo"), O_RDONLY | O_DIRECTORY), ENOTDIR, "O_DIRECTORY: ENOTDIR");
	r = open(in_dir("fifo"), O_PATH);
	ok(r >= 0, "O_PATH waits for nobody");
	fails(read(r, buf, 1), EBADF, "and reads nothing: EBADF");
	close(r);
	rw = open(in_dir("fifo"), O_RDWR | O_TRUNC);
	ok(rw >= 0, "O_TRUNC means nothing");
	fails(ftruncate(rw, 0), EINVAL, "ftruncate: EINVAL");
	fails(truncate(in_dir("fifo"), 0), EINVAL, "truncate: EINVAL");
	close(rw);
	r = open(in_dir("fifo"), O_RDWR | O_CREAT, 0600);
	ok(r >= 0, "O_CREAT of what is there");
	close(r);
}

/* argv[2]: the path; argv[3]: r or w. Opens it once the parent sleeps, and passes a word on. */
static int open_mode(int argc, char **argv)
{
	bool writes = argv[3][0] == 'w';
	char text[16];
	int fd;

	(void)argc;
	wait_until_asleep(getppid());
	fd = open(argv[2], writes ? O_WRONLY : O_RDONLY);
	if (fd < 0)
		return 1;
	return writes ? write(fd, "word", 4) != 4 : read(fd, text, 16) != 4;
}

/* Opens and closes it for writing once the parent sleeps. */
static int touch_mode(int argc, char **argv)
{
	(void)argc;
	wait_until_asleep(getppid());
	close(open(argv[2], O_WRONLY));
	return 0;
}

static void with_waiting(void)
{
	pid_t pid = start_mode("open", in_dir("fifo"), "w");
	int fd = open(in_dir("fifo"), O_RDONLY);

	ok(fd >= 0, "a reader's open waits for a writer");
	is(read(fd, buf, 10), 4, "and reads what it writes");
	is(read(fd, buf, 10), 0, "until it has ended");
	is(wait_status(pid), 0, "the writer is content");
	close(fd);
	pid = start_mode("open", in_dir("fifo"), "r");
	fd = open(in_dir("fifo"), O_WRONLY);
	ok(fd >= 0, "a writer's open waits for a reader");
	is(write(fd, "word", 4), 4, "and writes to it");
	is(wait_status(pid), 0, "the reader is content");
	close(fd);
	pid = start_mode("touch", in_dir("fifo"), NULL);
	fd = open(in_dir("fifo"), O_RDONLY);
	ok(fd >= 0, "a writer that has come and gone is enough");
	is(read(fd, buf, 10), 0, "and is the end");
	is(wait_status(pid), 0, "the writer is content");
	close(fd);
	catch_signal(SIGUSR1, 0);
	pid = start_kick(SIGUSR1, 1);
	fails(open(in_dir("fifo"), O_RDONLY), EINTR, "a signal ends a reader's open: EINTR");
	wait_status(pid);
	pid = start_kick(SIGUSR1, 1);
	fails(open(in_dir("fifo"), O_WRONLY), EINTR, "and a writer's: EINTR");
	wait_status(pid);
	fails(open(in_dir("fifo"), O_WRONLY | O_NONBLOCK), ENXIO, "no trace of them: ENXIO");
}

static void names(void)
{
	int r = open(in_dir("fifo"), O_RDONLY | O_NONBLOCK), w = open(in_dir("fifo"), O_WRONLY);
	char path[64], link[128], want[128];
	long n;

	is(rename(in_dir("fifo"), in_dir("moved")), 0, "a FIFO in use is renamed");
	write(w, "name", 4);
	is(read(r, buf, 10), 4, "and works");
	is(unlink(in_dir("moved")), 0, "and removed");
	write(w, "none", 4);
	is(read(r, buf, 10), 4, "and works");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", r);
	n = readlink(path, link, sizeof(link) - 1);
	link[n > 0 ? n : 0] = '\0';
	snprintf(want, sizeof(want), "%s (deleted)", in_dir("moved"));
	is_str(link, want, "its link in /proc");
	close(r);
	r = open(path, O_RDONLY | O_NONBLOCK);
	is(r, -1, "a link that leads nowhere");
	close(w);
}

static const struct mode modes[] = {
	{ "open", open_mode }, { "touch", touch_mode }, { "kick", kick_mode }, { NULL, NULL }
};

int main(int argc, char **argv)
{
	static const char *const rest[] = { "fifo", "moved", NULL };
	int before;

	tap_start(argc, argv, modes);
	before = count_fds();
	make_dir("fifo");
	making();
	without_waiting();
	with_waiting();
	names();
	clean_dir(rest);
	is(count_fds(), before, "no descriptor is left open");
	return done_testing();
}
