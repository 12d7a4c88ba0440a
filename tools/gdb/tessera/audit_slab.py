# SPDX-License-Identifier: MIT
"""Audit: object caches. Each slab's chain of free objects stays within it, and all counts agree."""
from tessera import frames, kernel, locks, slab


class CacheCheck:
    """One cache."""

    def __init__(self, audit, cache):
        self.audit = audit
        self.cache = cache
        self.free = set()  # in slabs' chains
        self.excuse = None
        if locks.spin_held(cache.object.lock):
            self.excuse = f"slab cache {cache.name} changes: its lock is held"

    def wrong(self, sentence, excuse=None):
        self.audit.wrong(f"slab cache {self.cache.name}: {sentence}", self.excuse or excuse)

    def run(self):
        partial = self.partial_list()
        for page in self.cache.slabs:
            self.slab(page, partial)
        # A slab that is new, or is being given back, is counted under the lock, but marked outside.
        if len(self.cache.slabs) != self.cache.nr_slabs:
            self.wrong(f"nr_slabs is {self.cache.nr_slabs}, {len(self.cache.slabs)} blocks are marked as its "
                       "slabs", self.audit.busy)
        used = sum(page.inuse for page in self.cache.slabs)
        if used != self.cache.nr_used:
            self.wrong(f"nr_used is {self.cache.nr_used}, its slabs count {used} objects out")
        self.magazines()
        self.audit.checked(len(self.cache.slabs), "slabs")

    def partial_list(self):
        """The frames of the partial list, checked as a list."""
        found = set()
        head = self.cache.partial_head
        before, node = head, kernel.u64(head)
        known = {page.pfn: page for page in self.cache.slabs}
        while node != head:
            pfn = frames.of_node(node)
            page = known.get(pfn)
            if page is None or pfn in found:
                self.wrong(f"its partial list leads to {node:#x}, which is "
                           + ("there already" if page is not None else "no slab of this cache"))
                break
            following, prev = page.lru
            if prev != before:
                self.wrong(f"its partial list: the slab at frame {pfn:#x} has {prev:#x} before it, the list "
                           f"comes from {before:#x}")
            found.add(pfn)
            before, node = node, following
        return found

    def slab(self, page, partial):
        cache, name = self.cache, f"the slab at frame {page.pfn:#x}"
        busy = None if page.pfn in partial else self.audit.busy
        if page.objects != cache.objs_per_slab or page.inuse > page.objects:
            self.wrong(f"{name} counts {page.inuse} of {page.objects} objects out, there are "
                       f"{cache.objs_per_slab}", busy)
        if (0 < page.inuse < page.objects) != (page.pfn in partial):
            self.wrong(f"{name} with {page.inuse} of {page.objects} objects out is "
                       f"{'in' if page.pfn in partial else 'not in'} the partial list", busy)
        chain = cache.free_chain(page)
        last = chain[-1] if chain else 0
        if last and (not cache.is_object(page, last) or last in chain[:-1]):
            self.wrong(f"{name}: the chain of free objects leads to {last:#x}, which is "
                       + ("there already" if last in chain[:-1] else "no object of this slab"), busy)
            return
        if len(chain) != page.objects - page.inuse:
            self.wrong(f"{name} counts {page.objects - page.inuse} free objects, {len(chain)} are chained",
                       busy)
        self.free.update(chain)
        if cache.has_debug_word:
            self.state_words(page, set(chain))

    def state_words(self, page, free):
        """Debug builds: the word behind each object says whether it is out."""
        for obj in self.cache.all_objects(page):
            word = self.cache.state_word(obj)
            if word >> slab.STATE_SHIFT not in (slab.STATE_FREE, slab.STATE_INUSE):
                self.wrong(f"the word behind object {obj:#x} is {word:#x}: something was written beyond its "
                           "end")
            elif obj in free and word >> slab.STATE_SHIFT != slab.STATE_FREE:
                self.wrong(f"object {obj:#x} is in its slab's chain of free ones, but marked as in use")

    def magazines(self):
        cache, seen = self.cache, {}
        slabs = {page.pfn: page for page in cache.slabs}
        for cpu, mag in enumerate(cache.object.mags):
            excuse = None
            if locks.spin_held(mag.lock):
                excuse = f"slab cache {cache.name} changes: CPU {cpu}'s magazine is locked"
            if mag.count > slab.MAG_SIZE:
                self.wrong(f"CPU {cpu}'s magazine counts {mag.count} objects: more than it has room for",
                           excuse)
            for obj in cache.magazine(cpu):
                name = f"CPU {cpu}'s magazine holds {obj:#x}, which is"
                page = slabs.get(self.audit.snapshot.head(obj - kernel.PAGE_OFFSET >> 12))
                if page is None or not cache.is_object(page, obj):
                    self.wrong(f"{name} no object of this cache", excuse)
                elif obj in seen:
                    self.wrong(f"{name} in CPU {seen[obj]}'s already", excuse)
                elif obj in self.free:
                    self.wrong(f"{name} free in its slab, too", excuse)
                elif cache.has_debug_word and cache.state(obj) != slab.STATE_FREE:
                    self.wrong(f"{name} marked as in use", excuse)
                seen[obj] = cpu


def slabs(audit):
    """the slabs' check"""
    known = {cache.address for cache in audit.caches}
    for pfn in audit.snapshot.with_flag("PG_slab"):
        frame = audit.snapshot.get(pfn)
        if frame.mapping not in known:
            audit.wrong(f"frame {pfn:#x} is marked as a slab (PG_slab) of {frame.mapping:#x}, which is no "
                        "cache", audit.busy)
    for cache in audit.caches:
        CacheCheck(audit, cache).run()
    audit.checked(len(audit.caches), "slab caches")
