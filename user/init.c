/* SPDX-License-Identifier: MIT */
/*
 * init: process 1. Plays the tour, then keeps a shell on the terminal: a new one when the last has
 * ended. Takes leave of processes that have lost their parent, and ends the machine when it is told
 * to, by the signals that busybox's commands send: poweroff SIGUSR2, halt SIGUSR1, reboot SIGTERM.
 *
 * On the kernel's command line, tour=auto powers off after the tour, and tour=no leaves it out.
 */
#include "common.h"
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>

#define TERMINAL "/dev/ttyS0"

static char *const environment[] = { "PATH=/bin", "HOME=/root", "TERM=linux", NULL };
static sigset_t awaited; /* blocked: they are taken one by one */

/* ---- the end ---- */

/* Takes leave of all that have ended; status is the one of `wanted`. False when nobody is left. */
static bool reap(pid_t wanted, int *status, bool *found)
{
	int one;
	pid_t pid;

	while ((pid = waitpid(-1, &one, WNOHANG)) > 0) {
		if (pid != wanted)
			continue;
		*status = one;
		*found = true;
	}
	return pid == 0;
}

/* A second for all processes to end by themselves, but no longer than they need. */
static void end_processes(void)
{
	const struct timespec step = { 0, 100000000 };
	bool found;
	int status;

	kill(-1, SIGHUP);
	kill(-1, SIGTERM);
	kill(-1, SIGCONT);
	for (int i = 0; i < 10 && reap(0, &status, &found); i++)
		sigtimedwait(&awaited, NULL, &step);
	kill(-1, SIGKILL);
	while (waitpid(-1, &status, 0) > 0)
		;
}

static void end_machine(int sig)
{
	const unsigned int how = sig == SIGTERM ? 0x01234567 :
				 sig == SIGUSR1 ? 0xcdef0123 :
						  0x4321fedc;

	end_processes();
	say("\n");
	if (getpid() != 1)
		exit(0);
	sync();
	syscall(SYS_reboot, 0xfee1dead, 672274793, how, NULL);
	say("cannot end the machine: %s\n", strerror(errno));
}

/* ---- programs ---- */

/* Waits for a child, and does meanwhile what an init has to. Its wait status. */
static int attend(pid_t pid)
{
	bool found = false;
	int status = 0, sig;

	while (reap(pid, &status, &found) && !found) {
		sig = sigwaitinfo(&awaited, NULL);
		if (sig > 0 && sig != SIGCHLD)
			end_machine(sig);
	}
	return found ? status : 127 << 8;
}

/* A session of its own on the terminal, which thereby becomes the session's. */
static int open_session(void)
{
	int fd;

	if (setsid() < 0)
		return errno;
	fd = open(TERMINAL, O_RDWR);
	if (fd < 0)
		return errno;
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	if (fd > 2)
		close(fd);
	return chdir("/root") < 0 && chdir("/") < 0 ? errno : 0;
}

/* By vfork: the child runs on our memory until it executes. 0, or why it could not. */
__attribute__((noinline)) static int run(const char *path, const char *name, bool session,
					 int *status)
{
	char *argv[] = { (char *)name, NULL };
	static volatile int failure;
	pid_t pid;

	failure = 0;
	pid = vfork();
	if (pid == 0) {
		sigprocmask(SIG_UNBLOCK, &awaited, NULL);
		failure = session ? open_session() : 0;
		if (failure)
			_exit(127);
		execve(path, argv, environment);
		failure = errno;
		_exit(127);
	}
	if (pid < 0)
		return errno;
	*status = attend(pid);
	return failure;
}

/* Whatever the last program has done to the terminal. */
static void sane_terminal(void)
{
	struct termios t;

	if (tcgetattr(0, &t) < 0)
		return;
	t.c_iflag = ICRNL | IXON;
	t.c_oflag = OPOST | ONLCR;
	t.c_lflag = ISIG | ICANON | IEXTEN | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE;
	t.c_cc[VINTR] = 3;
	t.c_cc[VQUIT] = 28;
	t.c_cc[VERASE] = 127;
	t.c_cc[VKILL] = 21;
	t.c_cc[VEOF] = 4;
	t.c_cc[VSUSP] = 26;
	tcsetattr(0, TCSANOW, &t);
}

static void keep_shell(void)
{
	say("\nNow it is your turn: this is a shell. Ctrl-C interrupts a program, Ctrl-Z stops it;\n"
	    "tour plays the tour once more, poweroff switches the machine off.\n");
	for (;;) {
		int status, error;

		sane_terminal();
		error = run("/bin/sh", "-sh", true, &status);
		if (error) {
			say("init: no shell: %s\n", strerror(error));
			return;
		}
		say("\nThe shell has ended. Here is another one.\n\n");
	}
}

static bool on_terminal(void)
{
	struct winsize size;

	return ioctl(0, TIOCGWINSZ, &size) == 0;
}

int main(void)
{
	static char cmdline[4096];
	char tour[16] = "";
	int status, error;

	prepare_linux();
	sigemptyset(&awaited);
	sigaddset(&awaited, SIGCHLD);
	sigaddset(&awaited, SIGUSR1);
	sigaddset(&awaited, SIGUSR2);
	sigaddset(&awaited, SIGTERM);
	sigprocmask(SIG_BLOCK, &awaited, NULL);
	if (read_file("/proc/cmdline", cmdline, sizeof(cmdline)) > 0)
		option(cmdline, "tour=", tour, sizeof(tour));
	if (strcmp(tour, "no") != 0) {
		error = run("/bin/tour", "tour", false, &status);
		if (error)
			say("init: no tour: %s\n", strerror(error));
	}
	if (strcmp(tour, "auto") != 0 && on_terminal())
		keep_shell();
	end_machine(SIGUSR2);
	return 1;
}
