# SPDX-License-Identifier: MIT
"""All struct pages at once, the buddy allocator's zones, and the pages that wait on CPUs' lists.

A struct page is eight words. Looking at each of them by name would take seconds: here blocks of them
are arrays of words, and the words' places come from the debug information.
"""
import array

from tessera import kernel, memory, process

BLOCK_ORDER = 10  # MAX_ORDER: struct pages are made in blocks of so many
BLOCK_PAGES = 1 << BLOCK_ORDER
WORDS = 8  # of a struct page
PAGE_STRUCT = WORDS * 8

MAPPING_ANON = 1
MAPPING_FLAGS = 3

ZONE_BORDER = 1 << 20  # the frame at 4 GiB: zone Normal begins


def word(field):
    """Which of a struct page's words a field is in."""
    return kernel.struct_layout("page").fields[field][0] // 8


def flag(name):
    """The bit of a page flag: flag("PG_slab")."""
    names = kernel.enum_names("pageflags")
    return next((1 << bit for bit, known in names.items() if known == name), 0)


class Frame:
    """One struct page, decoded."""

    __slots__ = ("pfn", "words")

    def __init__(self, pfn, words):
        self.pfn = pfn
        self.words = words

    @property
    def address(self):
        return kernel.page_address(self.pfn)

    @property
    def flags(self):
        return self.words[word("flags")]

    @property
    def refs(self):
        return self.words[word("counts")] & 0xFFFFFFFF

    @property
    def maps(self):
        return self.words[word("counts")] >> 32

    @property
    def mapping(self):
        """Of a slab page it is the cache, of a compound page's tail its head."""
        return self.words[word("mapping")]

    @property
    def index(self):
        """Of a slab page it is the first free object."""
        return self.words[word("index")]

    @property
    def order(self):
        return self.words[word("order")] & 0xFFFF

    @property
    def inuse(self):
        return self.words[word("order")] >> 16 & 0xFFFF

    @property
    def objects(self):
        return self.words[word("order")] >> 32 & 0xFFFF

    @property
    def lru(self):
        """(next, prev)"""
        at = word("lru")
        return self.words[at], self.words[at + 1]

    @property
    def node(self):
        """The address of its lru, by which lists lead to it."""
        return self.address + 8 * word("lru")

    def has(self, name):
        return bool(self.flags & flag(name))

    def flag_names(self):
        names = sorted(kernel.enum_names("pageflags").items())
        return [name[3:] for bit, name in names if name != "NR_PAGEFLAGS" and self.flags >> bit & 1]


def of_node(node):
    """The frame whose lru is at an address; None if that is no struct page's."""
    offset = node - 8 * word("lru") - kernel.VMEMMAP_START
    return None if offset < 0 or offset % PAGE_STRUCT else offset // PAGE_STRUCT


# --- blocks ---------------------------------------------------------------------------------------------

def ready_blocks():
    """The blocks whose struct pages have been made, by number. Others have never been in use."""
    count = kernel.variable("nr_blocks")
    bits = int.from_bytes(kernel.read(kernel.variable("block_ready"), (count + 63) // 64 * 8), "little")
    return [n for n in range(count) if bits >> n & 1]


def is_ready(pfn):
    block = pfn // BLOCK_PAGES
    if block >= kernel.variable("nr_blocks"):
        return False
    word_at = kernel.variable("block_ready") + block // 64 * 8
    return bool(kernel.u64(word_at) >> block % 64 & 1)


def block_words(block):
    """The words of a block's struct pages."""
    words = array.array("Q")
    words.frombytes(kernel.read(kernel.page_address(block * BLOCK_PAGES), BLOCK_PAGES * PAGE_STRUCT))
    return words


def frame(pfn):
    """One frame's struct page; None where there is none in use."""
    if not is_ready(pfn):
        return None
    words = array.array("Q")
    words.frombytes(kernel.read(kernel.page_address(pfn), PAGE_STRUCT))
    return Frame(pfn, words)


class Snapshot:
    """All struct pages that are in use, as they are now."""

    def __init__(self):
        self.blocks = {}
        wanted = ready_blocks()
        prefetch_structs(wanted)
        for block in wanted:
            self.blocks[block] = block_words(block)

    def get(self, pfn):
        """The Frame, or None."""
        words = self.blocks.get(pfn >> BLOCK_ORDER)
        if words is None:
            return None
        at = (pfn & BLOCK_PAGES - 1) * WORDS
        return Frame(pfn, words[at:at + WORDS])

    def word(self, pfn, which):
        """One word of a struct page; 0 where there is none."""
        words = self.blocks.get(pfn >> BLOCK_ORDER)
        return words[(pfn & BLOCK_PAGES - 1) * WORDS + which] if words is not None else 0

    def column(self, which):
        """(frame number, word) of all of them."""
        for block, words in sorted(self.blocks.items()):
            first = block * BLOCK_PAGES
            for i, value in enumerate(words[which::WORDS]):
                yield first + i, value

    def with_flag(self, name):
        """The numbers of the frames with a flag."""
        bit = flag(name)
        return [pfn for pfn, flags in self.column(word("flags")) if flags & bit]

    def head(self, pfn):
        """The first frame of the compound page this one belongs to; itself when it is alone."""
        f = self.get(pfn)
        if f is not None and f.has("PG_tail"):
            return kernel.pfn_of(f.mapping)
        return pfn


def prefetch_structs(blocks):
    """Reads the struct pages of blocks together: they mostly lie one behind the other."""
    pages = BLOCK_PAGES * PAGE_STRUCT // memory.PAGE_SIZE
    frames = []
    for block in blocks:
        start = kernel.page_address(block * BLOCK_PAGES)
        frames += [kernel.virt_to_pfn(start + i * memory.PAGE_SIZE) for i in range(pages)]
    memory.prefetch(frames)


# --- zones ------------------------------------------------------------------------------------------------

class Zone:
    """One zone with its free blocks."""

    def __init__(self, number, object_):
        self.number = number
        self.object = object_
        self.name = kernel.string(object_.name)
        self.fresh = [(object_.fresh[i].start, object_.fresh[i].end)
                      for i in range(min(object_.nr_fresh, len(object_.fresh)))]

    @property
    def orders(self):
        return range(len(self.object.area))

    def nr(self, order):
        """Blocks of that order in the list, as the zone counts them."""
        return self.object.area[order].nr

    def head(self, order):
        """The address of the list's head."""
        area = self.object.area
        item = kernel.struct_layout("zone").fields["area"][1].item
        return area.address_of(order) + item.fields["list"][0]

    def fresh_pages(self):
        return sum(end - start for start, end in self.fresh)

    def blocks(self, order):
        """What /proc/buddyinfo says."""
        fresh = self.fresh_pages() // BLOCK_PAGES if order == BLOCK_ORDER else 0
        return self.nr(order) + fresh


def zones():
    """The zones that have memory."""
    return [Zone(n, z) for n, z in enumerate(kernel.variable("zones")) if z.present]


def zone_of(pfn):
    """The number of the zone that a frame belongs to."""
    return int(pfn >= ZONE_BORDER)


# --- CPUs' lists ---------------------------------------------------------------------------------------------

class PcpList:
    """The free pages that wait in front of a zone on one CPU, the next to go out last."""

    def __init__(self, cpu, zone, object_):
        self.cpu = cpu
        self.zone = zone
        self.object = object_
        self.count = (object_.end - object_.first) & 0xFFFFFFFF
        slots = object_.pages
        self.size = len(slots)
        shown = min(self.count, self.size)
        self.pages = [slots[(object_.first + i) % self.size] for i in range(shown)]

    @property
    def frames(self):
        return [kernel.pfn_of(page) for page in self.pages]


def pcp_lists():
    """Of all processors that run, and all zones that have memory."""
    found = []
    names = zones()
    for cpu in process.online_cpus():
        lists = kernel.per_cpu("pcp_lists", cpu)
        found += [PcpList(cpu, zone, lists[zone.number]) for zone in names]
    return found


def free_block_of(get, pfn):
    """(first frame, order) of the free block in the buddy lists that a frame lies in; or None.

    get(pfn) gives a Frame or None."""
    for order in range(BLOCK_ORDER + 1):
        first = pfn & ~((1 << order) - 1)
        head = get(first)
        if head is not None and head.has("PG_buddy") and first + (1 << head.order) > pfn:
            return first, head.order
    return None
