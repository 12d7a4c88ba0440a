/* SPDX-License-Identifier: MIT */
/* From the loader's words to the kernel's: boot.S calls this on the boot stack, in the upper half. */
#include <arch/mmu.h>

#include "kernel/base/boot_info.h"
#include "kernel/init/init.h"

/* As boot.S has them. */
#define LOADER_MULTIBOOT2 1
#define LOADER_PVH	  2

static struct boot_info boot_info;

/* boot.S shows the first 4 GiB in the direct map. */
#define BOOT_MAP_END (1UL << 32)

/* Not inlined: the first line that gdb shows of the kernel is to be boot_main's. */
static noinline const void *boot_map(u64 phys, size_t len)
{
	return phys < BOOT_MAP_END && len <= BOOT_MAP_END - phys ? phys_to_virt(make_phys(phys)) :
								   NULL;
}

void __attribute__((noreturn)) boot_main(u32 loader, u64 info_phys);

void boot_main(u32 loader, u64 info_phys)
{
	const u32 *mbi = boot_map(info_phys, 8);
	int err = loader == LOADER_PVH ? boot_parse_pvh(&boot_info, info_phys, boot_map) :
					 boot_parse_multiboot2(&boot_info, mbi, mbi ? *mbi : 0);

	kernel_main(err ? NULL : &boot_info);
}
