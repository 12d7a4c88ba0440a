/* SPDX-License-Identifier: MIT */
/* runs as root */
/*
 * The terminal and its session: who gets it as controlling terminal, who is in the foreground, what
 * happens to those in the background, and how it is lost. Everything happens in sessions of
 * children; what they find they send back as one number.
 */
#include "tap.h"
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>

#define TTY	 "/dev/ttyS0"
#define BAD	 ((void *)8)
#define KILLED	 (-1000) /* and the signal, subtracted */
#define STOPPED	 (-2000) /* likewise */
#define NO_REPLY (-3000)

static int group_of_main; /* a group in no session that a child makes */

/* --- children that say a number ------------------------------------------------------------- */

static void send_number(int fd, long number)
{
	if (write(fd, &number, sizeof(number)) != sizeof(number))
		_exit(1);
}

static long receive_number(int fd)
{
	long number;

	return read(fd, &number, sizeof(number)) == sizeof(number) ? number : NO_REPLY;
}

/* What fn returns in a child; or that the child was killed. before: runs in it first. */
static long in_child(void (*before)(void), long (*fn)(void))
{
	int p[2], status;
	long number;
	pid_t pid;

	if (pipe(p))
		return NO_REPLY;
	pid = fork();
	if (pid == 0) {
		close(p[0]);
		if (before)
			before();
		send_number(p[1], fn());
		_exit(0);
	}
	close(p[1]);
	number = receive_number(p[0]);
	close(p[0]);
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? KILLED - WTERMSIG(status) : number;
}

static void new_session(void)
{
	setsid();
}

static void new_group(void)
{
	setpgid(0, 0);
}

static long in_session(long (*fn)(void))
{
	return in_child(new_session, fn);
}

/* What fn returns in a child with a group of its own, which is not in the foreground; or its stop. */
static long in_background(long (*fn)(void))
{
	int p[2], status;
	long number;
	pid_t pid;

	if (pipe(p))
		return NO_REPLY;
	pid = fork();
	if (pid == 0) {
		close(p[0]);
		setpgid(0, 0);
		send_number(p[1], fn());
		_exit(0);
	}
	setpgid(pid, pid);
	close(p[1]);
	waitpid(pid, &status, WUNTRACED);
	if (WIFSTOPPED(status)) {
		number = STOPPED - WSTOPSIG(status);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
	} else {
		number = receive_number(p[0]);
	}
	close(p[0]);
	return number;
}

/* --- having a terminal ---------------------------------------------------------------------- */

static int tty; /* of the present session's processes */

static long open_close(const char *path, int flags)
{
	int fd = open(path, flags);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static long has_terminal(void)
{
	return open_close("/dev/tty", O_RDWR);
}

static bool take(void)
{
	tty = open(TTY, O_RDWR);
	return tty >= 0;
}

static long foreground(int fd)
{
	int group = -1;

	return ioctl(fd, TIOCGPGRP, &group) ? -errno : group;
}

static long set_foreground(int fd, int group)
{
	return result(ioctl(fd, TIOCSPGRP, &group));
}

static long open_noctty(void)
{
	tty = open(TTY, O_RDWR | O_NOCTTY);
	return has_terminal();
}

static long group_without(void)
{
	tty = open(TTY, O_RDWR | O_NOCTTY);
	return foreground(tty);
}

static long set_group_without(void)
{
	tty = open(TTY, O_RDWR | O_NOCTTY);
	return set_foreground(tty, getpid());
}

static long session_without(void)
{
	int session;

	tty = open(TTY, O_RDWR | O_NOCTTY);
	return result(ioctl(tty, TIOCGSID, &session));
}

static long give_up_without(void)
{
	tty = open(TTY, O_RDWR | O_NOCTTY);
	return result(ioctl(tty, TIOCNOTTY));
}

static long open_to_write(void)
{
	tty = open(TTY, O_WRONLY);
	return has_terminal();
}

static long open_console(void)
{
	tty = open("/dev/console", O_RDWR);
	return tty < 0 ? -errno : has_terminal();
}

static long opened_by_other(void)
{
	return take() ? has_terminal() : -errno;
}

static long not_the_leader(void)
{
	return in_child(NULL, opened_by_other);
}

static long take_by_open(void)
{
	int session = -1;

	if (!take() || ioctl(tty, TIOCGSID, &session))
		return -errno;
	if (session != getpid() || foreground(tty) != getpid())
		return 1;
	return has_terminal();
}

static long of_dev_tty(void)
{
	int fd;

	if (!take())
		return -errno;
	fd = open("/dev/tty", O_RDWR);
	return foreground(fd) == getpid() ? 0 : 1;
}

static long take_by_call(void)
{
	tty = open(TTY, O_RDWR | O_NOCTTY);
	if (ioctl(tty, TIOCSCTTY, 0))
		return -errno;
	if (ioctl(tty, TIOCSCTTY, 0)) /* what one has one gets */
		return -errno;
	return foreground(tty) == getpid() ? has_terminal() : 1;
}

static long take_console_by_call(void)
{
	int fd = open("/dev/console", O_RDWR | O_NOCTTY);

	return ioctl(fd, TIOCSCTTY, 0) ? -errno : has_terminal();
}

static long call_by_other(void)
{
	tty = open(TTY, O_RDWR | O_NOCTTY);
	return result(ioctl(tty, TIOCSCTTY, 0));
}

static long call_not_leader(void)
{
	return in_child(NULL, call_by_other);
}

static long call_taken(void)
{
	return take() ? in_child(new_session, call_by_other) : -errno;
}

static long open_taken(void)
{
	return take() ? in_child(new_session, opened_by_other) : -errno;
}

static long steal(void)
{
	tty = open(TTY, O_RDWR | O_NOCTTY);
	return result(ioctl(tty, TIOCSCTTY, 1));
}

static long stolen(void)
{
	long ret;

	if (!take())
		return -errno;
	ret = in_child(new_session, steal);
	return ret ? ret : has_terminal();
}

static long setsid_loses(void)
{
	/* The child is in the leader's group, so it may make a session. */
	return take() ? in_child(new_session, has_terminal) : -errno;
}

static long child_inherits(void)
{
	return take() ? in_child(new_group, has_terminal) : -errno;
}

static void getting(void)
{
	is(in_session(has_terminal), -ENXIO, "a new session has no terminal");
	is(in_session(open_noctty), -ENXIO, "O_NOCTTY takes none");
	is(in_session(group_without), -ENOTTY, "then there is no foreground to ask for");
	is(in_session(set_group_without), -ENOTTY, "nor to set");
	is(in_session(session_without), -ENOTTY, "nor a session");
	is(in_session(give_up_without), -ENOTTY, "nor anything to give up");
	is(in_session(open_to_write), -ENXIO, "nor does opening it to write only");
	is(in_session(open_console), -ENXIO, "nor opening /dev/console");
	is(in_session(not_the_leader), -ENXIO, "nor when somebody else than the leader opens it");
	is(in_session(take_by_open), 0, "the leader takes it by opening it");
	is(in_session(of_dev_tty), 0, "/dev/tty is the same terminal");
	is(in_session(take_by_call), 0, "or by TIOCSCTTY");
	is(in_session(take_console_by_call), 0, "also of /dev/console");
	is(in_session(call_not_leader), -EPERM, "which only the leader may");
	is(in_session(call_taken), -EPERM, "while nobody has it");
	is(in_session(open_taken), -ENXIO, "by open it isn't taken from others either");
	is(in_session(stolen), -ENXIO, "but root may take it away");
	is(in_session(setsid_loses), -ENXIO, "setsid leaves it");
	is(in_session(child_inherits), 0, "children have it too");
}

/* --- the foreground ------------------------------------------------------------------------- */

static long set_own(void)
{
	return take() ? set_foreground(tty, getpid()) : -errno;
}

static long set_negative(void)
{
	return take() ? set_foreground(tty, -1) : -errno;
}

static long set_none(void)
{
	return take() ? set_foreground(tty, 4194303) : -errno;
}

static long set_foreign(void)
{
	return take() ? set_foreground(tty, group_of_main) : -errno;
}

static long set_bad_pointer(void)
{
	return take() ? result(ioctl(tty, TIOCSPGRP, BAD)) : -errno;
}

static long get_bad_pointer(void)
{
	return take() ? result(ioctl(tty, TIOCGPGRP, BAD)) : -errno;
}

static long set_own_group(void)
{
	signal(SIGTTOU, SIG_IGN);
	return set_foreground(tty, getpid());
}

static long set_to_child(void)
{
	long ret;

	if (!take())
		return -errno;
	ret = in_background(set_own_group);
	/* The group is gone, but its number stays the terminal's. */
	return ret ? ret : foreground(tty) == getpid();
}

static void foreground_group(void)
{
	is(in_session(set_own), 0, "the foreground group is set");
	is(in_session(set_negative), -EINVAL, "not to a negative number");
	is(in_session(set_none), -ESRCH, "nor to one that isn't");
	is(in_session(set_foreign), -EPERM, "nor to one of another session");
	is(in_session(set_bad_pointer), -EFAULT, "from a bad address");
	is(in_session(get_bad_pointer), -EFAULT, "to a bad address");
	is(in_session(set_to_child), 0, "who ignores SIGTTOU sets it from the background");
}

/* --- the background ------------------------------------------------------------------------- */

static struct termios mode;

static long read_it(void)
{
	char c;

	return result(read(tty, &c, 1));
}

static long write_it(void)
{
	return result(write(tty, "#\n", 2));
}

static long set_mode(void)
{
	return result(tcsetattr(tty, TCSANOW, &mode));
}

static long flush_it(void)
{
	return result(ioctl(tty, TCFLSH, TCIFLUSH));
}

static long drain_it(void)
{
	return result(ioctl(tty, TCSBRK, 1));
}

static long set_group(void)
{
	return set_foreground(tty, getpid());
}

static long set_size(void)
{
	struct winsize size;

	return ioctl(tty, TIOCGWINSZ, &size) ? -errno : result(ioctl(tty, TIOCSWINSZ, &size));
}

static long read_console(void)
{
	int fd = open("/dev/console", O_RDWR | O_NONBLOCK);
	char c;

	return result(read(fd, &c, 1));
}

static long (*doing)(void);

static long ignoring(void)
{
	signal(SIGTTIN, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	return doing();
}

static long blocking(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTTIN);
	sigaddset(&set, SIGTTOU);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return doing();
}

static long (*how)(void);

static long background(void)
{
	if (!take() || tcgetattr(tty, &mode))
		return -errno;
	return in_background(how);
}

/* The same while the terminal says TOSTOP. */
static long background_tostop(void)
{
	long ret;

	if (!take() || tcgetattr(tty, &mode))
		return -errno;
	mode.c_lflag |= TOSTOP;
	if (tcsetattr(tty, TCSANOW, &mode))
		return -errno;
	ret = in_background(how);
	mode.c_lflag &= ~TOSTOP;
	signal(SIGTTOU, SIG_IGN);
	tcsetattr(tty, TCSANOW, &mode);
	return ret;
}

static long from_background(long (*fn)(void))
{
	how = fn;
	return in_session(background);
}

static long with_tostop(long (*fn)(void))
{
	how = fn;
	return in_session(background_tostop);
}

/* Done in the way of `way`. */
static long in_way(long (*way)(void), long (*fn)(void))
{
	doing = fn;
	return from_background(way);
}

static int orphan_pipe[2];

static bool is_orphan(pid_t parent)
{
	return getppid() != parent;
}

/* The child of a child that is gone: nobody else in the session is parent of its group. */
static long orphaned(void)
{
	pid_t middle, status;
	long number;

	if (!take() || tcgetattr(tty, &mode) || pipe(orphan_pipe))
		return -errno;
	middle = fork();
	if (middle == 0) {
		pid_t self = getpid();

		setpgid(0, 0);
		if (fork() == 0) {
			while (!is_orphan(self))
				usleep(1000);
			send_number(orphan_pipe[1], how());
		}
		_exit(0);
	}
	waitpid(middle, &status, 0);
	number = receive_number(orphan_pipe[0]);
	return number;
}

static long as_orphan(long (*fn)(void))
{
	how = fn;
	return in_session(orphaned);
}

static void background_group(void)
{
	is(from_background(read_it), STOPPED - SIGTTIN, "reading in the background: SIGTTIN");
	is(in_way(ignoring, read_it), -EIO, "ignored: EIO");
	is(in_way(blocking, read_it), -EIO, "blocked: EIO");
	is(as_orphan(read_it), -EIO, "nobody to go on after a stop: EIO");
	is(from_background(read_console), -EAGAIN, "/dev/console is outside of that");
	is(from_background(write_it), 2, "writing is allowed");
	is(with_tostop(write_it), STOPPED - SIGTTOU, "unless TOSTOP: SIGTTOU");
	doing = write_it;
	is(with_tostop(ignoring), 2, "ignored: it is allowed");
	is(from_background(set_mode), STOPPED - SIGTTOU, "tcsetattr: SIGTTOU");
	is(in_way(ignoring, set_mode), 0, "ignored: it is allowed");
	is(in_way(blocking, set_mode), 0, "blocked too");
	is(as_orphan(set_mode), -EIO, "nobody to go on: EIO");
	is(from_background(flush_it), STOPPED - SIGTTOU, "tcflush: SIGTTOU");
	is(from_background(drain_it), STOPPED - SIGTTOU, "tcdrain: SIGTTOU");
	is(from_background(set_group), STOPPED - SIGTTOU, "tcsetpgrp: SIGTTOU");
	is(as_orphan(set_group), -ENOTTY, "nobody to go on: ENOTTY");
	is(from_background(set_size), 0, "the size may be set");
}

/* --- losing it ------------------------------------------------------------------------------ */

static int ready[2], told[2];

/* Which of these signals are waiting. */
static long hup_and_cont(void)
{
	sigset_t set;

	sigpending(&set);
	return (sigismember(&set, SIGHUP) ? 1 : 0) | (sigismember(&set, SIGCONT) ? 2 : 0);
}

static void block_hup_and_cont(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCONT);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static long leader_gives_up(void)
{
	signal(SIGHUP, SIG_IGN);
	block_hup_and_cont();
	signal(SIGHUP, SIG_DFL);
	if (!take() || ioctl(tty, TIOCNOTTY))
		return -errno;
	if (foreground(tty) != -ENOTTY || has_terminal() != -ENXIO)
		return -1;
	return hup_and_cont();
}

static long give_up(void)
{
	return ioctl(tty, TIOCNOTTY) ? -errno : has_terminal();
}

static long child_gives_up(void)
{
	long ret;

	if (!take())
		return -errno;
	ret = in_child(NULL, give_up);
	return ret != -ENXIO ? ret : has_terminal();
}

/* In the foreground when the leader ends: what of the terminal is left, bit by bit. */
static void survivor(pid_t leader)
{
	char c;
	int group = getpid();
	long found = 0;

	while (!is_orphan(leader))
		usleep(1000);
	found |= hup_and_cont();
	found |= has_terminal() == -ENXIO ? 4 : 0;
	found |= read(tty, &c, 1) == 0 ? 8 : 0;
	found |= write(tty, "#\n", 2) < 0 && errno == EIO ? 16 : 0;
	found |= foreground(tty) == -EIO ? 32 : 0;
	found |= ioctl(tty, TIOCSPGRP, &group) < 0 && errno == ENOTTY ? 64 : 0;
	found |= open_close(TTY, O_RDWR | O_NOCTTY) == 0 ? 128 : 0;
	found |= write(1, "#\n", 2) == 2 ? 256 : 0; /* /dev/console */
	send_number(told[1], found);
}

static long leader_ends(void)
{
	pid_t leader = getpid(), child;

	if (!take())
		return -errno;
	signal(SIGTTOU, SIG_IGN);
	child = fork();
	if (child == 0) {
		block_hup_and_cont();
		setpgid(0, 0);
		set_foreground(tty, getpid());
		send_number(ready[1], 0);
		survivor(leader);
		_exit(0);
	}
	return receive_number(ready[0]);
}

static void losing(void)
{
	is(in_session(leader_gives_up), 3, "TIOCNOTTY of the leader: SIGHUP and SIGCONT");
	is(in_session(child_gives_up), 0, "of another one: nobody else loses it");
	if (pipe(ready) || pipe(told))
		return;
	is(in_session(leader_ends), 0, "a leader ends with a group in the foreground");
	is(receive_number(told[0]), 1 | 4 | 8 | 16 | 32 | 64 | 128 | 256,
	   "which gets SIGHUP, and its terminal is dead");
	is(in_session(take_by_open), 0, "the next session takes it");
}

/* --- settings ------------------------------------------------------------------------------- */

static int winch;

static void on_winch(int sig)
{
	winch++;
}

static long resize(void)
{
	struct winsize old, new;
	long ret = 0;

	signal(SIGWINCH, on_winch);
	if (!take() || ioctl(tty, TIOCGWINSZ, &old))
		return -errno;
	new = old;
	new.ws_row++;
	if (ioctl(tty, TIOCSWINSZ, &new) || winch != 1)
		ret = 1;
	if (ioctl(tty, TIOCSWINSZ, &new) || winch != 1)
		ret |= 2;
	memset(&new, 0, sizeof(new));
	if (ioctl(tty, TIOCGWINSZ, &new) || new.ws_row != old.ws_row + 1)
		ret |= 4;
	ioctl(tty, TIOCSWINSZ, &old);
	return ret;
}

static long read_mode(tcflag_t canon, int min, int time, int flags)
{
	struct termios old, t;
	char c;
	long ret;

	tty = open(TTY, O_RDWR | O_NOCTTY | flags);
	if (tty < 0 || tcgetattr(tty, &old))
		return -errno;
	t = old;
	t.c_lflag = (t.c_lflag & ~ICANON) | canon;
	t.c_cc[VMIN] = min;
	t.c_cc[VTIME] = time;
	tcsetattr(tty, TCSAFLUSH, &t);
	ret = result(read(tty, &c, 1));
	tcsetattr(tty, TCSANOW, &old);
	close(tty);
	return ret;
}

static long waiting_bytes(int request)
{
	int count = -1;

	return ioctl(tty, request, &count) ? -errno : count;
}

/* Output that is stopped waits, and can be dropped. Meanwhile the points would wait as well. */
static void flow(void)
{
	long none, bad, off, written, waiting, flushed, left, on;

	tty = open(TTY, O_RDWR | O_NOCTTY | O_NONBLOCK);
	tcdrain(tty);
	none = waiting_bytes(TIOCOUTQ);
	bad = result(tcflow(tty, 4));
	off = result(tcflow(tty, TCOOFF));
	written = result(write(tty, "# lost\n", 7));
	waiting = waiting_bytes(TIOCOUTQ);
	flushed = result(tcflush(tty, TCOFLUSH));
	left = waiting_bytes(TIOCOUTQ);
	on = result(tcflow(tty, TCOON));
	is(none, 0, "no output waits");
	is(bad, -EINVAL, "tcflow of nothing");
	is(off, 0, "output is stopped");
	is(written, 7, "what is written");
	is(waiting, 8, "waits, as it will go out");
	is(flushed, 0, "it is dropped");
	is(left, 0, "and gone");
	is(on, 0, "output goes on");
	is(result(tcflush(tty, 3)), -EINVAL, "tcflush of nothing");
	close(tty);
}

static void bad_requests(void)
{
	static const unsigned long pointers[] = {
		TCGETS, TCSETS, TCSETSW, TCSETSF, TIOCGWINSZ, TIOCSWINSZ, FIONREAD, TIOCOUTQ,
	};

	tty = open(TTY, O_RDWR | O_NOCTTY);
	for (size_t i = 0; i < COUNT(pointers); i++)
		is(result(ioctl(tty, pointers[i], BAD)), -EFAULT, "%#lx with a bad address",
		   pointers[i]);
	is(result(ioctl(tty, 0x54ff, 0)), -ENOTTY, "an unknown request");
	is(result(lseek(tty, 0, SEEK_SET)), -ESPIPE, "a terminal has no position");
	close(tty);
}

static void settings(void)
{
	is(in_session(resize), 0, "a new size, and only that, sends SIGWINCH");
	is(read_mode(0, 0, 0, 0), 0, "VMIN 0, VTIME 0: read returns at once");
	is(read_mode(0, 0, 1, 0), 0, "VMIN 0, VTIME 1: after a tenth of a second");
	is(read_mode(0, 1, 0, O_NONBLOCK), -EAGAIN, "O_NONBLOCK: EAGAIN");
	is(read_mode(ICANON, 1, 0, O_NONBLOCK), -EAGAIN, "by lines too");
	tty = open(TTY, O_RDWR | O_NOCTTY);
	is(waiting_bytes(FIONREAD), 0, "no input waits");
	close(tty);
	flow();
	bad_requests();
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	if (geteuid() != 0)
		skip_all("opens the terminal, which is root's");
	setpgid(0, 0);
	group_of_main = getpgrp();
	getting();
	foreground_group();
	background_group();
	losing();
	settings();
	return done_testing();
}
