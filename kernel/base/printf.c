/* SPDX-License-Identifier: MIT */
/* Formatted text into a buffer, without floating point and without any state. */
#include "kernel/base/printf.h"
#include "kernel/base/string.h"

/* Where text goes. `pos` counts all of it, also what no longer fits in the buffer. */
struct sink {
	char *buf;
	size_t size;
	size_t pos;
};

/* One conversion specification, as read between '%' and its letter. */
struct spec {
	bool left, plus, space, alt, zero;
	int width;
	int precision; /* -1: none given */
	int bytes;     /* size of the integer argument */
};

/* Room for 64 bits in base 8. */
#define MAX_DIGITS 22

static void put_text(struct sink *out, const char *text, size_t len)
{
	if (out->pos < out->size)
		memcpy(out->buf + out->pos, text, min(len, out->size - out->pos));
	out->pos += len;
}

static void put_fill(struct sink *out, char c, int n)
{
	size_t len = n > 0 ? (size_t)n : 0;

	if (out->pos < out->size)
		memset(out->buf + out->pos, c, min(len, out->size - out->pos));
	out->pos += len;
}

/* Text in a field of spec->width columns. */
static void put_field(struct sink *out, const struct spec *spec, const char *text, size_t len)
{
	int pad = len < (size_t)spec->width ? spec->width - (int)len : 0;

	if (!spec->left)
		put_fill(out, ' ', pad);
	put_text(out, text, len);
	if (spec->left)
		put_fill(out, ' ', pad);
}

/*
 * A number: [spaces][prefix][zeros][digits][spaces], where the prefix is a sign or 0x. C has '0'
 * give way both to '-' and to a precision, and prints nothing at all for zero with precision 0.
 */
static void put_number(struct sink *out, const struct spec *spec, u64 value, unsigned int base,
		       bool upper, const char *prefix)
{
	const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char digits[MAX_DIGITS];
	int len = 0, zeros = 0, pad;
	int prefix_len = (int)strlen(prefix);

	for (u64 v = value; v; v /= base)
		digits[MAX_DIGITS - ++len] = set[v % base];
	if (!value && spec->precision != 0)
		digits[MAX_DIGITS - ++len] = '0';

	if (spec->precision > len)
		zeros = spec->precision - len;
	/* For octal, '#' asks for a precision just large enough to begin with 0. */
	if (base == 8 && spec->alt && !zeros && (len == 0 || digits[MAX_DIGITS - len] != '0'))
		zeros = 1;
	if (spec->zero && !spec->left && spec->precision < 0)
		zeros = max(zeros, spec->width - prefix_len - len);
	/* The terms may be as large as an int each: keep their sum out of one. */
	pad = (long)spec->width - prefix_len - len - zeros > 0 ?
		      spec->width - prefix_len - len - zeros :
		      0;

	if (!spec->left)
		put_fill(out, ' ', pad);
	put_text(out, prefix, prefix_len);
	put_fill(out, '0', zeros);
	put_text(out, digits + MAX_DIGITS - len, len);
	if (spec->left)
		put_fill(out, ' ', pad);
}

static void put_signed(struct sink *out, const struct spec *spec, s64 value)
{
	const char *sign = value < 0 ? "-" : spec->plus ? "+" : spec->space ? " " : "";

	/* Negating as unsigned is right for the most negative number too. */
	put_number(out, spec, value < 0 ? -(u64)value : (u64)value, 10, false, sign);
}

static void put_unsigned(struct sink *out, const struct spec *spec, u64 value, char conv)
{
	const char *prefix = "";

	if (spec->alt && value && conv == 'x')
		prefix = "0x";
	if (spec->alt && value && conv == 'X')
		prefix = "0X";
	put_number(out, spec, value, conv == 'u' ? 10 : conv == 'o' ? 8 : 16, conv == 'X', prefix);
}

static void put_string(struct sink *out, const struct spec *spec, const char *s)
{
	size_t limit = spec->precision < 0 ? SIZE_MAX : (size_t)spec->precision;

	if (!s)
		s = "(null)";
	put_field(out, spec, s, strnlen(s, limit));
}

static void put_pointer(struct sink *out, const struct spec *spec, const void *p)
{
	if (!p)
		put_field(out, spec, "(nil)", 5);
	else
		put_number(out, spec, (uintptr_t)p, 16, false, "0x");
}

/* Cuts an argument to the size its length modifier names: "%hhu" of 300 is 44. */
static u64 cut_unsigned(u64 value, int bytes)
{
	return bytes == 8 ? value : value & ((1UL << (bytes * 8)) - 1);
}

static s64 cut_signed(s64 value, int bytes)
{
	switch (bytes) {
	case 1:
		return (s8)value;
	case 2:
		return (s16)value;
	case 4:
		return (s32)value;
	default:
		return value;
	}
}

/* Reads decimal digits; more than an int holds is cut to its largest value. */
static int read_number(const char **fmt)
{
	int n = 0;

	for (; **fmt >= '0' && **fmt <= '9'; (*fmt)++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, **fmt - '0', &n))
			n = INT32_MAX;
	return n;
}

static const char *read_flags(const char *fmt, struct spec *spec)
{
	for (;; fmt++) {
		switch (*fmt) {
		case '-':
			spec->left = true;
			break;
		case '+':
			spec->plus = true;
			break;
		case ' ':
			spec->space = true;
			break;
		case '#':
			spec->alt = true;
			break;
		case '0':
			spec->zero = true;
			break;
		default:
			return fmt;
		}
	}
}

static const char *read_length(const char *fmt, struct spec *spec)
{
	spec->bytes = sizeof(int);
	switch (*fmt) {
	case 'h':
		spec->bytes = fmt[1] == 'h' ? 1 : 2;
		return fmt + (fmt[1] == 'h' ? 2 : 1);
	case 'l':
		spec->bytes = 8;
		return fmt + (fmt[1] == 'l' ? 2 : 1);
	case 'z':
	case 't':
	case 'j':
		spec->bytes = 8;
		return fmt + 1;
	default:
		return fmt;
	}
}

/* The arguments travel in a structure: a va_list that is passed on by address must be in one. */
struct arguments {
	va_list list;
};

/* Reads what stands between '%' and the conversion's letter; returns where the letter is. */
static const char *read_spec(const char *fmt, struct spec *spec, struct arguments *args)
{
	*spec = (struct spec){ .precision = -1 };
	fmt = read_flags(fmt, spec);

	if (*fmt == '*') {
		spec->width = va_arg(args->list, int);
		fmt++;
		if (spec->width < 0) {
			spec->left = true;
			spec->width = spec->width == INT32_MIN ? INT32_MAX : -spec->width;
		}
	} else {
		spec->width = read_number(&fmt);
	}
	if (*fmt == '.') {
		fmt++;
		if (*fmt == '*') {
			spec->precision = va_arg(args->list, int);
			fmt++;
			if (spec->precision < 0)
				spec->precision = -1;
		} else {
			spec->precision = read_number(&fmt);
		}
	}
	return read_length(fmt, spec);
}

/* Writes one argument as `conv` says. Returns false when there is no such conversion. */
static bool put_conversion(struct sink *out, const struct spec *spec, char conv,
			   struct arguments *args)
{
	u64 value;
	char c;

	switch (conv) {
	case 'd':
	case 'i':
		value = spec->bytes == 8 ? va_arg(args->list, u64) :
					   va_arg(args->list, unsigned int);
		put_signed(out, spec, cut_signed((s64)value, spec->bytes));
		return true;
	case 'u':
	case 'o':
	case 'x':
	case 'X':
		value = spec->bytes == 8 ? va_arg(args->list, u64) :
					   va_arg(args->list, unsigned int);
		put_unsigned(out, spec, cut_unsigned(value, spec->bytes), conv);
		return true;
	case 'c':
		c = (char)va_arg(args->list, int);
		put_field(out, spec, &c, 1);
		return true;
	case 's':
		put_string(out, spec, va_arg(args->list, const char *));
		return true;
	case 'p':
		put_pointer(out, spec, va_arg(args->list, const void *));
		return true;
	case '%':
		put_text(out, "%", 1);
		return true;
	default:
		return false;
	}
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list list)
{
	struct sink out = { .buf = buf, .size = size };
	struct arguments args;
	struct spec spec;

	va_copy(args.list, list);
	while (*fmt) {
		const char *start = fmt;
		size_t plain = strcspn(fmt, "%");

		put_text(&out, fmt, plain);
		fmt += plain;
		if (!*fmt)
			break;
		start = fmt;
		fmt = read_spec(fmt + 1, &spec, &args);
		/* A conversion nobody knows shows as it stands: a mistake that can be read. */
		if (!put_conversion(&out, &spec, *fmt, &args))
			put_text(&out, start, fmt - start + (*fmt != '\0'));
		if (*fmt)
			fmt++;
	}
	va_end(args.list);

	if (size)
		buf[min(out.pos, size - 1)] = '\0';
	return out.pos > INT32_MAX ? INT32_MAX : (int)out.pos;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(buf, size, fmt, args);
	va_end(args);
	return len;
}

int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(buf, size, fmt, args);
	va_end(args);
	if ((size_t)len < size)
		return len;
	return size ? (int)size - 1 : 0;
}
