/* SPDX-License-Identifier: MIT */
/* execve and wait4: arguments and auxiliary vector in, exit statuses out, and each refusal. */
#include "tap.h"
#include <elf.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

extern char **environ;
extern char _start[];

static char huge[33 * PAGE];

static char *const no_env[] = { NULL };

/* The auxiliary vector lies behind the environment that the kernel put on the stack. */
static unsigned long aux(unsigned long type, bool *found)
{
	char **end = environ;
	Elf64_auxv_t *entry;

	while (*end)
		end++;
	for (entry = (Elf64_auxv_t *)(end + 1); entry->a_type != AT_NULL; entry++)
		if (entry->a_type == type) {
			*found = true;
			return entry->a_un.a_val;
		}
	*found = false;
	return 0;
}

static unsigned long aux_value(unsigned long type)
{
	bool found;

	return aux(type, &found);
}

/* ---- children ---- */

static int exit_with(int argc, char **argv)
{
	return argc > 2 ? atoi(argv[2]) : 0;
}

static int exit_thread_call(int argc, char **argv)
{
	(void)argc, (void)argv;
	syscall(SYS_exit, 23);
	return 1;
}

static int die_by(int argc, char **argv)
{
	syscall(SYS_kill, getpid(), argc > 2 ? atoi(argv[2]) : SIGKILL);
	return 9;
}

static int wait_for_kill(int argc, char **argv)
{
	struct timespec hour = { 3600, 0 };

	(void)argc, (void)argv;
	for (;;)
		nanosleep(&hour, NULL);
	return 0;
}

static int check_arguments(int argc, char **argv)
{
	if (argc != 6 || argv[6] != NULL)
		return 1;
	if (strcmp(argv[2], "") != 0 || strcmp(argv[3], "two words") != 0 ||
	    strcmp(argv[4], "\xc3\xa4\n\t\x01") != 0)
		return 2;
	if (strlen(argv[5]) != 100000)
		return 3;
	for (int i = 0; i < 100000; i++)
		if (argv[5][i] != 'a' + i % 26)
			return 4;
	if (!environ[0] || !environ[1] || environ[2] || strcmp(environ[0], "NAME=value") != 0 ||
	    strcmp(environ[1], "oddity") != 0)
		return 5;
	return 42;
}

/* argv[0] is what the caller says, whatever the file is called; AT_EXECFN is the file's name. */
static int check_name(int argc, char **argv)
{
	const char *name = (const char *)aux_value(AT_EXECFN);

	if (argc != 2 || strcmp(argv[0], "another name") != 0)
		return 1;
	return name && strcmp(name, "/proc/self/exe") == 0 ? 42 : 2;
}

static int check_many(int argc, char **argv)
{
	if (argc != 2000 || argv[2000] != NULL)
		return 1;
	for (int i = 2; i < argc; i++)
		if (atoi(argv[i]) != i)
			return 2;
	return 42;
}

/* The parent passes its 16 random bytes: ours must be others. */
static int check_random(int argc, char **argv)
{
	const unsigned char *bytes = (const unsigned char *)aux_value(AT_RANDOM);
	char text[33] = "";

	if (argc < 3 || !bytes)
		return 1;
	for (int i = 0; i < 16; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return strcmp(text, argv[2]) != 0 ? 42 : 2;
}

static int check_closed(int argc, char **argv)
{
	int kept = argc > 3 ? atoi(argv[2]) : -1, closed = argc > 3 ? atoi(argv[3]) : -1;

	if (fcntl(kept, F_GETFD) < 0)
		return 1;
	return fcntl(closed, F_GETFD) == -1 && errno == EBADF ? 42 : 2;
}

static int parent_pid(int argc, char **argv)
{
	return argc > 2 && getppid() == atoi(argv[2]) && getppid() != getpid() ? 42 : 1;
}

static const struct mode modes[] = {
	{ "exit", exit_with },
	{ "exit-thread", exit_thread_call },
	{ "die", die_by },
	{ "wait", wait_for_kill },
	{ "arguments", check_arguments },
	{ "name", check_name },
	{ "many", check_many },
	{ "random", check_random },
	{ "closed", check_closed },
	{ "parent", parent_pid },
	{ NULL, NULL },
};

/* ---- checks ---- */

static void exit_codes(void)
{
	static const struct {
		const char *arg;
		int status;
	} cases[] = { { "0", 0 },   { "1", 0x100 },   { "42", 0x2a00 }, { "255", 0xff00 },
		      { "256", 0 }, { "263", 0x700 }, { "-1", 0xff00 } };
	char pid[16];

	for (size_t i = 0; i < COUNT(cases); i++)
		is(run_mode("exit", cases[i].arg, NULL), cases[i].status, "exit(%s)", cases[i].arg);
	is(run_mode("exit-thread", NULL, NULL), 23 << 8, "exit by the thread's call");
	snprintf(pid, sizeof(pid), "%d", getpid());
	is(run_mode("parent", pid, NULL), 42 << 8, "the child's parent is this program");
}

static void signals(void)
{
	static const int deadly[] = { SIGKILL, SIGTERM, SIGABRT, SIGINT,
				      SIGHUP,  SIGUSR1, SIGALRM, SIGSEGV };
	static const int ignored[] = { SIGCHLD, SIGURG, SIGWINCH };
	char arg[16];

	for (size_t i = 0; i < COUNT(deadly); i++) {
		int status;

		snprintf(arg, sizeof(arg), "%d", deadly[i]);
		status = run_mode("die", arg, NULL);
		ok(WIFSIGNALED(status) && WTERMSIG(status) == deadly[i], "ended by signal %d",
		   deadly[i]);
	}
	for (size_t i = 0; i < COUNT(ignored); i++) {
		snprintf(arg, sizeof(arg), "%d", ignored[i]);
		is(run_mode("die", arg, NULL), 9 << 8, "signal %d is ignored by default",
		   ignored[i]);
	}
	is(run_mode("die", "0", NULL), 9 << 8, "signal 0 does nothing");
	fails(syscall(SYS_kill, getpid(), 65), EINVAL, "signal 65: EINVAL");
	fails(syscall(SYS_kill, getpid(), -1), EINVAL, "signal -1: EINVAL");
	fails(syscall(SYS_kill, 0x3ffffff, 0), ESRCH, "a process that isn't: ESRCH");
	is(syscall(SYS_kill, getpid(), 0), 0, "this process is");
}

static void waiting(void)
{
	static struct rusage usage;
	int status = -1;
	pid_t a, b;

	fails(syscall(SYS_wait4, -1, NULL, 0, NULL), ECHILD, "no children: ECHILD");
	fails(syscall(SYS_wait4, -1, NULL, WNOHANG, NULL), ECHILD, "with WNOHANG too");
	fails(syscall(SYS_wait4, getpid(), NULL, 0, NULL), ECHILD, "wait for oneself: ECHILD");
	fails(syscall(SYS_wait4, -1, NULL, 0x100, NULL), EINVAL, "unknown option: EINVAL");
	a = start_mode("wait", NULL, NULL);
	ok(a > 0, "a child that sleeps");
	is(syscall(SYS_wait4, a, &status, WNOHANG, NULL), 0, "WNOHANG: it hasn't ended");
	is(status, -1, "the status isn't written");
	b = start_mode("exit", "5", NULL);
	is(syscall(SYS_wait4, -1, &status, 0, NULL), b, "any child: the one that ended");
	is(status, 5 << 8, "with its status");
	is(syscall(SYS_wait4, a, NULL, WNOHANG, NULL), 0, "the other still sleeps");
	is(kill(a, SIGKILL), 0, "kill it");
	is(syscall(SYS_wait4, a, &status, 0, &usage), a, "wait for it, with its usage");
	is(status, SIGKILL, "killed by SIGKILL");
	ok(usage.ru_minflt > 0, "it took page faults");
	fails(syscall(SYS_wait4, a, NULL, 0, NULL), ECHILD, "it can't be waited for again");
	a = start_mode("exit", "1", NULL);
	b = start_mode("exit", "2", NULL);
	ok(a > 0 && b > 0 && a != b, "two children have two pids");
	is(wait_status(b), 2 << 8, "waited for in the other order: second");
	is(wait_status(a), 1 << 8, "then first");
	a = start_mode("exit", "3", NULL);
	is(syscall(SYS_wait4, a, NULL, 0, NULL), a, "without a place for the status");
}

static void refusals(void)
{
	char *args[] = { "x", NULL };
	char name[300];

	is(spawn("/no/such/program", args, no_env), -ENOENT, "no such directory: ENOENT");
	is(spawn("/no-such-program", args, no_env), -ENOENT, "no such file: ENOENT");
	is(spawn("", args, no_env), -ENOENT, "an empty name: ENOENT");
	is(spawn("/", args, no_env), -EACCES, "a directory: EACCES");
	is(spawn("/proc/self/exe/x", args, no_env), -ENOTDIR, "a file as directory: ENOTDIR");
	memset(name, 'n', sizeof(name));
	name[0] = '/';
	name[299] = '\0';
	is(spawn(name, args, no_env), -ENAMETOOLONG, "a name of 298 bytes: ENAMETOOLONG");
	if (access("/etc/motd", F_OK) == 0)
		is(spawn("/etc/motd", args, no_env), -EACCES, "a file without x: EACCES");
	else
		skip("a file without x", "no /etc/motd");
}

static const char *file = "/tmp/exec-wait-file";

/* Writes a file that has the x permission, and tries to execute it. */
static int spawn_bytes(const void *bytes, size_t len)
{
	char *args[] = { "x", NULL };
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	int pid;

	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len)
		return 0;
	close(fd);
	pid = spawn(file, args, no_env);
	return wait_status(pid);
}

static void damaged_files(void)
{
	static unsigned char image[PAGE];
	Elf64_Ehdr *header = (Elf64_Ehdr *)image, good;
	Elf64_Phdr *segment = (Elf64_Phdr *)(image + sizeof(*header));
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0755);

	if (fd < 0 || write(fd, "x", 1) != 1) {
		skip("files that aren't programs", "/tmp can't be written");
		return;
	}
	close(fd);
	is(spawn_bytes("just some text\n", 15), -ENOEXEC, "a text: ENOEXEC");
	is(spawn_bytes("", 0), -ENOEXEC, "an empty file: ENOEXEC");
	is(spawn_bytes("\177ELF", 4), -ENOEXEC, "four bytes of ELF: ENOEXEC");

	/* A program of one segment that ends by exit(17), then damaged field by field. */
	memcpy(header->e_ident, "\177ELF\2\1\1", 7);
	header->e_type = ET_EXEC;
	header->e_machine = EM_X86_64;
	header->e_version = 1;
	header->e_entry = 0x10000000 + 0x200;
	header->e_phoff = sizeof(*header);
	header->e_ehsize = sizeof(*header);
	header->e_phentsize = sizeof(*segment);
	header->e_phnum = 1;
	*segment = (Elf64_Phdr){ PT_LOAD,    PF_R | PF_X, 0,	 0x10000000,
				 0x10000000, 0x300,	  0x300, 0x1000 };
	/* mov $60, %eax; mov $17, %edi; syscall */
	memcpy(image + 0x200, "\xb8\x3c\0\0\0\xbf\x11\0\0\0\x0f\x05", 12);
	good = *header;
	is(spawn_bytes(image, 0x300), 17 << 8, "a program made by hand runs");
	header->e_machine = EM_ARM;
	is(spawn_bytes(image, 0x300), -ENOEXEC, "for another processor: ENOEXEC");
	*header = good;
	header->e_type = ET_REL;
	is(spawn_bytes(image, 0x300), -ENOEXEC, "an object file: ENOEXEC");
	*header = good;
	header->e_phentsize = 32;
	is(spawn_bytes(image, 0x300), -ENOEXEC, "a wrong size of program header: ENOEXEC");
	*header = good;
	header->e_phnum = 0;
	is(spawn_bytes(image, 0x300), -ENOEXEC, "no program headers: ENOEXEC");
	*header = good;
	header->e_phoff = 1UL << 40;
	is(spawn_bytes(image, 0x300), -ENOEXEC, "program headers beyond the file: ENOEXEC");
	*header = good;
	header->e_phoff = -64UL;
	is(spawn_bytes(image, 0x300), -ENOEXEC, "at a negative offset: ENOEXEC");
	*header = good;
	is(spawn_bytes(image, 80), -ENOEXEC, "cut within the program headers: ENOEXEC");
	/* The old image is gone when this is noticed: nothing is left to return an error to. */
	segment->p_vaddr = 0xffff888000000000;
	is(spawn_bytes(image, 0x300), SIGSEGV, "a segment at a kernel address: killed");
	segment->p_vaddr = 0x10000000;
	segment->p_filesz = 0x400;
	is(spawn_bytes(image, 0x300), SIGSEGV, "a segment larger than its memory: killed");
	segment->p_filesz = 0x300;
	is(spawn_bytes(image, 0x300), 17 << 8, "mended, it runs again");
	unlink(file);
}

static void arguments(void)
{
	static char numbers[2000][8];
	static char *many[2001];
	char *args[7] = { (char *)tap.path,   "arguments", "",	"two words",
			  "\xc3\xa4\n\t\x01", huge,	   NULL };
	char *env[] = { "NAME=value", "oddity", NULL };
	char *named[] = { "another name", "name", NULL };

	for (int i = 0; i < 100000; i++)
		huge[i] = 'a' + i % 26;
	huge[100000] = '\0';
	is(wait_status(spawn("/proc/self/exe", args, env)), 42 << 8,
	   "arguments and environment arrive, one of them 100,000 bytes long");
	is(wait_status(spawn("/proc/self/exe", named, no_env)), 42 << 8,
	   "argv[0] is free, AT_EXECFN is the file's name");
	for (int i = 0; i < 2000; i++) {
		snprintf(numbers[i], sizeof(numbers[i]), "%d", i);
		many[i] = numbers[i];
	}
	many[0] = (char *)tap.path;
	many[1] = "many";
	is(wait_status(spawn("/proc/self/exe", many, no_env)), 42 << 8, "2,000 arguments arrive");
}

/* One string may have 32 pages, with its final zero. */
static void too_large(void)
{
	char *args[] = { (char *)tap.path, "exit", "6", huge, NULL };
	static char *many[40];

	memset(huge, 'h', sizeof(huge));
	huge[32 * PAGE - 1] = '\0';
	is(wait_status(spawn("/proc/self/exe", args, no_env)), 6 << 8,
	   "an argument of 131,071 bytes is accepted");
	huge[32 * PAGE - 1] = 'h';
	huge[32 * PAGE] = '\0';
	is(spawn("/proc/self/exe", args, no_env), -E2BIG, "one of 131,072: E2BIG");
	huge[31 * PAGE] = '\0';
	for (size_t i = 0; i < COUNT(many) - 1; i++)
		many[i] = huge;
	is(spawn("/proc/self/exe", many, no_env), -E2BIG, "39 of 126,976 bytes: E2BIG");
	is(spawn("/proc/self/exe", args, many), -E2BIG, "in the environment as well: E2BIG");
}

static void auxiliary(void)
{
	Elf64_Phdr *segments = (Elf64_Phdr *)aux_value(AT_PHDR);
	const unsigned char *bytes = (const unsigned char *)aux_value(AT_RANDOM);
	char text[33] = "";
	int loads = 0, sum = 0;
	bool found;

	is(aux_value(AT_PAGESZ), PAGE, "AT_PAGESZ");
	is(aux_value(AT_PHENT), sizeof(Elf64_Phdr), "AT_PHENT");
	is(aux_value(AT_ENTRY), (long)_start, "AT_ENTRY is _start");
	is(aux(AT_BASE, &found), 0, "AT_BASE is 0: no interpreter");
	is(aux_value(AT_CLKTCK), 100, "AT_CLKTCK");
	is(aux_value(AT_UID), getuid(), "AT_UID");
	is(aux_value(AT_EUID), geteuid(), "AT_EUID");
	is(aux_value(AT_GID), getgid(), "AT_GID");
	is(aux_value(AT_EGID), getegid(), "AT_EGID");
	is(aux(AT_SECURE, &found), 0, "AT_SECURE is 0");
	ok(found, "and is there");
	is_str((const char *)aux_value(AT_PLATFORM), "x86_64", "AT_PLATFORM");
	ok((aux_value(AT_HWCAP) & 0x7000001) == 0x7000001, "AT_HWCAP has fpu, fxsr, sse, sse2");
	for (unsigned long i = 0; segments && i < aux_value(AT_PHNUM); i++)
		if (segments[i].p_type == PT_LOAD)
			loads++;
	ok(loads > 0, "AT_PHDR and AT_PHNUM lead to the program headers");
	if (!ok(bytes != NULL, "AT_RANDOM is there"))
		return;
	for (int i = 0; i < 16; i++) {
		sum |= bytes[i];
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	}
	ok(sum != 0, "its 16 bytes aren't all zero");
	is(run_mode("random", text, NULL), 42 << 8, "another run has others");
}

static void initial_stack(char **argv, int argc)
{
	is(((unsigned long)argv - 8) % 16, 0, "the stack pointer was 16-byte aligned at entry");
	is(*(long *)(argv - 1), argc, "it pointed to argc");
	ok(argv[argc] == NULL, "argv ends with a null pointer");
	ok(environ == argv + argc + 1, "the environment follows");
}

static void descriptors(void)
{
	int kept = open("/", O_RDONLY), closed = open("/", O_RDONLY | O_CLOEXEC);
	char a[16], b[16];

	snprintf(a, sizeof(a), "%d", kept);
	snprintf(b, sizeof(b), "%d", closed);
	is(run_mode("closed", a, b), 42 << 8, "O_CLOEXEC closes at exec, other files stay open");
	ok(fcntl(closed, F_GETFD) >= 0, "the parent's stays open");
	close(kept);
	close(closed);
}

int main(int argc, char **argv)
{
	tap_start(argc, argv, modes);
	initial_stack(argv, argc);
	auxiliary();
	exit_codes();
	signals();
	waiting();
	refusals();
	damaged_files();
	arguments();
	too_large();
	descriptors();
	return done_testing();
}
