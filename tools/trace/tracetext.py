# SPDX-License-Identifier: MIT
"""
The kernel's trace as the text that /proc/trace shows, from the kernel's own tables: what the decoder of
dumps and gdb's `trace` have in common. What a line looks like is kernel/base/trace_read.c's to say.
"""


def name_of(names, n):
    return names[n] if n < len(names) else None


class Table:
    """
    The tables of kernel/base/trace_events.h.

    types: name -> (style, names); a style is one of STYLES, a name that isn't there None
    kinds: number -> (name, [(field, type), ...])
    """

    STYLES = ("hex", "dec", "enum", "bits", "path")

    def __init__(self, khz=0):
        self.khz = khz
        self.types = {}
        self.kinds = {}

    def add_type(self, name, style, names):
        self.types[name] = (style, list(names))

    def add_kind(self, number, name, fields):
        """fields: as in the table, "name:type name:type ..."."""
        self.kinds[number] = (name, [tuple(f.split(":")) for f in fields.split()])

    @staticmethod
    def hex(value):
        return f"{value:#x}" if value else "0"

    @staticmethod
    def signed(value):
        return str(value - (1 << 64) if value >> 63 else value)

    def value(self, type_name, value):
        style, names = self.types.get(type_name, ("hex", []))
        if style == "hex":
            return self.hex(value)
        if style == "bits":
            found = [name for n, name in enumerate(names) if name and value >> n & 1]
            return self.hex(value) + (f"({'|'.join(found)})" if found else "")
        if style == "path":
            steps = [value >> shift & 0xff for shift in range(56, -1, -8)]
            return ">".join(name_of(names, step) or "?" for step in steps if step) or "0"
        if style == "enum" and name_of(names, value):
            return names[value]
        return self.signed(value)

    def time(self, tsc):
        khz = self.khz or 1000000
        ms, ns = tsc // khz, tsc % khz * 1000000 // khz
        return f"{ms // 1000:5d}.{ms % 1000:03d}{ns:06d}"

    def line(self, cpu, tid, kind, tsc, args):
        """One event, without a newline."""
        name, fields = self.kinds.get(kind, (f"kind-{kind}", []))
        values = [f"{field}={self.value(type_name, arg)}"
                  for (field, type_name), arg in zip(fields, args)]
        return " ".join([self.time(tsc), f"cpu{cpu}", f"{tid:5d}", name] + values)
