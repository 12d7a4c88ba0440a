# SPDX-License-Identifier: MIT
"""The format of page-table entries: arch/x86_64/include/arch/pte.h, and Intel SDM volume 3A, 4.5."""

PRESENT = 1 << 0
RW = 1 << 1
USER = 1 << 2
PWT = 1 << 3
PCD = 1 << 4
ACCESSED = 1 << 5
DIRTY = 1 << 6
PSE = 1 << 7  # above the last level: maps memory itself
PAT = 1 << 7  # in the last
GLOBAL = 1 << 8
PROTNONE = 1 << 8  # where P is clear: a frame that no access may reach
SPECIAL = 1 << 9
UFFD_WP = 1 << 10
SOFT_DIRTY = 1 << 11
NX = 1 << 63
PFN_MASK = 0x000FFFFFFFFFF000
PKEY_SHIFT = 59

PAGE_SHIFT = 12
PAGE_SIZE = 1 << PAGE_SHIFT
TASK_SIZE = 0x7FFFFFFFF000

# Level 4 is the top. Of each: what its entries are called, and what one of them covers.
NAMES = {4: "PGD", 3: "PUD", 2: "PMD", 1: "PTE"}
INTEL_NAMES = {4: "PML4", 3: "PDPT", 2: "PD", 1: "PT"}
SHIFT = {4: 39, 3: 30, 2: 21, 1: 12}
SIZE_WORDS = {3: "1 GiB", 2: "2 MiB", 1: "4 KiB"}


def index(address, level):
    """Which entry of a table of that level belongs to the address: 0 to 511."""
    return (address >> SHIFT[level]) & 511


def is_canonical(address):
    """Bits 48 to 63 repeat bit 47."""
    return address >> 47 in (0, 0x1FFFF)


def canonical(address):
    """A 48-bit address as the processor wants it."""
    address &= (1 << 48) - 1
    return address | (0xFFFF << 48) if address >> 47 else address


def is_none(entry):
    return entry == 0


def has_frame(entry):
    """Present to the processor, or kept for PROT_NONE."""
    return bool(entry & (PRESENT | PROTNONE))


def is_protnone(entry):
    return entry & (PRESENT | PROTNONE) == PROTNONE


def is_swap_entry(entry):
    """Not none and not a frame: something to remember."""
    return entry != 0 and not has_frame(entry)


def is_leaf(entry, level):
    return level == 1 or bool(entry & PSE)


def is_table(entry, level):
    return level > 1 and bool(entry & PRESENT) and not (level < 4 and entry & PSE)


def frame(entry, level=1):
    """The physical address an entry holds. In a leaf above the last level bit 12 is PAT."""
    address = entry & PFN_MASK
    if level > 1 and entry & PSE:
        address &= ~((1 << SHIFT[level]) - 1)
    return address


def pkey(entry):
    return entry >> PKEY_SHIFT & 15


def reserved(entry, level, phys_bits=52, nx=True, gbpages=True):
    """The bits set that must be clear in a present entry, SDM volume 3A table 4-14 and section 4.7."""
    mask = ((1 << 52) - 1) & ~((1 << phys_bits) - 1)
    if not nx:
        mask |= NX
    if level == 4 or (level == 3 and not gbpages):
        mask |= PSE
    elif level > 1 and entry & PSE:
        mask |= ((1 << SHIFT[level]) - 1) & ~((1 << 13) - 1)
    return entry & mask if entry & PRESENT else 0


def bits(entry, level):
    """The bits set, by the manual's names, highest first; software's in small letters."""
    words = []
    if entry & PRESENT:
        if entry & NX:
            words.append("NX")
        leaf = is_leaf(entry, level)
        if leaf and pkey(entry):
            words.append(f"PK={pkey(entry)}")
        if leaf:
            words += [w for b, w in ((SOFT_DIRTY, "softdirty"), (UFFD_WP, "uffdwp"),
                                     (SPECIAL, "special")) if entry & b]
            words += ["G"] if entry & GLOBAL else []
        if entry & PSE:
            words.append("PAT" if level == 1 else "PS")
        if leaf and entry & DIRTY:
            words.append("D")
        words += [w for b, w in ((ACCESSED, "A"), (PCD, "PCD"), (PWT, "PWT"), (USER, "U"),
                                 (RW, "W"), (PRESENT, "P")) if entry & b]
        return " ".join(words)
    if is_none(entry):
        return "none"
    if is_protnone(entry):
        return "protnone" + "".join(w for b, w in ((DIRTY, " dirty"), (SOFT_DIRTY, " softdirty"),
                                                   (SPECIAL, " special")) if entry & b)
    return f"entry type {entry >> 58 & 31} offset {(entry & ((1 << 46) - 1) << 12) >> 12:#x}"


def describe(entry, level):
    """What an entry is, in words: of a table, of memory, of nothing."""
    if is_none(entry):
        return "nothing is mapped here"
    if is_protnone(entry):
        return "keeps a frame that no access may reach (PROT_NONE)"
    if not entry & PRESENT:
        return "not present: something to remember, no frame"
    if is_table(entry, level):
        return f"the next table, {INTEL_NAMES[level - 1]}"
    return f"memory, {SIZE_WORDS.get(level, '?')}"


class Rights:
    """What a way through the tables allows: each level may only take away."""

    def __init__(self):
        self.write = self.user = self.execute = True

    def through(self, entry):
        self.write &= bool(entry & RW)
        self.user &= bool(entry & USER)
        self.execute &= not entry & NX
        return self

    def __str__(self):
        return ("u" if self.user else "-") + "r" + ("w" if self.write else "-") \
            + ("x" if self.execute else "-")

    def words(self):
        who = "user and kernel" if self.user else "kernel only"
        what = ["read"] + (["write"] if self.write else []) + (["execute"] if self.execute else [])
        return f"{who}: {', '.join(what)}"
