/* SPDX-License-Identifier: MIT */
/*
 * exec_damaged: executes every file of /programs/damaged in a child of its own, and says what came of
 * it: the error of execve(), or how the child ended. Linux's own words for that are in
 * damaged.expected. With arguments it is an interpreter, which shows them.
 */
#include "user/common.h"
#include <dirent.h>

#define FOLDER	  "/programs/damaged/"
#define MAX_FILES 1024
#define SHOWN	  64

static char names[MAX_FILES][256];

static const char *error_name(int error)
{
	static const struct {
		int error;
		const char *name;
	} known[] = {
		{ EPERM, "EPERM" },   { ENOENT, "ENOENT" },   { EIO, "EIO" },
		{ E2BIG, "E2BIG" },   { ENOEXEC, "ENOEXEC" }, { ENOMEM, "ENOMEM" },
		{ EACCES, "EACCES" }, { EFAULT, "EFAULT" },   { ENOTDIR, "ENOTDIR" },
		{ EISDIR, "EISDIR" }, { EINVAL, "EINVAL" },   { ENAMETOOLONG, "ENAMETOOLONG" },
		{ ELOOP, "ELOOP" },   { ELIBBAD, "ELIBBAD" }, { ETXTBSY, "ETXTBSY" },
	};
	static char number[16];

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].error == error)
			return known[i].name;
	snprintf(number, sizeof(number), "error %d", error);
	return number;
}

/* One argument: what isn't printable as \ooo, and of a long one its start and its length. */
static void show(const char *arg)
{
	size_t len = strlen(arg), shown = len > SHOWN ? SHOWN : len;
	char text[4 * SHOWN + 1];
	int used = 0;

	for (size_t i = 0; i < shown; i++) {
		unsigned char c = arg[i];

		used += sprintf(text + used, c > ' ' && c < 127 && c != '\\' ? "%c" : "\\%03o", c);
	}
	text[used] = '\0';
	if (shown < len)
		say("    [%s...] (%zu)\n", text, len);
	else
		say("    [%s]\n", text);
}

static void report(const char *name, int error, int status)
{
	if (error)
		say("%s: %s\n", name, error_name(error));
	else if (WIFSIGNALED(status))
		say("%s: signal %d\n", name, WTERMSIG(status));
	else
		say("%s: exit %d\n", name, WEXITSTATUS(status));
}

__attribute__((noinline)) static void try_exec(const char *name, const char *path, char **argv)
{
	static char *env[] = { NULL };
	static volatile int error;
	pid_t pid;

	error = 0;
	pid = vfork();
	if (pid == 0) {
		execve(path, argv, env);
		error = errno;
		_exit(127);
	}
	if (pid < 0)
		say("%s: vfork: %s\n", name, strerror(errno));
	else
		report(name, error, wait_for(pid));
}

static void try_path(const char *name, const char *path)
{
	char *argv[] = { (char *)name, "A", "B", NULL };

	try_exec(name, path, argv);
}

static void try_file(const char *name)
{
	static char path[512];

	strcpy(path, FOLDER);
	strcat(path, name);
	try_path(name, path);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool try_files(void)
{
	DIR *dir = opendir(FOLDER);
	struct dirent *entry;
	int count = 0;

	if (!dir) {
		say(FOLDER ": %s\n", strerror(errno));
		return false;
	}
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && count < MAX_FILES)
			snprintf(names[count++], sizeof(names[0]), "%s", entry->d_name);
	closedir(dir);
	qsort(names, count, sizeof(names[0]), by_name);
	for (int i = 0; i < count; i++)
		try_file(names[i]);
	return true;
}

static void try_paths(void)
{
	static char longest[4096], longer[4097], component[300];
	char *no_args[] = { NULL }, *bad_arg[] = { "x", (char *)8, NULL };

	/* Of both lengths with the name at the end; a path and its zero have room for 4096. */
	memset(longest, '/', sizeof(longest) - 1);
	memcpy(longest + sizeof(longest) - sizeof(FOLDER "good"), FOLDER "good",
	       sizeof(FOLDER "good"));
	memset(longer, '/', sizeof(longer) - 1);
	memcpy(longer + sizeof(longer) - sizeof(FOLDER "good"), FOLDER "good",
	       sizeof(FOLDER "good"));
	memset(component, 'c', 256);
	try_path("path: nothing", "");
	try_path("path: NULL", NULL);
	try_path("path: bad pointer", (char *)8);
	try_path("path: 4095 bytes", longest);
	try_path("path: 4096 bytes", longer);
	try_path("path: a name of 256 bytes", component);
	try_path("path: through a file", FOLDER "good/more");
	try_path("path: a slash behind a file", FOLDER "good/");
	try_path("path: a slash behind a folder", FOLDER "folder/");
	try_exec("arguments: NULL", FOLDER "good", NULL);
	try_exec("arguments: none", FOLDER "good", no_args);
	try_exec("arguments: bad pointer", FOLDER "good", (char **)8);
	try_exec("arguments: one a bad pointer", FOLDER "good", bad_arg);
	try_exec("arguments: bad, and no file", FOLDER "none", bad_arg);
	try_exec("arguments: NULL for a script", FOLDER "script-plain", NULL);
	try_exec("arguments: none for a script", FOLDER "script-plain", no_args);
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		for (int i = 0; i < argc; i++)
			show(argv[i]);
		return 0;
	}
	if (chdir("/") != 0 || !try_files())
		return 1;
	try_paths();
	return 0;
}
