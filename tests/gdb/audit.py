# SPDX-License-Identifier: MIT
"""audit: healthy, then damaged in one place after the other. See audit.t."""

import gdb

from tap import *
from tessera import frames, kernel, locks, memory, paging, process, pte, slab

CLEAN = r"\AEverything agrees: 3 address spaces, \d+ areas, "


def stand_still():
    """Lets the guest run until all processors have nothing to do: nothing is on its way anywhere."""
    for _ in range(20):
        ask("r 10000000")
        with memory.session():
            reason = locks.busy_cpu()
        if not reason:
            return
    diag(f"the guest never stands still: {reason}")


def patch(address, data):
    gdb.selected_inferior().write_memory(address, data)


def looked_up(function):
    """What a function finds out about the guest."""
    with memory.session():
        return function()


def damage(name, address, new, pattern, size=8):
    """A point: with the number at the address changed to `new` (or by a function of the old one), audit
    names it; changed back, all agrees again."""
    old = bytes(looked_up(lambda: kernel.read(address, size)))
    number = int.from_bytes(old, "little")
    number = new(number) if callable(new) else new
    patch(address, (number & (1 << 8 * size) - 1).to_bytes(size, "little"))
    first = " ".join(run("audit").split())  # one sentence, in one or more lines
    patch(address, old)
    note(f"{name}: {first}")
    good = like(first, pattern, f"named: {name}")
    after = run("audit")
    if not re.match(CLEAN, after):
        ok(False, f"undone: {name}")
        diag(after)
    return good


def field(obj, name, more=0):
    return obj.address_of(name) + more


# --- a system at work ---------------------------------------------------------------------------------------

ready()
like(ask("fork"), r"child 1 pid 2", "a child shares its parent's pages")
for function, line in (("anon_vma_fork", "fork"), ("do_wp_page", "w 10000000"), ("tlb_flush_range", "w 10002000"),
                       ("vma_set_range", "mprotect 10001000 1000 1"),
                       ("vma_merge", "mprotect 10001000 1000 3"),
                       ("tlb_finish_mmu", "munmap 10600000 1000"),
                       ("alloc_pages", "w 40300000")):
    run("tbreak " + function)
    send(line + "\n")
    go()
    text = run("audit")
    like(text, r"\AEverything agrees: ", f"stopped in {function}: nothing is named that is only on its way")
    note(text)
    run("delete")
    until(READY)
stand_still()
like(run("audit"), CLEAN, "a healthy system: all agrees")
like(run("audit all"), CLEAN + r"(?s:.*\nAlso .* anon_vmas)", "`audit all` says what else was compared")
is_(error("audit everything"), "Usage: audit [all]", "wrong arguments")

# --- what can be damaged ------------------------------------------------------------------------------------

task = looked_up(lambda: process.find(1))
mm = looked_up(lambda: process.mm_of(task))


def areas():
    found, address = [], mm.mmap
    while address:
        found.append(kernel.struct("vm_area_struct", address))
        address = found[-1].vm_next
    return found


def area_at(address):
    return next(a for a in looked_up(areas) if a.vm_start <= address < a.vm_end)


def entry_at(address):
    """The kernel's address of the entry for a user address, in its last-level table."""
    return looked_up(lambda: kernel.to_virt(paging.Walk(process.root_of(mm), address).last.where))


def entry(address):
    return looked_up(lambda: kernel.u64(entry_at(address)))


def page_at(address):
    return looked_up(lambda: kernel.struct("page", kernel.page_address((entry(address) & pte.PFN_MASK) >> 12)))


def chain_of(area):
    offset = kernel.struct_layout("anon_vma_chain").fields["same_vma"][0]
    return looked_up(lambda: kernel.struct("anon_vma_chain", area.anon_vma_chain.next - offset))


anon, readonly, file_area = area_at(0x10000000), area_at(0x10100000), area_at(0x10400000)
name = re.escape(f"{task.comm}[1]")

# --- areas
damage("a gap", field(anon, "rb_subtree_gap"), lambda n: n + 4096,
       f"^{name}: area 0x10000000-0x[0-9a-f]+: rb_subtree_gap is 0x[0-9a-f]+, but the largest gap in its")
damage("a colour", field(anon, "vm_rb"), lambda n: n ^ 1,
       f"^{name}: (area 0x10000000 and its parent .* both red|.*and its parent area 0x10000000 are both red|"
       "the tree is out of balance at area 0x10000000)")
damage("a parent in the tree", field(anon, "vm_rb"), lambda n: n ^ 0x40,
       f"^{name}: area 0x10000000: its link to the parent in the tree is")
damage("a list link that leaves one out", field(anon, "vm_next"), area_at(0x10200000)._address,
       f"^{name}: area 0x10200000-0x[0-9a-f]+: vm_prev is 0x[0-9a-f]+, but the list comes from "
       f"{anon._address:#x}")
damage("a list link to nowhere", field(anon, "vm_next"), anon._address + 0x18,
       f"^{name}: the list of areas leads from 0x10000000 to {anon._address + 0x18:#x}, which is no area in use")
damage("an area's end", field(anon, "vm_end"), lambda n: n + 0x200000, f"^{name}: .*(overlaps|out of order)")
damage("map_count", field(mm, "map_count"), lambda n: n + 1,
       f"^{name}: map_count is {mm.map_count + 1}, there are {mm.map_count} areas", 4)
damage("highest_vm_end", field(mm, "highest_vm_end"), lambda n: n - 4096, f"^{name}: highest_vm_end is")
damage("total_vm", field(mm, "total_vm"), lambda n: n + 3, f"^{name}: total_vm is .* the areas add up to")
damage("an area's protection", field(readonly, "vm_page_prot"), lambda n: n | pte.RW,
       f"^{name}: area 0x10100000-0x[0-9a-f]+: its page protection .* lets all pages be written")
owner, slot = looked_up(lambda: next(
    (t, i) for t in process.tasks() for i, v in enumerate(t.mm_part.vmacache.vmas)
    if v and t.mm_part.vmacache.seqnum == process.mm_of(t).vmacache_seqnum))
damage("a vmacache entry", owner.mm_part.vmacache.vmas.address_of(slot), lambda n: n ^ 0x1000,
       fr"^the vmacache of playground\[{owner.pid}\] is valid and holds 0x[0-9a-f]+ in slot {slot}, which is no")
damage("mm_users", field(mm, "mm_users"), 0, f"^{name}: mm_users is 0", 4)

# --- page tables
free_frame = looked_up(lambda: frames.Snapshot().with_flag("PG_buddy")[0])
damage("an entry that leads to a free frame", entry_at(0x10000000),
       lambda n: n & ~pte.PFN_MASK | free_frame << 12,
       f"^{name}: the entry for 0x10000000 maps frame {free_frame:#x}, which is free: it lies in the free block")
waiting = looked_up(lambda: next(p for p in frames.pcp_lists() if p.count))
damage("an entry that leads to a CPU's free frame", entry_at(0x10000000),
       lambda n: n & ~pte.PFN_MASK | waiting.frames[0] << 12,
       f"^{name}: the entry for 0x10000000 maps .* waits in CPU {waiting.cpu}'s list")
damage("an entry with more rights than its area", entry_at(0x10100000), lambda n: n | pte.RW,
       f"^{name}: the entry for 0x10100000 is writable, .*, but its area is not")
damage("an entry that may be executed", entry_at(0x10000000), lambda n: n & ~pte.NX,
       f"^{name}: the entry for 0x10000000 is executable, .*, but its area is not")
damage("an entry where no area is", entry_at(0x10180000), entry(0x10000000),
       f"^{name}: the entry for 0x10180000 is .*, but no area is there")
damage("an entry that leads to another's page", entry_at(0x10000000), entry(0x10001000),
       f"^{name}: the entry for 0x10000000 maps .* with index 0x10001, in its place belongs index 0x10000")
damage("a shared page that may be written", entry_at(0x10001000), lambda n: n | pte.RW,
       f"^{name}: the entry for 0x10001000 maps .* writable, and 3 entries share it")
damage("an entry that has gone", entry_at(0x10001000), 0,
       f"^{name}: rss_stat.MM_ANONPAGES. is .* such pages are mapped")
upper = looked_up(lambda: kernel.to_virt(paging.Walk(process.root_of(mm), 0x10000000).steps[2].where))
damage("an upper entry that takes rights away", upper, lambda n: n & ~pte.RW,
       f"^{name}: the entry for 0x10000000 in the PD is .*: it takes rights away")
damage("a top-level table without the kernel", mm.context.pgd + 8 * 511, 0,
       f"^{name}: entry 511 of its top-level table is 0x0, in the kernel's own tables")
damage("pgtables_bytes", field(mm, "pgtables_bytes"), lambda n: n + 4096,
       f"^{name}: pgtables_bytes is .*, there are")
damage("an rss counter", field(mm, "rss_stat"), lambda n: n + 1,
       f"^{name}: rss_stat.MM_FILEPAGES. is .*, .* such pages are mapped")
table = looked_up(lambda: kernel.struct("page", kernel.page_address(kernel.u64(upper) >> 12 & 0xFFFFFFFFF)))
damage("a page table not marked as one", field(table, "flags"), lambda n: n & ~frames.flag("PG_table"),
       f"^{name}: its PT for 0x10000000 at .* is in a frame that is not marked as a page table")

# --- pages
page = page_at(0x10001000)
pfn = f"frame {kernel.pfn_of(page._address):#x}"
damage("a reference too few", field(page, "counts"), lambda n: n - 1,
       f"^{pfn} .* counts 2 references, but 3 mappings hold one each")
damage("a reference too many", field(page, "counts"), lambda n: n + 1,
       f"^{pfn} .* counts 4 references, but only 3 mappings hold one each")
damage("a mapping too many", field(page, "counts"), lambda n: n + (1 << 32) + 1,
       f"^{pfn} .* counts 4 mappings, 3 entries map it: 0x10001000 of ")
damage("a page's index", field(page, "index"), lambda n: n + 1,
       f"^{name}: the entry for 0x10001000 maps {pfn} .* with index 0x10002, in its place belongs index 0x10001")
damage("a page's mapping", field(page, "mapping"), lambda n: n + 0x1000,
       f"^{name}: the entry for 0x10001000 maps {pfn} .* of anon_vma .*, which does not know the area")
file_page = page_at(0x10400000)
damage("a file page's mapping", field(file_page, "mapping"), 0,
       f"^{name}: the entry for 0x10400000 maps .* with mapping 0x0: it is not of the address_space")
mapping = looked_up(lambda: kernel.struct("address_space", file_page.mapping))
damage("nrpages", field(mapping, "nrpages"), lambda n: n + 1,
       f"^the page cache of address_space {file_page.mapping:#x}: nrpages is")
node = looked_up(lambda: kernel.struct("radix_tree_node", mapping.pages.node))
damage("an entry of a file's tree", node.slots.address_of(0), lambda n: n + 64,
       "^the page cache of address_space .*: at index 0x0 it holds")

# --- the ways back
avc = chain_of(anon)
damage("a link of an anon_vma_chain", avc.address_of("same_vma") + 8, lambda n: n ^ 0x100,
       f"^{name}: area 0x10000000-0x[0-9a-f]+: anon_vma_chain {avc._address:#x}: same_vma.prev is")
damage("the area of an anon_vma_chain", field(avc, "vma"), readonly._address,
       f"^{name}: .*anon_vma_chain {avc._address:#x} says that it is area {readonly._address:#x}'s")
start = avc.node.address_of("start")
damage("what an anon_vma_chain spans", start, lambda n: n + 1,
       f"^{name}: .*anon_vma_chain {avc._address:#x} spans pages 0x10001-")
damage("the summary of an interval tree", avc.node.address_of("__subtree_last"), lambda n: n - 1,
       f"^anon_vma .*: anon_vma_chain {avc._address:#x}: __subtree_last is")
anon_vma = looked_up(lambda: kernel.struct("anon_vma", avc.anon_vma))
damage("the root of an anon_vma's tree", field(anon_vma, "chains"), 0,
       f"^anon_vma {avc.anon_vma:#x}: anon_vma_chain .* is in its area's list but not in this tree")
damage("num_active_vmas", field(anon_vma, "num_active_vmas"), lambda n: n + 1,
       f"^anon_vma {avc.anon_vma:#x}: num_active_vmas is 2, but 1 area put", 4)
damage("an entry of i_mmap", file_area.i_mmap_node.address_of("last"), lambda n: n + 1,
       f"^{name}: area 0x10400000-0x[0-9a-f]+: its file knows it by pages")

# --- free memory
snapshot = looked_up(frames.Snapshot)
block = looked_up(lambda: next(snapshot.get(n) for n in snapshot.with_flag("PG_buddy")
                               if snapshot.get(n).order > 2))
order_at = kernel.struct_layout("page").fields["order"][0]
damage("a free block's order", block.address + order_at, lambda n: n - 1,
       f"^zone DMA32: frame {block.pfn:#x} is in the list of order {block.order}, but says that its block is of",
       2)
damage("a free page's flags", kernel.page_address(block.pfn + 1), lambda n: n | frames.flag("PG_dirty"),
       f"^zone DMA32: frame {block.pfn + 1:#x} is free, .* has flags that free pages don't have: dirty")
damage("a free page's count", kernel.page_address(block.pfn + 2) + 8, 1,
       f"^zone DMA32: frame {block.pfn + 2:#x} is free, .* has 1 reference ")
damage("a link of a free list", block.node + 8, lambda n: n ^ 0x40,
       f"^zone DMA32: the list of order {block.order}: frame {block.pfn:#x} has ")
zone = looked_up(lambda: frames.zones()[0])
damage("a zone's free pages", field(zone.object, "free"), lambda n: n + 1, "^zone DMA32: it counts .* free pages")
damage("a page in a CPU's list", waiting.pages[0] + 8, 1,
       f"^frame {waiting.frames[0]:#x} is free, in CPU {waiting.cpu}'s list of zone DMA32, but has 1 reference ")

# --- slabs
caches = looked_up(lambda: slab.caches(snapshot))
vma_cache = next(c for c in caches if c.name == "vm_area_struct")
partial = looked_up(lambda: next((c, s) for c in caches for s in c.slabs
                                 if s.objects - s.inuse > 1 and s.inuse))
slab_page = partial[1]
free_objects = looked_up(lambda: partial[0].free_chain(slab_page))
damage("a slab's free objects", free_objects[0], lambda n: n + 8,
       f"^slab cache {partial[0].name}: .* chain of free objects leads to .*, which is no object")
damage("a slab's count", slab_page.address + order_at + 2, lambda n: n - 1,
       f"^slab cache {partial[0].name}: the slab at frame {slab_page.pfn:#x}", 2)
damage("what lies behind an object", anon._address + vma_cache.stride - 8, 0x41414141,
       f"^slab cache vm_area_struct: the word behind object {anon._address:#x} is 0x41414141")
damage("nr_slabs", field(vma_cache.object, "nr_slabs"), lambda n: n + 1, "^slab cache vm_area_struct: nr_slabs is")

# --- tasks
damage("a run queue's count", looked_up(lambda: kernel.variable("run_queues")[0]).address_of("ready"), 3,
       "^CPU 0's run queue counts 3 that wait, it has 0", 4)
damage("nr_threads", looked_up(lambda: kernel.struct("signal_struct", task.signal)).address_of("nr_threads"), 2,
       fr"^process {name}: nr_threads is 2, 1 are in its list", 4)

# --- several at once
first, second = field(anon, "rb_subtree_gap"), field(mm, "pgtables_bytes")
old = [looked_up(lambda a=a: kernel.read(a, 8)) for a in (first, second)]
patch(first, b"\0" * 8)
patch(second, b"\0" * 8)
unlike(run("audit"), "pgtables_bytes", "of two damages the first one is named")
like(run("audit all"), r"(?s)rb_subtree_gap.*pgtables_bytes", "`audit all` names both")
patch(first, old[0])
patch(second, old[1])
like(run("audit"), CLEAN, "and all agrees at the end")

send("quit\n")
go()
