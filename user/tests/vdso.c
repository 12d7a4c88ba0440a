/* SPDX-License-Identifier: MIT */
/*
 * The vdso is a shared object that a C library can find and read, and its functions say what the system
 * calls of the same names say.
 */
#include "vdso.h"

#define ALTERNATIONS 100000

static const struct {
	int id;
	const char *name;
} clocks[] = {
	{ CLOCK_REALTIME, "CLOCK_REALTIME" },
	{ CLOCK_MONOTONIC, "CLOCK_MONOTONIC" },
	{ CLOCK_MONOTONIC_RAW, "CLOCK_MONOTONIC_RAW" },
	{ CLOCK_REALTIME_COARSE, "CLOCK_REALTIME_COARSE" },
	{ CLOCK_MONOTONIC_COARSE, "CLOCK_MONOTONIC_COARSE" },
	{ CLOCK_BOOTTIME, "CLOCK_BOOTTIME" },
	{ CLOCK_TAI, "CLOCK_TAI" },
	{ CLOCK_PROCESS_CPUTIME_ID, "CLOCK_PROCESS_CPUTIME_ID" },
	{ CLOCK_THREAD_CPUTIME_ID, "CLOCK_THREAD_CPUTIME_ID" },
	{ CLOCK_REALTIME_ALARM, "CLOCK_REALTIME_ALARM" },
	{ CLOCK_BOOTTIME_ALARM, "CLOCK_BOOTTIME_ALARM" },
};

static void shared_object(unsigned long base)
{
	static const char *const names[] = { "clock_gettime", "clock_getres", "gettimeofday",
					     "time", "getcpu" };
	const Elf64_Ehdr *e = (const Elf64_Ehdr *)base;
	struct vdso v;

	if (!ok(vdso_open(&v, base), "it is a shared object with symbols"))
		_exit(1);
	is(e->e_machine, EM_X86_64, "for this processor");
	is(v.load->p_offset, 0, "one segment holds it from its first byte");
	is(v.load->p_flags, PF_R | PF_X, "which can be read and executed");
	ok(v.load->p_memsz <= 2 * PAGE && v.load->p_memsz == v.load->p_filesz,
	   "in two pages, with nothing but what is in it");
	ok(v.unwind && v.unwind->p_memsz > 0, "it can be unwound by debuggers");
	is_str(v.soname, "linux-vdso.so.1", "it has a name");
	ok(v.versions && v.verdef, "its symbols have versions");
	ok(v.gnu_hash != NULL, "and hash tables of both kinds");
	for (size_t i = 0; i < COUNT(names); i++) {
		char name[32];

		snprintf(name, sizeof(name), "__vdso_%s", names[i]);
		ok(vdso_sym(&v, name) != NULL, "%s", name);
		ok(vdso_sym(&v, names[i]) == vdso_sym(&v, name), "%s is the same", names[i]);
	}
}

static void readings(void)
{
	long last = 0;
	bool good = true;

	for (size_t i = 0; i < COUNT(clocks); i++) {
		/* Not every machine has what an alarm needs. */
		if (sys_ns(clocks[i].id) < 0)
			is(vdso_ns(clocks[i].id), sys_ns(clocks[i].id), "%s: the same error",
			   clocks[i].name);
		else
			ok(vdso_agrees(clocks[i].id), "%s", clocks[i].name);
	}
	is(vdso_ns(10), -EINVAL, "clock 10: EINVAL");
	is(vdso_ns(99), -EINVAL, "clock 99: EINVAL");
	is(vdso_ns(1 << 30), -EINVAL, "clock 2^30: EINVAL");
	ok(vdso_agrees(~getpid() << 3 | 2), "the clock of a process's time");
	is(vdso_clock_gettime(CLOCK_PROCESS_CPUTIME_ID, (struct timespec *)8), -EFAULT,
	   "what the kernel must be asked for, to nowhere: EFAULT");

	for (int i = 0; i < ALTERNATIONS && good; i++) {
		long now = i & 1 ? sys_ns(CLOCK_MONOTONIC) : vdso_ns(CLOCK_MONOTONIC);

		good = now >= last;
		if (!good)
			diag("reading %d: %ld after %ld", i, now, last);
		last = now;
	}
	ok(good, "%d readings by vdso and system call in turn never go back", ALTERNATIONS);
	for (last = 0, good = true; last < 100000 && good; last++)
		good = vdso_ns(CLOCK_MONOTONIC_COARSE) <= vdso_ns(CLOCK_MONOTONIC);
	ok(good, "a coarse clock is never ahead");
}

static void resolutions(void)
{
	for (size_t i = 0; i < COUNT(clocks); i++) {
		struct timespec by_call = { 9, 9 }, by_vdso = { 8, 8 };
		long err = result(syscall(SYS_clock_getres, clocks[i].id, &by_call));

		is(vdso_clock_getres(clocks[i].id, &by_vdso), err, "clock_getres of %s",
		   clocks[i].name);
		ok(err || (by_call.tv_sec == by_vdso.tv_sec && by_call.tv_nsec == by_vdso.tv_nsec),
		   "is that of the system call");
	}
	is(vdso_clock_getres(CLOCK_MONOTONIC, NULL), 0, "to nobody");
	is(vdso_clock_getres(99, NULL), -EINVAL, "of no clock: EINVAL");
}

static void time_of_day(void)
{
	struct timezone zone = { 77, 77 }, zone_by_call = { 88, 88 };
	struct timeval tv = { 0, -1 };
	long before, after, now, t = -1;

	before = sys_ns(CLOCK_REALTIME) / 1000;
	is(vdso_gettimeofday(&tv, &zone), 0, "gettimeofday");
	after = sys_ns(CLOCK_REALTIME) / 1000;
	now = tv.tv_sec * 1000000 + tv.tv_usec;
	ok(before <= now && now <= after && tv.tv_usec < 1000000, "is CLOCK_REALTIME");
	syscall(SYS_gettimeofday, NULL, &zone_by_call);
	ok(zone.tz_minuteswest == zone_by_call.tz_minuteswest &&
		   zone.tz_dsttime == zone_by_call.tz_dsttime,
	   "in the time zone of the system call");
	is(vdso_gettimeofday(NULL, &zone), 0, "the zone alone");
	is(vdso_gettimeofday(&tv, NULL), 0, "the time alone");
	is(vdso_gettimeofday(NULL, NULL), 0, "neither");

	/* The system call's seconds may be those of the last tick. */
	before = syscall(SYS_time, NULL);
	now = vdso_time(&t);
	after = sys_ns(CLOCK_REALTIME) / 1000000000;
	ok(before <= now && now <= after, "time");
	is(t, now, "is also stored");
	ok(vdso_time(NULL) >= now, "or not");
}

static void processor(void)
{
	unsigned int cpu = 77, node = 77, cpu_by_call = 88, node_by_call = 88;

	/* On each processor in turn: a thread that may move could be on another one in the second call. */
	for (int i = 0; i < 64; i++) {
		unsigned long mask = 1UL << i;

		if (syscall(SYS_sched_setaffinity, 0, sizeof(mask), &mask) < 0)
			continue;
		is(vdso_getcpu(&cpu, &node, NULL), 0, "getcpu");
		syscall(SYS_getcpu, &cpu_by_call, &node_by_call, NULL);
		is(cpu, cpu_by_call, "the processor is that of the system call");
		is(cpu, i, "processor %d", i);
	}
	is(node, node_by_call, "the node is that of the system call");
	is(vdso_getcpu(NULL, &node, NULL), 0, "the node alone");
	is(vdso_getcpu(NULL, NULL, NULL), 0, "neither");
}

int main(int argc, char **argv, char **envp)
{
	const unsigned long base = getauxval(AT_SYSINFO_EHDR), *aux;
	struct area area;

	tap_start(argc, argv, NULL);
	while (*envp)
		envp++;
	aux = (const unsigned long *)(envp + 1);
	is(aux[0], AT_SYSINFO_EHDR, "the auxiliary vector begins with it");
	is(aux[1], base, "as getauxval says");
	ok(area_named("[vdso]", &area) && area.start == base, "it is where maps says");
	shared_object(base);
	if (!ok(vdso_bind(base), "all functions"))
		return done_testing();
	readings();
	resolutions();
	time_of_day();
	processor();
	return done_testing();
}
