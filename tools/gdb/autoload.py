# SPDX-License-Identifier: MIT
# The kernel's ELF file carries this text, in its section .debug_gdb_scripts, and gdb runs it when it
# opens the file: it finds this tree's commands and loads them. Only this; what they are isn't in the
# kernel. Names begin with an underscore, as all this is in gdb's own name space.
def _tessera_autoload():
    import os

    import gdb

    elf = gdb.current_objfile()
    # Beside the sources, wherever gdb finds these; or where the usual build folder is below them.
    places = [os.path.join(os.path.dirname(elf.filename), "..", "..")]
    start = gdb.lookup_global_symbol("kernel_main")
    if start is not None and start.symtab is not None:
        places.insert(0, os.path.join(os.path.dirname(start.symtab.fullname()), "..", ".."))
    for place in places:
        script = os.path.normpath(os.path.join(place, "tools", "gdb", "tessera.py"))
        if os.path.exists(script):
            gdb.execute("source " + script)
            return
    gdb.write(f"{elf.filename}: no tools/gdb/tessera.py in {' or '.join(map(os.path.normpath, places))}; "
              "`source` it from where it is.\n", gdb.STDERR)


_tessera_autoload()
