# SPDX-License-Identifier: MIT
# Steps from the kernel's entry into long mode and on to boot_main: see debug.t.
python
def at(place):
    return int(gdb.parse_and_eval(f"(unsigned long)&{place}"))

def instructions(start, end):
    return gdb.selected_frame().architecture().disassemble(start, end - 1)

def register(name):
    return int(gdb.parse_and_eval(f"(unsigned long)${name}"))

def now():
    return gdb.execute("x/i $pc", False, True).split(":\t")[1].strip()

def mode():
    on = [register("cr0") >> 31 & 1, register("efer") >> 10 & 1]
    return "paging {}, long mode {}".format(*("on" if bit else "off" for bit in on))

gdb.execute("stepi 3", False, True)
print("before:", mode())
# Behind the loop that fills the tables: where CR0 is about to be written.
code = instructions(at("check_cpu"), at("long_mode"))
target = [i["addr"] for i in code if "%cr0" in i["asm"]][-1]
gdb.execute(f"tbreak *{target:#x}", False, True)
gdb.execute("continue", False, True)
steps = []
for _ in range(6):
    steps.append(now())
    gdb.execute("stepi", False, True)
print("; ".join(steps))
gdb.execute("tbreak *boot_main", False, True)
gdb.execute("continue", False, True)
print(f"after: {mode()}, in {gdb.selected_frame().name()}")
end
