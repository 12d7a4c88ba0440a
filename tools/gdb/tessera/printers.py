# SPDX-License-Identifier: MIT
"""How gdb prints the kernel's structures: in a line, in words. `print/r` shows them as they are."""
import gdb
import gdb.printing

from tessera import areas, kernel, memory, process, pte, snapshot
from tessera.command import senseless

LIST_SHOWN = 8
LIST_COUNTED = 1000


class Printer:
    """Prints a value by its words(). What gdb itself must read is read first, by virtual
    addresses."""

    fields = ()  # what words() is given, in this order; by a dot what is in a structure within

    def __init__(self, value):
        self.value = value

    def words(self, address, *values):
        raise NotImplementedError

    def to_string(self):
        from tessera.cmd_functions import quietly
        try:
            with memory.virtually():
                address = int(self.value.address) if self.value.address is not None else 0
                values = [self.number(path) for path in self.fields]
            return quietly(self.words, address & (1 << 64) - 1, *values)
        except (gdb.error, gdb.GdbError) as error:
            return f"<{error}>"
        except Exception as error:
            return f"<{senseless(error)}>"

    def number(self, path):
        value = self.value
        for part in path.split("."):
            value = value[part]
        return int(value) & (1 << 64) - 1


class Entry(Printer):
    """pte_t and the levels above."""

    fields = ("v",)
    level = 1

    def words(self, _address, entry):
        level = self.level
        if not entry:
            return "0 (none)"
        where = ""
        if pte.is_table(entry, level):
            where = f", table {entry & pte.PFN_MASK:#x}"
        elif pte.has_frame(entry):
            where = f", frame {pte.frame(entry, level) >> pte.PAGE_SHIFT:#x}"
        return f"{entry:#x} ({pte.bits(entry, level)}{where})"


class Pmd(Entry):
    level = 2


class Pud(Entry):
    level = 3


class Pgd(Entry):
    level = 4


class Pgprot(Printer):
    fields = ("v",)

    def words(self, _address, prot):
        return f"{prot:#x} ({pte.bits(prot, 1)})"


class Phys(Printer):
    fields = ("v",)

    def words(self, _address, phys):
        return f"physical {phys:#x}"


class Pfn(Printer):
    fields = ("v",)

    def words(self, _address, pfn):
        return f"frame {pfn:#x}"


class Page(Printer):
    fields = ("flags", "counts.v", "mapping", "index")

    def words(self, address, flags, counts, mapping, index):
        names = snapshot.frame_flags(flags)
        refs = counts & 0xFFFFFFFF
        in_vmemmap = kernel.VMEMMAP_START <= address < kernel.VMEMMAP_END
        text = f"frame {kernel.pfn_of(address):#x}: " if in_vmemmap else ""
        text += " ".join(sorted(names)) or "no flags"
        text += f"; {refs} reference{'' if refs == 1 else 's'}, mapped {counts >> 32}x"
        if names & {"buddy", "slab", "table", "tail", "reserved"} or not refs or not mapping:
            return text
        if mapping & 3 == 1:
            return text + f"; anon_vma {mapping - 1:#x}, index {index:#x}"
        return text + f"; page cache {mapping:#x}, index {index:#x}"


class Area(Printer):
    fields = ("vm_start", "vm_end", "vm_flags", "vm_mm")

    def words(self, address, start, end, flags, mm):
        text = f"{start:#x}-{end:#x} {areas.perms(flags)}"
        usual = areas.flag_names(flags & ~areas.USUAL)
        text += " " + ",".join(name.lower() for name in usual) if usual else ""
        if address and kernel.kernel_half(mm):
            name = areas.Names(kernel.struct("mm_struct", mm)).of(areas.at(address))
            text += " " + name if name else ""
        return text


class Mm(Printer):
    fields = ("map_count", "context.pgd", "total_vm")

    def words(self, address, count, pgd, total):
        users = [task for task in process.tasks() if address and task.mm_part.mm == address] \
            if process.is_up() else []
        who = ", ".join(f"{task.comm}[{task.pid}]" for task in users[:4]) or "nobody that runs"
        more = f" and {len(users) - 4} more" if len(users) > 4 else ""
        root = f"top-level table at {kernel.translate(pgd):#x}" if pgd else "no tables"
        return f"mm of {who}{more}: {count} area{'' if count == 1 else 's'}, {total:,} pages, " \
            f"{root}"


class List(Printer):
    """struct list_head: a list's head, or a link of one, which can't be told apart."""

    fields = ("next", "prev")

    def words(self, address, following, before):
        if not following and not before:
            return "in no list"
        if following == address:
            return "empty list"
        nodes, node = [], following
        while node not in (address, 0) and len(nodes) < LIST_COUNTED:
            nodes.append(node)
            node = kernel.u64(node)
        if node == 0:
            return f"broken list: a link after {len(nodes)} others is 0"
        shown = " ".join(f"{node:#x}" for node in nodes[:LIST_SHOWN])
        more = " ..." if len(nodes) > LIST_SHOWN else ""
        count = f"{len(nodes)}" if len(nodes) < LIST_COUNTED else f"{LIST_COUNTED} or more"
        return f"list with {count} other link{'' if len(nodes) == 1 else 's'}: {shown}{more}"


def collection():
    found = gdb.printing.RegexpCollectionPrettyPrinter("tessera")
    for name, printer in (("pte_t", Entry), ("pmd_t", Pmd), ("pud_t", Pud), ("pgd_t", Pgd),
                          ("pgprot_t", Pgprot), ("phys_addr_t", Phys), ("pfn_t", Pfn),
                          ("page", Page), ("vm_area_struct", Area), ("mm_struct", Mm),
                          ("list_head", List)):
        found.add_printer(name, f"^{name}$", printer)
    return found


def register(objfile):
    """For the kernel's ELF file, and no other."""
    if objfile.lookup_global_symbol("kernel_pgd") is not None:
        gdb.printing.register_pretty_printer(objfile, collection(), replace=True)


gdb.events.new_objfile.connect(lambda event: register(event.new_objfile))
for _objfile in gdb.objfiles():
    register(_objfile)
