/* SPDX-License-Identifier: MIT */
/*
 * What -fsanitize=undefined calls when the program does what C leaves undefined: the names and the
 * structures are those that GCC and Clang agree on. All are compiled not to go on afterwards
 * (-fno-sanitize-recover), so each ends in a panic, with the place in the source, what was done, and the
 * backtrace. Nothing here takes a lock: it may be called from anywhere.
 */
#include "kernel/base/ubsan.h"

#include "kernel/base/panic.h"
#include "kernel/base/printf.h"
#include "kernel/base/printk.h"

void (*ubsan_test_hook)(void);

struct source_location {
	const char *file;
	u32 line, column;
};

/* `info` of an integer: whether it is signed in bit 0, the binary logarithm of its bits above. */
struct type_descriptor {
	u16 kind, info;
	char name[];
};
#define TYPE_INTEGER 0

struct overflow_data {
	struct source_location loc;
	const struct type_descriptor *type;
};

struct bounds_data {
	struct source_location loc;
	const struct type_descriptor *array, *index;
};

struct shift_data {
	struct source_location loc;
	const struct type_descriptor *left, *right;
};

struct mismatch_data {
	struct source_location loc;
	const struct type_descriptor *type;
	u8 log_alignment, access;
};

struct nonnull_data {
	struct source_location loc, declared;
	int arg;
};

struct builtin_data {
	struct source_location loc;
	u8 kind;
};

/* What mismatch_data.access counts. */
static const char *const access_names[] = {
	"load of",
	"store to",
	"reference to",
	"member access within",
	"member call on",
	"constructor call on",
	"downcast of",
	"downcast of",
	"upcast of",
	"cast to virtual base of",
	"nonnull assignment for",
	"dynamic operation on",
};

/* A value of at most 64 bits comes as it is, a wider one by its address. */
typedef unsigned long value_t;

#define VALUE_MAX 40
struct value_text {
	char s[VALUE_MAX];
};

static struct value_text value_text(const struct type_descriptor *type, value_t value)
{
	unsigned int bits = 1U << (type->info >> 1);
	struct value_text text = { "" };

	if (type->kind != TYPE_INTEGER || bits > 128)
		snprintf(text.s, sizeof(text.s), "(unknown)");
	else if (bits == 128)
		snprintf(text.s, sizeof(text.s), "0x%016lx%016lx", ((const u64 *)value)[1],
			 ((const u64 *)value)[0]);
	else if (type->info & 1)
		snprintf(text.s, sizeof(text.s), "%ld",
			 (long)(value << (64 - bits)) >> (64 - bits));
	else
		snprintf(text.s, sizeof(text.s), "%lu", value << (64 - bits) >> (64 - bits));
	return text;
}

/* GCC and Clang put the type's name into quotes. */
static void __noreturn __printf(3, 4)
	report(const struct source_location *loc, const char *kind, const char *fmt, ...)
{
	char text[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (ubsan_test_hook) {
		printk("UBSan: %s at %s:%u: %s\n", kind, loc->file, loc->line, text);
		ubsan_test_hook();
	}
	panic("UBSan: %s at %s:%u:%u: %s", kind, loc->file ? loc->file : "(unknown)", loc->line,
	      loc->column, text);
}

#define REPORT(data, kind, ...) report(&(data)->loc, kind, __VA_ARGS__)
#define HANDLER(name)		void __noreturn __ubsan_handle_##name

/* --- arithmetic ------------------------------------------------------------------------------------- */

static void __noreturn overflow(const struct overflow_data *data, const char *op, value_t left,
				value_t right)
{
	REPORT(data, "signed-integer-overflow", "%s %s %s does not fit in %s",
	       value_text(data->type, left).s, op, value_text(data->type, right).s,
	       data->type->name);
}

HANDLER(add_overflow_abort)(const struct overflow_data *data, value_t left, value_t right)
{
	overflow(data, "+", left, right);
}

HANDLER(sub_overflow_abort)(const struct overflow_data *data, value_t left, value_t right)
{
	overflow(data, "-", left, right);
}

HANDLER(mul_overflow_abort)(const struct overflow_data *data, value_t left, value_t right)
{
	overflow(data, "*", left, right);
}

HANDLER(negate_overflow_abort)(const struct overflow_data *data, value_t value)
{
	REPORT(data, "signed-integer-overflow", "the negative of %s does not fit in %s",
	       value_text(data->type, value).s, data->type->name);
}

HANDLER(divrem_overflow_abort)(const struct overflow_data *data, value_t left, value_t right)
{
	REPORT(data, "integer-divide-by-zero", "%s / %s in %s", value_text(data->type, left).s,
	       value_text(data->type, right).s, data->type->name);
}

HANDLER(shift_out_of_bounds_abort)(const struct shift_data *data, value_t left, value_t right)
{
	REPORT(data, "shift-out-of-bounds", "%s of %s shifted by %s",
	       value_text(data->left, left).s, data->left->name, value_text(data->right, right).s);
}

/* --- places in memory ------------------------------------------------------------------------------- */

HANDLER(out_of_bounds_abort)(const struct bounds_data *data, value_t index)
{
	REPORT(data, "array-index-out-of-bounds", "index %s of %s",
	       value_text(data->index, index).s, data->array->name);
}

HANDLER(pointer_overflow_abort)(const struct source_location *data, value_t base, value_t result)
{
	report(data, "pointer-overflow", "%#lx became %#lx", base, result);
}

HANDLER(type_mismatch_v1_abort)(const struct mismatch_data *data, value_t address)
{
	const char *access =
		data->access < ARRAY_SIZE(access_names) ? access_names[data->access] : "use of";
	unsigned long alignment = 1UL << data->log_alignment;

	if (!address)
		REPORT(data, "null-ptr-deref", "%s a null pointer of type %s", access,
		       data->type->name);
	if (address & (alignment - 1))
		REPORT(data, "misaligned-access",
		       "%s %#lx of type %s, which needs %lu bytes' alignment", access, address,
		       data->type->name, alignment);
	REPORT(data, "object-size-mismatch", "%s %#lx, where no object of type %s has room", access,
	       address, data->type->name);
}

HANDLER(vla_bound_not_positive_abort)(const struct overflow_data *data, value_t bound)
{
	REPORT(data, "vla-bound", "an array of %s elements", value_text(data->type, bound).s);
}

/* --- values that cannot be -------------------------------------------------------------------------- */

HANDLER(load_invalid_value_abort)(const struct overflow_data *data, value_t value)
{
	REPORT(data, "invalid-load", "%s is no value of %s", value_text(data->type, value).s,
	       data->type->name);
}

HANDLER(nonnull_arg_abort)(const struct nonnull_data *data)
{
	REPORT(data, "null-argument", "argument %d may not be null", data->arg);
}

HANDLER(nonnull_return_v1_abort)(const void *declared, const struct source_location *loc)
{
	report(loc, "null-return", "the function may not return null");
}

HANDLER(invalid_builtin_abort)(const struct builtin_data *data)
{
	REPORT(data, "invalid-builtin", "zero given to %s",
	       data->kind ? "__builtin_clz()" : "__builtin_ctz()");
}

HANDLER(builtin_unreachable)(const struct source_location *data)
{
	report(data, "unreachable", "a place that is never reached");
}
