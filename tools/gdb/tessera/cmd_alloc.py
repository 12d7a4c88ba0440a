# SPDX-License-Identifier: MIT
"""buddy, pcp, slabs: what the allocators have."""
import gdb

from tessera import frames, kernel, process, slab
from tessera.command import Command, plural, say, size_words

PICTURE_WIDTH = 64


def need_allocator():
    if not process.is_up():
        raise gdb.GdbError("The kernel has no page allocator yet: there is nothing to tell.")


# --- pages ------------------------------------------------------------------------------------------------

class BuddyCommand(Command):
    """Show the free blocks of memory, by zone and order, and how torn they are.

Usage: buddy [info]
For each order: the size of a block, how many are free, how many pages that is; and which part of the free
memory can't serve a request of that order because it lies in smaller blocks. Fresh blocks have never been
in use. Then a picture of the memory. `buddy info` prints what /proc/buddyinfo says."""

    name = "buddy"

    def run(self, argv):
        if argv not in ([], ["info"]):
            raise self.usage()
        need_allocator()
        for zone in frames.zones():
            if argv:
                print(f"Node 0, zone {zone.name:>8} "
                      + "".join(f"{zone.blocks(order):6} " for order in zone.orders))
            else:
                show_zone(zone)
        if not argv:
            show_picture()

    def completions(self, before, word):
        return ["info"] if not before else []


def show_zone(zone):
    z = zone.object
    waiting = sum(pcp.count for pcp in frames.pcp_lists() if pcp.zone.number == zone.number)
    print(f"Zone {zone.name}: {z.free + waiting} of {plural(z.managed, 'page')} are free "
          f"({size_words((z.free + waiting) << 12)}), {waiting} of them on CPUs' lists.")
    print(f"The last {z.reserve} are kept for the kernel.")
    print(" order     block    free     pages  too small for it")
    smaller = 0
    for order in zone.orders:
        count = zone.nr(order)
        torn = f"{100 * smaller / z.free:5.1f} %" if z.free else "-"
        print(f"{order:6} {size_words(4096 << order):>9} {count:7} {count << order:9}  {torn:>8}")
        smaller += count << order
    fresh = zone.fresh_pages()
    last = zone.orders[-1]
    print(f" fresh {size_words(4096 << last):>9} {fresh >> last:7} {fresh:9}")


# In the picture: of one stretch of memory, the share that is in use.
MARKS = ((0.0, "."), (0.5, "-"), (0.999, "+"), (1.0, "#"))


def mark(used, reserved, total):
    if reserved == total:
        return "R"
    share = used / total
    return next(sign for limit, sign in MARKS if share <= limit)


def show_picture():
    """One sign for each block of 2^10 pages."""
    snapshot = frames.Snapshot()
    free = set()
    for pcp in frames.pcp_lists():
        free.update(pcp.frames)
    count = kernel.variable("nr_blocks")
    fresh = [(start >> 10, end >> 10) for zone in frames.zones() for start, end in zone.fresh]
    signs = ""
    for block in range(count):
        if block in snapshot.blocks:
            signs += block_mark(snapshot, block, free)
        else:
            signs += " " if any(start <= block < end for start, end in fresh) else "R"
    print(f"Each sign is {size_words(4096 << 10)}: # in use, + and - partly, . free, blank fresh, R never the "
          "allocator's")
    for start in range(0, count, PICTURE_WIDTH):
        print(f"{start << 22:#12x} |{signs[start:start + PICTURE_WIDTH]}|")


def block_mark(snapshot, block, waiting):
    words = snapshot.blocks[block]
    first = block * frames.BLOCK_PAGES
    reserved = frames.flag("PG_reserved")
    flags = words[frames.word("flags")::frames.WORDS]
    orders = words[frames.word("order")::frames.WORDS]
    buddy = frames.flag("PG_buddy")
    kept = sum(1 for f in flags if f & reserved)
    free = sum(1 << (orders[i] & 0xFFFF) for i, f in enumerate(flags) if f & buddy)
    free += sum(1 for pfn in waiting if first <= pfn < first + frames.BLOCK_PAGES)
    return mark(frames.BLOCK_PAGES - free, kept, frames.BLOCK_PAGES)


class PcpCommand(Command):
    """Show the free pages that wait on each CPU's own list.

Usage: pcp
From there single pages are given out and taken back without the zone's lock. The list is in the order in
which pages go out: what was freed last is still in the processor's cache, and goes first."""

    name = "pcp"

    def run(self, argv):
        if argv:
            raise self.usage()
        need_allocator()
        for pcp in frames.pcp_lists():
            print(f"CPU {pcp.cpu}, zone {pcp.zone.name}: {plural(pcp.count, 'page')}"
                  + (", the next to go out first" if pcp.count > 1 else ""))
            numbers = [f"{pfn:#x}" for pfn in reversed(pcp.frames)]
            for i in range(0, len(numbers), 10):
                print("  " + " ".join(f"{n:<7}" for n in numbers[i:i + 10]).rstrip())


# --- objects ------------------------------------------------------------------------------------------------

class SlabsCommand(Command):
    """Show the caches of objects: how many there are, of what size, in how many slabs.

Usage: slabs [NAME]
In use are objects that somebody has; those in magazines wait on CPUs' own lists, and count as free, as in
/proc/slabinfo. With a NAME, one cache slab by slab."""

    name = "slabs"

    def run(self, argv):
        if len(argv) > 1:
            raise self.usage()
        need_allocator()
        if argv:
            show_cache(find(argv[0]))
            return
        print("NAME                IN USE OBJECTS MAGAZINES   SIZE STRIDE  SLABS   MEMORY")
        total = 0
        for cache in slab.caches():
            cached = cache.cached()
            size = cache.nr_slabs << 12 + cache.order
            total += size
            print(f"{cache.name:<18} {cache.nr_used - cached:7} {cache.nr_slabs * cache.objs_per_slab:7} "
                  f"{cached:9} {cache.object_size:6} {cache.stride:6} {cache.nr_slabs:6} "
                  f"{size >> 10:4} KiB")
        print(f"{plural(len(slab.caches()), 'cache')}, {size_words(total)}")

    def completions(self, before, word):
        return [cache.name for cache in slab.caches()] if not before else []


def find(name):
    cache = next((c for c in slab.caches(frames.Snapshot()) if c.name == name), None)
    if cache is None:
        raise gdb.GdbError(f"There is no cache `{name}`: `slabs` lists them.")
    return cache


def show_cache(cache):
    say(f"{cache.name}: kmem_cache {cache.address:#x}, objects of {cache.object_size} bytes, one every "
        f"{cache.stride}, {cache.objs_per_slab} in a slab of {plural(1 << cache.order, 'page')}")
    for page in cache.slabs:
        state = "full" if page.inuse == page.objects else "empty" if not page.inuse else "partial"
        first = f", first free {page.index:#x}" if page.index else ""
        print(f"  {cache.base(page):#x}  {page.inuse:3} of {page.objects} out, {state}{first}")
    for cpu in process.online_cpus():
        objects = cache.magazine(cpu)
        if objects:
            print(f"  CPU {cpu}'s magazine: {plural(len(objects), 'object')}, the next to go out is "
                  f"{objects[-1]:#x}")


BuddyCommand()
PcpCommand()
SlabsCommand()
