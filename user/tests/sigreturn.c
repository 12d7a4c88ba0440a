/* SPDX-License-Identifier: MIT */
/*
 * The frame a handler gets, and the way back: all registers as they were or as the handler changed
 * them, and nothing that a program must not have.
 */
#include "signals.h"

#define FLAG_TF 0x100UL
#define FLAG_IF 0x200UL
#define FLAG_DF 0x400UL
#define FLAG_AC 0x40000UL

/* Registers in the order of gregs, but for rsp, rip and those after it. */
unsigned long before[16], after[16]; /* not static: assembly names them */
extern char trap_here[], trap_after[];

/*
 * Loads every register from before[], traps, and stores them all in after[]. The stack pointer has its
 * place in memory meanwhile; what lies below it is the red zone.
 */
unsigned long saved_rsp, red_in = 0x1122334455667788, red_out, flags_out;

__attribute__((noinline, noclone)) static void all_registers(void)
{
	__asm__ volatile(
		"push %%rbx\n\tpush %%rbp\n\tpush %%r12\n\tpush %%r13\n\tpush %%r14\n\tpush %%r15\n\t"
		"mov %%rsp, saved_rsp(%%rip)\n\t"
		"sub $1024, %%rsp\n\t"
		"mov red_in(%%rip), %%rax\n\tmov %%rax, -8(%%rsp)\n\tmov %%rax, -128(%%rsp)\n\t"
		"mov before+0(%%rip), %%r8\n\tmov before+8(%%rip), %%r9\n\t"
		"mov before+16(%%rip), %%r10\n\tmov before+24(%%rip), %%r11\n\t"
		"mov before+32(%%rip), %%r12\n\tmov before+40(%%rip), %%r13\n\t"
		"mov before+48(%%rip), %%r14\n\tmov before+56(%%rip), %%r15\n\t"
		"mov before+64(%%rip), %%rdi\n\tmov before+72(%%rip), %%rsi\n\t"
		"mov before+80(%%rip), %%rbp\n\tmov before+88(%%rip), %%rbx\n\t"
		"mov before+96(%%rip), %%rdx\n\tmov before+104(%%rip), %%rax\n\t"
		"mov before+112(%%rip), %%rcx\n\t"
		"std\n\tstc\n\t"
		".globl trap_here\ntrap_here:\tud2\n\t"
		".globl trap_after\ntrap_after:\t"
		"mov %%r8, after+0(%%rip)\n\tmov %%r9, after+8(%%rip)\n\t"
		"mov %%r10, after+16(%%rip)\n\tmov %%r11, after+24(%%rip)\n\t"
		"mov %%r12, after+32(%%rip)\n\tmov %%r13, after+40(%%rip)\n\t"
		"mov %%r14, after+48(%%rip)\n\tmov %%r15, after+56(%%rip)\n\t"
		"mov %%rdi, after+64(%%rip)\n\tmov %%rsi, after+72(%%rip)\n\t"
		"mov %%rbp, after+80(%%rip)\n\tmov %%rbx, after+88(%%rip)\n\t"
		"mov %%rdx, after+96(%%rip)\n\tmov %%rax, after+104(%%rip)\n\t"
		"mov %%rcx, after+112(%%rip)\n\t"
		"mov -8(%%rsp), %%rax\n\tmov -128(%%rsp), %%rdx\n\t"
		"cmp %%rax, %%rdx\n\tje 1f\n\txor %%eax, %%eax\n1:\tmov %%rax, red_out(%%rip)\n\t"
		"mov saved_rsp(%%rip), %%rsp\n\t"
		"pop %%r15\n\tpop %%r14\n\tpop %%r13\n\tpop %%r12\n\tpop %%rbp\n\tpop %%rbx\n\t"
		"pushf\n\tpop flags_out(%%rip)\n\tcld"
		:
		:
		: "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
}

unsigned long handler_flags, handler_sp, handler_return;
static const char *const names[] = { "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15",
				     "rdi", "rsi", "rbp", "rbx", "rdx", "rax", "rcx" };

static void skip_ud2(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	note_signal(sig, info, context);
	uc->uc_mcontext.gregs[REG_RIP] += 2;
}

static void change_all(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	skip_ud2(sig, info, context);
	for (size_t i = 0; i < COUNT(names); i++)
		uc->uc_mcontext.gregs[i] = 0xabcd000000000000 + i;
}

static void registers(void)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < COUNT(names); i++)
		before[i] = 0x0101010101010101 * (i + 1);
	catch_with(SIGILL, skip_ud2, 0, 0);
	all_registers();
	for (size_t i = 0; i < COUNT(names); i++) {
		is(seen.gregs[i], before[i], "the handler sees %s", names[i]);
		is(after[i], before[i], "%s is as it was", names[i]);
	}
	is(seen.gregs[REG_RSP], saved_rsp - 1024, "the handler sees rsp");
	is(seen.gregs[REG_RIP], (unsigned long)trap_here, "and rip");
	is(seen.gregs[REG_CSGSFS] & 0xffff, 0x33, "cs");
	is(seen.gregs[REG_CSGSFS] >> 48, 0x2b, "ss");
	ok(seen.gregs[REG_EFL] & FLAG_DF, "the direction flag is in the saved flags");
	ok(seen.gregs[REG_EFL] & 1, "and carry");
	ok(seen.gregs[REG_EFL] & FLAG_IF, "and the interrupt flag");
	ok(flags_out & FLAG_DF, "it came back");
	is(red_out, red_in, "the red zone is untouched");

	catch_with(SIGILL, change_all, 0, 0);
	all_registers();
	for (size_t i = 0; i < COUNT(names); i++)
		wrong += after[i] != 0xabcd000000000000 + i;
	is(wrong, 0, "registers that the handler changed");
}

/* --- the frame ------------------------------------------------------------------------------- */

void look_at_entry(int sig, siginfo_t *info, void *context);

/* A handler in assembly: what C is called with. */
__asm__(".text\nentry_handler:\n\t"
	"mov %rsp, handler_sp(%rip)\n\t"
	"mov (%rsp), %rax\n\tmov %rax, handler_return(%rip)\n\t"
	"pushf\n\tpop handler_flags(%rip)\n\t"
	"jmp look_at_entry\n"
	"own_restorer:\n\tmov $15, %eax\n\tsyscall\n");
extern char entry_handler[], own_restorer[];

static unsigned long entry_fpstate, entry_mxcsr;
static unsigned entry_magic1, entry_magic2, entry_extended, entry_size;
static unsigned long entry_features, entry_present;

void look_at_entry(int sig, siginfo_t *info, void *context)
{
	const struct raw_frame *frame = (void *)((char *)context - 8);
	const char *fp = (const char *)frame->fpstate;
	unsigned mxcsr;

	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	entry_mxcsr = mxcsr;
	note_signal(sig, info, context);
	entry_fpstate = frame->fpstate;
	memcpy(&entry_magic1, fp + 464, 4);
	memcpy(&entry_extended, fp + 468, 4);
	memcpy(&entry_features, fp + 472, 8);
	memcpy(&entry_size, fp + 480, 4);
	if (frame->uc_flags & 1) {
		memcpy(&entry_magic2, fp + entry_size, 4);
		memcpy(&entry_present, fp + 512, 8);
	}
}

static bool has_xsave(void)
{
	unsigned a = 1, b, c = 0, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return c & (1u << 27);
}

static void frame_layout(void)
{
	struct raw_sigaction act = {
		.handler = entry_handler,
		.flags = SA_SIGINFO | RESTORER_FLAG,
		.restorer = own_restorer,
		.mask = BIT_OF(SIGUSR2),
	};
	unsigned odd = 0x1f80 | 3 << 13, usual = 0x1f80;

	block(BIT_OF(SIGTERM));
	is(raw_sigaction(SIGUSR1, &act, NULL), 0, "a handler of our own");
	__asm__ volatile("ldmxcsr %0" : : "m"(odd));
	send_self(SIGUSR1);
	__asm__ volatile("ldmxcsr %0" : : "m"(usual));
	unblock(BIT_OF(SIGTERM));
	is(handler_sp, seen.frame, "rsp points at the frame");
	is(handler_sp % 16, 8, "aligned as after a call");
	is(handler_return, (unsigned long)own_restorer, "the return address is sa_restorer");
	is(entry_fpstate % 64, 0, "fpstate is aligned to 64");
	ok(entry_fpstate >= seen.frame + sizeof(struct raw_frame), "and lies above the frame");
	ok(seen.gregs[REG_RSP] - entry_fpstate >= 512 + 128, "below the red zone");
	ok(!(handler_flags & (FLAG_DF | FLAG_TF)), "no direction flag in the handler");
	is(entry_mxcsr, 0x1f80, "the handler starts with fresh floating-point controls");
	is(seen.mask, BIT_OF(SIGTERM), "the mask is the old one");
	is(seen.gregs[REG_OLDMASK], BIT_OF(SIGTERM), "oldmask too");
	is(seen.gregs[REG_RAX], 0, "rax is kill's result");
	if (has_xsave()) {
		is(seen.flags, 7, "uc_flags: XSTATE, SS, STRICT_SS");
		is(entry_magic1, 0x46505853, "magic1");
		is(entry_magic2, 0x46505845, "magic2");
		is(entry_extended, entry_size + 4, "extended_size");
		is(entry_features & 3, 3, "x87 and SSE are there");
		is(entry_present & 3, 3, "and marked as present");
	} else {
		is(seen.flags, 6, "uc_flags: SS, STRICT_SS");
		is(entry_size, 512, "the size is FXSAVE's");
	}
}

/* --- what sigreturn takes ------------------------------------------------------------------------- */

/* What the next handler does to its frame. */
static unsigned long set_rip, set_rsp, clear_flags, set_flags, set_mask;
static int set_cs, set_ss;

static void tamper(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	struct raw_frame *frame = (void *)((char *)context - 8);

	note_signal(sig, info, context);
	if (set_rip)
		uc->uc_mcontext.gregs[REG_RIP] = set_rip;
	if (set_rsp)
		uc->uc_mcontext.gregs[REG_RSP] = set_rsp;
	uc->uc_mcontext.gregs[REG_EFL] &= ~clear_flags;
	uc->uc_mcontext.gregs[REG_EFL] |= set_flags;
	if (set_cs)
		memcpy((char *)&uc->uc_mcontext.gregs[REG_CSGSFS], &set_cs, 2);
	if (set_ss)
		memcpy((char *)&uc->uc_mcontext.gregs[REG_CSGSFS] + 6, &set_ss, 2);
	if (set_mask)
		frame->sigmask = set_mask;
}

/* The flags right after the signal; with AC among them not even C could be trusted to go on. */
static unsigned long flags_after(void)
{
	unsigned long flags, rax = SYS_kill;

	__asm__ volatile(
		"syscall\n\tlea -128(%%rsp), %%rsp\n\tpushf\n\tpop %1\n\tpush $0x202\n\tpopf\n\t"
		"add $128, %%rsp"
		: "+a"(rax), "=&r"(flags)
		: "D"((long)getpid()), "S"((long)SIGUSR1)
		: "rcx", "r11", "memory", "cc");
	return flags;
}

static void kernel_bits(void)
{
	catch_with(SIGUSR1, tamper, 0, 0);
	/* IF, IOPL, NT, VM, VIF, VIP are not the program's. */
	set_flags = 0x3000 | 1 << 14 | 1 << 17 | 1 << 19 | 1 << 20;
	clear_flags = FLAG_IF;
	is(flags_after() & (0x3000 | 1 << 14 | 1 << 17 | 1 << 19 | 1 << 20 | FLAG_IF), FLAG_IF,
	   "flags that are not the program's stay");
	set_flags = FLAG_AC;
	clear_flags = 0;
	ok(flags_after() & FLAG_AC, "AC is the program's");
	set_flags = FLAG_DF | 1;
	is(flags_after() & (FLAG_DF | FLAG_AC | 1), FLAG_DF | 1, "so are DF and carry");
	set_flags = 0;

	set_mask = BIT_OF(SIGUSR2) | BIT_OF(SIGKILL) | BIT_OF(SIGSTOP) | BIT_OF(40);
	send_self(SIGUSR1);
	is(blocked_now(), BIT_OF(SIGUSR2) | BIT_OF(40),
	   "the mask from the frame, but SIGKILL and SIGSTOP");
	set_mask = 0;
	unblock(~0UL);

	memset(&seen, 0, sizeof(seen));
	set_flags = FLAG_TF;
	catch_with(SIGTRAP, note_and_escape, 0, 0);
	if (!sigsetjmp(escape, 1))
		send_self(SIGUSR1);
	set_flags = 0;
	is(seen.signo, SIGTRAP, "TF from the frame steps");
	is(seen.code, TRAP_TRACE, "one instruction");
	is(seen.count, 2, "and the handler isn't stepped through");
}

/* The context comes back wrong, and the processor or the kernel refuses it. */
static void refused(const char *what, int sig, unsigned long trapno)
{
	memset(&seen, 0, sizeof(seen));
	if (!sigsetjmp(escape, 1))
		send_self(SIGUSR1);
	is(seen.signo, sig, "%s: the signal", what);
	is(seen.code, SI_KERNEL_CODE, "%s: SI_KERNEL", what);
	is(seen.addr, 0, "%s: si_addr 0", what);
	is(seen.gregs[REG_TRAPNO], trapno, "%s: trapno", what);
	set_rip = set_rsp = 0;
	set_cs = set_ss = 0;
}

static void bad_contexts(void)
{
	catch_with(SIGSEGV, note_and_escape, SA_ONSTACK, 0);
	set_rip = 0x0000800000000000;
	refused("rip not canonical", SIGSEGV, 13);
	set_rip = 0xdead000000000000;
	refused("rip nowhere near", SIGSEGV, 13);
	set_cs = 0x10;
	refused("the kernel's code segment", SIGSEGV, 13);
	set_cs = 0xfff8;
	refused("a code segment beyond the table", SIGSEGV, 13);
	set_cs = 0x2b;
	refused("a data segment for code", SIGSEGV, 13);
	set_ss = 0x18;
	refused("the kernel's stack segment", SIGSEGV, 13);
	set_ss = 0x33;
	refused("a code segment for the stack", SIGSEGV, 13);
	set_ss = 0xfff8;
	refused("a stack segment beyond the table", SIGSEGV, 13);

	memset(&seen, 0, sizeof(seen));
	set_rip = 0xffffffff81000000;
	if (!sigsetjmp(escape, 1))
		send_self(SIGUSR1);
	set_rip = 0;
	is(seen.signo, SIGSEGV, "rip in the kernel: SIGSEGV");
	is(seen.code, SEGV_MAPERR, "rip in the kernel: nothing is there");
	is(seen.gregs[REG_RIP], 0xffffffff81000000, "rip in the kernel: rip");
	is(seen.gregs[REG_ERR], 0x15, "rip in the kernel: a fetch in user mode");
}

/* rt_sigreturn from nowhere: the frame is wherever rsp points. */
static int sigreturn_at(unsigned long sp)
{
	__asm__ volatile("mov %0, %%rsp\n\tmov $15, %%eax\n\tsyscall" : : "r"(sp) : "memory");
	return 1;
}

static int unmapped_mode(int argc, char **argv)
{
	(void)argc, (void)argv;
	return sigreturn_at(0x1008);
}

static int kernel_mode(int argc, char **argv)
{
	(void)argc, (void)argv;
	return sigreturn_at(0xffff888000000008);
}

static int noncanonical_mode(int argc, char **argv)
{
	(void)argc, (void)argv;
	return sigreturn_at(0x0123456789abcdef);
}

static int last_page_mode(int argc, char **argv)
{
	(void)argc, (void)argv;
	return sigreturn_at(TASK_SIZE - 100);
}

/* All ones: no address, no flag, no segment is right. */
static int ones_mode(int argc, char **argv)
{
	char *p = (char *)fresh(2, RW);

	(void)argc, (void)argv;
	memset(p, 0xff, 2 * PAGE);
	return sigreturn_at((unsigned long)p + 64);
}

/* All zeros: registers zero, fpstate NULL, cs 3: IRETQ refuses. The handler finds what was asked for. */
static int zeros_mode(int argc, char **argv)
{
	char *p = (char *)fresh(2, RW);

	(void)argc, (void)argv;
	return sigreturn_at((unsigned long)p + 64);
}

/* A frame made by hand works as well as the kernel's. */
static int handmade_mode(int argc, char **argv)
{
	char *p = (char *)fresh(2, RW);
	struct raw_frame *frame = (void *)(p + 64 - 8);

	(void)argc, (void)argv;
	frame->uc_flags = 6;
	frame->gregs[REG_RIP] = (unsigned long)_exit;
	frame->gregs[REG_RDI] = 42;
	frame->gregs[REG_RSP] = (unsigned long)p + 2 * PAGE - 8;
	frame->gregs[REG_CSGSFS] = 0x33 | 0x2bUL << 48;
	frame->stack_flags = SS_DISABLE;
	return sigreturn_at((unsigned long)p + 64);
}

/* Without UC_STRICT_RESTORE_SS the kernel repairs ss. */
static int loose_ss_mode(int argc, char **argv)
{
	char *p = (char *)fresh(2, RW);
	struct raw_frame *frame = (void *)(p + 64 - 8);

	(void)argc, (void)argv;
	frame->gregs[REG_RIP] = (unsigned long)_exit;
	frame->gregs[REG_RDI] = 42;
	frame->gregs[REG_RSP] = (unsigned long)p + 2 * PAGE - 8;
	frame->gregs[REG_CSGSFS] = 0x33;
	return sigreturn_at((unsigned long)p + 64);
}

static const struct mode modes[] = {
	{ "unmapped", unmapped_mode },
	{ "kernel", kernel_mode },
	{ "noncanonical", noncanonical_mode },
	{ "last-page", last_page_mode },
	{ "ones", ones_mode },
	{ "zeros", zeros_mode },
	{ "handmade", handmade_mode },
	{ "loose-ss", loose_ss_mode },
	{ NULL, NULL },
};

/* rax of an interrupted computation may look like any error. */
static void odd_results(void)
{
	static const long odd[] = { -512, -513, -514, -516, -4 };
	unsigned wrong = 0;

	catch_with(SIGILL, skip_ud2, 0, 0);
	for (size_t i = 0; i < COUNT(odd); i++) {
		before[13] = odd[i];
		all_registers();
		wrong += after[13] != (unsigned long)odd[i];
	}
	is(wrong, 0, "rax isn't taken for a system call's result after an exception");
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	registers();
	odd_results();
	frame_layout();
	kernel_bits();
	bad_contexts();
	dies("unmapped", SIGSEGV, "sigreturn from an unmapped stack");
	dies("kernel", SIGSEGV, "from the kernel's memory");
	dies("noncanonical", SIGSEGV, "from an address that is none");
	dies("last-page", SIGSEGV, "across the end of user space");
	dies("ones", SIGSEGV, "from a frame of all ones");
	dies("zeros", SIGSEGV, "from a frame of zeros");
	exits("handmade", 42, "from a frame made by hand");
	exits("loose-ss", 42, "ss is repaired unless it is to be strict");
	return done_testing();
}
