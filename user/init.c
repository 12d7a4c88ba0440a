/* SPDX-License-Identifier: MIT */
/*
 * init: the tour. It maps memory, touches it, and shows at each step what the kernel did: every
 * number is read from the kernel at that moment. Then it offers a prompt to go on exploring.
 *
 * With tour=auto on the kernel's command line it powers off after the tour. It also runs as an
 * ordinary program, and under Linux, where it shows what Linux has to show.
 *
 * It allocates nothing, so that its own doings don't disturb what it shows. Started with an
 * argument it is one of its own exhibits: "crash" or "frame".
 */
#include "common.h"
#include "look.h"
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/utsname.h>

#define PAGES	  16UL
#define MAX_WORDS 16

static char maps_before[16384], maps_after[16384];
static const char *self = "/proc/self/exe";

/* ---- children ---- */

/* By vfork: the child runs on our memory until it executes, and only then do we go on. */
__attribute__((noinline)) static int run_program(char **argv, int *error)
{
	static char *env[] = { "PATH=/bin:/tests", "HOME=/", "TERM=dumb", NULL };
	static volatile int failure;
	pid_t pid;

	failure = 0;
	pid = vfork();
	if (pid == 0) {
		execve(argv[0], argv, env);
		failure = errno;
		_exit(127);
	}
	*error = pid < 0 ? errno : 0;
	if (pid < 0)
		return -1;
	pid = wait_for(pid);
	*error = failure;
	return pid;
}

static const char *signal_name(int signal)
{
	static const char *const names[] = {
		[1] = "hangup",
		[2] = "interrupt",
		[4] = "illegal instruction",
		[5] = "trap",
		[6] = "abort",
		[7] = "bus error",
		[8] = "arithmetic error",
		[9] = "killed",
		[11] = "segmentation fault",
		[15] = "terminated",
	};

	if (signal < 0 || signal >= (int)(sizeof(names) / sizeof(names[0])) || !names[signal])
		return "no name here";
	return names[signal];
}

static void say_status(int status)
{
	if (status < 0)
		say("   no wait status: %s\n", strerror(-status));
	else if (WIFSIGNALED(status))
		say("   wait status 0x%04x: ended by signal %d, %s\n", status, WTERMSIG(status),
		    signal_name(WTERMSIG(status)));
	else
		say("   wait status 0x%04x: ended with exit status %d\n", status,
		    WEXITSTATUS(status));
}

/* This program again, as the exhibit of that name. */
static int run_self(const char *exhibit, const char *argument)
{
	char *argv[] = { (char *)self, (char *)exhibit, (char *)argument, NULL };
	int error, status = run_program(argv, &error);

	if (error)
		say("   cannot run %s: %s\n", self, strerror(error));
	return status;
}

/* Exhibit: touches memory that it has just unmapped. */
static int crash(void)
{
	volatile char *p =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return 1;
	*p = 1;
	munmap((void *)p, PAGE);
	say("   process %d writes to 0x%lx, which it has unmapped\n", getpid(), (unsigned long)p);
	*p = 2;
	say("   and nothing happened\n");
	return 0;
}

/* A page of text and a page of data to compare between runs. */
static volatile char own_data[2 * PAGE] __attribute__((aligned(4096))) = { 1 };

static int frame_exhibit(const char *other)
{
	unsigned long text_frame, theirs = other ? strtoul(other, NULL, 16) : 0;

	own_data[PAGE] = 1;
	text_frame = frame_of(frame_exhibit);
	say("   process %-4d text page 0x%lx in frame 0x%lx, data in frame 0x%lx\n", getpid(),
	    (unsigned long)frame_exhibit & -PAGE, text_frame, frame_of(own_data + PAGE));
	return !theirs || text_frame == theirs ? 0 : 1;
}

/* ---- the tour ---- */

static void step_machine(void)
{
	static const char *const words[] = { "MemTotal", "MemFree", NULL };
	struct utsname name;

	heading(1, "Where we are");
	if (uname(&name) == 0)
		say("   %s %s on %s. This program is process %d.\n", name.sysname, name.release,
		    name.machine, getpid());
	show_lines("/proc/meminfo", words);
	say("   A page is %lu bytes. Memory is handed out in frames of that size.\n", PAGE);
}

static void step_areas(void)
{
	heading(2, "The areas of this program (/proc/self/maps)");
	if (!read_maps(maps_before, sizeof(maps_before)))
		return;
	show_maps(maps_before);
	say("\n   Each line is an area: a range of addresses with the same rights (read,\n"
	    "   write, execute, p for private) and with the same thing behind it: a part\n"
	    "   of a file, or nothing yet. What lies between areas is not there at all.\n");
}

static char *step_map(void)
{
	long before = minor_faults(), after;
	char *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);

	after = minor_faults();
	heading(3, "mmap: a promise of 16 pages");
	if (p == MAP_FAILED) {
		say("   mmap: %s\n", strerror(errno));
		return NULL;
	}
	say("   mmap(NULL, %lu, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)\n"
	    "   returned 0x%lx. In maps that is:\n\n",
	    PAGES * PAGE, (unsigned long)p);
	if (read_maps(maps_after, sizeof(maps_after)))
		show_area(maps_after, (unsigned long)p);
	say("\n   Pages of it that are present: %lu of %lu. Page faults that mmap took: %ld.\n",
	    resident(p, PAGES), PAGES, after - before);
	say("   The kernel has written down that the area exists, and nothing more.\n");
	return p;
}

static void step_read(char *p)
{
	heading(4, "The first read: a page fault");
	show_faults("read a byte of page 0", faults_of(READ, p));
	show_faults("read it again", faults_of(READ, p));
	show_faults("read a byte of page 1", faults_of(READ, p + PAGE));
	say("\n");
	show_frame("page 0", p);
	show_frame("page 1", p + PAGE);
	if (frame_of(p) != 0 && frame_of(p) == frame_of(p + PAGE))
		say("\n   Both read as 0, and both are the same frame: the zero page, which all\n"
		    "   programs share and nobody may write. Reading costs no memory yet.\n");
	say("\n   The walk of 0x%lx through the page tables:\n\n", (unsigned long)p);
	show_walk((unsigned long)p);
}

static void step_write(char *p)
{
	unsigned long before = frame_of(p);

	heading(5, "The first write: a frame of one's own");
	show_faults("write a byte of page 0, which was read", faults_of(WRITE, p));
	show_faults("write it again", faults_of(WRITE, p));
	show_faults("write a byte of page 7, never touched", faults_of(WRITE, p + 7 * PAGE));
	say("\n");
	show_frame("page 0", p);
	show_frame("page 1", p + PAGE);
	show_frame("page 7", p + 7 * PAGE);
	show_frame("page 8", p + 8 * PAGE);
	if (before != frame_of(p))
		say("\n   Page 0 was in frame 0x%lx and got its own when it was written. Page 7\n"
		    "   got one at once.\n",
		    before);
	say("\n   Present now: %lu of %lu pages.\n", resident(p, PAGES), PAGES);
}

/* The four indices are nine bits each of the address, above the twelve bits of the offset. */
static void step_walk(char *p)
{
	unsigned long addr = (unsigned long)p + 7 * PAGE + 0x123;

	heading(6, "The page walk");
	say("   The processor splits the address 0x%lx into\n\n", addr);
	say("      index %3lu in the first table   (bits 47-39, PGD)\n"
	    "      index %3lu in the second        (bits 38-30, PUD)\n"
	    "      index %3lu in the third         (bits 29-21, PMD)\n"
	    "      index %3lu in the fourth        (bits 20-12, PTE)\n"
	    "      offset 0x%03lx in the page       (bits 11-0)\n\n",
	    addr >> 39 & 511, addr >> 30 & 511, addr >> 21 & 511, addr >> 12 & 511, addr & 4095);
	show_walk(addr);
}

static void step_unmap(char *p)
{
	unsigned long end = (unsigned long)p + PAGES * PAGE;
	bool same;

	heading(7, "munmap: gone");
	if (munmap(p, PAGES * PAGE) != 0) {
		say("   munmap: %s\n", strerror(errno));
		return;
	}
	say("   munmap(0x%lx, %lu) returned 0. Pages present in that range: %lu.\n",
	    (unsigned long)p, end - (unsigned long)p, resident(p, PAGES));
	if (!read_maps(maps_after, sizeof(maps_after)))
		return;
	same = strcmp(maps_before, maps_after) == 0;
	say("   The areas are %s.\n\n",
	    same ? "again what they were in step 2" : "not those of step 2");
	show_maps(maps_after);
}

static void step_crash(void)
{
	heading(8, "An access to what is gone");
	say("   Another program does it, for it won't survive. The kernel says why:\n\n");
	say_status(run_self("crash", NULL));
}

static void step_share(void)
{
	char frame[32];

	heading(9, "Two programs, one text");
	say("   This program, and two more runs of the same file:\n\n");
	frame_exhibit(NULL);
	snprintf(frame, sizeof(frame), "%lx", frame_of(frame_exhibit));
	if (run_self("frame", frame) == 0 && run_self("frame", frame) == 0 &&
	    frame_of(frame_exhibit) != 0)
		say("\n   The code is in memory once, however many programs run it: its frames\n"
		    "   are those of the file. What a program writes is its own.\n");
}

static void tour(void)
{
	char *p;

	say("\nA tour of virtual memory\n========================\n");
	/* The counting code itself is brought in before it counts. */
	faults_of(READ, text);
	faults_of(WRITE, text);
	step_machine();
	step_areas();
	p = step_map();
	if (!p)
		return;
	step_read(p);
	step_write(p);
	step_walk(p);
	step_unmap(p);
	step_crash();
	step_share();
	say("\nEnd of the tour.\n");
}

/* ---- the prompt ---- */

static void command_help(char **words)
{
	(void)words;
	say("   maps                  the areas of this program\n"
	    "   walk ADDR             the page walk of an address (hexadecimal)\n"
	    "   buddyinfo             free blocks of each size\n"
	    "   meminfo               memory in total and free\n"
	    "   run PROGRAM [ARGS]    run a program, as in: run hello one two\n"
	    "   tour                  the tour once more\n"
	    "   poweroff              switch the machine off\n");
}

static void command_maps(char **words)
{
	(void)words;
	if (read_maps(maps_after, sizeof(maps_after)))
		show_maps(maps_after);
}

static void command_walk(char **words)
{
	unsigned long addr;
	char *end;

	if (!words[1]) {
		say("walk needs an address in hexadecimal, as in: walk %lx\n",
		    (unsigned long)command_walk);
		return;
	}
	errno = 0;
	addr = strtoul(words[1], &end, 16);
	if (*end || end == words[1] || words[1][0] == '-' || errno)
		say("%s is not an address in hexadecimal\n", words[1]);
	else if ((long)addr < 0)
		say("0x%lx is not an address of a program's half of memory\n", addr);
	else
		show_walk(addr);
}

static void command_buddyinfo(char **words)
{
	(void)words;
	show_file("/proc/buddyinfo");
}

static void command_meminfo(char **words)
{
	(void)words;
	show_file("/proc/meminfo");
}

/* A bare name is looked for in /bin and in /tests. */
static void command_run(char **words)
{
	static const char *const places[] = { "", "/bin/", "/tests/" };
	const char *name = words[1];
	char path[256];
	int error = 0, status = -1;

	if (!name) {
		say("run needs a program's name, as in: run hello\n");
		return;
	}
	for (int i = strchr(name, '/') ? 0 : 1; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", places[i], name);
		words[1] = path;
		status = run_program(words + 1, &error);
		if (error != ENOENT || i == 0)
			break;
	}
	if (error)
		say("cannot run %s: %s\n", name, strerror(error));
	else if (status != 0)
		say_status(status);
}

static void command_tour(char **words)
{
	(void)words;
	tour();
}

static void command_poweroff(char **words)
{
	(void)words;
	power_off();
}

static const struct {
	const char *name;
	void (*run)(char **words);
} commands[] = {
	{ "help", command_help },	{ "maps", command_maps },
	{ "walk", command_walk },	{ "buddyinfo", command_buddyinfo },
	{ "meminfo", command_meminfo }, { "run", command_run },
	{ "tour", command_tour },	{ "poweroff", command_poweroff },
};

static void execute(char *line)
{
	char *words[MAX_WORDS + 1];
	int count = 0;

	for (char *word = strtok(line, " \t\r\n"); word; word = strtok(NULL, " \t\r\n")) {
		if (count == MAX_WORDS) {
			say("more than %d words are too many\n", MAX_WORDS);
			return;
		}
		words[count++] = word;
	}
	words[count] = NULL;
	if (count == 0)
		return;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(words[0], commands[i].name) == 0) {
			commands[i].run(words);
			return;
		}
	say("%s is not a command here; help lists those there are\n", words[0]);
}

/*
 * One line from the console, by single bytes so that a program run from here finds the rest.
 * Returns false at the end of the input. What doesn't fit is dropped with a message.
 */
static bool read_line(char *line, size_t size)
{
	size_t used = 0;
	bool too_long = false;
	ssize_t n;
	char byte;

	while ((n = read(0, &byte, 1)) == 1 && byte != '\n') {
		if (used < size - 1)
			line[used++] = byte;
		else
			too_long = true;
	}
	if (n < 0)
		say("\nthe console: %s\n", strerror(errno));
	if (too_long) {
		say("a line has at most %zu characters\n", size - 1);
		used = 0;
	}
	line[used] = '\0';
	return n == 1 || used > 0;
}

static void prompt(void)
{
	static char line[256];

	say("\nNow it is your turn: help lists the commands.\n");
	for (;;) {
		say("tessera> ");
		if (!read_line(line, sizeof(line)))
			break;
		execute(line);
	}
	say("\n");
}

static bool on_terminal(void)
{
	struct winsize size;

	return ioctl(0, TIOCGWINSZ, &size) == 0;
}

int main(int argc, char **argv)
{
	char value[16];
	bool automatic;

	if (argc > 1 && strcmp(argv[1], "crash") == 0)
		return crash();
	if (argc > 1 && strcmp(argv[1], "frame") == 0)
		return frame_exhibit(argv[2]);
	prepare_linux();
	if (access(self, X_OK) != 0)
		self = argv[0];
	automatic = read_file("/proc/cmdline", text, sizeof(text)) > 0 &&
		    option(text, "tour=", value, sizeof(value)) && strcmp(value, "auto") == 0;
	tour();
	if (!automatic && on_terminal())
		prompt();
	power_off();
	return 1;
}
