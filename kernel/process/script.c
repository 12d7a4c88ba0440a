/* SPDX-License-Identifier: MIT */
/*
 * Scripts: a file that begins with "#!" is run by the program that its first line names (execve(2),
 * "Interpreter scripts"). That program's arguments are its own name as the line has it, what else
 * stands in the line as one argument, the script's path, and the caller's from the second on.
 */
#include "kernel/base/string.h"
#include "kernel/process/exec.h"

bool is_script(const struct binprm *bprm)
{
	return bprm->buf[0] == '#' && bprm->buf[1] == '!';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The first character from `p` to `last` that is no blank; behind `last` when there is none. */
static char *skip_blanks(char *p, const char *last)
{
	while (p <= last && is_blank(*p))
		p++;
	return p;
}

/* The same for the blank or the zero that ends a word. */
static char *skip_word(char *p, const char *last)
{
	while (p <= last && *p && !is_blank(*p))
		p++;
	return p;
}

/* Takes the first line apart, in place: *arg is NULL when the name is all. */
static int parse_line(char *buf, char **name, char **arg)
{
	char *last = buf + BINPRM_BUF_SIZE - 1, *sep;
	char *end = memchr(buf, '\n', BINPRM_BUF_SIZE);

	if (!end) {
		/* An argument may be cut off where the buffer ends, a name may not. */
		if (skip_word(skip_blanks(buf + 2, last), last) > last)
			return -ENOEXEC;
		end = last;
	}
	while (is_blank(end[-1]))
		end--;
	*name = skip_blanks(buf + 2, end);
	if (*name >= end)
		return -ENOEXEC;
	*end = '\0';
	sep = skip_word(*name, end);
	*arg = *sep ? skip_blanks(sep, end) : NULL;
	*sep = '\0';
	return 0;
}

int use_interpreter(struct binprm *bprm)
{
	char *name, *arg;
	struct file *file;
	int err = parse_line(bprm->buf, &name, &arg);

	/* The interpreter couldn't open the script by that name. */
	if (!err && bprm->path_goes)
		err = -ENOENT;
	if (!err)
		err = bprm_pop_arg(bprm);
	if (!err)
		err = bprm_push_arg(bprm, bprm->interp[0] ? bprm->interp : bprm->filename);
	if (!err && arg)
		err = bprm_push_arg(bprm, arg);
	if (!err)
		err = bprm_push_arg(bprm, name);
	if (err)
		return err;
	strlcpy(bprm->interp, name, sizeof(bprm->interp));
	file = open_interpreter(name);
	if (IS_ERR(file))
		return (int)PTR_ERR(file);
	fput(bprm->file);
	bprm->file = file;
	return 0;
}
