/* SPDX-License-Identifier: MIT */
/*
 * fuzz: random system calls with random arguments, most of them about memory, from several processes
 * and threads at once. It is the kernel that is tested: no call may harm it, whatever it is given.
 *
 *	fuzz [seed=1] [seconds=10] [round=1] [rounds=N]
 *
 * In each round three processes of two threads make calls, and so do the children that come of them.
 * What a thread asks for follows from the seed, the round and its number alone. When a round is over,
 * all processes are killed that are left of it, their files are removed, and the kernel must still
 * do what it is for. A process that can't be killed is a failure; a kernel that ends, too.
 *
 * The time only decides how many rounds there are.
 */
#include "fuzz_calls.h"
#include <dirent.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#define DIR_NAME  "/tmp/fuzz"
#define LIVE_NAME "/tmp/fuzz.live"

/* --- one call ----------------------------------------------------------------------------------- */

static void fuzz_ops(struct fuzzer *f, int ops);

/* What a child of fork or clone does, on whatever stack it has; f is its maker's. */
__attribute__((noreturn, used)) static void fuzz_child(struct fuzzer *maker)
{
	struct fuzzer f = *maker;

	f.depth++;
	f.random = (f.random ^ 0x5bd1e995) * 0x9e3779b97f4a7c15UL | 1;
	if (f.depth <= MAX_DEPTH)
		fuzz_ops(&f, CHILD_OPS);
	for (;;)
		raw(SYS_exit, 0);
}

/* A call that may return twice: the child never comes back from it. */
long call_making_child(long nr, const long *args, struct fuzzer *f);
__asm__(".pushsection .text\n"
	"call_making_child:\n\t"
	"push %rbx\n\t"
	"mov %rdx, %rbx\n\t"
	"mov %rdi, %rax\n\t"
	"mov %rsi, %r11\n\t"
	"mov (%r11), %rdi\n\t"
	"mov 8(%r11), %rsi\n\t"
	"mov 16(%r11), %rdx\n\t"
	"mov 24(%r11), %r10\n\t"
	"mov 32(%r11), %r8\n\t"
	"mov 40(%r11), %r9\n\t"
	"syscall\n\t"
	"test %rax, %rax\n\t"
	"jz 1f\n\t"
	"pop %rbx\n\t"
	"ret\n"
	"1:\t"
	"mov %rbx, %rdi\n\t"
	"and $-16, %rsp\n\t"
	"call fuzz_child\n"
	".popsection\n");

static void note_shm(long nr, long ret)
{
	if (nr == SYS_shmget && ret >= 0)
		shared->shm_ids[__atomic_fetch_add(&shared->next_shm, 1, __ATOMIC_SEQ_CST) % 8] =
			ret;
}

static void one_call(struct fuzzer *f)
{
	struct record *record = &f->log->records[f->log->ops % RECORDS];
	long nr, args[6] = { 0 }, ret;
	const char *kinds = choose(f, &nr);

	f->careful = chance(f, 65);
	for (int i = 0; i < 6 && kinds[i]; i++)
		args[i] = argument(f, kinds[i]);
	if (!f->careful && chance(f, 3))
		args[below(f, 6)] = random64(f);
	if (forbidden(f, nr, args))
		return;
	record->nr = nr;
	memcpy(record->args, args, sizeof(args));
	record->result = 1; /* it is being made */
	f->log->ops++;
	if (makes_child(nr))
		ret = call_making_child(nr, args, f);
	else
		ret = raw6(nr, args[0], args[1], args[2], args[3], args[4], args[5]);
	record->result = ret;
	note_shm(nr, ret);
	if (nr >= 0 && nr < NR_COUNTED)
		__atomic_add_fetch(&shared->counts[nr][is_error(ret)], 1, __ATOMIC_RELAXED);
}

static void touch_one(struct fuzzer *f)
{
	volatile unsigned long *at = (void *)(window_address(f) & -8UL);
	unsigned long value;

	switch (below(f, 4)) {
	case 0:
		probe_load(at, &value);
		break;
	case 1:
		probe_add(at, 1);
		break;
	case 2:
		probe_store((void *)any_address(f), 0);
		break;
	default:
		probe_store(at, random64(f));
	}
}

static void wake_only(int sig)
{
	(void)sig;
}

/* Handlers, masks and timers may have been changed: without them a thread could sleep for ever. */
static void be_awake(void)
{
	static const unsigned long every_10_ms[] = { 0, 10000, 0, 10000 };
	unsigned long mask = 0;

	catch_probes();
	set_plain(SIGALRM, wake_only);
	set_plain(SIGUSR1, wake_only);
	raw(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8);
	raw(SYS_setitimer, ITIMER_REAL, every_10_ms, NULL);
}

static void fuzz_ops(struct fuzzer *f, int ops)
{
	for (int i = 0; i < ops; i++) {
		if (i % 32 == 0)
			be_awake();
		if (chance(f, 30))
			touch_one(f);
		else
			one_call(f);
	}
}

/* --- a worker ------------------------------------------------------------------------------------- */

static void open_files(void)
{
	static const char *const paths[] = { "a",
					     "a",
					     "b",
					     ".",
					     "/dev/zero",
					     "/proc/self/maps",
					     "/proc/self/mem",
					     "/proc/self/pagemap",
					     "fifo" };
	static const int modes[] = { O_RDWR | O_CREAT, O_RDONLY, O_RDWR | O_CREAT,
				     O_RDONLY,	       O_RDWR,	 O_RDONLY,
				     O_RDWR,	       O_RDONLY, O_RDWR | O_NONBLOCK };
	int pair[2], fd = FIRST_FD;

	for (int i = 0; i < 3; i++)
		raw(SYS_dup2, raw(SYS_open, "/dev/null", O_RDWR), i);
	raw(SYS_close_range, FIRST_FD, -1U, 0);
	raw(SYS_mknod, "fifo", S_IFIFO | 0600, 0);
	raw(SYS_mkdir, "d", 0700);
	for (size_t i = 0; i < COUNT(paths); i++)
		raw(SYS_open, paths[i], modes[i], 0600);
	raw(SYS_memfd_create, "fuzz", MFD_ALLOW_SEALING);
	raw(SYS_pipe2, pair, O_NONBLOCK);
	for (int kind = 1; kind <= 2; kind++)
		raw(SYS_socketpair, AF_UNIX, kind, 0, pair);
	raw(SYS_ftruncate, fd, 10 * PAGE);
	raw(SYS_ftruncate, fd + 2, 3 * PAGE + 100);
}

/* So much at most that the machine's memory is enough for all. */
static void set_limits(void)
{
	static const struct {
		int resource;
		unsigned long value;
	} limits[] = { { RLIMIT_AS, 24UL << 20 },
		       { RLIMIT_FSIZE, 1UL << 20 },
		       { RLIMIT_NPROC, 40 },
		       { RLIMIT_NOFILE, 64 } };

	for (size_t i = 0; i < COUNT(limits); i++) {
		unsigned long value[2] = { limits[i].value, limits[i].value };

		raw(SYS_prlimit64, 0, limits[i].resource, value, NULL);
	}
	raw(SYS_rt_sigaction, SIGXFSZ, &(struct raw_sigaction){ .handler = SIG_IGN }, NULL, 8);
}

/* All that root may do, but for what would end the machine, or open the limits again. */
static void drop_capabilities(void)
{
	unsigned int header[2] = { 0x20080522, 0 }, data[6];

	if (raw(SYS_capget, header, data))
		return;
	for (int i = 0; i < 3; i++)
		data[i] &= ~(1U << 22 | 1U << 24); /* CAP_SYS_BOOT, CAP_SYS_RESOURCE */
	raw(SYS_capset, header, data);
}

static void map_fixed(unsigned long at, unsigned long pages)
{
	raw(SYS_mmap, at, pages * PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static int fuzz_thread(void *arg)
{
	fuzz_ops(arg, ROUND_OPS);
	return 0;
}

static int worker(void *arg)
{
	static struct fuzzer fuzzers[THREADS];
	static struct thread threads[THREADS];
	int slot = (long)arg;

	raw(SYS_setsid);
	if (raw(SYS_chdir, DIR_NAME))
		return 2;
	set_limits();
	drop_capabilities();
	open_files();
	map_fixed(SCRATCH, SCRATCH_PAGES);
	map_fixed(STACKS, (NR_STACKS + 1) * STACK_SIZE / PAGE);
	be_awake();
	seed = shared->seed;
	for (int i = 0; i < THREADS; i++) {
		int number = slot * THREADS + i;

		fuzzers[i].random = random_start(shared->round * SLOTS * THREADS + number);
		fuzzers[i].log = &shared->logs[number];
		random64(&fuzzers[i]);
	}
	for (int i = 1; i < THREADS; i++)
		thread_start(&threads[i], fuzz_thread, &fuzzers[i]);
	fuzz_thread(&fuzzers[0]);
	for (int i = 1; i < THREADS; i++)
		thread_join(&threads[i]);
	return 0;
}

/* --- the one who watches --------------------------------------------------------------------------- */

static unsigned long processes;
static long complaints_here;

#define wrong(...) (complaints_here++, tell("complaint: " __VA_ARGS__))

static unsigned long total_ops(void)
{
	unsigned long sum = 0;

	for (int i = 0; i < SLOTS * THREADS; i++)
		sum += shared->logs[i].ops;
	return sum;
}

static void sleep_ms(long ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	raw(SYS_nanosleep, &time, NULL);
}

/* Takes leave of whoever has ended. Whether nobody is left. */
static bool reap(void)
{
	long pid;
	int status;

	while ((pid = raw(SYS_wait4, -1, &status, WNOHANG | __WALL, NULL)) > 0)
		processes++;
	return pid == -ECHILD;
}

/* The fourth word of /proc/PID/stat, behind the name. */
static int parent_of(int pid)
{
	char path[40], text[512], *at;
	int fd, parent = 0;
	long n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = raw(SYS_open, path, O_RDONLY);
	n = raw(SYS_read, fd, text, sizeof(text) - 1);
	raw(SYS_close, fd);
	text[n > 0 ? n : 0] = '\0';
	at = strrchr(text, ')');
	if (at)
		parent = atoi(at + 4);
	return parent;
}

static void protect_ancestors(void)
{
	int pid = my_pid();

	for (size_t i = 0; i < COUNT(shared->protected) && pid > 0; i++) {
		shared->protected[i] = pid;
		pid = parent_of(pid);
	}
}

/* Everybody but those who run this. */
static void kill_all(void)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir)) != NULL) {
		int pid = atoi(entry->d_name);

		if (pid > 0 && !is_protected(pid))
			raw(SYS_kill, pid, SIGKILL);
	}
	closedir(dir);
}

static void show_last_calls(void)
{
	for (int i = 0; i < SLOTS * THREADS; i++) {
		struct log *log = &shared->logs[i];

		for (unsigned long k = log->ops > 4 ? log->ops - 4 : 0; k < log->ops; k++) {
			struct record *r = &log->records[k % RECORDS];

			tell("thread %d: %s(0x%lx, 0x%lx, 0x%lx, 0x%lx, 0x%lx, 0x%lx) = %ld", i,
			     name_of(r->nr), r->args[0], r->args[1], r->args[2], r->args[3],
			     r->args[4], r->args[5], r->result);
		}
	}
}

/* All that a round started must end when it is killed, whatever it was doing. */
static bool end_all(void)
{
	unsigned long patience = now_ms() + 60000;

	while (!reap()) {
		kill_all();
		if (now_ms() > patience) {
			wrong("somebody can't be killed in round %lu", shared->round);
			show_last_calls();
			return false;
		}
		sleep_ms(2);
	}
	return true;
}

static void remove_tree(int at, const char *name)
{
	struct dirent *entry;
	int fd;
	DIR *dir;

	for (int i = 0; i < 8 && umount2(name, MNT_DETACH) == 0; i++)
		;
	if (unlinkat(at, name, 0) == 0)
		return;
	fchmodat(at, name, 0700, 0);
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			remove_tree(fd, entry->d_name);
	closedir(dir);
	unlinkat(at, name, AT_REMOVEDIR);
}

/* Where files may come to be: beside DIR_NAME also by random names, and by links that lead out of it. */
static const char *const places[] = { "/", "/tmp", "/dev/shm" };
static char *known[64]; /* what was there before, with the place */
static int nr_known;

static bool is_known(const char *path)
{
	for (int i = 0; i < nr_known; i++)
		if (!strcmp(known[i], path))
			return true;
	return false;
}

/* Calls fn with the path of all that is in the places and isn't known. */
static void for_unknown(void (*fn)(const char *path))
{
	char path[512];

	for (size_t i = 0; i < COUNT(places); i++) {
		DIR *dir = opendir(places[i]);
		struct dirent *entry;

		while (dir && (entry = readdir(dir)) != NULL) {
			if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
				continue;
			snprintf(path, sizeof(path), "%s/%s", places[i], entry->d_name);
			if (!is_known(path))
				fn(path);
		}
		if (dir)
			closedir(dir);
	}
}

static void remember(const char *path)
{
	/* What isn't remembered would be removed. */
	if (nr_known == (int)COUNT(known)) {
		tell("more than %d files in the way: no place for this", nr_known);
		exit(1);
	}
	known[nr_known++] = strdup(path);
}

static void remove_unknown(const char *path)
{
	remove_tree(AT_FDCWD, path);
}

static void remove_files(void)
{
	for_unknown(remove_unknown);
}

static void remove_shm(void)
{
	struct shm_info info;
	struct shmid_ds ds;
	long last = raw(SYS_shmctl, 0, SHM_INFO, &info);

	for (long i = 0; i <= last; i++) {
		long id = raw(SYS_shmctl, i, 15 /* SHM_STAT_ANY */, &ds);

		if (id >= 0)
			raw(SYS_shmctl, id, IPC_RMID, NULL);
	}
}

/* Memory, a file and a process, as always. */
static int live(void *arg)
{
	char *p = (char *)raw(SYS_mmap, 0, 20 * PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd;

	(void)arg;
	if (is_error((long)p))
		return 1;
	for (int i = 0; i < 20; i++)
		p[i * PAGE] = i;
	fd = raw(SYS_open, LIVE_NAME, O_RDWR | O_CREAT, 0600);
	if (raw(SYS_write, fd, p, 20 * PAGE) != 20 * PAGE)
		return 2;
	p = (char *)raw(SYS_mmap, 0, 20 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	for (int i = 0; i < 20; i++)
		if (is_error((long)p) || p[i * PAGE] != i)
			return 3;
	return 7;
}

static bool kernel_lives(void)
{
	int status = 0;
	long pid = fork_child(live, NULL);

	while (pid > 0 && raw(SYS_wait4, pid, &status, 0, NULL) == -EINTR)
		;
	if (pid > 0 && status == 7 << 8)
		return true;
	wrong("after round %lu the kernel doesn't: pid %ld, status 0x%x", shared->round, pid,
	      status);
	return false;
}

static bool run_round(void)
{
	unsigned long before = 0, idle_since = now_ms();

	remove_files();
	raw(SYS_mkdir, DIR_NAME, 0700);
	memset(shared->logs, 0, sizeof(shared->logs));
	for (long slot = 0; slot < SLOTS; slot++)
		if (fork_child(worker, (void *)slot) < 0)
			wrong("no process for round %lu", shared->round);
	/* Until they have ended, or do nothing any more. */
	while (!reap() && now_ms() - idle_since < 300) {
		if (total_ops() != before)
			idle_since = now_ms();
		before = total_ops();
		sleep_ms(2);
	}
	if (!end_all())
		return false;
	remove_shm();
	return kernel_lives();
}

static void say_summary(unsigned long rounds)
{
	unsigned long good = 0, bad = 0, succeeded = 0, failed = 0, both = 0;

	for (size_t i = 0; i < NR_COUNTED; i++) {
		good += shared->counts[i][0];
		bad += shared->counts[i][1];
		succeeded += shared->counts[i][0] != 0;
		failed += shared->counts[i][1] != 0;
		both += shared->counts[i][0] && shared->counts[i][1];
	}
	tell("%lu of %lu calls succeeded; %lu kinds of calls have, %lu have failed, %lu both", good,
	     good + bad, succeeded, failed, both);
	tell("%lu rounds, %lu calls by %lu processes, %ld complaints", rounds, good + bad,
	     processes, complaints_here);
}

static unsigned long option_of(int argc, char **argv, const char *name, unsigned long otherwise)
{
	size_t len = strlen(name);

	for (int i = 1; i < argc; i++)
		if (strncmp(argv[i], name, len) == 0 && argv[i][len] == '=')
			return strtoul(argv[i] + len + 1, NULL, 10);
	return otherwise;
}

static bool prepare(int argc, char **argv)
{
	long at = raw(SYS_mmap, SHARED_AT, (sizeof(*shared) + PAGE - 1) & -PAGE,
		      PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	if (is_error(at)) {
		tell("no shared memory: error %ld", -at);
		return false;
	}
	shared->seed = option_of(argc, argv, "seed", 1);
	shared->round = option_of(argc, argv, "round", 1);
	protect_ancestors();
	/* Nothing that names everybody of a user may end this. */
	for (int sig = 1; sig < 65; sig++)
		if (sig != SIGCHLD)
			raw(SYS_rt_sigaction, sig, &(struct raw_sigaction){ .handler = SIG_IGN },
			    NULL, 8);
	raw(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1);
	return true;
}

int main(int argc, char **argv)
{
	unsigned long seconds = option_of(argc, argv, "seconds", 10);
	unsigned long rounds = option_of(argc, argv, "rounds", -1UL), done = 0, start = now_ms();

	if (!prepare(argc, argv))
		return 1;
	for_unknown(remember);
	tell("seed %lu, user %ld", shared->seed, raw(SYS_getuid));
	while (done < rounds && now_ms() - start < seconds * 1000) {
		tell("round %lu", shared->round);
		if (!run_round())
			break;
		done++;
		shared->round++;
	}
	remove_files();
	say_summary(done);
	return complaints_here != 0;
}
