# SPDX-License-Identifier: MIT
"""`why` against what happens, in more than 200 cases; see why.t."""

import collections

from tap import *
from tessera import faults, kernel, memory, predict, process

PAGE = 0x1000
R, W, X = 1, 2, 4
SHARED, PRIVATE, FIXED, ANON, GROWSDOWN, NORESERVE = 0x1, 0x2, 0x10, 0x20, 0x100, 0x4000
seen = collections.Counter()  # of each step, in how many faults it was predicted and came true
cases = collections.Counter()
pids = {None: 1}  # of playground's children


# --- one case -------------------------------------------------------------------------------------

def task_of(child):
    return process.find(pids[child])


def outcome(text):
    """What playground says of an access: None, (signal, code, addr) or "error N"."""
    if text.startswith("ok"):
        return None
    m = re.fullmatch(r"signal (\d+) code (\d+) addr 0x([0-9a-f]+)", text)
    return (int(m[1]), int(m[2]), int(m[3], 16)) if m else text


def expected(prediction):
    if prediction.end is None:
        return None
    if prediction.end == "EFAULT":
        return "error 14"
    signal = predict.SIGNALS[prediction.end]
    return (*signal, 0 if prediction.end == "SEGV_KERNEL" else prediction.address)


def said_steps(text):
    """The lines of steps in what `why` printed, up to what it says of other ways to get there."""
    text = text.split("\n=>")[0]
    return [line for line in text.split("\n")
            if re.match(r"  [A-Z][A-Z_0-9]+ +\S| {20}[^ (]", line)]


def same_entry(fault, record):
    def same(predicted, real, known):
        mask = ~0 if known else ~0x000FFFFFFFFFF000
        return predicted & mask == real & mask

    return same(fault.before, record.pte_before, fault.before_frame) \
        and same(fault.after, record.pte_after, fault.frame)


def case(kind, addr, by="user", child=None):
    """Predicts, lets it happen, and compares: outcome, the records' steps, and their entries."""
    run(f"proc {pids[child]}")
    memory.forget()
    memory.counters.reset()
    text = run(f"why {addr:#x} {kind} {by}")
    cases["reads"] = max(cases["reads"], memory.counters.reads)
    with memory.session():
        task, mm = task_of(child), process.current_mm()
        before = task.mm_part.faults.count
        prediction = predict.predict(addr, predict.Access(kind, by == "user"),
                                     process.root_of(mm), task, mm)
    prefix = "" if child is None else f"{child}: "
    answer = ask(f"{prefix}{'k' if by == 'kernel' else ''}{kind} {addr:x}")
    with memory.session():
        records = [r for r in reversed(faults.records(task_of(child)))
                   if r.seq > 2 * before and r.address == addr]
        want = said_steps("\n".join(line for r in records for line in faults.record_lines(r)))
        steps = [faults.steps(r.path) for r in records]
    paths = [f.steps for f in prediction.faults]
    name = f"{by} {kind} {addr:#x}{'' if child is None else f' in child {child}'}: " \
        + ("; ".join(" ".join(p) for p in paths) or prediction.end or "no fault")
    good = outcome(answer) == expected(prediction) and steps == paths \
        and all(same_entry(f, r) and f.recorded_error == r.error
                for f, r in zip(prediction.faults, records)) \
        and (said_steps(text) == want or prediction.end == "SEGV_KERNEL")
    if not ok(good, name):
        diag(f"{text}\nplayground: {answer}, expected {expected(prediction)}")
        for f, r in zip(prediction.faults, records):
            diag(f"entry {f.before:#x} -> {f.after:#x} (frame known: {f.frame}), "
                 f"error {f.error:#x}")
        for r in records:
            diag("\n".join(faults.record_lines(r)))
    cases["all"] += 1
    cases[kind] += 1
    cases[by] += 1
    for path in steps:
        seen.update(path)
    return prediction


def every(kinds, *addrs, by="user", child=None):
    for addr in addrs:
        for kind in kinds:
            case(kind, addr, by, child)


# --- the guest's side -----------------------------------------------------------------------------

def call(line):
    """A system call that has to succeed; returns its value."""
    answer = ask(line)
    if not re.fullmatch(r"0x[0-9a-f]+|ok.*", answer):
        raise Stuck(f"{line}: {answer}")
    return int(answer, 16) if answer.startswith("0x") else 0


def mmap(addr, pages, prot, flags=PRIVATE | ANON, fd=None, offset=0, child=None):
    prefix = "" if child is None else f"{child}: "
    call(f"{prefix}mmap {addr:x} {pages * PAGE:x} {prot:x} {flags | FIXED:x}"
         + (f" {fd:x} {offset:x}" if fd is not None else ""))
    return addr


def mprotect(addr, pages, prot):
    call(f"mprotect {addr:x} {pages * PAGE:x} {prot:x}")


def fork():
    m = re.fullmatch(r"child (\d+) pid (\d+)", ask("fork"))
    pids[int(m[1])] = int(m[2])
    return int(m[1])


ready()

# --- anonymous memory -----------------------------------------------------------------------------

A = 0x10000000
every("rw", A, A + PAGE)  # written: there
every("wr", A + 2 * PAGE)  # the zero page, then written
every("rrww", A + 3 * PAGE)
every("wr", A + 4 * PAGE)
every("xw", A + 5 * PAGE)  # a fetch brings it in, and is refused then
every("x", A)
every("rwx", 0x10100000, 0x10101000)  # read-only
every("rwx", 0x10200000)  # PROT_NONE
every("rwx", 0x10800000, 0x10801000)  # PROT_WRITE only, which x86 can't
every("rwx", 0x10700000, 0x10701FFF)  # locked
every("x", 0x10600000)
every("rw", 0x10600000, 0x10601000)

# Tables: none of a whole top-level entry's, of a PUD's, of a PMD's.
mmap(0x6000_0000_0000, 1, R | W)
every("wr", 0x6000_0000_0000)
mmap(0x6000_8000_0000, 1, R | W)
every("rw", 0x6000_8000_0000)
mmap(0x6000_0020_0000, 2, R)
every("xw", 0x6000_0020_0000)
mmap(0x6000_0040_0000, 1, 0)
every("rwx", 0x6000_0040_0000)

# What mprotect did to pages that were there.
B = mmap(0x50000000, 8, R | W)
call(f"fill {B:x} {4 * PAGE:x}")
mprotect(B, 8, R)
every("rw", B, B + 4 * PAGE)
mprotect(B, 8, 0)
every("rwx", B, B + 4 * PAGE)
mprotect(B, 8, R | W)
every("wr", B)
every("rw", B + PAGE, B + 4 * PAGE)
mprotect(B, 8, R | X)
every("wr", B)
ask(f"mprotect {B:x} {8 * PAGE:x} {R | W:x}")
ask(f"w {B + 2 * PAGE:x} c3")
mprotect(B, 8, R | X)
every("xrw", B + 2 * PAGE)
mprotect(B, 8, X)
every("rwx", B + 2 * PAGE)
# Given back: MADV_DONTNEED. And gone.
mprotect(B, 8, R | W)
call(f"madvise {B:x} {2 * PAGE:x} 4")
every("rw", B)
every("w", B + PAGE)
call(f"munmap {B + 6 * PAGE:x} {PAGE:x}")
every("rwx", B + 6 * PAGE)
every("r", B + 5 * PAGE + PAGE - 1)
every("w", B + 7 * PAGE)
# Moved.
call(f"mremap {B:x} {4 * PAGE:x} {4 * PAGE:x} 3 58000000")
every("rw", B, 0x58000000, 0x58003000)

# --- shared memory, files -------------------------------------------------------------------------

S = 0x10300000
every("rw", S, S + PAGE)
every("rw", S + 2 * PAGE)
every("wr", S + 3 * PAGE)
every("x", S + 4 * PAGE)
F, G = 0x10400000, 0x10500000
every("w", F)
every("rw", F + PAGE, F + 2 * PAGE)
every("rwx", F + 4 * PAGE, F + 5 * PAGE)  # beyond the end of the file
every("x", F + 3 * PAGE)
every("wr", G, G + PAGE)
every("r", G + 3 * PAGE + 0xFFF)  # beyond the last byte, in the last page
every("w", G + 2 * PAGE)
every("rw", G + 4 * PAGE)
call(f"madvise {F:x} {4 * PAGE:x} 4")
every("w", F + PAGE)
every("r", F + 2 * PAGE)
every("r", F + 3 * PAGE)
every("x", F)
# Without a page of it mapped: around, but for what is there already.
fd = call("memfd")
call(f"truncate {fd:x} {0x40 * PAGE:x}")
M = mmap(0x51000000, 0x48, R | W, SHARED, fd)
every("r", M)  # a hole: a page of zeros
every("w", M + PAGE)
every("r", M + 0x11 * PAGE)
every("rw", M + 0x3F * PAGE, M + 0x40 * PAGE, M + 0x47 * PAGE)
P = mmap(0x52000000, 0x48, R | W, PRIVATE, fd)
every("r", P)
every("rw", P + PAGE)
every("w", P + 0x20 * PAGE)
every("wr", P + 0x11 * PAGE)
call(f"w {M:x} c3")
E = mmap(0x53000000, 0x20, R | X, PRIVATE, fd)
every("xrw", E)
every("w", E + PAGE)
call(f"truncate {fd:x} {PAGE:x}")
every("rwx", M + PAGE, P + 0x11 * PAGE, E + PAGE)
every("r", M, E)

# A disk: pages are read, and it wants to know of writes.
disk = call("open /dev/ram0")
D = mmap(0x54000000, 0x20, R | W, SHARED, disk)
every("r", D)
every("w", D + PAGE)
every("w", D)
every("rw", D + 2 * PAGE)
Q = mmap(0x54100000, 0x20, R | W, PRIVATE, disk)
every("rw", Q)
every("w", Q + PAGE, Q + 0x18 * PAGE)
O = mmap(0x54200000, 4, R, SHARED, disk)
every("rwx", O)
call(f"msync {D:x} {0x10 * PAGE:x} 4")
every("w", D)
every("rw", D + PAGE)

# System V shared memory: no fault-around.
shm = call(f"shmget 0 {4 * PAGE:x} 380")
call(f"shmat {shm:x} 55000000 0")
every("rw", 0x55000000)
every("wr", 0x55001000)

# --- devices and the kernel's own pages -----------------------------------------------------------

demo = call("open /dev/memdemo")
V = mmap(0x56000000, 0x400, R | W, SHARED, demo)
every("rw", V, V + 0x1FF000)  # mapped at once
every("wr", V + 0x200000)  # page by page
every("rw", V + 0x201000)
every("x", V, V + 0x203000)
N = mmap(0x56800000, 4, R | W, PRIVATE, demo)
every("rwr", N)
every("w", N + PAGE)
T = mmap(0x56900000, 1, R, SHARED, demo, 0x400000)
every("rw", T)
with memory.session():
    vdso = process.mm_of(process.find(1)).vdso
every("rw", vdso, vdso + PAGE)
every("rw", vdso - 4 * PAGE, vdso - 3 * PAGE)

# --- when somebody looks for changes --------------------------------------------------------------

call(f"w {A + 0x100:x} 34")
refs = call("open /proc/1/clear_refs")
every("w", G, A, V + 0x200000, S)
call(f"write {refs:x} {A + 0x100:x} 1")
every("w", V + 0x202000)  # mapped for reading, and then written
every("w", V + 0x200000, G, A + PAGE, S)
every("rw", A + 2 * PAGE)

# --- stacks ---------------------------------------------------------------------------------------

every("w", 0x109FF000)
every("rx", 0x109F0000)
every("w", 0x109FFFFF)
every("r", 0x10960000)
every("rw", 0x10903000, 0x10804FFF)  # the guard gap
mmap(0x60000000, 2, R | W, PRIVATE | ANON | GROWSDOWN)
every("w", 0x60000000 - (8 << 20))  # RLIMIT_STACK is 8 MiB
every("w", 0x60002000 - (8 << 20))
every("w", 0x60002000 - (8 << 20) - PAGE)
mmap(0x12000, 1, R | W, PRIVATE | ANON | GROWSDOWN)
every("rw", 0xF000)
every("rw", 0x10000)
mmap(0x20000000, 2, 0)
mmap(0x20010000, 2, R | W, PRIVATE | ANON | GROWSDOWN)
every("w", 0x20008000)  # what nobody can access may come close
every("w", 0x20001000)
mmap(0x30000000, 2, R, PRIVATE | ANON | GROWSDOWN)
every("w", 0x2FFFF000)  # it grows, and then may not be written
# Moved up, it has fewer page numbers below than addresses.
call("munmap 10000 10000")
mmap(0x20000, 1, R | W, PRIVATE | ANON | GROWSDOWN)
every("w", 0x20000)
call("mremap 20000 1000 1000 3 38000000")
every("w", 0x38000000 - 0x20 * PAGE)
every("w", 0x38000000 - 0x21 * PAGE)


def limit(kind, value):
    """Sets a limit of playground's, as setrlimit(2) would; returns what it was."""
    with memory.session():
        signal = process.find(1).signal
    where = f"((struct signal_struct *){signal:#x})->rlim[{kind}].cur"
    old = value_of(where)
    gdb.execute(f"set var {where} = {value}")
    return old


def value_of(expression):
    return int(gdb.parse_and_eval(expression)) & (1 << 64) - 1


mmap(0x3A000000, 1, R | W, PRIVATE | ANON | GROWSDOWN)
old = limit(9, "0x1000000")
every("w", 0x39FFE000)
limit(9, old)
every("w", 0x39FFE000)
call("mlock 39ffe000 3000")
old = limit(8, "0x1000")
every("r", 0x39FFC000)  # it may lock what it likes: CAP_IPC_LOCK
with memory.session():
    cred = process.find(1).address_of("cred")
gdb.execute(f"set var ((struct cred *){cred:#x})->cap_effective = 0")
every("rw", 0x39FFB000)
limit(8, old)
every("w", 0x39FFB000)
gdb.execute("set var sysctl_overcommit_memory = 2")
gdb.execute("set var sysctl_overcommit_ratio = 0")
every("rw", 0x39FFA000)
gdb.execute("set var sysctl_overcommit_memory = 1")
every("r", 0x39FFA000)
gdb.execute("set var sysctl_overcommit_memory = 0")
gdb.execute("set var sysctl_overcommit_ratio = 50")
gdb.execute(f"set var ((struct cred *){cred:#x})->cap_effective = ~0UL")

# No room for another page: what shared memory may take, and what may be promised.
fd = call("memfd")
call(f"truncate {fd:x} {8 * PAGE:x}")
H = mmap(0x57000000, 8, R | W, SHARED, fd)
K = mmap(0x57100000, 8, R | W, SHARED | ANON | NORESERVE)
every("w", K)
gdb.execute("set var sysctl_overcommit_memory = 2")
gdb.execute("set var sysctl_overcommit_ratio = 0")
every("rw", K + PAGE)
every("w", H)
every("r", K)
gdb.execute("set var sysctl_overcommit_memory = 0")
gdb.execute("set var sysctl_overcommit_ratio = 50")
every("r", K + PAGE)

# --- nothing, the heap, the kernel's half ---------------------------------------------------------

every("rwx", 0, 0x30800000, 0x7000_0000_0000)
heap = call("brk 0")
every("r", (heap + PAGE - 1) & ~(PAGE - 1))
call(f"brk {heap + 4 * PAGE:x}")
every("w", heap + PAGE)
every("rw", heap + 2 * PAGE)
every("rwx", 0x7FFF_FFFF_F000, 0xFFFF_8880_0000_0000, 0xFFFF_EA00_0000_0000)
every("rw", 0xFFFF_FFFF_FFFF_FFFF, kernel.address_of("fault_step_text"), 0xFFFF_8000_0000_0000)
every("rw", 0x8000_0000_0000, 0xDEAD_0000_0000_0000, 0xFFFF_7FFF_FFFF_FFFF)

# --- by the kernel --------------------------------------------------------------------------------

C = mmap(0x59000000, 8, R | W)
every("rw", C, by="kernel")
every("wr", C + PAGE, by="kernel")
every("rw", 0x10100000, 0x10200000, 0x30800000, 0, by="kernel")
every("rw", F + 4 * PAGE, G + 3 * PAGE, vdso, by="kernel")
every("w", 0x39FF0000, by="kernel")
every("w", 0x60002000 - (8 << 20) - 4 * PAGE, by="kernel")
every("r", V + 0x210000, by="kernel")

# --- fork -----------------------------------------------------------------------------------------

Y = mmap(0x5A000000, 8, R | W)
call(f"fill {Y:x} {6 * PAGE:x}")
child = fork()
every("rw", Y, child=child)  # a copy
every("w", Y)  # and the last who has it
every("w", Y + PAGE)
every("w", Y + PAGE, child=child)
every("rx", Y + 2 * PAGE, child=child)
every("w", Y + 2 * PAGE, by="kernel", child=child)
every("w", Y + 6 * PAGE, S + 5 * PAGE, child=child)
every("r", S + 5 * PAGE)
every("rw", F + PAGE, child=child)
every("wr", 0x10700000, child=child)
every("w", 0x10700000)
second = fork()
every("w", Y + 3 * PAGE, child=second)
every("w", Y + 3 * PAGE)
every("w", Y + 3 * PAGE, child=child)
mmap(Y, 2, R, child=second)
every("rw", Y, child=second)
every("rwx", 0, 0x10200000, child=second)

# --- a fault at work ------------------------------------------------------------------------------

# The entry is changed between the exception and the handler: to what allows the access.
def meanwhile(kind, addr, error, before, during):
    """An access to a page whose entry is changed, by functions, before the processor sees it and
    when the handler begins."""
    def change(how):
        with memory.session():
            step = predict.Way(process.root_of(process.current_mm()), addr).walk.last
        where = kernel.to_virt(step.where)
        gdb.execute(f"set var *(unsigned long *){where:#x} = {how(step.entry):#x}")

    change(before)
    run(f"tbreak do_user_fault if address == {addr:#x}")
    send(f"{kind} {addr:x}\n")
    go()
    change(during)
    with memory.session():
        fault = predict.of_fault(addr, error, process.root_of(process.current_mm()),
                                 process.find(1), process.current_mm())
    until(READY)
    with memory.session():
        record = faults.records(process.find(1))[0]
        steps = faults.steps(record.path)
        is_((steps, record.pte_before, record.pte_after), (fault.steps, fault.before, fault.after),
            f"{kind} {addr:#x}, whose entry changes meanwhile: " + " ".join(fault.steps))
    seen.update(steps)


run("proc 1")
Z = mmap(0x5B000000, 2, R | W)
every("r", Z)
meanwhile("w", Z, 0x7, lambda e: e, lambda e: e | 2)
meanwhile("x", 0x10600000, 0x15, lambda e: e | 1 << 63, lambda e: e & ~(1 << 63))
meanwhile("r", Z + PAGE, 0x4, lambda e: 0x123400, lambda e: e)
meanwhile("r", Z + PAGE, 0x4, lambda e: 0, lambda e: e)

# --- all of it ------------------------------------------------------------------------------------

run("proc 1")
# At about half a millisecond each.
ok(cases["reads"] <= 40, "no answer took more than 40 reads of the guest's memory")
note(f"{cases['all']} cases: " + ", ".join(f"{n} {k}" for k, n in cases.items() if k != "all"))
ok(cases["all"] >= 200, "more than 200 cases")
with memory.session():
    table = set(faults._names().values()) - {"NONE"}
rare = {"ENTRY_CHANGED", "NO_MEMORY", "READ_FAILED", "PROCESSOR_ACCESS", "RESERVED_BITS",
        "NO_PROGRAM", "NOT_UACCESS", "NO_WAIT", "GUARD_PAGE", "NOT_MAPPED", "MAPPED_READ_ONLY",
        "MAPPED_NO_EXEC", "MAPPED_WELL", "KILLED", "PANIC", "NOT_CANONICAL", "SEGV_KERNEL"}
is_(sorted(table - rare - set(seen)), [], "every step that a program can meet was predicted")
