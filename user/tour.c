/* SPDX-License-Identifier: MIT */
/*
 * tour: maps memory, touches it, and shows at each step what the kernel did: every number is read
 * from the kernel at that moment. init plays it at boot. It also runs under Linux, where it shows
 * what Linux has to show.
 *
 * It allocates nothing, so that its own doings don't disturb what it shows. Started with an
 * argument it is one of its own exhibits: "crash" or "frame".
 */
#include "common.h"
#include "look.h"
#include <sys/mman.h>
#include <sys/utsname.h>

#define PAGES 16UL

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

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "crash") == 0)
		return crash();
	if (argc > 1 && strcmp(argv[1], "frame") == 0)
		return frame_exhibit(argv[2]);
	if (access(self, X_OK) != 0)
		self = argv[0];
	tour();
	return 0;
}
