# SPDX-License-Identifier: MIT
"""The kernel's symbols and structures, read without running any of it.

Addresses in the kernel's half are translated here, by the kernel's own tables or, where these are
linear, by arithmetic: so it doesn't matter which address space is loaded, or whether any is.
"""
import functools

import gdb

from tessera import memory, pte

PAGE_OFFSET = 0xFFFF888000000000
PAGE_OFFSET_END = 0xFFFFC88000000000
VMALLOC_START = 0xFFFFC90000000000
VMALLOC_END = 0xFFFFC98000000000
VMEMMAP_START = 0xFFFFEA0000000000
VMEMMAP_END = 0xFFFFEB0000000000
IMAGE_BASE = 0xFFFFFFFF80000000
FIXMAP_START = 0xFFFFFFFFFF000000
STRUCT_PAGE_SHIFT = 6
# The kernel's half: what each range is for.
REGIONS = ((PAGE_OFFSET, PAGE_OFFSET_END, "the direct map of all memory"),
           (VMALLOC_START, VMALLOC_END, "vmalloc space"),
           (VMEMMAP_START, VMEMMAP_END, "vmemmap, the array of struct page"),
           (IMAGE_BASE, FIXMAP_START, "the kernel's image"),
           (FIXMAP_START, 1 << 64, "the fixmap"))

NR_CPUS = 8


# --- symbols --------------------------------------------------------------------------------------

@functools.lru_cache(maxsize=None)
def _symbol(name, objfile):
    symbol = gdb.lookup_global_symbol(name) or gdb.lookup_static_symbol(name)
    if symbol is None:
        raise gdb.GdbError(f"This kernel has no symbol `{name}`: is the ELF file that runs loaded, with "
                           "its debug information?")
    return symbol


def symbol(name):
    files = gdb.objfiles()
    return _symbol(name, files[0].filename if files else None)


def address_of(name):
    """The address of a variable or function."""
    value = symbol(name).value()
    return int(value.address if value.address is not None else value) & (1 << 64) - 1


def has_symbol(name):
    try:
        symbol(name)
        return True
    except gdb.GdbError:
        return False


def variable(name):
    """The value of a variable: a number, an Object or an Array."""
    return _decode_at(address_of(name), _layout(symbol(name).type))


def per_cpu(name, cpu):
    """The same of a processor's own copy. Such symbols are offsets from where its area begins."""
    offset = variable("per_cpu_offset")[cpu]
    return _decode_at((address_of(name) + offset) & (1 << 64) - 1, _layout(symbol(name).type))


def constant(name):
    """The value of an enumerator."""
    try:
        return int(gdb.parse_and_eval(name))
    except gdb.error:
        raise gdb.GdbError(f"This kernel has no constant `{name}`.") from None


@functools.lru_cache(maxsize=None)
def enum_names(name):
    """{value: name} of an enum type."""
    return {int(f.enumval): f.name for f in gdb.lookup_type(f"enum {name}").fields()}


@functools.lru_cache(maxsize=4096)
def function_at(address):
    """The name of the function an address is in, with the offset unless it is 0; or None."""
    text = gdb.execute(f"info symbol {address:#x}", to_string=True)
    if text.startswith("No symbol"):
        return None
    return text.split(" in section")[0].strip().replace(" + ", "+")


# --- structures -------------------------------------------------------------------------------------

class Layout:
    """How one type lies in memory: found once, from the debug information."""

    def __init__(self, kind, size, name):
        self.kind = kind  # 'int', 'struct', 'array'
        self.size = size
        self.name = name
        self.signed = False
        self.fields = {}  # of a struct: name: (offset, Layout, bit offset, bit size)
        self.item = None  # of an array
        self.count = 0
        self.text = False  # an array of char


_layouts = {}


def _layout(t):
    t = t.strip_typedefs()
    key = str(t.unqualified()) if t.name or t.code != gdb.TYPE_CODE_STRUCT else None
    if key is not None and key in _layouts and t.code != gdb.TYPE_CODE_UNION:
        return _layouts[key]
    layout = _make_layout(t)
    if key is not None and "{...}" not in key:
        _layouts[key] = layout
    return layout


def _make_layout(t):
    if t.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
        layout = Layout("struct", t.sizeof, t.tag or t.name or "struct")
        _add_fields(layout, t, 0)
        only = [f[1] for f in layout.fields.values()]
        # pte_t, atomic_t, a mask, a tree's root: what it holds is what is meant.
        if len(only) == 1 and only[0].kind == "int" and only[0].size == layout.size:
            return only[0]
        return layout
    if t.code == gdb.TYPE_CODE_ARRAY:
        low, high = t.range()
        layout = Layout("array", t.sizeof, str(t))
        layout.item, layout.count = _layout(t.target()), high - low + 1
        layout.text = t.target().strip_typedefs().sizeof == 1 \
            and t.target().unqualified().name == "char"
        return layout
    layout = Layout("int", t.sizeof, str(t))
    layout.signed = t.code == gdb.TYPE_CODE_INT and not str(t).startswith("unsigned") \
        and str(t) not in ("char", "_Bool")
    return layout


def _add_fields(layout, t, base):
    for f in t.fields():
        if not hasattr(f, "bitpos"):
            continue
        offset = base + f.bitpos // 8
        if f.name:
            layout.fields[f.name] = (offset, _layout(f.type), f.bitpos % 8, f.bitsize)
        else:
            _add_fields(layout, f.type.strip_typedefs(), offset)


class Object:
    """A structure in the guest: its fields are attributes. Pointers are numbers, and so is what is a
    struct around one number: pte_t, atomic_t, struct rb_root.

    Holds the bytes as they were when it was made. `obj.address_of("field")` for list heads and the
    like; `obj._address` is its own address.
    """

    __slots__ = ("_address", "_struct", "_bytes")

    def __init__(self, address, layout, data):
        self._address = address
        self._struct = layout
        self._bytes = data

    def __getattr__(self, name):
        try:
            offset, layout, bit, bits = self._struct.fields[name]
        except KeyError:
            raise AttributeError(f"struct {self._struct.name} has no field {name}") from None
        value = _decode(self._bytes, offset, layout, self._address)
        if bits:
            value = value >> bit & (1 << bits) - 1
        return value

    def __contains__(self, name):
        return name in self._struct.fields

    def address_of(self, name):
        return self._address + self._struct.fields[name][0]

    def __eq__(self, other):
        return isinstance(other, Object) and other._address == self._address

    def __hash__(self):
        return hash(self._address)

    def __repr__(self):
        return f"<struct {self._struct.name} at {self._address:#x}>"


class Array:
    """An array in the guest."""

    __slots__ = ("_address", "_layout", "_bytes", "_offset")

    def __init__(self, address, layout, data, offset):
        self._address = address
        self._layout = layout
        self._bytes = data
        self._offset = offset

    def __len__(self):
        return self._layout.count

    def __getitem__(self, i):
        if not 0 <= i < self._layout.count:
            raise IndexError(i)
        item = self._layout.item
        return _decode(self._bytes, self._offset + i * item.size, item,
                       self._address - self._offset)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def address_of(self, i):
        return self._address + i * self._layout.item.size


def _decode(data, offset, layout, base):
    if layout.kind == "int":
        return int.from_bytes(data[offset:offset + layout.size], "little", signed=layout.signed)
    if layout.kind == "struct":
        return Object(base + offset, layout, data[offset:offset + layout.size])
    if layout.text:
        return data[offset:offset + layout.size].split(b"\0")[0].decode("utf-8", "replace")
    return Array(base + offset, layout, data, offset)


def _decode_at(address, layout):
    return _decode(read(address, layout.size), 0, layout, address)


@functools.lru_cache(maxsize=None)
def struct_layout(name):
    try:
        return _layout(gdb.lookup_type(f"struct {name}"))
    except gdb.error:
        raise gdb.GdbError(f"This kernel has no struct {name}: is the ELF file that runs loaded, with its "
                           "debug information?") from None


def struct(name, address):
    """The structure of that name at an address."""
    layout = struct_layout(name)
    return Object(address, layout, read(address, layout.size))


def container(name, field, address):
    """The structure that holds, as its field, what is at the address."""
    return struct(name, address - struct_layout(name).fields[field][0])


def flush_layouts(_event=None):
    """Another ELF file has been loaded: what was known of the old one is void."""
    _layouts.clear()
    for cached in (_symbol, enum_names, function_at, struct_layout):
        cached.cache_clear()


gdb.events.new_objfile.connect(flush_layouts)


# --- lists ------------------------------------------------------------------------------------------

def list_nodes(head):
    """The nodes of a struct list_head, by address; without the head. Ends when the list is damaged."""
    node, seen = u64(head), {head, 0}
    while node not in seen:
        seen.add(node)
        yield node
        node = u64(node)


def list_of(name, field, head):
    """The structures in a list."""
    for node in list_nodes(head):
        yield container(name, field, node)


# --- memory by virtual address ------------------------------------------------------------------------

def translate(address):
    """The physical address of a kernel virtual one; memory.Unreadable if none is mapped there."""
    if PAGE_OFFSET <= address < PAGE_OFFSET_END:
        return address - PAGE_OFFSET
    if IMAGE_BASE <= address < FIXMAP_START:
        return address - IMAGE_BASE
    if address < 1 << 32:  # what runs before paging does, and user pointers by mistake
        raise memory.Unreadable(address, "kernel address")
    from tessera import paging
    walk = paging.Walk(kernel_root(), address)
    if walk.physical is None:
        raise memory.Unreadable(address, "kernel address")
    return walk.physical


def kernel_root():
    """The physical address of the kernel's own top-level table."""
    return address_of("kernel_pgd") - IMAGE_BASE


def read(address, length):
    """Bytes at a kernel virtual address."""
    parts = []
    while length:
        n = min(length, memory.PAGE_SIZE - address % memory.PAGE_SIZE)
        parts.append(memory.read(translate(address), n))
        address += n
        length -= n
    return parts[0] if len(parts) == 1 else b"".join(parts)


def u64(address):
    return int.from_bytes(read(address, 8), "little")


def u32(address):
    return int.from_bytes(read(address, 4), "little")


def string(address, limit=256):
    """A string in the kernel; '' for NULL."""
    text = b""
    while address and b"\0" not in text and len(text) < limit:
        n = min(64, memory.PAGE_SIZE - address % memory.PAGE_SIZE)
        text += read(address, n)
        address += n
    return text.split(b"\0")[0][:limit].decode("utf-8", "replace")


# --- page frames --------------------------------------------------------------------------------------

def page_address(pfn):
    """Where the struct page of a frame is."""
    return VMEMMAP_START + (pfn << STRUCT_PAGE_SHIFT)


def page_of(pfn):
    """The struct page of a frame; None for a frame that has none (no memory, a device's)."""
    try:
        return struct("page", page_address(pfn))
    except memory.Unreadable:
        return None


def pfn_of(page):
    """The frame of a struct page, by its address."""
    return (page - VMEMMAP_START) >> STRUCT_PAGE_SHIFT


def page_flags(page):
    """The names of the flags that are set in a struct page."""
    names = enum_names("pageflags")
    return [name[3:] for bit, name in sorted(names.items())
            if name != "NR_PAGEFLAGS" and page.flags >> bit & 1]


def virt_to_pfn(address):
    return translate(address) >> memory.PAGE_SHIFT


def to_virt(phys):
    """Where the kernel sees physical memory."""
    return phys + PAGE_OFFSET


def kernel_half(address):
    return address >= 1 << 63


def region(address):
    """What part of the address space an address is in, in words."""
    if not pte.is_canonical(address):
        return "no address: bits 48-63 are not all as bit 47"
    if address < pte.TASK_SIZE:
        return "user half"
    if address < 1 << 47:
        return "the last page below the hole, which is never mapped"
    for low, high, words in REGIONS:
        if low <= address < high:
            return words
    return "kernel half, in a range that is not used"
