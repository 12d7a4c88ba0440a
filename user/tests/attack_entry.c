/* SPDX-License-Identifier: MIT */
/*
 * Ways into the kernel and out of it, with all that a program can set up wrong: flags, segments, the bases
 * of FS and GS, stacks, return addresses, interrupt vectors, instructions that aren't a program's. Each
 * ends the program that did it or changes nothing, and the kernel goes on.
 */
#include "signals.h"
#include <sched.h>
#include <sys/auxv.h>
#include <sys/shm.h>

#define FLAG_TF	  0x100UL
#define FLAG_DF	  0x400UL
#define FLAG_IOPL 0x3000UL
#define FLAG_NT	  0x4000UL
#define FLAG_RF	  0x10000UL
#define FLAG_AC	  0x40000UL
#define FLAG_ID	  0x200000UL

static const unsigned long kernel_addresses[] = {
	0xffff800000000000, 0xffff888000000000, 0xffff888000100000, 0xffffc90000000000,
	0xffffea0000000000, 0xffffec0000000000, 0xfffffe0000000000, 0xffffffff80000000,
	0xffffffff80200000, 0xffffffff81000000, 0xffffffffff000000, 0xfffffffffffff000,
	0x0000800000000000, 0xffff7ffffffff000, 0x8000000000000000,
};

/* --- children ----------------------------------------------------------------------------------------- */

/* What becomes of a child that does it: a signal, or 0 when it comes back. */
static int fate(void (*fn)(unsigned long), unsigned long arg)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		fn(arg);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

/* --- kernel memory ------------------------------------------------------------------------------------ */

static void load(unsigned long at)
{
	(void)*(volatile char *)at;
}

static void store(unsigned long at)
{
	*(volatile char *)at = 0;
}

static void jump(unsigned long at)
{
	((void (*)(void))at)();
}

static void return_to(unsigned long at)
{
	__asm__ volatile("push %0\n\tret" : : "r"(at) : "memory");
}

static void locked(unsigned long at)
{
	__asm__ volatile("lock incl (%0)" : : "r"(at) : "memory");
}

static void prefetch(unsigned long at)
{
	__asm__ volatile("prefetcht0 (%0)" : : "r"(at));
	_exit(SIGSEGV); /* which is no access at all */
}

static void memory(void)
{
	static void (*const accesses[])(unsigned long) = { load,      store,  jump,
							   return_to, locked, prefetch };
	unsigned wrong = 0;

	for (size_t i = 0; i < COUNT(kernel_addresses); i++)
		for (size_t k = 0; k < COUNT(accesses); k++) {
			int sig = fate(accesses[k], kernel_addresses[i]);

			/* An address that is none is a stack fault when it is reached by the stack. */
			if (sig != SIGSEGV && sig != SIGBUS) {
				diag("access %zu at %lx: %d", k, kernel_addresses[i], sig);
				wrong++;
			}
		}
	is(wrong, 0, "loads, stores and jumps in the kernel's half end the program");
}

/* --- memory that isn't for running ------------------------------------------------------------------- */

static unsigned char in_data[16] = { 0xc3 }, in_bss[16];

static void data_is_no_code(void)
{
	unsigned char on_stack[16] = { 0xc3 };
	unsigned char *heap = (void *)syscall(SYS_brk, 0), *anon = (void *)fresh(1, RW);
	unsigned char *shared = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fd = syscall(SYS_memfd_create, "attack", 0), id = shmget(IPC_PRIVATE, PAGE, 0600);
	unsigned char *file, *segment = shmat(id, NULL, 0);

	syscall(SYS_brk, heap + PAGE);
	shmctl(id, IPC_RMID, NULL);
	is(ftruncate(fd, PAGE), 0, "a file");
	file = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
	*heap = *anon = *shared = *file = *segment = in_bss[0] = 0xc3;
	is(fate(jump, (unsigned long)in_data), SIGSEGV, "data doesn't run");
	is(fate(jump, (unsigned long)in_bss), SIGSEGV, "nor does what began as zeros");
	is(fate(jump, (unsigned long)on_stack), SIGSEGV, "nor the stack");
	is(fate(jump, (unsigned long)heap), SIGSEGV, "nor the heap");
	is(fate(jump, (unsigned long)anon), SIGSEGV, "nor anonymous memory");
	is(fate(jump, (unsigned long)shared), SIGSEGV, "nor shared memory");
	is(fate(jump, (unsigned long)segment), SIGSEGV, "nor a System V segment");
	is(fate(jump, (unsigned long)file), SIGSEGV, "nor a file's page");
	raw_mprotect((unsigned long)anon, PAGE, PROT_READ | PROT_EXEC);
	is(fate(jump, (unsigned long)anon), 0, "made code, it runs");
	is(fate(store, (unsigned long)anon), SIGSEGV, "and can't be written");
	raw_mprotect((unsigned long)anon, PAGE, RW);
	is(fate(jump, (unsigned long)anon), SIGSEGV, "made data again, it doesn't run");
	is(fate(store, (unsigned long)data_is_no_code), SIGSEGV, "code can't be written");
	shmdt(segment);
	close(fd);
}

/* --- instructions and vectors ------------------------------------------------------------------------- */

static char *code; /* a page to put instructions into */

static void run_bytes(const void *bytes, size_t len)
{
	raw_mprotect((unsigned long)code, PAGE, RW);
	memcpy(code, bytes, len);
	code[len] = (char)0xc3;
	raw_mprotect((unsigned long)code, PAGE, PROT_READ | PROT_EXEC);
}

static const struct {
	const char *name, *bytes;
	int len;
} privileged[] = {
	{ "hlt", "\xf4", 1 },
	{ "cli", "\xfa", 1 },
	{ "sti", "\xfb", 1 },
	{ "in", "\xec", 1 },
	{ "out", "\xee", 1 },
	{ "insb", "\x6c", 1 },
	{ "outsb", "\x6e", 1 },
	{ "swapgs", "\x0f\x01\xf8", 3 },
	{ "sysretq", "\x48\x0f\x07", 3 },
	{ "sysexit", "\x0f\x35", 2 },
	{ "rdmsr", "\x0f\x32", 2 },
	{ "wrmsr", "\x0f\x30", 2 },
	{ "clts", "\x0f\x06", 2 },
	{ "invd", "\x0f\x08", 2 },
	{ "wbinvd", "\x0f\x09", 2 },
	{ "mov cr0, rax", "\x0f\x20\xc0", 3 },
	{ "mov rax, cr0", "\x0f\x22\xc0", 3 },
	{ "mov cr2, rax", "\x0f\x20\xd0", 3 },
	{ "mov rax, cr3", "\x0f\x22\xd8", 3 },
	{ "mov rax, cr4", "\x0f\x22\xe0", 3 },
	{ "mov rax, cr8", "\x44\x0f\x22\xc0", 4 },
	{ "mov dr7, rax", "\x0f\x21\xf8", 3 },
	{ "mov rax, dr7", "\x0f\x23\xf8", 3 },
	{ "lgdt", "\x0f\x01\x14\x24", 4 },
	{ "lidt", "\x0f\x01\x1c\x24", 4 },
	{ "lldt", "\x0f\x00\xd0", 3 },
	{ "ltr", "\x0f\x00\xd8", 3 },
	{ "lmsw", "\x0f\x01\xf0", 3 },
	{ "invlpg", "\x0f\x01\x3c\x24", 4 },
	{ "stac", "\x0f\x01\xcb", 3 },
	{ "clac", "\x0f\x01\xca", 3 },
	{ "xsetbv", "\x0f\x01\xd1", 3 },
	{ "monitor", "\x0f\x01\xc8", 3 },
};

static void instructions(void)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < COUNT(privileged); i++) {
		int sig;

		run_bytes(privileged[i].bytes, privileged[i].len);
		sig = fate(jump, (unsigned long)code);
		if (sig != SIGSEGV && sig != SIGILL) {
			diag("%s: %d", privileged[i].name, sig);
			wrong++;
		}
	}
	is(wrong, 0, "%zu instructions that are the kernel's end the program", COUNT(privileged));
}

/* 3 is a breakpoint, and 0x80 is how 32-bit programs call Linux. */
static void vectors(void)
{
	unsigned wrong = 0;

	for (int v = 0; v < 256; v++) {
		char bytes[2] = { (char)0xcd, (char)v };
		int sig;

		if (v == 0x80)
			continue;
		run_bytes(bytes, 2);
		sig = fate(jump, (unsigned long)code);
		if (sig != (v == 3 ? SIGTRAP : SIGSEGV)) {
			diag("int 0x%x: %d", (unsigned)v, sig);
			wrong++;
		}
	}
	is(wrong, 0, "no interrupt vector is a program's but the breakpoint's");
}

/* --- the end of the program's half ------------------------------------------------------------------- */

/* SYSCALL as the last instruction there is room for: what comes back goes to an address that isn't there. */
static void last_syscall(unsigned long nr)
{
	char *last = mmap((void *)(TASK_SIZE - PAGE), PAGE, RW | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	memcpy(last + PAGE - 2, "\x0f\x05", 2);
	__asm__ volatile("jmp *%1" : : "a"(nr), "r"(last + PAGE - 2) : "rcx", "r11", "memory");
}

/* --- stacks --------------------------------------------------------------------------------------------- */

static void on_signal(int sig)
{
	(void)sig;
}

static void signal_on_stack(unsigned long sp)
{
	signal(SIGILL, on_signal);
	__asm__ volatile("mov %0, %%rsp\n\tud2" : : "r"(sp) : "memory");
}

static void alternate_stack(unsigned long sp)
{
	struct {
		unsigned long sp, flags, size;
	} stack = { sp, 0, 65536 };
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };

	if (syscall(SYS_sigaltstack, &stack, NULL))
		_exit(SIGSEGV);
	sigaction(SIGUSR1, &act, NULL);
	raise(SIGUSR1);
}

static void handler_at(unsigned long at)
{
	struct raw_sigaction act = { (void *)at, RESTORER_FLAG, (void *)on_signal, 0 };

	raw_sigaction(SIGUSR1, &act, NULL);
	raise(SIGUSR1);
}

static void restorer_at(unsigned long at)
{
	struct raw_sigaction act = { (void *)on_signal, RESTORER_FLAG, (void *)at, 0 };

	raw_sigaction(SIGUSR1, &act, NULL);
	raise(SIGUSR1);
}

/* A system call doesn't need the stack that it comes with. */
static void call_on_stack(unsigned long sp)
{
	long nr = SYS_getpid;

	__asm__ volatile("mov %%rsp, %%rbx\n\tmov %1, %%rsp\n\tsyscall\n\tmov %%rbx, %%rsp"
			 : "+a"(nr)
			 : "r"(sp)
			 : "rbx", "rcx", "r11", "memory");
	_exit(nr == getpid() ? 0 : 99);
}

static void stacks(void)
{
	static const struct {
		void (*fn)(unsigned long);
		int want;
		const char *what;
	} uses[] = {
		{ signal_on_stack, SIGILL, "a signal's frame" },
		{ alternate_stack, SIGSEGV, "an alternate stack" },
		{ handler_at, SIGSEGV, "a handler" },
		{ restorer_at, SIGSEGV, "a restorer" },
		{ call_on_stack, 0, "a stack during a call" },
	};

	for (size_t u = 0; u < COUNT(uses); u++) {
		unsigned wrong = 0;

		for (size_t i = 0; i < COUNT(kernel_addresses); i++) {
			int got = fate(uses[u].fn, kernel_addresses[i]);

			/* Without a place for the frame the signal is SIGSEGV. */
			if (got != uses[u].want && !(uses[u].want == SIGILL && got == SIGSEGV)) {
				diag("at %lx: %d", kernel_addresses[i], got);
				wrong++;
			}
		}
		is(wrong, 0, "%s in the kernel's half", uses[u].what);
	}
}

/* --- flags -------------------------------------------------------------------------------------------- */

static volatile sig_atomic_t handled;

static void skip_two(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig, (void)info;
	handled++;
	if (sig == SIGILL)
		uc->uc_mcontext.gregs[REG_RIP] += 2;
}

/* An invalid instruction, a breakpoint and a page fault with the flag set; and what is left of it. */
static unsigned long through_exceptions(unsigned long flag, char *untouched)
{
	unsigned long after;

	__asm__ volatile("sub $128, %%rsp\n\tpushf\n\torq %1, (%%rsp)\n\tpopf\n\t"
			 "ud2\n\tint3\n\tmovb $1, (%2)\n\t"
			 "pushf\n\tpop %0\n\tpush $0x202\n\tpopf\n\tadd $128, %%rsp"
			 : "=&r"(after)
			 : "r"(flag), "r"(untouched)
			 : "memory", "cc");
	return after;
}

static void flags(void)
{
	static const struct {
		unsigned long set, stays;
		const char *what;
	} cases[] = {
		{ FLAG_AC, FLAG_AC, "AC" }, { FLAG_DF, FLAG_DF, "DF" },
		{ FLAG_NT, FLAG_NT, "NT" }, { FLAG_ID, FLAG_ID, "ID" },
		{ FLAG_IOPL, 0, "IOPL" },   { FLAG_RF, 0, "RF" },
		{ 1 << 17, 0, "VM" },	    { 1 << 19 | 1 << 20, 0, "VIF and VIP" },
	};
	const unsigned long all =
		FLAG_AC | FLAG_DF | FLAG_NT | FLAG_ID | FLAG_IOPL | FLAG_RF | 7 << 17;
	char *p = (char *)fresh(COUNT(cases), RW);

	catch_with(SIGILL, skip_two, 0, 0);
	catch_with(SIGTRAP, skip_two, 0, 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		unsigned long after;

		handled = 0;
		after = through_exceptions(cases[i].set, p + i * PAGE);
		ok(handled == 2 && p[i * PAGE] == 1, "exceptions with %s set", cases[i].what);
		is(after & all & ~(FLAG_AC & ~cases[i].set), cases[i].stays, "and what is left");
	}
	signal(SIGILL, SIG_DFL);
	signal(SIGTRAP, SIG_DFL);
	raw_munmap((unsigned long)p, COUNT(cases) * PAGE);
}

/* --- segments ------------------------------------------------------------------------------------------ */

static void load_ds(unsigned long selector)
{
	__asm__ volatile("mov %0, %%ds\n\tmov %0, %%es" : : "r"((int)selector));
	getppid();
	sched_yield();
}

static void load_fs(unsigned long selector)
{
	long nr = SYS_getpid;

	__asm__ volatile("mov %1, %%fs\n\tmov %1, %%gs\n\tsyscall\n\tmov $60, %%eax\n\t"
			 "xor %%edi, %%edi\n\tsyscall"
			 : "+a"(nr)
			 : "r"((int)selector)
			 : "rcx", "r11", "rdi", "memory");
}

static void segments(void)
{
	static const struct {
		int selector, want;
	} cases[] = {
		{ 0, 0 },	   { 3, 0 },	      { 0x2b, 0 },	   { 0x2a, 0 },
		{ 0x33, 0 },	   { 0x08, SIGSEGV }, { 0x10, SIGSEGV },   { 0x18, SIGSEGV },
		{ 0x40, SIGSEGV }, { 0x0f, SIGSEGV }, { 0xfff8, SIGSEGV },
	};
	unsigned wrong = 0;

	for (size_t i = 0; i < COUNT(cases); i++) {
		int ds = fate(load_ds, cases[i].selector), fs = fate(load_fs, cases[i].selector);

		if (ds == cases[i].want && fs == cases[i].want)
			continue;
		diag("selector %x: %d and %d, not %d", (unsigned)cases[i].selector, ds, fs,
		     cases[i].want);
		wrong++;
	}
	is(wrong, 0,
	   "only a program's segments are loaded, and none of them matters to the kernel");
}

/* --- bases -------------------------------------------------------------------------------------------- */

#define HWCAP2_FSGSBASE 2

static unsigned long gs_base(void)
{
	unsigned long base;

	__asm__ volatile("rdgsbase %0" : "=r"(base));
	return base;
}

/* Calls, faults, signals, forks and turns of others with GS where the kernel has its own things. */
static void with_gs(unsigned long base)
{
	volatile char *p = (volatile char *)fresh(4, RW);
	int status = 0;
	pid_t pid;

	signal(SIGUSR1, on_signal);
	__asm__ volatile("wrgsbase %0" : : "r"(base));
	for (int i = 0; i < 4; i++) {
		p[i * PAGE] = 1;
		getppid();
		raise(SIGUSR1);
		sched_yield();
	}
	pid = fork();
	if (!pid)
		_exit(gs_base() == base ? 0 : 7);
	waitpid(pid, &status, 0);
	_exit(gs_base() == base && !status ? 0 : 8);
}

/* The fault comes with the base in place. */
static void fault_with_gs(unsigned long base)
{
	__asm__ volatile("wrgsbase %0\n\tmov %%gs:0, %%rax" : : "r"(base) : "rax");
}

static void bases(void)
{
	unsigned wrong = 0;

	if (!(getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE)) {
		skip("GS in the kernel's half", "no FSGSBASE in AT_HWCAP2");
		return;
	}
	for (size_t i = 0; i < COUNT(kernel_addresses); i++) {
		unsigned long at = kernel_addresses[i];
		/* An address that is none can't be a base, for a processor; QEMU takes it. */
		bool canonical = (at >> 47) == 0x1ffff || !(at >> 47);
		int used = fate(with_gs, at), followed = fate(fault_with_gs, at);

		if ((!used || (!canonical && used == SIGSEGV)) && followed == SIGSEGV)
			continue;
		diag("GS %lx: %d and %d", at, used, followed);
		wrong++;
	}
	is(wrong, 0, "GS in the kernel's half is the program's affair");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, NULL);
	code = (char *)fresh(1, RW);
	memory();
	data_is_no_code();
	instructions();
	vectors();
	is(fate(last_syscall, SYS_getpid), SIGSEGV, "a call as the last instruction of all");
	is(fate(last_syscall, 0xffff), SIGSEGV, "and one that doesn't exist");
	is(syscall(0x40000000 | SYS_getpid), -1, "a call of another ABI");
	stacks();
	flags();
	segments();
	bases();
	return done_testing();
}
