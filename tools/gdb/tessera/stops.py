# SPDX-License-Identifier: MIT
"""Breakpoints that look before they stop, and what they know of where they did.

All processors stand still while one of them looks. Who looks mustn't trust what was read before:
gdb doesn't announce that the guest ran, when it ran only from one breakpoint to the next.
"""
import gdb

from tessera import command, kernel, memory, process

VECTOR_PF = 14


def running_task():
    """The struct task_struct that runs on the selected CPU; None if it idles or has none yet."""
    entity = kernel.per_cpu("current_se", process.selected_cpu())
    if not entity:
        return None
    task = kernel.struct("task_struct", entity)
    return task if task.se.fpu else None  # else it is the boot stack


class Stop(gdb.Breakpoint):
    """Stops where a function begins, if wanted() says so; then tell() gives the lines that explain
    it.

    Registers are as the call left them. A breakpoint of the user's is told of by gdb, too, and
    shown by `info breakpoints`; one of a command's own is neither.
    """

    def __init__(self, function, internal=False):
        super().__init__(f"*{kernel.address_of(function):#x}", gdb.BP_BREAKPOINT, internal=internal)
        self.silent = internal
        self.told = None

    def wanted(self):
        raise NotImplementedError

    def tell(self):
        return []

    def stop(self):
        with memory.at_breakpoint():
            try:
                if not self.wanted():
                    return False
                self.told = "\n".join(self.tell())
            except (gdb.error, gdb.GdbError, memory.Unreadable) as error:
                self.told = f"(It can't be explained: {error}.)"
            except Exception as error:
                self.told = f"(It can't be explained: {command.senseless(error)}.)"
            return True


def _on_stop(event):
    for hit in getattr(event, "breakpoints", []):
        if isinstance(hit, Stop) and hit.told and not hit.silent:
            print(hit.told)


gdb.events.stop.connect(_on_stop)


def resume():
    """Lets the guest run until something stops it; False if it has gone."""
    memory.away = True
    try:
        with memory.virtually():
            gdb.execute("continue", to_string=True)
    finally:
        memory.away = False
        memory.forget()
    thread = gdb.selected_thread()
    return thread is not None and thread.is_valid()


# --- page faults ----------------------------------------------------------------------------------

class Fault:
    """The page fault that has just happened on the selected CPU. => where the handler begins"""

    def __init__(self):
        self.at = process.register("cr2")
        self.regs_address = process.register("rdi")
        self.error = process.register("rsi")
        self.task = running_task()
        self.mm = process.mm_of(self.task) if self.task is not None else None

    @property
    def regs(self):
        return kernel.struct("pt_regs", self.regs_address)

    @property
    def root(self):
        return process.root_of(self.mm) if self.mm is not None else process.loaded_root()


ENTRY = "handle_page_fault"


def at_entry():
    """Whether the selected CPU stands where the handler begins."""
    return process.register("rip") == kernel.address_of(ENTRY)
