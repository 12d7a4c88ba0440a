/* SPDX-License-Identifier: MIT */
/*
 * What gdb runs when it opens the kernel's ELF file (the gdb manual, "The .debug_gdb_scripts
 * section"): 4 for Python text, the name that gdb shows it under, the text. Not loaded, and gone
 * after `strip -g`.
 */
	.section .debug_gdb_scripts, "", @progbits
	.byte	4
	.ascii	"tessera\n"
	.incbin	"tools/gdb/autoload.py"
	.byte	0

	.section .note.GNU-stack, "", @progbits
