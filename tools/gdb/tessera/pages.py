# SPDX-License-Identifier: MIT
"""One page: which one somebody means, what it is, and who maps it."""
import gdb

from tessera import areas, files, frames, kernel, memory, paging, process, pte, slab
from tessera.command import plural

# mm/types.h
FLAGS = {
    "locked": "somebody fills it, maps it or takes it away; others wait",
    "dirty": "was written, and differs from what is stored",
    "uptodate": "has its contents",
    "lru": "in the lists of pages by use",
    "active": "in use lately",
    "referenced": "was accessed since somebody looked last",
    "writeback": "is on its way to where the file is stored",
    "head": "the first of several pages that belong together",
    "tail": "one of several pages that belong together, not the first",
    "reserved": "never the allocator's: firmware, the kernel's image, taken at boot",
    "buddy": "free: the first of a block in the buddy lists",
    "slab": "holds objects of one kind",
    "table": "a page table",
    "swapbacked": "anonymous: its contents can be had from nowhere else",
    "mlocked": "locked in memory",
    "anon_exclusive": "one program's alone: it may write without asking",
    "poisoned": "free, and filled with a pattern that shows writes to it",
}


# --- which page ------------------------------------------------------------------------------------------

class Meant:
    """The page that an argument means: pfn, how it was taken (words), and the byte that is meant."""

    def __init__(self, pfn, how, kernel_address=None):
        self.pfn = pfn
        self.how = how
        self.kernel_address = kernel_address

    @property
    def physical(self):
        return self.pfn << pte.PAGE_SHIFT


def meant_by(number, kind=None):
    """What a number means: a frame, a physical, a kernel's or a user address; kind says "frame", "phys"
    or None: whatever fits."""
    if kind == "frame":
        return Meant(number, f"frame {number:#x}")
    if kind == "phys":
        return Meant(number >> pte.PAGE_SHIFT, f"physical address {number:#x}")
    if kernel.kernel_half(number):
        return kernel_address(number)
    if number >= pte.PAGE_SIZE:
        found = user_address(number)
        if found is not None:
            return found
        refuse_unmapped(number)
    last = kernel.variable("nr_blocks") * frames.BLOCK_PAGES
    if number < last:
        return Meant(number, f"frame {number:#x}")
    if number >> pte.PAGE_SHIFT < last:
        return Meant(number >> pte.PAGE_SHIFT, f"physical address {number:#x}")
    raise gdb.GdbError(f"{number:#x} is no frame, no physical address of memory, and nothing is mapped "
                       f"there in {process.current_root()[1]}.")


def user_address(number):
    root, whose = process.current_root()
    walk = paging.Walk(root, number)
    entry, level = walk.entry, walk.last.level if walk.last else 4
    if walk.physical is not None:
        return Meant(walk.physical >> pte.PAGE_SHIFT, f"user address {number:#x} of {whose}")
    if level == 1 and pte.is_protnone(entry):
        return Meant(pte.frame(entry) >> pte.PAGE_SHIFT,
                     f"user address {number:#x} of {whose}, which no access may reach")
    return None


def refuse_unmapped(number):
    """An address in an area of the process is that, though nothing is mapped there."""
    task = process.current()
    mm = process.mm_of(task) if task is not None else None
    if mm is not None and areas.covers(areas.find(mm, number), number):
        raise gdb.GdbError(f"{number:#x} lies in an area of {task.comm}[{task.pid}], but no page is there yet. "
                           "(Of a frame or a physical address: `page frame`, `page phys`.)")


def kernel_address(number):
    if kernel.VMEMMAP_START <= number < kernel.VMEMMAP_END:
        pfn = kernel.pfn_of(number)
        return Meant(pfn, f"the page whose struct page is at {kernel.page_address(pfn):#x}")
    try:
        physical = kernel.translate(number)
    except memory.Unreadable:
        raise gdb.GdbError(f"Nothing is mapped at {number:#x}: {kernel.region(number)}.") from None
    return Meant(physical >> pte.PAGE_SHIFT,
                 f"kernel address {number:#x}, in {kernel.region(number)}", number)


# --- what it is --------------------------------------------------------------------------------------------

def describe(meant):
    """What a page is, as sentences."""
    frame = frames.frame(meant.pfn)
    if frame is None:
        return [without_struct(meant.pfn)]
    for kind in (zero, reserved, free, compound, in_slab, in_table, anonymous, of_file, kernels):
        words = kind(frame, meant)
        if words:
            return words
    return []


def without_struct(pfn):
    for zone in frames.zones():
        for start, end in zone.fresh:
            if start <= pfn < end:
                return f"Free, and was never in use: in the fresh blocks {start:#x}-{end:#x} of zone " \
                    f"{zone.name}, whose struct pages aren't made yet."
    return "No memory that the kernel uses: there is no struct page."


def zero(frame, _meant):
    if frame.address == kernel.variable("zero_page"):
        return ["The page of zeros, which every read of untouched anonymous memory maps. Such entries are "
                "marked special, and not counted."]
    return None


def reserved(frame, meant):
    if not frame.has("PG_reserved"):
        return None
    address = meant.physical + kernel.IMAGE_BASE
    start, end = kernel.address_of("__boot_start"), kernel.address_of("__kernel_end")
    if start <= meant.physical and address < end:
        symbol = kernel.function_at(meant.kernel_address or address)
        return ["Of the kernel's image" + (f": {symbol}." if symbol else ".")]
    if meant.physical < 1 << 20:
        return ["Of the first MiB, which is left to the firmware."]
    return ["Never given to the allocator: taken at boot for tables, struct pages or an image in memory."]


def free(frame, _meant):
    block = frames.free_block_of(frames.frame, frame.pfn)
    if block:
        first, order = block
        return [f"Free: page {frame.pfn - first} of the block of order {order} ({1 << order} pages) at frame "
                f"{first:#x}, in the buddy lists of zone {zone_name(frame.pfn)}."]
    for pcp in frames.pcp_lists():
        if frame.address in pcp.pages:
            ahead = len(pcp.pages) - 1 - pcp.pages.index(frame.address)
            return [f"Free: in CPU {pcp.cpu}'s list of zone {pcp.zone.name}, "
                    + ("the next to go out." if not ahead else f"{plural(ahead, 'page')} ahead of it.")]
    return None


def zone_name(pfn):
    number = frames.zone_of(pfn)
    return next((z.name for z in frames.zones() if z.number == number), str(number))


def compound(frame, meant):
    if not frame.has("PG_tail"):
        return None
    head = kernel.pfn_of(frame.mapping)
    words = describe(Meant(head, f"frame {head:#x}", meant.kernel_address))
    return [f"Page {frame.pfn - head} of those that begin with frame {head:#x}:"] + words


def in_slab(frame, meant):
    if not frame.has("PG_slab"):
        return None
    cache = slab.Cache(kernel.struct("kmem_cache", frame.mapping))
    words = [f"A slab of cache {cache.name}: {frame.inuse} of {plural(frame.objects, 'object')} of "
             f"{cache.object_size} bytes are out ({plural(1 << cache.order, 'page')})."]
    found = slab.object_at(meant.kernel_address) if meant.kernel_address else None
    if found:
        _, obj, offset = found
        cpu = next((n for n in range(kernel.NR_CPUS) if obj in cache.magazine(n)), None)
        state = "free, in its slab" if obj in cache.free_chain(frame) else \
            f"free, in CPU {cpu}'s magazine" if cpu is not None else "in use"
        words.append(f"The address is byte {offset} of the object at {obj:#x}, which is {state}.")
    return words


def in_table(frame, _meant):
    if not frame.has("PG_table"):
        return None
    target = frame.pfn << pte.PAGE_SHIFT
    for root, whose in [(process.root_of(mm), name) for mm, name in spaces()] + \
            [(kernel.kernel_root(), "the kernel's own tables")]:
        found = find_table(root, 4, 0, target, "kernel" in whose)
        if found:
            level, address = found
            size = {4: "the whole", 3: "512 GiB", 2: "1 GiB", 1: "2 MiB"}[level]
            used = sum(1 for e in paging.table(target) if e)
            where = "the top of all" if level == 4 else f"for {size} from {address:#x}"
            return [f"A page table of {whose}: {pte.INTEL_NAMES[level]}, {where}; {used} of 512 entries "
                    "are not none."]
    return ["A page table that hangs in no address space: on its way in or out, or the kernel's."]


def find_table(phys, level, address, target, kernels):
    """(level, first address) of a table below another; None if it isn't there."""
    if phys == target:
        return level, address
    if level == 1:
        return None
    table = paging.table(phys)
    for i in range(256 if level == 4 and not kernels else 512):
        entry = table[i]
        if pte.is_table(entry, level):
            base = address + (i << pte.SHIFT[level])
            found = find_table(entry & pte.PFN_MASK, level - 1, pte.canonical(base), target, kernels)
            if found:
                return found
    return None


def is_mapped_page(frame):
    """Whether page->mapping means what it says."""
    return not any(frame.has(f) for f in ("PG_slab", "PG_tail", "PG_table", "PG_buddy", "PG_reserved"))


def anonymous(frame, _meant):
    if not frame.mapping & frames.MAPPING_ANON:
        return None
    return [f"Anonymous memory of anon_vma {frame.mapping & ~frames.MAPPING_FLAGS:#x}, page "
            f"{frame.index:#x} there; {mapped_words(frame)}"]


def of_file(frame, _meant):
    if not frame.mapping:
        return None
    return [f"Page {frame.index:#x} of {files.name_of(frame.mapping)}, in its page cache (address_space "
            f"{frame.mapping:#x}); {mapped_words(frame)}"]


def mapped_words(frame):
    if not frame.maps:
        return "no entry maps it."
    return ("1 entry maps" if frame.maps == 1 else f"{frame.maps} entries map") + " it: see `rmap`."


def kernels(frame, meant):
    if frame.maps:
        return [f"The kernel's, shown to programs (the vdso): {mapped_words(frame)}"]
    for address, level, entry, _ in paging.leaves(kernel.kernel_root(), kernel.VMALLOC_START,
                                                  kernel.VMALLOC_END):
        if level == 1 and entry & pte.PRESENT and pte.frame(entry) == meant.physical:
            return [f"The kernel's, mapped at {address:#x} in vmalloc space{stack_words(address)}."]
    if not frame.refs:
        return ["Nobody's at the moment: on its way from or to the allocator, or inside a larger block."]
    return ["The kernel's: " + (f"the first of {1 << frame.order} pages." if frame.order else "one page.")]


def stack_words(address):
    for task in process.tasks():
        if task.stack and task.stack <= address < task.se.stack_top:
            return f": the kernel stack of {task.comm}[{task.pid}]"
    return ""


# --- who maps it -------------------------------------------------------------------------------------------

def spaces():
    """(mm, whose) of all address spaces of tasks."""
    found = {}
    for task in process.tasks():
        if task.mm_part.mm and task.mm_part.mm not in found:
            found[task.mm_part.mm] = f"{task.comm}[{task.tgid}]"
    return [(kernel.struct("mm_struct", mm), name) for mm, name in found.items()]


def owner_names():
    return {mm._address: name for mm, name in spaces()}


INTERVAL_LEVELS = 128  # more than a red-black tree of all addresses has


def intervals(node, index, levels=INTERVAL_LEVELS):
    """The struct interval_tree_nodes that an index lies in, in order."""
    if not node:
        return
    if not levels:
        raise gdb.GdbError("The tree of areas goes round in a circle: it is damaged.")
    item = kernel.container("interval_tree_node", "rb", node)
    if index > getattr(item, "__subtree_last"):
        return
    yield from intervals(item.rb.rb_left, index, levels - 1)
    if item.start <= index <= item.last:
        yield item
    if item.start <= index:
        yield from intervals(item.rb.rb_right, index, levels - 1)


class Candidate:
    """An area that may map a page, by the reverse map, and the entry there."""

    def __init__(self, vma, index, pfn):
        self.vma = vma
        self.address = vma.vm_start + (index - vma.vm_pgoff << pte.PAGE_SHIFT)
        mm = kernel.struct("mm_struct", vma.vm_mm)
        walk = paging.Walk(process.root_of(mm), self.address)
        self.level = walk.last.level
        self.entry = walk.entry
        self.maps = self.level == 1 and pte.has_frame(self.entry) and not self.entry & pte.SPECIAL \
            and pte.frame(self.entry) >> pte.PAGE_SHIFT == pfn


def candidates(frame):
    """All areas that the reverse map names for a page, as try_to_unmap() would come to them."""
    if frame.mapping & frames.MAPPING_ANON:
        av = kernel.struct("anon_vma", frame.mapping & ~frames.MAPPING_FLAGS)
        offset = kernel.struct_layout("anon_vma_chain").fields["node"][0]
        areas = [kernel.struct("anon_vma_chain", node._address - offset).vma
                 for node in intervals(av.chains, frame.index)]
    else:
        mapping = kernel.struct("address_space", frame.mapping)
        offset = kernel.struct_layout("vm_area_struct").fields["i_mmap_node"][0]
        areas = [node._address - offset for node in intervals(mapping.i_mmap, frame.index)]
    return [Candidate(kernel.struct("vm_area_struct", a), frame.index, frame.pfn) for a in areas]


def by_all_tables(pfn):
    """{(mm, address): entry} of the entries that map a frame, by looking at all of them."""
    found = {}
    for mm, _ in spaces():
        for address, level, entry, _ in paging.leaves(process.root_of(mm), 0, pte.TASK_SIZE):
            if level == 1 and entry >> pte.PAGE_SHIFT & 0xFFFFFFFFFF == pfn and pte.has_frame(entry):
                found[mm._address, address] = entry
    return found
