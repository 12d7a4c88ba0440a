# SPDX-License-Identifier: MIT
"""Who holds what: whether something may be in the middle of a change just now."""
from tessera import kernel, memory, process

# Where a processor has nothing in hands: the loop of one that has nothing to do, and what it calls.
IDLE = ("idle_loop", "halt", "safe_halt")

RWSEM_WRITER = 1
RWSEM_WAITERS = 2


def spin_held(lock):
    """Whether a struct spinlock is held."""
    return bool(lock.holder)


def rwsem_writer(sem):
    """Whether a struct rw_semaphore is held for writing."""
    return bool(sem.count & RWSEM_WRITER)


def rwsem_held(sem):
    """Whether it is held at all."""
    return bool(sem.count & ~RWSEM_WAITERS)


def mutex_held(mutex):
    return bool(mutex.owner)


def changing(mm, name):
    """Why the areas of an address space may be in the middle of a change, or None."""
    if rwsem_writer(mm.mmap_lock):
        return f"{name} changes: mmap_lock is held for writing"
    if mm.mm_rb_seq & 1:
        return f"{name} changes: mm_rb_seq is odd"
    return None


def excuse(mm, name):
    """What to add when something of an address space isn't as it must be: lines, none if it stands
    still."""
    reason = changing(mm, name)
    if reason is None and rwsem_held(mm.mmap_lock):
        reason = f"{name} changes: mmap_lock is held for reading"
    return [f"But {reason}, so this may be no damage."] if reason else []


def cpu_in_kernel(cpu, thread_registers):
    """Whether a processor is at work in the kernel: not in a program, and not halted. Why, or None."""
    registers = thread_registers.get(cpu)
    if registers is None:
        return f"CPU {cpu} is in an unknown state"
    rip, cs = registers
    if cs & 3:
        return None
    where = (kernel.function_at(rip) or hex(rip)).split("+")[0].strip()
    if where in IDLE:
        return None
    return f"CPU {cpu} is at work in the kernel, in {where}"


def busy_cpu():
    """Why something that no lock covers may be on its way just now: a sentence; None if all stands
    still: each processor runs a program or is halted."""
    try:
        registers = process.all_registers(("rip", "cs"))
    except memory.Unreadable:
        return "the processors' registers can't be read"
    for cpu in process.online_cpus():
        reason = cpu_in_kernel(cpu, registers)
        if reason:
            return reason
    return None
