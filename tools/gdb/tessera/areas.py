# SPDX-License-Identifier: MIT
"""The areas of an address space: their list and tree, flags in words, what each is called."""
import functools

import gdb

from tessera import bulk, kernel, memory, pte

# mm/types.h: bit, name, letters in /proc/PID/smaps, what it means.
FLAGS = (
    (0x00000001, "READ", "rd", "may be read"),
    (0x00000002, "WRITE", "wr", "may be written"),
    (0x00000004, "EXEC", "ex", "may be executed"),
    (0x00000008, "SHARED", "sh", "writes are seen by all who map it"),
    (0x00000010, "MAYREAD", "mr", "mprotect may allow reading"),
    (0x00000020, "MAYWRITE", "mw", "mprotect may allow writing"),
    (0x00000040, "MAYEXEC", "me", "mprotect may allow execution"),
    (0x00000080, "MAYSHARE", "ms", "was mapped with MAP_SHARED"),
    (0x00000100, "GROWSDOWN", "gd", "a stack: grows downwards when it is touched below"),
    (0x00000400, "PFNMAP", "pf", "a device's memory: pages without a struct page that counts them"),
    (0x00002000, "LOCKED", "lo", "its pages are there and stay in memory (mlock)"),
    (0x00004000, "IO", "io", "a device's registers or memory"),
    (0x00008000, "SEQ_READ", "sr", "will be read from front to back (madvise)"),
    (0x00010000, "RAND_READ", "rr", "will be read here and there (madvise)"),
    (0x00020000, "DONTCOPY", "dc", "a child of fork doesn't get it"),
    (0x00040000, "DONTEXPAND", "de", "mremap may not make it longer"),
    (0x00080000, "LOCKONFAULT", "??", "with LOCKED: pages come when they are touched, then stay"),
    (0x00100000, "ACCOUNT", "ac", "counts as memory promised (overcommit)"),
    (0x00200000, "NORESERVE", "nr", "was mapped with MAP_NORESERVE: nothing is promised"),
    (0x00400000, "HUGETLB", "ht", "of huge pages"),
    (0x00800000, "SYNC", "sf", "page faults are synchronous"),
    (0x02000000, "WIPEONFORK", "wf", "a child of fork finds zeros there"),
    (0x04000000, "DONTDUMP", "dd", "no core dump contains it"),
    (0x08000000, "SOFTDIRTY", "sd", "made or changed since /proc/PID/clear_refs was written to"),
    (0x10000000, "MIXEDMAP", "mm", "pages with and without a struct page that counts them"),
    (0x20000000, "HUGEPAGE", "hg", "huge pages are welcome (madvise)"),
    (0x40000000, "NOHUGEPAGE", "nh", "no huge pages (madvise)"),
    (0x80000000, "MERGEABLE", "mg", "equal pages may become one (madvise)"),
)
FLAG = {name: bit for bit, name, _, _ in FLAGS}
# What the four letters of rights say already, or nearly every area has.
USUAL = 0xFF | FLAG["SOFTDIRTY"]

STACK_GUARD_GAP = 256 << pte.PAGE_SHIFT


def flag_names(flags):
    """The names of the flags set, by bit; what no name is known for, as a number."""
    names = [name for bit, name, _, _ in FLAGS if flags & bit]
    rest = flags & ~functools.reduce(int.__or__, FLAG.values())
    return names + ([f"{rest:#x}"] if rest else [])


def flag_letters(flags):
    """The same as in VmFlags of /proc/PID/smaps."""
    return [letters for bit, _, letters, _ in FLAGS if flags & bit]


def perms(flags):
    """As in /proc/PID/maps: rwxp."""
    return "".join((
        "r" if flags & FLAG["READ"] else "-", "w" if flags & FLAG["WRITE"] else "-",
        "x" if flags & FLAG["EXEC"] else "-", "s" if flags & FLAG["MAYSHARE"] else "p"))


# --- reading them ---------------------------------------------------------------------------------

def reader():
    """What reads an area's fields: bulk.Fields. Made anew when other symbols are loaded."""
    return _reader(kernel.struct_layout("vm_area_struct"))


@functools.lru_cache(maxsize=1)
def _reader(_layout):
    return bulk.Fields(
        "vm_area_struct", "vm_start", "vm_end", "rb_subtree_gap", "vm_mm", "vm_next", "vm_prev",
        "vm_flags", "vm_page_prot", "vm_pgoff", "vm_ops", "vm_file", "vm_private_data", "anon_vma",
        "vm_lock_seq", "vm_readers", "attached", rb_parent_color="vm_rb.__rb_parent_color",
        rb_left="vm_rb.rb_left", rb_right="vm_rb.rb_right")


def at(address):
    """The area whose struct is at an address."""
    return reader().at(address)


class Listing:
    """The areas of an mm in the order of its list.

    areas   what was found
    damage  a sentence why the list ended where it shouldn't, or None
    """

    def __init__(self, mm):
        self.areas = []
        self.damage = None
        read, address, seen = reader(), mm.mmap, set()
        while address:
            if address in seen:
                self.damage = f"The list comes back to the area at {address:#x}: it is damaged."
                return
            seen.add(address)
            try:
                area = read.at(address)
            except memory.Unreadable:
                self.damage = f"The list leads to {address:#x}, where no memory is: it is damaged."
                return
            self.areas.append(area)
            address = area.vm_next


def listing(mm):
    """All areas of an mm, in the order of the list; gdb.GdbError when the list is damaged."""
    found = Listing(mm)
    if found.damage:
        raise gdb.GdbError(found.damage)
    return found.areas


def node_offset():
    return kernel.struct_layout("vm_area_struct").fields["vm_rb"][0]


def find(mm, address):
    """The first area that ends above the address, down the tree as find_vma() does; or None."""
    read, offset, found = reader(), node_offset(), None
    node = mm.mm_rb
    for _ in range(200):
        if not node:
            break
        area = read.at(node - offset)
        if area.vm_end > address:
            found = area
            if area.vm_start <= address:
                break
            node = area.rb_left
        else:
            node = area.rb_right
    return found


def covers(area, address):
    return area is not None and area.vm_start <= address < area.vm_end


def start_gap(area):
    """Where an area begins for who looks for room: below a stack some is kept free."""
    if not area.vm_flags & FLAG["GROWSDOWN"]:
        return area.vm_start
    return max(area.vm_start - STACK_GUARD_GAP, 0)


def gap_below(area, prev_end):
    """Free bytes below an area, as the tree of areas counts them."""
    return max(start_gap(area) - prev_end, 0)


# --- what an area is called -----------------------------------------------------------------------

class Names:
    """Names as /proc/PID/maps has them; remembers files, which many areas share."""

    def __init__(self, mm):
        self.mm = mm
        self.files = {}
        self.ops = {0: 0}

    def of(self, area):
        """[heap], [stack], [vdso], a file's path; '' when there is none."""
        if area.vm_ops and self._named(area.vm_ops):
            return self._special(area)
        if area.vm_file:
            return self.path(area.vm_file)
        if area.vm_start <= self.mm.brk and area.vm_end >= self.mm.start_brk:
            return "[heap]"
        if area.vm_start <= self.mm.start_stack <= area.vm_end:
            return "[stack]"
        return ""

    def _named(self, ops):
        if ops not in self.ops:
            self.ops[ops] = kernel.struct("vm_operations_struct", ops).name
        return self.ops[ops]

    def _special(self, area):
        if self._named(area.vm_ops) != kernel.address_of("special_mapping_name"):
            return f"[named by {kernel.function_at(self._named(area.vm_ops))}]"
        return kernel.string(kernel.struct("vm_special_mapping", area.vm_private_data).name)

    def path(self, vm_file):
        if vm_file not in self.files:
            text = path(kernel.struct("file", vm_file).f_dentry)
            self.files[vm_file] = text.replace("\n", "\\012")
        return self.files[vm_file]


def _parent(dentry):
    """The directory above, across mounts; None at the root of all."""
    for _ in range(100):
        if dentry.d_parent != dentry._address:
            return dentry, kernel.struct("dentry", dentry.d_parent)
        covered = kernel.struct("super_block", dentry.d_sb).s_covered if dentry.d_sb else 0
        if not covered:
            return dentry, None
        dentry = kernel.struct("dentry", covered)
    return dentry, None


def path(address):
    """The path of a struct dentry, as the kernel's d_path() makes it."""
    dentry = kernel.struct("dentry", address)
    if dentry.d_sb and kernel.struct("super_block", dentry.d_sb).s_pseudo:
        return kernel.string(dentry.d_name)
    tail = " (deleted)" if dentry.d_deleted else ""
    text = ""
    for _ in range(4096):
        named, parent = _parent(dentry)
        if parent is None:
            break
        text = "/" + kernel.string(named.d_name) + text
        dentry = parent
    return (text or "/") + tail


# --- locks ----------------------------------------------------------------------------------------

def rwsem_words(count):
    """Who holds a struct rw_semaphore, by its count: a writer, who waits, readers in bits."""
    readers = count >> 2
    words = "held for writing" if count & 1 else \
        f"held for reading by {readers}" if readers else "free"
    return words + (", others wait" if count & 2 else "")
