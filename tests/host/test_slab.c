/* SPDX-License-Identifier: MIT */
/* Object caches: contents that stay, memory that comes back, and misuse that is named. */
#include <stdlib.h>
#include <string.h>

#include "mm/slab.h"
#include "tests/host/death.h"
#include "tests/host/sim.h"
#include "tests/host/tap.h"

/* --- random use ------------------------------------------------------------------------------------ */

struct object {
	u8 *mem;
	size_t size;
	u8 fill;
};

#define MAX_OBJECTS 3000

static bool intact(const struct object *o)
{
	for (size_t i = 0; i < o->size; i++)
		if (o->mem[i] != o->fill)
			return false;
	return true;
}

/* alloc and free are a cache's or kmalloc's. */
static void random_ops(const char *name, unsigned int ops, void *(*alloc)(size_t *size, gfp_t gfp),
		       void (*release)(void *))
{
	static struct object objects[MAX_OBJECTS];
	unsigned int nr = 0, damaged = 0, misplaced = 0, unzeroed = 0;

	for (unsigned int n = 0; n < ops; n++) {
		if (nr < MAX_OBJECTS && test_random() % 100 < (n / 4000 % 2 ? 40 : 60)) {
			struct object o = { .fill = (u8)test_random() };
			gfp_t gfp = test_random() % 4 ? GFP_KERNEL : GFP_ATOMIC | __GFP_ZERO;

			o.mem = alloc(&o.size, gfp);
			if (!o.mem) {
				damaged++;
				continue;
			}
			misplaced += (unsigned long)o.mem % 8 != 0;
			for (size_t i = 0; (gfp & __GFP_ZERO) && i < o.size; i++)
				unzeroed += o.mem[i] != 0;
			memset(o.mem, o.fill, o.size);
			objects[nr++] = o;
		} else if (nr > 0) {
			unsigned int i = (unsigned int)(test_random() % nr);

			damaged += !intact(&objects[i]);
			release(objects[i].mem);
			objects[i] = objects[--nr];
		}
	}
	while (nr-- > 0) {
		damaged += !intact(&objects[nr]);
		release(objects[nr].mem);
	}
	is(damaged, 0, "%s: %u operations, every object kept its contents", name, ops);
	is(misplaced, 0, "... aligned");
	is(unzeroed, 0, "... zeroed when asked");
}

static struct kmem_cache *cache;
static size_t cache_size;

static void *cache_get(size_t *size, gfp_t gfp)
{
	*size = cache_size;
	return kmem_cache_alloc(cache, gfp);
}

static void cache_put(void *obj)
{
	kmem_cache_free(cache, obj);
}

static void *any_get(size_t *size, gfp_t gfp)
{
	*size = 1 + test_random() % (1UL << test_random() % 14);
	return kmalloc(*size, gfp);
}

static void any_put(void *obj)
{
	kfree(obj);
}

static struct slab_info info_of(const char *name)
{
	struct slab_info info = { 0 };

	for (unsigned int n = 0; slab_cache_info(n, &info); n++)
		if (!strcmp(info.name, name))
			return info;
	return (struct slab_info){ 0 };
}

static void test_random_use(void)
{
	static const size_t sizes[] = { 1, 8, 24, 64, 200, 1000, 3000, 4096, 8000 };
	static char names[ARRAY_SIZE(sizes)][16];
	struct sim_usage start = sim_usage(), end;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		snprintf(names[i], sizeof(names[i]), "size-%zu", sizes[i]);
		cache = kmem_cache_create(names[i], sizes[i], 0);
		cache_size = sizes[i];
		random_ops(names[i], 8000, cache_get, cache_put);
		is((long)info_of(names[i]).active_objs, 0, "... none is counted as in use");
	}
	random_ops("kmalloc", 30000, any_get, any_put);
	end = sim_usage();
	ok(sim_usage_same(&start, &end, true), "after a drain every page is back");
	page_alloc_audit();
}

/* --- counts ------------------------------------------------------------------------------------------ */

static void test_counts(void)
{
	struct kmem_cache *c = kmem_cache_create("counted", 100, 0);
	struct sim_usage start = sim_usage(), end;
	void *objs[500];
	struct slab_info info;

	for (int i = 0; i < 500; i++)
		objs[i] = kmem_cache_alloc(c, GFP_KERNEL);
	info = info_of("counted");
	is((long)info.active_objs, 500, "500 objects in use");
	is(info.object_size, 100, "... of 100 bytes");
	is((long)info.num_objs, (long)info.num_slabs * info.objs_per_slab, "objects fill slabs");
	ok(info.objs_per_slab * 100 <= info.pages_per_slab * PAGE_SIZE,
	   "... that are large enough");
	ok(info.objs_per_slab * 112 * 8 >= info.pages_per_slab * PAGE_SIZE * 7,
	   "... and waste no more than an eighth");
	is((long)(start.free_pages - nr_free_pages()), (long)info.num_slabs * info.pages_per_slab,
	   "slabs are what the page allocator misses");
	for (int i = 0; i < 500; i += 2)
		kmem_cache_free(c, objs[i]);
	is((long)info_of("counted").active_objs, 250, "half of them freed");
	for (int i = 1; i < 500; i += 2)
		kmem_cache_free(c, objs[i]);
	is((long)info_of("counted").active_objs, 0, "all of them");
	ok(info_of("counted").num_slabs <= 3, "most slabs were given back at once");
	slab_drain();
	is((long)info_of("counted").num_slabs, 0, "a drain gives back the rest");
	end = sim_usage();
	ok(sim_usage_same(&start, &end, true), "... to the last page");
	kmem_cache_free(c, NULL);
	kfree(NULL);
	ok(true, "freeing NULL is fine");
}

static void test_alignment(void)
{
	static const size_t aligns[] = { 8, 16, 64, 256 };
	static char names[ARRAY_SIZE(aligns)][16];
	unsigned int wrong = 0;

	for (size_t i = 0; i < ARRAY_SIZE(aligns); i++) {
		struct kmem_cache *c;
		void *objs[50];

		snprintf(names[i], sizeof(names[i]), "align-%zu", aligns[i]);
		c = kmem_cache_create(names[i], 40, aligns[i]);
		for (int n = 0; n < 50; n++) {
			objs[n] = kmem_cache_alloc(c, GFP_KERNEL);
			wrong += (unsigned long)objs[n] % aligns[i] != 0;
		}
		for (int n = 0; n < 50; n++)
			kmem_cache_free(c, objs[n]);
	}
	is(wrong, 0, "objects are aligned to 8, 16, 64, 256");
}

static void test_kmalloc(void)
{
	struct sim_usage start = sim_usage(), end;
	char *big, *copy;

	ok(!kmalloc((4UL << 20) + 1, GFP_KERNEL), "more than 4 MiB: refused");
	ok(!kmalloc(~0UL, GFP_KERNEL), "... and any more");
	big = kmalloc(4UL << 20, GFP_KERNEL);
	ok(big != NULL, "4 MiB");
	memset(big, 1, 4UL << 20);
	kfree(big);
	big = kmalloc(3 * PAGE_SIZE, GFP_KERNEL);
	kfree(big);
	copy = kstrdup("a string", GFP_KERNEL);
	ok(copy && !strcmp(copy, "a string"), "kstrdup");
	kfree(copy);
	copy = kmemdup("a\0b", 4, GFP_KERNEL);
	ok(copy && !memcmp(copy, "a\0b", 4), "kmemdup");
	kfree(copy);
	copy = kzalloc(100, GFP_KERNEL);
	ok(copy && !copy[0] && !memcmp(copy, copy + 1, 99), "kzalloc");
	kfree(copy);
	end = sim_usage();
	ok(sim_usage_same(&start, &end, true), "all back");
}

static void test_failing(void)
{
	struct kmem_cache *c = kmem_cache_create("failing", 64, 0);
	struct sim_usage start = sim_usage(), end;
	void *a, *b;

	slab_fail_nth(2);
	a = kmem_cache_alloc(c, GFP_KERNEL);
	b = kmem_cache_alloc(c, GFP_KERNEL);
	ok(a && !b, "the second allocation fails");
	b = kmem_cache_alloc(c, GFP_KERNEL);
	ok(b != NULL, "... and no other");
	kmem_cache_free(c, a);
	kmem_cache_free(c, b);
	slab_drain();
	page_alloc_fail_nth(1);
	ok(!kmem_cache_alloc(c, GFP_KERNEL), "without a page there is no object");
	a = kmem_cache_alloc(c, GFP_KERNEL);
	ok(a != NULL, "... and then there is");
	kmem_cache_free(c, a);
	end = sim_usage();
	ok(sim_usage_same(&start, &end, true), "nothing is lost");
}

/* --- misuse --------------------------------------------------------------------------------------------- */

static char *object(void)
{
	return kmem_cache_alloc(cache, GFP_KERNEL);
}

static void free_twice(void *arg)
{
	char *p = object();

	kmem_cache_free(cache, p);
	kmem_cache_free(cache, p);
}

static void free_twice_later(void *arg)
{
	char *p = object(), *q = object();

	kmem_cache_free(cache, p);
	kmem_cache_free(cache, q);
	kfree(p);
}

static void overrun(void *arg)
{
	char *p = object();

	p[cache_size] = 1;
	kmem_cache_free(cache, p);
}

static void overrun_into_free(void *arg)
{
	char *p = object(), *q = object();

	kmem_cache_free(cache, q);
	memset(q, 0x6b, cache_size);
	q[cache_size] = 1;
	(void)p;
	object();
}

/* Of two neighbours the second one's. */
static void underrun(void *arg)
{
	char *p = object(), *q = object();

	p = p > q ? p : q;
	p[-1] = 1;
	kmem_cache_free(cache, p);
}

static void underrun_first(void *arg)
{
	char *objs[64], *first = object();

	for (int i = 0; i < 64; i++) {
		objs[i] = object();
		if (((unsigned long)objs[i] & ~PAGE_MASK) < ((unsigned long)first & ~PAGE_MASK))
			first = objs[i];
	}
	first[-1] = 1;
	kmem_cache_free(cache, first);
}

/* Of the size that was asked for, not that of the cache. */
static void overrun_kmalloc(void *arg)
{
	char *p = kmalloc(100, GFP_KERNEL);

	p[100] = 1;
	kfree(p);
}

/* Nobody frees it: only who looks at all of them notices. */
static void overrun_audited(void *arg)
{
	char *p = object();

	p[cache_size] = 1;
	slab_audit();
}

static void overrun_full(void *arg)
{
	char *p = object();

	for (int i = 0; i < 200; i++)
		object();
	p[cache_size] = 1;
	slab_audit();
}

static void free_audited(void *arg)
{
	char *p = object();

	object();
	kmem_cache_free(cache, p);
	slab_drain();
	p[20] = 1;
	slab_audit();
}

static void write_after_free(void *arg)
{
	char *p = object();

	kmem_cache_free(cache, p);
	p[*(int *)arg] = 'x';
	object();
}

static void wrong_cache(void *arg)
{
	kmem_cache_free(cache, kmalloc(48, GFP_KERNEL));
}

static void sleeps_under_lock(void *arg)
{
	spinlock_t lock = SPINLOCK_INIT;

	spin_lock(&lock);
	object();
}

static void sleeps_without_interrupts(void *arg)
{
	local_irq_disable();
	object();
}

static void test_misuse(void)
{
	static int near = 8, far = 47;

	cache = kmem_cache_create("misused", 48, 0);
	cache_size = 48;
	panics(free_twice, NULL, "slab misused: object", "double free");
	panics(free_twice_later, NULL, "freed twice", "double free, another one between");
	panics(overrun, NULL, "beyond its end", "a byte beyond the end, at free");
	panics(overrun_kmalloc, NULL, "of 100 bytes was written beyond its end, at offset 100: 0x1",
	       "... of what was asked for");
	panics(underrun, NULL, "before the beginning of object", "a byte before the beginning");
	panics(underrun_first, NULL, "before the beginning of object",
	       "... of the first of a slab");
	panics(overrun_audited, NULL, "written beyond its end, at offset 48",
	       "a byte beyond the end of one in use, when all are looked at");
	panics(overrun_full, NULL, "written beyond its end, at offset 48", "... in a full slab");
	panics(free_audited, NULL, "at offset 20 after it was freed", "... and of a free one");
	slab_audit();
	panics(overrun_into_free, NULL, "overrun", "a byte beyond the end of a free object");
	panics(write_after_free, &near, "at offset 8 after it was freed", "write after free");
	panics(write_after_free, &far, "at offset 47 after it was freed", "... to its last byte");
	panics(wrong_cache, NULL, "slab_cache != c", "an object of another cache");
	panics(sleeps_under_lock, NULL, "may sleep, but 1 spinlocks",
	       "GFP_KERNEL under a spinlock");
	panics(sleeps_without_interrupts, NULL, "interrupts are off",
	       "GFP_KERNEL with interrupts off");
}

int main(void)
{
	sim_boot_default();
	test_random_use();
	test_counts();
	test_alignment();
	test_kmalloc();
	test_failing();
	test_misuse();
	return done_testing();
}
