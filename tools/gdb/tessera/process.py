# SPDX-License-Identifier: MIT
"""Processors, tasks, and the process that commands speak of."""
import gdb

from tessera import kernel, memory, pte

STATES = {"TASK_RUNNING": "R", "TASK_INTERRUPTIBLE": "S", "TASK_UNINTERRUPTIBLE": "D",
          "TASK_KILLABLE": "D", "TASK_STOPPED": "T", "TASK_DEAD": "X"}

chosen = None  # what `proc PID` said: a thread's id, or None: what runs on the selected CPU
_chosen_at = None  # where its struct task_struct is: another thread may get the id later


# --- processors -----------------------------------------------------------------------------------------

def selected_cpu():
    """The number of the CPU that gdb speaks of; each is a thread of gdb's."""
    thread = gdb.selected_thread()
    if thread is None or not thread.is_valid():
        raise gdb.GdbError("There is no guest to look at: use `make debug`, or `target remote`.")
    return thread.ptid[1] - 1


def online_cpus():
    """The processors that the kernel runs on."""
    mask = kernel.variable("cpu_online_mask")
    return [cpu for cpu in range(kernel.NR_CPUS) if mask >> cpu & 1]


def register(name):
    """A register of the selected CPU, as a number."""
    try:
        with memory.virtually():
            return int(gdb.selected_frame().read_register(name)) & (1 << 64) - 1
    except (ValueError, gdb.error):
        pass
    try:
        with memory.virtually():
            return int(gdb.parse_and_eval(f"(unsigned long)${name}")) & (1 << 64) - 1
    except gdb.error as error:
        raise gdb.GdbError(f"This target shows no register {name}: {error}") from None


def all_registers(names):
    """{CPU: (register, ...)} of all processors that gdb knows."""
    found = {}
    with memory.virtually():
        old, frame = gdb.selected_thread(), gdb.selected_frame()
        try:
            for thread in gdb.selected_inferior().threads():
                thread.switch()
                newest = gdb.newest_frame()
                found[thread.ptid[1] - 1] = tuple(int(newest.read_register(name)) & (1 << 64) - 1
                                              for name in names)
        finally:
            old.switch()
            frame.select()
    return found


def loaded_root():
    """The physical address in the selected CPU's CR3."""
    return register("cr3") & pte.PFN_MASK


def cpu_limits():
    """What this processor has, as pte.reserved() wants it; the widest until the kernel knows."""
    limits = {}
    if register("efer") >> 11 & 1 == 0:
        limits["nx"] = False
    if is_up():
        features = kernel.variable("cpu_features")
        limits["gbpages"] = bool(features.gbpages)
        if features.phys_bits:
            limits["phys_bits"] = features.phys_bits
    return limits


def paging_is_on():
    return bool(register("cr0") >> 31 & 1)


# --- tasks ------------------------------------------------------------------------------------------

def is_up():
    """Whether the kernel has come so far that there are tasks."""
    try:
        return kernel.variable("per_cpu_offset")[0] != 0 \
            and kernel.variable("all_processes").next not in (0, kernel.address_of("all_processes"))
    except memory.Unreadable:
        return False


def processes():
    """All struct signal_struct: processes."""
    yield from kernel.list_of("signal_struct", "processes", kernel.address_of("all_processes"))


def threads(process):
    """The struct task_struct of a process."""
    yield from kernel.list_of("task_struct", "thread_link", process.address_of("threads"))


def tasks():
    for process in processes():
        yield from threads(process)


def find(tid):
    """The task of that id, or None."""
    return next((task for task in tasks() if task.pid == tid), None)


def running(cpu):
    """The task that runs on a processor; None if it idles, or is still in its boot stack."""
    entity = kernel.per_cpu("current_se", cpu)
    if not entity:
        return None
    return next((task for task in tasks() if task._address == entity), None)


def mm_of(task):
    """Its struct mm_struct; None for a kernel thread."""
    address = task.mm_part.mm
    return kernel.struct("mm_struct", address) if address else None


def state(task):
    """As in ps: R S D T Z X."""
    if task.zombie:
        return "Z"
    return STATES.get(kernel.enum_names("task_state").get(task.se.state), "?")


# --- what commands speak of -------------------------------------------------------------------------------

def choose(task):
    """Commands speak of that task from now on; None: of what runs on the selected CPU."""
    global chosen, _chosen_at
    chosen, _chosen_at = (task.pid, task._address) if task is not None else (None, None)


gdb.events.exited.connect(lambda _event: choose(None))  # another guest has other tasks


def current():
    """The task that commands speak of: the one chosen, or what runs on the selected CPU. Or None."""
    if chosen is not None:
        task = find(chosen)
        if task is None or task._address != _chosen_at:
            raise gdb.GdbError(f"Process {chosen} is there no longer: choose another, or `proc -` for "
                               "the CPU's own.")
        return task
    return running(selected_cpu()) if is_up() else None


def current_mm():
    """Its address space; gdb.GdbError with the reason if there is none."""
    if not is_up():
        raise gdb.GdbError("The kernel has no processes yet.")
    task = current()
    if task is None:
        raise gdb.GdbError(f"CPU {selected_cpu()} runs no process now: choose one with `proc PID`; `ps` "
                           "lists them.")
    mm = mm_of(task)
    if mm is None:
        what = "has ended, and its address space with it" if task.zombie or task.exiting \
            else "is a kernel thread, without an address space"
        raise gdb.GdbError(f"{task.comm}[{task.pid}] {what}: choose another with `proc PID`.")
    return mm


def root_of(mm):
    """The physical address of its top-level table."""
    return kernel.translate(mm.context.pgd)


def current_root(address=None):
    """(physical address of the top-level table that commands walk, whose it is in words). For a user
    address there has to be an address space."""
    if chosen is not None:
        task = current()
        mm = mm_of(task)
        if mm is None and address is not None and address < pte.TASK_SIZE:
            mm = current_mm()
        if mm is None:
            return kernel.kernel_root(), f"{task.comm}[{task.pid}], the kernel's own tables"
        return root_of(mm), f"{task.comm}[{task.pid}]"
    root = loaded_root()
    words = f"CPU {selected_cpu()}"
    if is_up():
        if root == kernel.kernel_root():
            return root, words + ", the kernel's own tables"
        task = current()
        mm = mm_of(task) if task else None
        if mm is not None and root_of(mm) == root:
            return root, words + f", {task.comm}[{task.pid}]"
        for other in tasks():
            mm = mm_of(other)
            if mm is not None and root_of(mm) == root:
                return root, words + f", tables of {other.comm}[{other.pid}], who ran last"
    return root, words
