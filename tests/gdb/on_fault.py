# SPDX-License-Identifier: MIT
"""Being there when a fault happens, or an area changes; see on_fault.t."""

from tap import *
from tessera import faults, kernel, memory, paging, process

STEP = r"^  ([A-Z][A-Z_0-9]+) +\S"  # in what `why` and on-fault print
NUMBERED = r"^\d+\. ([A-Z][A-Z_0-9]+): "  # in what step-fault prints


def last_path(pid, addr):
    """The steps of a task's last fault at an address."""
    with memory.session():
        return next((faults.steps(r.path) for r in faults.records(process.find(pid))
                     if r.address == addr), None)


def told(text, pattern=STEP):
    return re.findall(pattern, text, re.M)


def follow(limit=30):
    """step-fault until the fault is over: all it printed."""
    text = ""
    for _ in range(limit):
        step = said("step-fault")
        text += step
        if re.search(r"back in|it ends|Something else", step):
            break
    return text


# --- before there is anything ---------------------------------------------------------------------

is_(error("next-fault"), "The kernel has no processes yet.", "next-fault, too early")
is_(error("on-fault 0"), "The kernel has no processes yet.", "on-fault likewise")
is_(error("on-map 0"), "The kernel has no processes yet.", "on-map likewise")
is_(error("step-fault"), "The kernel has no processes yet.", "step-fault likewise")
is_(error("faults"), "The kernel has no processes yet.", "faults likewise")
ready()

# --- mistakes -------------------------------------------------------------------------------------

for command, words in (
    ("on-fault", "Usage: on-fault ADDR|RANGE|PID"),
    ("on-fault 5-5", "`5-5` is an empty range."),
    ("next-fault 999", "There is no process 999: `ps` lists them."),
    ("next-fault 1 2", "Usage: next-fault [PID]"),
    ("step-fault now", "Usage: step-fault"),
    ("on-map", "Usage: on-map RANGE"),
    ("faults 999", "There is no process 999: `ps` lists them."),
    ("why", "Usage: why ADDR [r|w|x] [user|kernel]"),
    ("why 0 rw", "`rw` is no access: r, w or x, and user or kernel."),
):
    is_(error(command), words, command)
like(error("on-map nonsense"), r"`nonsense` is no address: ", "on-map nonsense")
like(error("why nonsense"), r"`nonsense` is no address: ", "why nonsense")
like(error("why 0x1000"), r"runs no process now: choose one with `proc PID`",
     "why, when the processor idles")

# --- on-fault -------------------------------------------------------------------------------------

like(said("on-fault 0x10003000"), r"page faults at 0x10003000-0x10004000", "on-fault of a page")
is_(ask("w 10004000"), "ok", "another page doesn't stop")
is_(ask("r 10005000"), "ok 0x0", "nor another still")
send("w 10003123\n")
text = go()
like(text, r"page fault: playground\[1\], at ip 0x[0-9a-f]+, tries to write 0x10003123", "it stops")
like(text, r"^error code 0x6: an entry isn't present, write, user mode", "the error code in words")
steps = told(text)
until(READY)
is_(last_path(1, 0x10003123), steps, "what it said is what the kernel then did: " + " ".join(steps))
is_(ask("w 10003000"), "ok", "the page is there now: no stop")
run("delete")
is_(ask("w 10006000"), "ok", "deleted, it stops no more")

m = re.match(r"child 1 pid (\d+)", ask("fork"))
child = int(m[1])
like(said(f"on-fault {child}"), rf"page faults of playground\[{child}\]", "on-fault of a process")
is_(ask("w 10000000"), "ok", "the parent's faults don't stop")
send("1: w 10001000\n")
text = go()
like(text, rf"page fault: playground\[{child}\].*tries to write", "the child's do")
while "0x10001000" not in text.split("tries to write")[1].split("\n")[0]:
    text = go()
steps = told(text)
is_(steps, ["AREA", "MAY_WRITE", "ENTRY_READ_ONLY", "COPY_ON_WRITE"], "a copy is told beforehand")
run("delete")
until(READY)
is_(last_path(child, 0x10001000), steps, "and made")

# On the other processor; both stand still.
ask("cpu 0")
ask("1: cpu 1")
run("on-fault 0x10002000+0x1000")
send("1: r 10002000\n")
until(READY)
send("1: w 10002000\n")
text = go()
like(text, r"COPY_ZERO", "a fault on the second processor")
is_(gdb.selected_thread().num, 2, "which gdb has selected")
is_([t.is_running() for t in gdb.selected_inferior().threads()], [False, False], "both stand still")
is_(told(follow(), NUMBERED), told(text), "step-fault follows it there")
run("delete")
until(READY)
is_(last_path(child, 0x10002000), told(text), "and tells what the record says")

# --- next-fault -----------------------------------------------------------------------------------

run("proc 1")
send("r 10007000\n")
text = said("next-fault")
like(text, r"^page fault: playground\[1\]", "next-fault, of the process chosen")
ok("Breakpoint" not in text, "by no breakpoint of the user's")
is_(run("info breakpoints"), "No breakpoints or watchpoints.\n", "and none is left")
while "0x10007000" not in text:
    text = said("next-fault")
is_(told(text), ["AREA", "MAY_READ", "ENTRY_NONE", "ZERO_PAGE"], "up to the one that was asked for")
until(READY)
run("break sys_getppid")
send("here\n")
like(said("next-fault"), r"Something else stopped the guest", "something else may come first")
run("delete")
until(READY)

# --- faults ---------------------------------------------------------------------------------------

def by_number(text):
    """The records in a text, each as its lines joined."""
    records = re.split(r"^(?=fault )", text, flags=re.M)
    return {int(r.split()[1]): " ".join(r.split()) for r in records if r.startswith("fault ")}


ask("cat /proc/1/fault")
shown, kept = by_number(ask("cat /proc/1/fault")), by_number(run("faults 1"))
both = sorted(shown.keys() & kept.keys())
ok(len(both) >= 4, "faults and /proc/1/fault speak of the same")
is_([kept[n] for n in both], [shown[n] for n in both], "and say the same of it")

# --- step-fault -----------------------------------------------------------------------------------

ask("mmap 600000000000 2000 3 32")
run("proc 1")


def followed(line, addr, end, name):
    """Follows the fault at an address that a line for playground makes."""
    run(f"on-fault {addr}")
    send(line + "\n")
    before = go()
    text = follow()
    run("delete")
    until(READY)
    like(text, end, f"{name}: to the end")
    steps = told(text, NUMBERED)
    if "once more, from the start" in text:
        steps = told(text.split("once more, from the start")[1], NUMBERED)
    is_(steps, told(before), f"{name}: the steps are those foretold")
    is_(steps, last_path(1, int(addr, 16)), f"{name}: and those recorded")
    like(text, r"^1\. exception: playground\[1\], .*\n.*\n?.*CR2: 0x",
         f"{name}: from the exception")
    is_([int(n) for n in re.findall(r"^(\d+)\. ", text, re.M)],
        list(range(1, 1 + len(re.findall(r"^\d+\. ", text, re.M)))), f"{name}: numbered")
    return text


text = followed("w 600000001000", "0x600000001000", r"back in user mode at 0x", "first touch")
is_(re.findall(r"a table is made: (\w+)", text), ["PML4", "PDPT", "PD"], "a table at each level")
like(text, r"the entry is set: PT 0x[0-9a-f]+\[1\] 0x0 ->", "then the entry")
text = followed("w 10200000", "0x10200000", r"in the signal's handler at 0x", "a signal")
ok("the entry is" not in text, "a signal: no entry is set")
followed("kw 10200000", "0x10200000", r"back in the kernel at 0x", "a system call that fails")
followed("w 109ff000", "0x109ff000", r"back in user mode at 0x", "a stack that grows")
ask("fork")
text = followed("w 10000000", "0x10000000", r"back in user mode at 0x", "copy-on-write")
like(text, r"the entry is cleared: PT.*\n(.*\n)+?\d+\. the entry is set: PT", "cleared, then set")
is_(error("step-fault stop"), None, "step-fault can be given up")

# --- on-map ---------------------------------------------------------------------------------------

run("proc 1")
like(said("on-map 0x50000000-0x50100000"), r"areas in 0x50000000-0x50100000 of playground\[1\]",
     "on-map")
is_(ask("mmap 51000000 1000 3 32"), "0x51000000", "an area elsewhere doesn't stop")
is_(ask("1: mmap 50000000 1000 3 32"), "0x50000000", "nor does another process's")


def expect(line, *wanted):
    send(line + "\n")
    for want in wanted:
        like(go(), want, f"{line}: {want}")
    until(READY)


def by(call, words):
    return rf"^{call}\(.*\), by playground\[1\] on CPU \d:\n  {words}"


expect("mmap 50000000 8000 3 32", by("mmap", "inserts 0x50000000-0x50008000 rw-p anonymous"))
expect("mprotect 50002000 1000 1",
       by("mprotect", "gives 0x50002000-0x50003000 the flags READ"),
       by("mprotect", "shrinks 0x50000000-0x50008000 .* to 0x50002000-0x50008000"),
       by("mprotect", "inserts 0x50000000-0x50002000"),
       by("mprotect", "shrinks 0x50002000-0x50008000 .* to 0x50002000-0x50003000"),
       by("mprotect", "inserts 0x50003000-0x50008000"))
expect("munmap 50003000 5000", by("munmap", "removes 0x50003000-0x50008000"))
number = re.search(r"^(\d+) +breakpoint", run("info breakpoints"), re.M)[1]
run(f"delete {number}")
is_(re.findall(r"^\d+ +breakpoint +keep y", run("info breakpoints"), re.M), [], "deleting one disables all four")
is_(ask("munmap 50000000 3000"), "0x0", "and nothing stops any more")
is_(run("info breakpoints"), "No breakpoints or watchpoints.\n", "and deletes them")
run("on-map 0x50000000-0x50100000")
run("delete")
is_(run("info breakpoints"), "No breakpoints or watchpoints.\n", "so does deleting all at once")
is_(ask("mmap 50000000 1000 3 32"), "0x50000000", "and nothing stops then")

# --- conditions -----------------------------------------------------------------------------------


class Seen(gdb.Function):
    """What $pte says each time a condition is looked at, which is true the second time."""

    def __init__(self):
        super().__init__("seen")
        self.entries = []

    def invoke(self, address):
        self.entries.append(value(f"$pte({int(address):#x}).v"))
        return int(len(self.entries) == 2)


seen = Seen()
ask("mmap 50100000 1000 3 32")
run("break sys_getppid if $seen(0x50100000)")
send("here\n")
like(go(typed=["w 50100000", "here"]), r"sys_getppid", "a condition that comes true later")
is_([entry & 3 for entry in seen.entries], [0, 3], "it saw what the guest did since the last time")
run("delete")
until(READY)

# --- a process that has gone ----------------------------------------------------------------------

m = re.match(r"child (\d+) pid (\d+)", ask("fork"))
number, child = m[1], int(m[2])
run(f"proc {child}")
send(f"{number}: quit\n")
until(READY)
GONE = f"Process {child} is there no longer: choose another, or `proc -` for the CPU's own."
like(run("ps"), rf"^  +1 +1 .*playground\n(.*\n)*{re.escape(GONE)}$", "ps lists the others, and says so")
for command in ("on-fault 0x10006000", "on-map 0x10006000", "next-fault", "step-fault", "why 0x10006000"):
    is_(error(command), GONE, f"{command}: of whom?")
is_(run("info breakpoints"), "No breakpoints or watchpoints.\n", "and no breakpoint is left")
run("proc 1")

# --- bits that no entry may have ------------------------------------------------------------------

with memory.session():
    last = paging.Walk(process.root_of(process.current_mm()), 0x10001000).last
entry = f"*(unsigned long *){kernel.to_virt(last.where):#x}"
run(f"set var {entry} = {last.entry | 1 << 45:#x}")
like(run("walk 0x10001000"), r"reserved bits 0x200000000000 are set", "walk knows how wide addresses are")
is_(told(run("why 0x10001000")), ["RESERVED_BITS", "PANIC"], "and so does why")
run(f"set var {entry} = {last.entry:#x}")
like(run("why 0x10001000"), r"^=> It succeeds", "without the bit all is well")

# --- a fault of the kernel's own, and its panic ---------------------------------------------------

foretold = run("why 0x10000000 w kernel")
like(foretold, r"^=> It succeeds, (without a fault|after)", "by copy_to_user() the kernel may write there")
like(foretold, r"U=1, and SMAP forbids the kernel a program's page", "by any other instruction it may not")
run("proc -")
run("tbreak sys_getppid")
send("here\n")
go()
run("on-fault 0x10000000")
run("set $rdi = 0x10000000")
run("set $rip = clear_page")  # a mistake: that is for pages of the kernel's
text = go()
like(text, r"page fault: playground\[1\] in kernel mode, .* tries to write 0x10000000", "a kernel's mistake")
is_(told(text), ["NOT_UACCESS", "PANIC"], "will end in a panic")
is_(told(text), told(foretold)[-2:], "as why said")
run("break panic_regs")
like(go(), r"panic_regs", "and does")
is_(last_path(1, 0x10000000), ["NOT_UACCESS", "PANIC"], "with a record that says why")
like(run("faults"), r"\A(.*\n)*?  NOT_UACCESS .*\n(.*\n)*?  PANIC  ", "which can be read then, too")
like(run("why 0x10000000"), r"^=> It succeeds", "and so can everything else")
