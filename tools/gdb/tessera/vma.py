# SPDX-License-Identifier: MIT
"""One area at a time, as the fault handler looks at it: over areas.py."""
from tessera import areas, kernel

READ, WRITE, EXEC, SHARED, GROWSDOWN, PFNMAP, LOCKED, ACCOUNT, SOFTDIRTY = (
    areas.FLAG[name] for name in ("READ", "WRITE", "EXEC", "SHARED", "GROWSDOWN", "PFNMAP",
                                  "LOCKED", "ACCOUNT", "SOFTDIRTY"))
ACCESS = READ | WRITE | EXEC
# What mprotect(2) might do, and what is new, is no news where flags change.
SILENT = sum(areas.FLAG[name]
             for name in ("MAYREAD", "MAYWRITE", "MAYEXEC", "MAYSHARE", "SOFTDIRTY"))

find = areas.find


def get(address):
    """The area whose struct is at an address; None for NULL."""
    return areas.at(address) if address else None


def last(mm):
    """The highest area, or None."""
    node, area = mm.mm_rb, None
    for _ in range(200):  # deeper no tree is that isn't damaged
        if not node:
            break
        area = areas.at(node - areas.node_offset())
        node = area.rb_right
    return area


def ops(area):
    """Its vm_operations_struct, or None: anonymous memory."""
    return kernel.struct("vm_operations_struct", area.vm_ops) if area.vm_ops else None


def pgoff(area, address):
    """Which page of what stands behind the area an address is."""
    return area.vm_pgoff + ((address - area.vm_start) >> 12)


def flag_words(flags):
    return " ".join(areas.flag_names(flags & ~SILENT)) or "none"


def line(area, mm):
    """An area in a line."""
    what = areas.Names(mm).of(area) or "anonymous"
    extra = [f"offset {area.vm_pgoff << 12:#x}"] if area.vm_file else []
    extra += [word for bit, word in ((GROWSDOWN, "grows down"), (LOCKED, "locked"),
                                     (PFNMAP, "frames of a device")) if area.vm_flags & bit]
    return f"{area.vm_start:#x}-{area.vm_end:#x} {areas.perms(area.vm_flags)} {what}" \
        + (f" ({', '.join(extra)})" if extra else "")
