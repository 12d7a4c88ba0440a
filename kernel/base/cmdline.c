/* SPDX-License-Identifier: MIT */
#include "kernel/base/cmdline.h"
#include "kernel/base/boot_info.h"
#include "kernel/base/errno.h"
#include "kernel/base/string.h"

static char raw[BOOT_CMDLINE_MAX];
/* The words without their quotes, each ended by a NUL; an empty word ends the list. */
static char words[BOOT_CMDLINE_MAX + 1];

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void cmdline_init(const char *text)
{
	const char *in = raw;
	char *out = words;

	strlcpy(raw, text, sizeof(raw));
	while (*in) {
		char *word = out;
		bool quoted = false;

		for (; *in && (quoted || !is_blank(*in)); in++) {
			if (*in == '"')
				quoted = !quoted;
			else
				*out++ = *in;
		}
		/* A word of nothing but quotes would look like the end of the list. */
		if (out > word)
			*out++ = '\0';
		while (is_blank(*in))
			in++;
	}
	*out = '\0';
}

const char *cmdline_text(void)
{
	return raw;
}

int cmdline_get(const char *key, char *buf, size_t size)
{
	size_t key_len = strlen(key);
	const char *value = NULL;
	size_t len;

	for (const char *word = words; *word; word += strlen(word) + 1)
		if (!strncmp(word, key, key_len) && word[key_len] == '=')
			value = word + key_len + 1;
	if (!value)
		return -ENOENT;
	len = strlen(value);
	if (len >= size)
		return -ENAMETOOLONG;
	memcpy(buf, value, len + 1);
	return (int)len;
}

bool cmdline_has(const char *word)
{
	for (const char *w = words; *w; w += strlen(w) + 1)
		if (!strcmp(w, word))
			return true;
	return false;
}
