/* SPDX-License-Identifier: MIT */
/*
 * The file that a program names as its interpreter: what it must be, who may run it, who may write to
 * it meanwhile, and that a program is as secret as the more secret of both files.
 */
#include <elf.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "tap.h"

#define PROGRAM "/tmp/interp.program"
#define INTERP	"/tmp/interp.interp"
#define SCRIPT	"/tmp/interp.script"
#define BASE	0x10000UL

/* read(0, sp, 1), and then prctl(PR_GET_DUMPABLE) is what it exits with. */
static const unsigned char code[] = {
	0x31, 0xff,		      /* xor %edi, %edi */
	0x48, 0x89, 0xe6,	      /* mov %rsp, %rsi */
	0xba, 0x01, 0x00, 0x00, 0x00, /* mov $1, %edx */
	0x31, 0xc0,		      /* xor %eax, %eax */
	0x0f, 0x05,		      /* syscall */
	0xbf, 0x03, 0x00, 0x00, 0x00, /* mov $PR_GET_DUMPABLE, %edi */
	0xb8, 0x9d, 0x00, 0x00, 0x00, /* mov $157, %eax */
	0x0f, 0x05,		      /* syscall */
	0x89, 0xc7,		      /* mov %eax, %edi */
	0xb8, 0x3c, 0x00, 0x00, 0x00, /* mov $60, %eax */
	0x0f, 0x05,		      /* syscall */
};

static struct image {
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr[2];
	char interp[64];
	unsigned char code[sizeof(code)];
} image = {
	.ehdr = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = BASE + offsetof(struct image, code),
		.e_phoff = offsetof(struct image, phdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 2,
	},
	.phdr = {
		{
			.p_type = PT_INTERP,
			.p_flags = PF_R,
			.p_offset = offsetof(struct image, interp),
		},
		{
			.p_type = PT_LOAD,
			/* An interpreter's last page is cleared behind what the file has. */
			.p_flags = PF_R | PF_W | PF_X,
			.p_vaddr = BASE,
			.p_filesz = sizeof(struct image),
			.p_memsz = sizeof(struct image),
			.p_align = PAGE,
		},
	},
};

static void make(const char *path, mode_t mode, const void *what, size_t size)
{
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT, 0755);
	if (write(fd, what, size) != (ssize_t)size)
		diag("%s: %s", path, strerror(errno));
	close(fd);
	chmod(path, mode);
}

/* A program that names the interpreter. */
static void make_program(const char *path, mode_t mode, const char *interp)
{
	strcpy(image.interp, interp);
	image.phdr[0].p_filesz = strlen(interp) + 1;
	make(path, mode, &image, sizeof(image));
}

/* Starts PROGRAM: its standard input is a pipe, to which *to leads. */
static pid_t start(int *to)
{
	int ends[2];
	pid_t pid;

	if (pipe(ends) != 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		char *const argv[] = { PROGRAM, NULL };

		dup2(ends[0], 0);
		close(ends[0]);
		close(ends[1]);
		execve(PROGRAM, argv, argv + 1);
		_exit(100 + errno);
	}
	close(ends[0]);
	*to = ends[1];
	return pid;
}

/* What it was as a program, dumpable or not; 100 + errno when it couldn't be started. */
static int end_of(pid_t pid, int to)
{
	int status = -1;

	close(to);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -status;
}

static int run(void)
{
	int to = -1;
	pid_t pid = start(&to);

	return end_of(pid, to);
}

static void secrets(void)
{
	make_program(INTERP, 0755, INTERP);
	make_program(PROGRAM, 0755, INTERP);
	is(run(), 1, "a program and its interpreter that can be read: so can the memory");
	chmod(PROGRAM, 0111);
	is(run(), 0, "a program that can't");
	chmod(PROGRAM, 0755);
	chmod(INTERP, 0111);
	is(run(), 0, "an interpreter that can't");
	chmod(INTERP, 0755);
	make_program(PROGRAM, 0755, PROGRAM);
	is(run(), 1, "a program that is its own interpreter");
}

static void refusals(void)
{
	make_program(PROGRAM, 0755, "/tmp/interp.nothing");
	is(run(), 100 + ENOENT, "an interpreter that isn't there");
	make_program(PROGRAM, 0755, "/tmp");
	is(run(), 100 + EACCES, "a folder");
	make_program(PROGRAM, 0755, INTERP "/x");
	is(run(), 100 + ENOTDIR, "through a file");
	make_program(PROGRAM, 0755, INTERP);
	chmod(INTERP, 0644);
	is(run(), 100 + EACCES, "an interpreter that can't be executed");
	make(SCRIPT, 0755, "#!" INTERP "\n", strlen("#!" INTERP "\n"));
	make_program(PROGRAM, 0755, SCRIPT);
	is(run(), 100 + EIO, "a short script as an interpreter");
	make(SCRIPT, 0755,
	     "#! /bin/sh\nexit 0 # and so on, until it is longer than an ELF header is\n", 72);
	is(run(), 100 + ELIBBAD, "a longer one");
}

static void writers(void)
{
	int to = -1, fd, was;
	pid_t pid;

	make_program(INTERP, 0755, INTERP);
	make_program(PROGRAM, 0755, INTERP);
	fd = open(INTERP, O_WRONLY);
	is(run(), 100 + ETXTBSY, "an interpreter that somebody writes to");
	close(fd);
	pid = start(&to);
	/* While it waits for its standard input, it runs. */
	for (was = -1; was != ETXTBSY; usleep(1000)) {
		fd = open(PROGRAM, O_WRONLY);
		was = fd < 0 ? errno : 0;
		close(fd);
	}
	is(was, ETXTBSY, "a program that runs can't be written to");
	/* Until it has been read it can't. */
	for (int i = 0; (fd = open(INTERP, O_WRONLY)) < 0 && i < 5000; i++)
		usleep(1000);
	ok(fd >= 0, "but its interpreter can");
	close(fd);
	is(end_of(pid, to), 1, "it ends");
	fd = open(PROGRAM, O_WRONLY);
	ok(fd >= 0, "and then the program can, too");
	close(fd);
}

int main(void)
{
	memcpy(image.code, code, sizeof(code));
	secrets();
	refusals();
	writers();
	unlink(PROGRAM);
	unlink(INTERP);
	unlink(SCRIPT);
	return done_testing();
}
