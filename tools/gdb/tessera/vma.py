# SPDX-License-Identifier: MIT
"""Areas of an address space: to find one, and to say what it is."""
from tessera import kernel

READ, WRITE, EXEC, SHARED = 0x1, 0x2, 0x4, 0x8
MAYREAD, MAYWRITE, MAYEXEC, MAYSHARE = 0x10, 0x20, 0x40, 0x80
GROWSDOWN, PFNMAP, LOCKED, IO = 0x100, 0x400, 0x2000, 0x4000
ACCOUNT, SOFTDIRTY = 0x100000, 0x8000000
ACCESS = READ | WRITE | EXEC

TREE_LIMIT = 256  # a tree that is deeper is damaged


def get(address):
    return kernel.struct("vm_area_struct", address) if address else None


def find(mm, address):
    """The area that holds the address, or the first above it, or None: as the kernel's find_vma()."""
    rb_offset = kernel.struct_layout("vm_area_struct").fields["vm_rb"][0]
    node, found = mm.mm_rb, None
    for _ in range(TREE_LIMIT):
        if not node:
            return found
        area = get(node - rb_offset)
        if area.vm_end > address:
            found = area
            if area.vm_start <= address:
                return found
            node = area.vm_rb.rb_left
        else:
            node = area.vm_rb.rb_right
    return found


def last(mm):
    """The highest area, or None."""
    rb_offset = kernel.struct_layout("vm_area_struct").fields["vm_rb"][0]
    node, area = mm.mm_rb, None
    for _ in range(TREE_LIMIT):
        if not node:
            break
        area = get(node - rb_offset)
        node = area.vm_rb.rb_right
    return area


def ops(area):
    """Its vm_operations_struct, or None: anonymous memory."""
    return kernel.struct("vm_operations_struct", area.vm_ops) if area.vm_ops else None


def pgoff(area, address):
    """Which page of what stands behind the area an address is."""
    return area.vm_pgoff + ((address - area.vm_start) >> 12)


def rights(area):
    """As in /proc/PID/maps."""
    flags = area.vm_flags
    return "".join(letter if flags & bit else "-"
                   for letter, bit in (("r", READ), ("w", WRITE), ("x", EXEC))) \
        + ("s" if flags & MAYSHARE else "p")


# --- what stands behind it ------------------------------------------------------------------------------

def dentry_path(dentry):
    """A file's path from the root of everything."""
    sb = kernel.struct("super_block", dentry.d_sb)
    if sb.s_pseudo:
        return kernel.string(dentry.d_name)
    names, end = [], " (deleted)" if dentry.d_deleted else ""
    for _ in range(256):
        if dentry.d_parent == dentry._address:
            sb = kernel.struct("super_block", dentry.d_sb)
            if not sb.s_covered:
                break
            dentry = kernel.struct("dentry", sb.s_covered)
            continue
        names.insert(0, kernel.string(dentry.d_name))
        dentry = kernel.struct("dentry", dentry.d_parent)
    return "/" + "/".join(names) + end


def file_name(vm_file):
    """The path of what a struct vm_file stands in: a struct file begins with it."""
    file = kernel.struct("file", vm_file)
    return dentry_path(kernel.struct("dentry", file.f_dentry)) if file.f_dentry else "a file"


def name(area, mm):
    """What /proc/PID/maps calls it; "" for anonymous memory without a name."""
    operations = ops(area)
    if operations is not None and operations.name:
        if operations.fault == kernel.address_of("special_mapping_fault"):
            return kernel.string(kernel.struct("vm_special_mapping", area.vm_private_data).name)
        return kernel.function_at(operations.name) or ""
    if area.vm_file:
        return file_name(area.vm_file)
    if area.vm_start <= mm.brk and area.vm_end >= mm.start_brk:
        return "[heap]"
    if area.vm_start <= mm.start_stack <= area.vm_end:
        return "[stack]"
    return ""


def span(area):
    return f"{area.vm_start:#x}-{area.vm_end:#x}"


def line(area, mm):
    """An area in a line."""
    what = name(area, mm) or "anonymous"
    extra = [f"offset {area.vm_pgoff << 12:#x}"] if area.vm_file else []
    extra += [word for bit, word in ((GROWSDOWN, "grows down"), (LOCKED, "locked"),
                                     (PFNMAP, "frames of a device")) if area.vm_flags & bit]
    return f"{span(area)} {rights(area)} {what}" + (f" ({', '.join(extra)})" if extra else "")
