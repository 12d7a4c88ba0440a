# SPDX-License-Identifier: MIT
"""Audit: page tables. What the processor would find by them is what the areas and the pages say."""
from tessera import audit_rmap, frames, kernel, locks, memory, paging, pte
from tessera.audit_areas import VM_ACCESS, VM_EXEC, VM_PFNMAP, VM_SHARED, VM_WRITE
from tessera.command import plural

FILEPAGES, ANONPAGES, SWAPENTS, SHMEMPAGES = range(4)
RSS_NAMES = ["MM_FILEPAGES", "MM_ANONPAGES", "MM_SWAPENTS", "MM_SHMEMPAGES"]


class TableWalk:
    """All user entries of one address space, against its areas."""

    def __init__(self, audit, space):
        self.audit = audit
        self.space = space
        self.snapshot = audit.snapshot
        self.rss = [0] * len(RSS_NAMES)
        self.tables = 0
        self.entries = 0
        self.areas = space.areas
        self.at = 0  # the area at or behind the entry looked at
        self.excuse = None  # the table's lock is held
        self.zero_pfn = kernel.pfn_of(kernel.variable("zero_page"))
        self.flags_word = frames.word("flags")
        self.counts_word = frames.word("counts")
        self.mapping_word = frames.word("mapping")
        self.index_word = frames.word("index")
        self.not_mapped = {name: frames.flag(name) for name in ("PG_slab", "PG_table", "PG_reserved")}
        self.exclusive = frames.flag("PG_anon_exclusive")
        self.prepare_areas()

    def prepare_areas(self):
        """Once for each area what is asked for at every entry."""
        special = kernel.address_of("special_mapping_ops")
        self.known = []
        for vma in self.areas:
            kernel_pages = None
            if vma.vm_ops == special:
                kernel_pages = special_pages(vma)
            self.known.append((vma.vm_start, vma.vm_end, vma.vm_flags,
                               vma.vm_pgoff - (vma.vm_start >> pte.PAGE_SHIFT),
                               audit_rmap.mapping_of(vma), self.audit.chains.get(vma._address, ()),
                               kernel_pages))

    def wrong(self, address, sentence):
        self.audit.wrong(f"{self.space.name}: the entry for {address:#x} {sentence}",
                         self.excuse or self.space.moving)

    # --- tables

    def run(self):
        root = kernel.translate(self.space.mm.context.pgd)
        self.check_table_page(root, "top-level table")
        self.check_kernel_half(root)
        self.down(root, 4, 0)

    def check_kernel_half(self, root):
        own, kernels = paging.table(root), paging.table(kernel.kernel_root())
        for i in range(256, 512):
            if (own[i] ^ kernels[i]) & ~(pte.ACCESSED | pte.DIRTY):
                self.audit.wrong(f"{self.space.name}: entry {i} of its top-level table is {own[i]:#x}, in "
                                 f"the kernel's own tables it is {kernels[i]:#x}")
                return

    def check_table_page(self, phys, what):
        frame = self.snapshot.get(phys >> pte.PAGE_SHIFT)
        if frame is None or not frame.has("PG_table"):
            self.audit.wrong(f"{self.space.name}: its {what} at {phys:#x} is in a frame that is not marked "
                             "as a page table (PG_table)", self.space.moving)
        elif frame.refs != 1 or frame.maps:
            self.audit.wrong(f"{self.space.name}: the frame of its {what} at {phys:#x} has "
                             f"{plural(frame.refs, 'reference')} and {plural(frame.maps, 'mapping')}, not 1 "
                             "and 0", self.space.moving)
        owner = self.audit.tables.setdefault(phys, self.space)
        if owner is not self.space:
            self.audit.wrong(f"{self.space.name}: its {what} at {phys:#x} is also one of {owner.name}")

    def down(self, phys, level, base):
        table = paging.table(phys)
        count = 256 if level == 4 else 512
        below = [i for i in range(count) if table[i]]
        memory.prefetch(table[i] >> 12 & 0xFFFFFFFFFF for i in below
                        if self.snapshot.get(table[i] >> 12 & 0xFFFFFFFFFF) is not None)
        for i in below:
            address = base + (i << pte.SHIFT[level])
            entry = table[i]
            if not pte.is_table(entry, level):
                self.wrong(address, f"in the {pte.INTEL_NAMES[level]} is {entry:#x}: no table, where only "
                           "tables can be")
                continue
            child = entry & pte.PFN_MASK
            name = f"{pte.INTEL_NAMES[level - 1]} for {address:#x}"
            self.tables += 1
            self.check_table_page(child, name)
            if self.snapshot.get(child >> pte.PAGE_SHIFT) is None:
                continue
            if entry & (pte.RW | pte.USER) != pte.RW | pte.USER or entry & pte.NX:
                self.wrong(address, f"in the {pte.INTEL_NAMES[level]} is {entry:#x}: it takes rights away "
                           "from all below it")
            if level > 2:
                self.down(child, level - 1, address)
            else:
                self.last_level(child, address)

    # --- entries

    def last_level(self, phys, base):
        table = paging.table(phys)
        self.excuse = table_changes(self.snapshot, self.space, phys)
        if self.excuse:
            self.audit.held_tables.append(self.excuse)
        for i, entry in enumerate(table):
            if entry:
                self.entries += 1
                self.entry(entry, base + (i << pte.PAGE_SHIFT))
        self.excuse = None

    def area_of(self, address):
        """What is known of the area that an address lies in; or None."""
        known = self.known
        while self.at < len(known) and known[self.at][1] <= address:
            self.at += 1
        if self.at < len(known) and known[self.at][0] <= address:
            return known[self.at]
        return None

    def entry(self, entry, address):
        area = self.area_of(address)
        if area is None:
            self.wrong(address, f"is {entry:#x}, but no area is there")
        if not pte.has_frame(entry):
            return
        if area is not None:
            self.check_rights(entry, address, area[2])
        pfn = entry >> pte.PAGE_SHIFT & 0xFFFFFFFFFF
        if entry & pte.SPECIAL:
            self.check_special(entry, address, pfn, area)
            return
        self.audit.entries.setdefault(pfn, []).append((self.space, address))
        words = self.snapshot.blocks.get(pfn >> frames.BLOCK_ORDER)
        if words is None:
            self.wrong(address, f"maps frame {pfn:#x}, which has no struct page in use, and isn't special")
            return
        at = (pfn & frames.BLOCK_PAGES - 1) * frames.WORDS
        if self.check_state(words, at, address, pfn) and area is not None:
            self.check_place(words, at, entry, address, pfn, area)

    def check_rights(self, entry, address, flags):
        if entry & pte.PRESENT and not flags & VM_ACCESS:
            self.wrong(address, f"is present, {entry:#x}, but its area allows no access (PROT_NONE)")
        if entry & pte.RW and not flags & VM_WRITE:
            self.wrong(address, f"is writable, {entry:#x}, but its area is not")
        if entry & pte.PRESENT and not entry & pte.NX and not flags & VM_EXEC:
            self.wrong(address, f"is executable, {entry:#x}, but its area is not")
        if entry & pte.PRESENT and not entry & pte.USER:
            self.wrong(address, f"is {entry:#x}: not the user's, but in the user's half")

    def check_special(self, entry, address, pfn, area):
        if pfn == self.zero_pfn:
            if entry & pte.RW:
                self.wrong(address, f"maps the page of zeros writable: {entry:#x}")
            return
        if area is None:
            return
        if not area[2] & VM_PFNMAP:
            self.wrong(address, f"maps frame {pfn:#x} as a device's memory (special), and its area has none")
        elif entry & pte.RW and not area[2] & VM_SHARED:
            self.wrong(address, f"maps a device's frame {pfn:#x} writable in a private area")

    def check_state(self, words, at, address, pfn):
        """Whether the frame is one that a program may have."""
        counts = words[at + self.counts_word]
        flags = words[at + self.flags_word]
        block = frames.free_block_of(self.snapshot.get, pfn)
        if block is not None:
            self.wrong(address, f"maps frame {pfn:#x}, which is free: it lies in the free block "
                       f"{block[0]:#x} of order {block[1]}")
            return False
        cpu = self.audit.pcp.get(pfn)
        if cpu is not None:
            self.wrong(address, f"maps frame {pfn:#x}, which is free: it waits in CPU {cpu}'s list")
            return False
        for name, bit in self.not_mapped.items():
            if flags & bit:
                self.wrong(address, f"maps frame {pfn:#x}, which is the kernel's: {name}")
                return False
        if counts == 0:
            self.wrong(address, f"maps frame {pfn:#x}, which nobody has a reference to")
            return False
        return True

    def check_place(self, words, at, entry, address, pfn, area):
        """Whether it is the frame that belongs at this address."""
        _, _, flags, index_base, mapping, anon_vmas, kernel_pages = area
        page_mapping = words[at + self.mapping_word]
        index = words[at + self.index_word]
        place = (address >> pte.PAGE_SHIFT) + index_base & (1 << 64) - 1
        page = f"frame {pfn:#x} (page {kernel.page_address(pfn):#x})"
        if page_mapping & frames.MAPPING_ANON:
            self.rss[ANONPAGES] += 1
            av = page_mapping & ~frames.MAPPING_FLAGS
            if av not in anon_vmas:
                self.wrong(address, f"maps {page} of anon_vma {av:#x}, which does not know the area")
            if entry & pte.RW:
                self.check_private(words, at, address, page)
        elif kernel_pages is not None:
            self.rss[FILEPAGES] += 1
            if kernel.page_address(pfn) not in kernel_pages:
                self.wrong(address, f"maps {page}, which is not of the area's special mapping")
            return
        elif not mapping or page_mapping != mapping:
            self.rss[SHMEMPAGES if self.is_shmem(page_mapping) else FILEPAGES] += 1
            behind = f"address_space {mapping:#x} behind the area" if mapping else "anonymous area"
            self.wrong(address, f"maps {page} with mapping {page_mapping:#x}: it is not of the {behind}")
        else:
            self.rss[SHMEMPAGES if self.is_shmem(mapping) else FILEPAGES] += 1
            if entry & pte.RW and not flags & VM_SHARED:
                self.wrong(address, f"maps {page}, a file's own, writable in a private area")
        if index != place:
            self.wrong(address, f"maps {page} with index {index:#x}, in its place belongs index {place:#x}")

    def check_private(self, words, at, address, page):
        maps = words[at + self.counts_word] >> 32
        if maps > 1:
            self.wrong(address, f"maps {page} writable, and {maps} entries share it")
        elif not words[at + self.flags_word] & self.exclusive:
            self.wrong(address, f"maps {page} writable, which isn't known to be this program's alone "
                       "(PG_anon_exclusive)")

    def is_shmem(self, mapping):
        try:
            return bool(mapping and self.audit.mapping(mapping).shmem)
        except memory.Unreadable:
            return False

    # --- sums

    def check_sums(self):
        mm, excuse = self.space.mm, self.space.moving or self.file_moving()
        if mm.pgtables_bytes != self.tables << pte.PAGE_SHIFT:
            self.audit.wrong(f"{self.space.name}: pgtables_bytes is {mm.pgtables_bytes}, there are "
                             f"{self.tables} tables, {self.tables << pte.PAGE_SHIFT} bytes", excuse)
        for kind, (name, found) in enumerate(zip(RSS_NAMES, self.rss)):
            if mm.rss_stat[kind] != found:
                self.audit.wrong(f"{self.space.name}: rss_stat[{name}] is {mm.rss_stat[kind]}, {found} such "
                                 "pages are mapped", excuse)

    def file_moving(self):
        """Who cuts a file takes entries away under the file's lock alone."""
        for vma in self.areas:
            address = audit_rmap.mapping_of(vma)
            if address and locks.rwsem_held(self.audit.mapping(address).i_mmap_rwsem):
                return f"{self.space.name} changes: i_mmap_rwsem of one of its files is held"
        return None


def table_changes(snapshot, space, phys):
    """Why entries of a last-level table may be in the middle of a change, or None."""
    page = kernel.page_address(phys >> pte.PAGE_SHIFT)
    frame = kernel.struct("page", page)
    if locks.spin_held(frame.ptl):
        return f"{space.name} changes: the lock of the page table at {phys:#x} is held"
    return None


def special_pages(vma):
    """The struct pages of a special mapping, by address."""
    mapping = kernel.struct("vm_special_mapping", vma.vm_private_data)
    if not mapping.pages:
        return set()
    return {kernel.u64(mapping.pages + 8 * i) for i in range(min(mapping.nr_pages, 4096))}


def tables(audit):
    """the page tables' check"""
    audit.tables = {}
    total = 0
    for space in audit.spaces:
        walk = TableWalk(audit, space)
        walk.run()
        walk.check_sums()
        total += walk.tables
        audit.checked(walk.entries, "entries")
    audit.checked(len(audit.tables), "page tables")
    counted = kernel.variable("nr_page_table_pages")
    if counted != total:
        audit.wrong(f"nr_page_table_pages is {counted}, there are {total} tables below top-level ones",
                    audit.moving)
