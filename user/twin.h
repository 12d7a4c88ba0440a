/* SPDX-License-Identifier: MIT */
/*
 * twin.h: what the parts of twin share: the region in which everything happens, random numbers,
 * the text that is compared, and the calls with what they count.
 */
#ifndef USER_TWIN_H
#define USER_TWIN_H

#include "common.h"
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define PAGE	  4096UL
#define TASK_SIZE 0x7ffffffff000UL

/*
 * The region, in pages from its start. Most happens in the near part, so that areas meet; stacks
 * have a part where they can grow; the big part has room for whole page tables to move in.
 */
#define REGION	     0x200000000000UL
#define NEAR_PAGES   96
#define STACK_FROM   1024
#define STACK_PAGES  1024
#define BIG_FROM     4096
#define BIG_PAGES    (20 * 512)
#define REGION_PAGES 16384

/* Linux's numbers that an older C library doesn't name. */
#define REMAP_MAYMOVE	1
#define REMAP_FIXED	2
#define REMAP_DONTUNMAP 4
#define LOCK_ONFAULT	1

/* How far RLIMIT_MEMLOCK is open, in pages, as long as no operation narrows it. */
#define MEMLOCK_PAGES 1500

enum call {
	C_MMAP,
	C_MUNMAP,
	C_MPROTECT,
	C_MREMAP,
	C_MLOCK,
	C_MLOCK2,
	C_MUNLOCK,
	C_MLOCKALL,
	C_MUNLOCKALL,
	C_MADVISE,
	C_MINCORE,
	C_MSYNC,
	C_BRK,
	C_WRITE,
	C_READ,
	C_KWRITE,
	C_KREAD,
	C_SETLIMIT,
	C_FORK,
	C_FTRUNCATE,
	C_FALLOCATE,
	C_PREAD,
	C_PWRITE,
	C_FSYNC,
	C_REPLACE,
	C_MEMREAD,
	C_MEMWRITE,
	C_REMAP,
	C_SEAL,
	C_COPY,
	C_SHMGET,
	C_SHMAT,
	C_SHMDT,
	C_SHMCTL,
	C_VMREAD,
	C_VMWRITE,
	C_PERSONA,
	CALLS,
};

static const char *const call_names[CALLS] = {
	"mmap",	    "munmap",	  "mprotect", "mremap",	  "mlock",   "mlock2",	  "munlock",
	"mlockall", "munlockall", "madvise",  "mincore",  "msync",   "brk",	  "write",
	"read",	    "kwrite",	  "kread",    "setlimit", "fork",    "ftruncate", "fallocate",
	"pread",    "pwrite",	  "fsync",    "replace",  "memread", "memwrite",  "remap",
	"seal",	    "copy",	  "shmget",   "shmat",	  "shmdt",   "shmctl",	  "vmread",
	"vmwrite",  "persona",
};

/* Results are errno values; three more for what isn't a call's error. */
#define R_KEPT	132 /* brk left the break where it was */
#define R_FAULT 133 /* an access ended in SIGSEGV */
#define R_BUS	134 /* or in SIGBUS */
#define RESULTS 135

static uint32_t counts[CALLS][RESULTS];

static const struct {
	int value;
	const char *name;
} result_names[] = {
	{ 0, "ok" },
	{ EPERM, "EPERM" },
	{ ENOENT, "ENOENT" },
	{ EBADF, "EBADF" },
	{ EAGAIN, "EAGAIN" },
	{ ENOMEM, "ENOMEM" },
	{ EACCES, "EACCES" },
	{ EFAULT, "EFAULT" },
	{ EBUSY, "EBUSY" },
	{ EEXIST, "EEXIST" },
	{ ENODEV, "ENODEV" },
	{ EINVAL, "EINVAL" },
	{ ENOSYS, "ENOSYS" },
	{ EFBIG, "EFBIG" },
	{ EXDEV, "EXDEV" },
	{ ETXTBSY, "ETXTBSY" },
	{ EIO, "EIO" },
	{ ESPIPE, "ESPIPE" },
	{ EOVERFLOW, "EOVERFLOW" },
	{ EOPNOTSUPP, "EOPNOTSUPP" },
	{ EIDRM, "EIDRM" },
	{ R_KEPT, "kept" },
	{ R_FAULT, "fault" },
	{ R_BUS, "bus" },
};

static const char *result_name(int value)
{
	static char text[16];

	for (size_t i = 0; i < sizeof(result_names) / sizeof(result_names[0]); i++)
		if (result_names[i].value == value)
			return result_names[i].name;
	snprintf(text, sizeof(text), "E%d", value);
	return text;
}

/* --- random numbers: splitmix64, one stream per seed ------------------------------------------ */

static uint64_t random_state;

static uint64_t random64(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* 0 … below - 1 */
static unsigned long below(unsigned long limit)
{
	return random64() % limit;
}

/* True in that many of a hundred cases. */
static bool chance(unsigned int percent)
{
	return below(100) < percent;
}

/* --- the text, and its hash ------------------------------------------------------------------- */

#define HASH_START 0xcbf29ce484222325

static uint64_t text_hash = HASH_START;
static bool print_text;

/* FNV-1a. */
static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *b = bytes;

	while (len--)
		hash = (hash ^ *b++) * 0x100000001b3;
	return hash;
}

static uint64_t hash_number(uint64_t hash, uint64_t number)
{
	return (hash ^ number) * 0x9e3779b97f4a7c15 ^ hash >> 29;
}

/* One piece of what both kernels must print alike. */
static void emit(const char *text, size_t len)
{
	text_hash = hash_bytes(text_hash, text, len);
	if (print_text)
		write_all(text, len);
}

/* --- one operation ---------------------------------------------------------------------------- */

static struct {
	enum call call;
	char text[256]; /* the call and its arguments */
	size_t used;
	int result;	/* an errno value, 0, R_KEPT, R_FAULT or R_BUS */
	char extra[64]; /* what else there is to say of the result */
	long faults;
} op;

__attribute__((format(printf, 1, 2))) static void say_op(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	op.used += vsnprintf(op.text + op.used, sizeof(op.text) - op.used, fmt, args);
	va_end(args);
	if (op.used >= sizeof(op.text))
		op.used = sizeof(op.text) - 1;
}

static void begin_op(enum call call)
{
	op.call = call;
	op.used = 0;
	op.result = 0;
	op.extra[0] = '\0';
	op.faults = 0;
	say_op("%s", call_names[call]);
}

static long minor_faults(void)
{
	static struct rusage usage;

	syscall(SYS_getrusage, RUSAGE_SELF, &usage);
	return usage.ru_minflt;
}

/*
 * The system call with its minor faults; returns what it returned, or -errno. Each call goes
 * through here: the code of a call that runs for the first time doesn't fault then.
 */
__attribute__((noinline)) static long kernel(long nr, unsigned long a, unsigned long b,
					     unsigned long c, unsigned long d, unsigned long e,
					     unsigned long f)
{
	long before = minor_faults(), ret;
	/* After the call, which may use these registers. */
	register unsigned long r10 __asm__("r10") = d;
	register unsigned long r8 __asm__("r8") = e;
	register unsigned long r9 __asm__("r9") = f;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	op.faults = minor_faults() - before;
	op.result = ret < 0 && ret >= -4095 ? -ret : 0;
	return ret;
}

/* An address as text: pages from the region's start, and what is left in bytes. */
static void say_addr(unsigned long addr)
{
	if (addr >= REGION && addr < REGION + REGION_PAGES * PAGE) {
		say_op(" %lu", (addr - REGION) / PAGE);
		if (addr % PAGE)
			say_op(".%lu", addr % PAGE);
	} else {
		say_op(" 0x%lx", addr);
	}
}

static void say_range(unsigned long addr, unsigned long len)
{
	say_addr(addr);
	if (len % PAGE || len > REGION_PAGES * PAGE)
		say_op("+0x%lx", len);
	else
		say_op("+%lu", len / PAGE);
}

static void say_prot(unsigned long prot)
{
	say_op(" %c%c%c", prot & PROT_READ ? 'r' : '-', prot & PROT_WRITE ? 'w' : '-',
	       prot & PROT_EXEC ? 'x' : '-');
	if (prot & ~7UL)
		say_op("|0x%lx", prot & ~7UL);
}

#endif
