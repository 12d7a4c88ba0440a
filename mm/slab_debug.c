/* SPDX-License-Identifier: MIT */
/*
 * What the debug build adds to each object, and looks at when it changes hands:
 *
 *	 left   | object                     | right redzone       | state
 *	 0xbb.. | size asked for | 0xbb ..   | 0xbb, 8 bytes or more | free, or in use, with that size
 *
 * A free object is filled with 0x6b, but for its first word, which chains it to the next one. What lies to
 * the left of an object is the state of the one before; of the first, bytes of 0xbb.
 *
 * So a double free, a write after free, and one beyond either end are named when the object is freed, when
 * it is handed out again, or by slab_audit(), which goes through all of them.
 *
 * Locks: none for one object, which is the caller's; slab_audit() takes each cache's lock.
 */
#include "mm/slab_internal.h"

#ifdef CONFIG_DEBUG

#include "kernel/base/panic.h"
#include "kernel/base/string.h"

#define FREE_BYTE 0x6b
#define ZONE_BYTE 0xbb
#define ZONE_WORD 0xbbbbbbbbbbbbbbbbUL

/*
 * The state's upper half. Below it stands how often the object was handed out, as far as 16 bits count: who
 * looks twice at what isn't his sees that it has changed hands; and in the lowest 16 bits the size asked for.
 */
#define STATE_SHIFT 32
#define STATE_FREE  0xf4eef4eeUL
#define STATE_INUSE 0xa110cedaUL
#define TURN_ONE    BIT(16)
#define TURN_MASK   0xffff0000UL
#define SIZE_MASK   0xffffUL

static unsigned long *state_word(const struct kmem_cache *c, const void *obj)
{
	return (unsigned long *)((char *)obj + c->stride - sizeof(unsigned long));
}

static unsigned long state_of(const struct kmem_cache *c, const void *obj)
{
	return READ_ONCE(*state_word(c, obj));
}

static bool is_state(unsigned long word, unsigned long state)
{
	return word >> STATE_SHIFT == state;
}

/* The object's bytes, with those that only fill its last word. */
static size_t object_bytes(const struct kmem_cache *c)
{
	return ALIGN_UP(max((size_t)c->object_size, sizeof(void *)), sizeof(void *));
}

/* Where the right redzone ends. */
static size_t zone_end(const struct kmem_cache *c)
{
	return c->stride - sizeof(unsigned long) - sizeof(struct kasan_meta);
}

/*
 * The offset of the first byte in [from, to) that isn't this one; `to` if all are. The audit reads what
 * whoever has the object may be writing.
 */
static noinline __no_tsan size_t first_other(const void *obj, size_t from, size_t to, u8 byte)
{
	const u64 word = byte * 0x0101010101010101UL;
	const u8 *p = obj;

	for (; from < to && from % sizeof(word); from++)
		if (p[from] != byte)
			return from;
	while (from + sizeof(word) <= to && *(const u64 *)(p + from) == word)
		from += sizeof(word);
	while (from < to && p[from] == byte)
		from++;
	return from;
}

static struct page *slab_of(const void *obj)
{
	return compound_head(virt_to_page(obj));
}

static void check_left(const struct kmem_cache *c, const void *obj)
{
	const char *first = (char *)page_address(slab_of(obj)) + c->lead;
	unsigned long left = READ_ONCE(*((const unsigned long *)obj - 1));

	if (obj == first ? left != ZONE_WORD :
			   !is_state(left, STATE_FREE) && !is_state(left, STATE_INUSE))
		panic("slab %s: before the beginning of object %p was written, or beyond the end of "
		      "the one before: %#lx",
		      c->name, obj, left);
}

/* The object was in use, by that state. If it has changed hands since, nothing is said. */
static void check_right(const struct kmem_cache *c, const void *obj, unsigned long state)
{
	const size_t size = state & SIZE_MASK;
	size_t bad = first_other(obj, size, zone_end(c), ZONE_BYTE);

	if (bad < zone_end(c) && state_of(c, obj) == state)
		panic("slab %s: object %p of %zu bytes was written beyond its end, at offset %zu: %#x",
		      c->name, obj, size, bad, ((const u8 *)obj)[bad]);
}

static void check_free(const struct kmem_cache *c, const void *obj)
{
	size_t bad = first_other(obj, sizeof(void *), object_bytes(c), FREE_BYTE);

	if (bad < object_bytes(c))
		panic("slab %s: object %p was written at offset %zu after it was freed: %#x",
		      c->name, obj, bad, ((const u8 *)obj)[bad]);
	bad = first_other(obj, object_bytes(c), zone_end(c), ZONE_BYTE);
	if (bad < zone_end(c))
		panic("slab %s: free object %p was overrun, at offset %zu: %#x", c->name, obj, bad,
		      ((const u8 *)obj)[bad]);
	check_left(c, obj);
}

void slab_layout(struct kmem_cache *c, size_t align)
{
	c->stride = (unsigned int)ALIGN_UP(
		object_bytes(c) + SLAB_REDZONE + sizeof(struct kasan_meta) + sizeof(unsigned long),
		align);
	c->lead = (unsigned int)ALIGN_UP(max((size_t)KASAN_SLAB_LEAD, SLAB_REDZONE), align);
}

void slab_mark_new(const struct kmem_cache *c, struct page *page)
{
	__memset(page_address(page), ZONE_BYTE, PAGE_SIZE << c->order);
}

void slab_mark_free(const struct kmem_cache *c, void *obj)
{
	unsigned long turn = state_of(c, obj) & TURN_MASK;

	/* The state first: the audit takes no look at the bytes of what is free. */
	WRITE_ONCE(*state_word(c, obj), STATE_FREE << STATE_SHIFT | turn);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	__memset(obj, FREE_BYTE, object_bytes(c));
}

void slab_mark_inuse(const struct kmem_cache *c, void *obj, size_t size)
{
	unsigned long state = state_of(c, obj);

	if (!is_state(state, STATE_FREE))
		panic("slab %s: free object %p was overrun or freed twice: %#lx", c->name, obj,
		      state);
	check_free(c, obj);
	__memset((char *)obj + size, ZONE_BYTE, object_bytes(c) - size);
	/* The state last. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	WRITE_ONCE(*state_word(c, obj),
		   STATE_INUSE << STATE_SHIFT | ((state + TURN_ONE) & TURN_MASK) | size);
}

void slab_check_inuse(const struct kmem_cache *c, const void *obj)
{
	unsigned long state = state_of(c, obj);

	if (is_state(state, STATE_FREE))
		panic("slab %s: object %p freed twice", c->name, obj);
	if (!is_state(state, STATE_INUSE))
		panic("slab %s: object %p was written beyond its end: %#lx", c->name, obj, state);
	check_right(c, obj, state);
	check_left(c, obj);
}

/* => c->lock, which who frees one of them, or is handed one out of a magazine, doesn't need. */
static void audit_slab(const struct kmem_cache *c, const struct page *page)
{
	const char *obj = (char *)page_address(page) + c->lead;

	for (unsigned int i = 0; i < c->objs_per_slab; i++, obj += c->stride) {
		unsigned long state = state_of(c, obj);

		if (is_state(state, STATE_INUSE))
			check_right(c, obj, state);
		else if (!is_state(state, STATE_FREE))
			panic("slab %s: object %p was written beyond its end: %#lx", c->name, obj,
			      state);
		check_left(c, obj);
	}
	/* Those that are chained are nobody's. */
	for (obj = page->freelist; obj; obj = *(char *const *)obj)
		check_free(c, obj);
}

void slab_audit_cache(struct kmem_cache *c)
{
	unsigned long flags = spin_lock_irqsave(&c->lock);
	struct page *page;

	list_for_each_entry(page, &c->partial, lru) audit_slab(c, page);
	list_for_each_entry(page, &c->full, lru) audit_slab(c, page);
	if (c->empty)
		audit_slab(c, c->empty);
	spin_unlock_irqrestore(&c->lock, flags);
}

#endif
