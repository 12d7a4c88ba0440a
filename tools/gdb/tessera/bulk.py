# SPDX-License-Identifier: MIT
"""Structures by the thousand: only the fields wanted, decoded in one step, read in large blocks."""
import collections
import struct

from tessera import kernel, memory

AROUND = 8  # frames read together: the largest slab, so that its other objects are there, too

_CODES = {1: "b", 2: "h", 4: "i", 8: "q"}


def fetch(address, length):
    """kernel.read(), but what lies around it is read along: objects of a kind lie together."""
    try:
        first = kernel.translate(address) >> memory.PAGE_SHIFT
        last = kernel.translate(address + length - 1) >> memory.PAGE_SHIFT
        for pfn in {first, last}:
            if pfn not in memory._blocks:
                low = pfn & -AROUND
                memory.prefetch(range(low, low + AROUND))
    except memory.Unreadable:
        pass  # it may be what lies around: the read below tells
    return kernel.read(address, length)


class Fields:
    """Reads some fields of a structure.

    Fields("vm_area_struct", "vm_start", "vm_end", rb_left="vm_rb.rb_left") makes a reader; its
    at(address) gives a named tuple: `address` itself, then the fields. A field in a structure
    within is named by dots, and then gets a name of its own.
    """

    def __init__(self, name, *fields, **renamed):
        paths = {field: field for field in fields}
        paths.update(renamed)
        layout = kernel.struct_layout(name)
        places = sorted((*self._find(layout, path), own) for own, path in paths.items())
        code, at = "<", 0
        for offset, kind, own in places:
            code += f"{offset - at}x" + kind
            at = offset + struct.calcsize("<" + kind)
        self.size = layout.size
        self._struct = struct.Struct(code)
        self._tuple = collections.namedtuple(name, ["address"] + [own for _, _, own in places])

    @staticmethod
    def _find(layout, path):
        offset = 0
        for part in path.split("."):
            step, layout, bit, bits = layout.fields[part]
            if bits:
                raise ValueError(f"{path} is a bit field")
            offset += step
        code = _CODES[layout.size]
        return offset, code if layout.signed else code.upper()

    def at(self, address):
        return self.decode(address, fetch(address, self.size))

    def decode(self, address, data, offset=0):
        return self._tuple(address, *self._struct.unpack_from(data, offset))
