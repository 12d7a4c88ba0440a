# SPDX-License-Identifier: MIT
"""Audit: struct pages. Free ones are in the allocator's lists, all as they should be; used ones have the
counts of who uses them."""
from tessera import frames, kernel, locks
from tessera.command import plural
from tessera.frames import BLOCK_ORDER, BLOCK_PAGES

PIN_BIAS = 1024  # GUP_PIN_COUNTING_BIAS: what a pin adds to the references


# --- free pages ------------------------------------------------------------------------------------------

def zone_changes(zone):
    if locks.spin_held(zone.object.lock):
        return f"zone {zone.name} changes: its lock is held"
    return None


class FreeLists:
    """The buddy lists of one zone."""

    def __init__(self, audit, zone, blocks):
        self.audit = audit
        self.zone = zone
        self.blocks = blocks  # {first frame: order} of all zones
        self.excuse = zone_changes(zone)
        self.allowed = frames.flag("PG_poisoned")

    def wrong(self, sentence):
        self.audit.wrong(f"zone {self.zone.name}: {sentence}", self.excuse)

    def run(self):
        free = self.zone.fresh_pages()
        for order in self.zone.orders:
            count = self.check_list(order)
            if count != self.zone.nr(order):
                self.wrong(f"the list of order {order} counts {self.zone.nr(order)} blocks, it has {count}")
            free += count << order
        if free != self.zone.object.free:
            self.wrong(f"it counts {self.zone.object.free} free pages, its lists and fresh blocks have "
                       f"{free}")
        self.audit.checked(free, "free")

    def check_list(self, order):
        head = self.zone.head(order)
        before, node, count = head, kernel.u64(head), 0
        while node != head:
            pfn = frames.of_node(node)
            frame = self.audit.snapshot.get(pfn) if pfn is not None else None
            where = f"the list of order {order}"
            if frame is None:
                self.wrong(f"{where} leads to {node:#x}, which is in no struct page in use")
                return count
            if pfn in self.blocks:
                self.wrong(f"{where} leads to frame {pfn:#x}, which is in a list already")
                return count
            following, prev = frame.lru
            if prev != before:
                self.wrong(f"{where}: frame {pfn:#x} has {prev:#x} before it, the list comes from "
                           f"{before:#x}")
            self.check_block(frame, order)
            self.blocks[pfn] = order
            count += 1
            before, node = node, following
        return count

    def check_block(self, frame, order):
        pfn = frame.pfn
        if not frame.has("PG_buddy"):
            self.wrong(f"frame {pfn:#x} is in the list of order {order}, but is not marked as a free block "
                       "(PG_buddy)")
        if frame.order != order:
            self.wrong(f"frame {pfn:#x} is in the list of order {order}, but says that its block is of "
                       f"order {frame.order}")
        if pfn & (1 << order) - 1:
            self.wrong(f"the free block {pfn:#x} is not aligned to its order {order}")
            return
        if frames.zone_of(pfn) != self.zone.number:
            self.wrong(f"frame {pfn:#x} is in its list, but in another zone")
        buddy = self.audit.snapshot.get(pfn ^ 1 << order)
        if order < BLOCK_ORDER and buddy is not None and buddy.has("PG_buddy") and buddy.order == order:
            self.wrong(f"{pfn:#x} and its buddy {buddy.pfn:#x} are both free at order {order}: they should "
                       "be one block")
        self.check_inside(pfn, order)

    def check_inside(self, pfn, order):
        words = self.audit.snapshot.blocks[pfn >> BLOCK_ORDER]
        first = (pfn & BLOCK_PAGES - 1) * frames.WORDS
        end = first + (frames.WORDS << order)
        flags = words[first + frames.word("flags"):end:frames.WORDS]
        counts = words[first + frames.word("counts"):end:frames.WORDS]
        buddy = frames.flag("PG_buddy")
        for i, (flag, count) in enumerate(zip(flags, counts)):
            if count:
                self.wrong(f"frame {pfn + i:#x} is free, in the block {pfn:#x} of order {order}, but has "
                           f"{plural(count & 0xFFFFFFFF, 'reference')} and {plural(count >> 32, 'mapping')}")
            if i and flag & buddy:
                self.wrong(f"frame {pfn + i:#x} begins a free block, and lies in another: {pfn:#x} of order "
                           f"{order}")
            elif flag & ~(self.allowed | (buddy if not i else 0)):
                names = " ".join(self.audit.snapshot.get(pfn + i).flag_names())
                self.wrong(f"frame {pfn + i:#x} is free, in the block {pfn:#x} of order {order}, but has "
                           f"flags that free pages don't have: {names}")


def check_pcp(audit, pcp):
    """The free pages on one CPU's list."""
    name = f"CPU {pcp.cpu}'s list of zone {pcp.zone.name}"
    excuse = f"{name} changes: its lock is held" if locks.spin_held(pcp.object.lock) else None
    if pcp.count > pcp.size:
        audit.wrong(f"{name} has {pcp.count} pages: more than it has room for", excuse)
    allowed = frames.flag("PG_poisoned")
    for page, pfn in zip(pcp.pages, pcp.frames):
        frame = audit.snapshot.get(pfn) if kernel.page_address(pfn) == page else None
        if frame is None:
            audit.wrong(f"{name} holds {page:#x}, which is no struct page in use", excuse)
            continue
        if pfn in audit.pcp:
            audit.wrong(f"frame {pfn:#x} is in {name}, and in another's", excuse)
        audit.pcp[pfn] = pcp.cpu
        block = frames.free_block_of(audit.snapshot.get, pfn)
        if block is not None:
            audit.wrong(f"frame {pfn:#x} is in {name}, and in the free block {block[0]:#x}", excuse)
        elif frame.refs or frame.maps:
            audit.wrong(f"frame {pfn:#x} is free, in {name}, but has "
                        f"{plural(frame.refs, 'reference')} and {plural(frame.maps, 'mapping')}", excuse)
        elif frame.flags & ~allowed:
            audit.wrong(f"frame {pfn:#x} is free, in {name}, but has flags that free pages don't have: "
                        + " ".join(frame.flag_names()), excuse)
        if frames.zone_of(pfn) != pcp.zone.number:
            audit.wrong(f"frame {pfn:#x} is in {name}, but in another zone", excuse)
    audit.checked(len(pcp.pages), "free on CPUs' lists")


def check_managed(audit, zone):
    """What a zone has been given is all in it that isn't reserved."""
    reserved = frames.flag("PG_reserved")
    managed = zone.fresh_pages()
    for block, words in audit.snapshot.blocks.items():
        if frames.zone_of(block * BLOCK_PAGES) == zone.number:
            flags = words[frames.word("flags")::frames.WORDS]
            managed += sum(1 for flag in flags if not flag & reserved)
    if managed != zone.object.managed:
        audit.wrong(f"zone {zone.name}: managed is {zone.object.managed} pages, {managed} are not reserved",
                    zone_changes(zone))


def free(audit):
    """the free lists' check"""
    audit.pcp = {}  # frame: CPU
    blocks = {}
    changing = None
    for zone in frames.zones():
        FreeLists(audit, zone, blocks).run()
        check_managed(audit, zone)
        changing = changing or zone_changes(zone)
    for pfn in audit.snapshot.with_flag("PG_buddy"):
        if pfn not in blocks:
            audit.wrong(f"frame {pfn:#x} is marked as a free block (PG_buddy), but is in no list", changing)
    for pcp in frames.pcp_lists():
        check_pcp(audit, pcp)
    audit.free_blocks = blocks


# --- pages in use ------------------------------------------------------------------------------------------

def entry_words(audit, pfn):
    entries = audit.entries.get(pfn, [])
    words = ", ".join(f"{address:#x} of {space.name}" for space, address in entries[:4])
    return words + (", ..." if len(entries) > 4 else "")


def check_maps(audit):
    """Each page counts the entries that map it."""
    counts_word = frames.word("counts")
    mapped = {pfn: counts >> 32 for pfn, counts in audit.snapshot.column(counts_word) if counts >> 32}
    excuse = audit.held_tables[0] if audit.held_tables else None
    for pfn in sorted(set(mapped) | set(audit.entries)):
        counted, found = mapped.get(pfn, 0), len(audit.entries.get(pfn, []))
        if counted != found:
            where = f": {entry_words(audit, pfn)}" if found else ""
            audit.wrong(f"frame {pfn:#x} (page {kernel.page_address(pfn):#x}) counts "
                        f"{plural(counted, 'mapping')}, {found or 'no'} {'entry maps' if found == 1 else 'entries map'} it{where}", excuse)
    audit.checked(len(mapped), "mapped pages")


def used_blocks(audit):
    """The frames inside of blocks of a higher order that aren't compound pages: only the first counts."""
    inside = set()
    order_word, flags_word = frames.word("order"), frames.word("flags")
    other = frames.flag("PG_table") | frames.flag("PG_slab") | frames.flag("PG_buddy") \
        | frames.flag("PG_head") | frames.flag("PG_tail") | frames.flag("PG_reserved")
    for pfn, counts in audit.snapshot.column(frames.word("counts")):
        if not counts & 0xFFFFFFFF or audit.snapshot.word(pfn, flags_word) & other:
            continue
        order = audit.snapshot.word(pfn, order_word) & 0xFFFF
        if 0 < order <= BLOCK_ORDER and not pfn & (1 << order) - 1:
            inside.update(range(pfn + 1, pfn + (1 << order)))
    return inside


def check_refs(audit):
    """Who uses a page holds a reference: each mapping one, the page cache one. Others come and go."""
    free_pages = set(audit.pcp)
    for first, order in audit.free_blocks.items():
        free_pages.update(range(first, first + (1 << order)))
    inside = used_blocks(audit)
    skip = frames.flag("PG_reserved") | frames.flag("PG_tail")
    special = frames.flag("PG_table") | frames.flag("PG_slab")
    flags_word, mapping_word = frames.word("flags"), frames.word("mapping")
    used = 0
    for pfn, counts in audit.snapshot.column(frames.word("counts")):
        flags = audit.snapshot.word(pfn, flags_word)
        if pfn in free_pages or flags & skip or pfn in inside:
            continue
        used += 1
        refs, maps = counts & 0xFFFFFFFF, counts >> 32
        name = f"frame {pfn:#x} (page {kernel.page_address(pfn):#x})"
        if not refs:
            audit.wrong(f"{name} is in nobody's hands: it has no reference, and is in no free list",
                        audit.busy)
            continue
        mapping = audit.snapshot.word(pfn, mapping_word) if not flags & special else 0
        cached = bool(mapping and not mapping & frames.MAPPING_ANON)
        check_count(audit, name, refs, maps, mapping, cached, flags)
    audit.checked(used, "pages in use")


def check_count(audit, name, refs, maps, mapping, cached, flags):
    need = maps + cached
    has = f"{name} counts {plural(refs, 'reference')}, but"
    holders = plural(maps, "mapping") if maps else ""
    if cached:
        holders += " and the page cache" if maps else "the page cache"
    hold = "hold one each" if need > 1 else "holds one"
    if refs < max(need, 1):
        audit.wrong(f"{has} {holders} {hold}", excuse_refs(audit))
    elif mapping and (refs - need) % PIN_BIAS and not flags & frames.flag("PG_locked"):
        # All that has a mapping is a program's or a file's: who else holds one is at work with it.
        audit.wrong(f"{has} only {holders} {hold}" if need else f"{has} no mapping is left to hold one",
                    excuse_extra(audit))


def excuse_refs(audit):
    """Why a reference may be on its way, for who has too few."""
    return audit.held_tables[0] if audit.held_tables else None


def excuse_extra(audit):
    """Why somebody may have one for the moment."""
    if audit.busy:
        return audit.busy
    return audit.moving or audit.waiting


def used(audit):
    """the used pages' check"""
    check_maps(audit)
    check_refs(audit)


# --- the page cache ------------------------------------------------------------------------------------------

class Cache:
    """The tree of one file's pages."""

    def __init__(self, audit, mapping):
        self.audit = audit
        self.mapping = mapping
        self.name = f"the page cache of address_space {mapping._address:#x}"
        self.excuse = f"{self.name} changes: its lock is held" if locks.spin_held(mapping.lock) else None
        self.pages = {}

    def wrong(self, sentence):
        self.audit.wrong(f"{self.name}: {sentence}", self.excuse)

    def run(self):
        root = self.mapping.pages.node
        if root:
            self.node(root, 0, None, 0)
        if self.mapping.nrpages != len(self.pages):
            self.wrong(f"nrpages is {self.mapping.nrpages}, its tree holds {len(self.pages)}")
        return self.pages

    def node(self, address, parent, offset, index):
        if not self.audit.is_in_use("radix_tree_node", address):
            self.wrong(f"its tree leads to {address:#x}, which is no radix_tree_node in use")
            return
        node = kernel.struct("radix_tree_node", address)
        if node.parent != parent or (parent and node.offset != offset):
            self.wrong(f"node {address:#x} says that it is child {node.offset} of {node.parent:#x}, the tree "
                       f"comes from child {offset} of {parent:#x}")
        for slot, item in enumerate(node.slots):
            if bool(item) != bool(node.present >> slot & 1):
                self.wrong(f"node {address:#x}: slot {slot} holds {item:#x}, its bit in `present` doesn't "
                           "say so")
            if not item:
                continue
            where = index | slot << node.shift
            if node.shift:
                self.node(item, address, slot, where)
            else:
                self.item(item, where)

    def item(self, page, index):
        pfn = kernel.pfn_of(page)
        frame = self.audit.snapshot.get(pfn) if page == kernel.page_address(pfn) else None
        if frame is None:
            self.wrong(f"at index {index:#x} it holds {page:#x}, which is no struct page in use")
            return
        self.pages[pfn] = index
        if frame.mapping != self.mapping._address:
            self.wrong(f"at index {index:#x} it holds frame {pfn:#x} (page {page:#x}), whose mapping is "
                       f"{frame.mapping:#x}")
        elif frame.index != index:
            self.wrong(f"at index {index:#x} it holds frame {pfn:#x} (page {page:#x}), whose index is "
                       f"{frame.index:#x}")


def page_cache(audit):
    """the page cache's check"""
    cached = {}
    excuse = None
    for address in sorted(audit.mappings):
        cache = Cache(audit, audit.mapping(address))
        excuse = excuse or cache.excuse
        cached.update(cache.run())
    not_files = frames.flag("PG_slab") | frames.flag("PG_tail")
    for pfn, mapping in audit.snapshot.column(frames.word("mapping")):
        if not mapping or mapping & frames.MAPPING_ANON or pfn in cached:
            continue
        frame = audit.snapshot.get(pfn)
        if frame.flags & not_files or not frame.refs:
            continue
        audit.wrong(f"frame {pfn:#x} (page {frame.address:#x}) says that it is page {frame.index:#x} of "
                    f"address_space {mapping:#x}, whose tree doesn't hold it",
                    excuse or ("its page is locked" if frame.has("PG_locked") else None))
    total = kernel.variable("nr_file_pages")
    if total != len(cached):
        audit.wrong(f"nr_file_pages is {total}, files' trees hold {len(cached)}", excuse or audit.busy)
    audit.checked(len(cached), "cached pages")
