/* SPDX-License-Identifier: MIT */
/*
 * layout: where the kernel has put this program, its interpreter, its heap and its stack, and what it says
 * of that in the auxiliary vector. Built in several ways, and run where no address is random, so that
 * each has one right answer; how large things are depends on compilers and libraries, and isn't printed.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define PAGE	  4096UL
#define MMAP_BASE 0x7ffff7fff000UL /* where no address is random */

extern char __ehdr_start[], end[];
void _start(void);

static volatile char big[300000]; /* so that there is a bss of its own */
static char text[16384];

/* From the first area to the last whose line ends in `name`. */
struct span {
	unsigned long start, end;
	int areas;
	char last_prot[5];
};

static struct span find(const char *name)
{
	struct span s = { 0 };
	size_t len = strlen(name);

	for (char *line = text, *next; *line; line = next) {
		unsigned long from, to;
		char prot[5];

		next = strchr(line, '\n') + 1;
		if ((size_t)(next - line) <= len || strncmp(next - 1 - len, name, len) ||
		    sscanf(line, "%lx-%lx %4s", &from, &to, prot) != 3)
			continue;
		if (!s.areas++)
			s.start = from;
		s.end = to;
		strcpy(s.last_prot, prot);
	}
	return s;
}

static void read_maps(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");

	if (!maps || fread(text, 1, sizeof(text) - 1, maps) == 0)
		exit(1);
	fclose(maps);
}

static const char *yes(bool condition)
{
	return condition ? "yes" : "NO";
}

/* Field 47 of /proc/self/stat: where the heap began, which the library has moved the end of. */
static unsigned long start_brk(void)
{
	static char stat[1024];
	FILE *file = fopen("/proc/self/stat", "r");
	char *p = file && fgets(stat, sizeof(stat), file) ? strrchr(stat, ')') : NULL;

	if (!p)
		exit(1);
	fclose(file);
	for (int field = 2; field < 47; field++)
		p = strchr(p + 1, ' ');
	return strtoul(p, NULL, 10);
}

static void show_program(const struct span *program, bool aligned)
{
	unsigned long program_end = ((unsigned long)end + PAGE - 1) & -PAGE;
	unsigned long brk = start_brk();

	/* One that is among the mappings lies as low as its size makes it. */
	if (program->start < 0x700000000000)
		printf("program: at %lx\n", program->start);
	else
		printf("program: among the mappings\n");
	if (aligned)
		printf("  aligned: %s\n", yes(!(program->start & 0xffff)));
	printf("  is where its header is: %s\n",
	       yes(program->start == (unsigned long)__ehdr_start));
	printf("  AT_PHDR: %s AT_PHENT %lu AT_ENTRY: %s\n",
	       yes(getauxval(AT_PHDR) == (unsigned long)__ehdr_start + 64), getauxval(AT_PHENT),
	       yes(getauxval(AT_ENTRY) == (unsigned long)_start));
	if (brk == program_end)
		printf("heap: where the program ends\n");
	else
		printf("heap: at %lx\n", brk);
}

static void show_interpreter(const struct span *interp)
{
	if (!interp->areas) {
		printf("no interpreter: AT_BASE %lx\n", getauxval(AT_BASE));
		return;
	}
	printf("interpreter: up to %lx, AT_BASE: %s\n", interp->end,
	       yes(getauxval(AT_BASE) == interp->start || !getauxval(AT_BASE)));
	printf("  run by hand: %s\n", yes(!getauxval(AT_BASE)));
}

/* The special areas, and the libraries that a program with an interpreter has below them. */
static void show_vdso(const struct span *program, const struct span *interp)
{
	struct span vdso = find("[vdso]"), vvar = find("[vvar]");
	char below[32];

	printf("vdso: %s, vvar right below: %s\n",
	       vdso.end == interp->start  ? "below the interpreter" :
	       vdso.end == program->start ? "below the program" :
	       vdso.end == MMAP_BASE	  ? "at the top" :
					    "ELSEWHERE",
	       yes(vvar.end == vdso.start && getauxval(AT_SYSINFO_EHDR) == vdso.start));
	sprintf(below, "-%lx ", vvar.start);
	if (interp->areas)
		printf("libraries right below that: %s\n", yes(strstr(text, below) != NULL));
}

int main(int argc, char **argv)
{
	struct span program, interp, stack;
	const char *name = strrchr(argv[0], '/');

	big[sizeof(big) - 1] = (char)argc;
	read_maps();
	program = find(name ? name : argv[0]);
	interp = find("/ld-linux-x86-64.so.2");
	stack = find("[stack]");
	if (!program.areas || stack.areas != 1)
		return 1;
	show_program(&program, strstr(argv[0], "aligned"));
	show_interpreter(&interp);
	show_vdso(&program, &interp);
	printf("stack: up to %lx %s, %lu KiB\n", stack.end, stack.last_prot,
	       (stack.end - stack.start) >> 10);
	printf("AT_SECURE %lu AT_FLAGS %lu AT_EXECFN %s AT_PAGESZ %lu AT_CLKTCK %lu\n",
	       getauxval(AT_SECURE), getauxval(AT_FLAGS), (char *)getauxval(AT_EXECFN),
	       getauxval(AT_PAGESZ), getauxval(AT_CLKTCK));
	return 0;
}
