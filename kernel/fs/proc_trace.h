/* SPDX-License-Identifier: MIT */
#ifndef KERNEL_FS_PROC_TRACE_H
#define KERNEL_FS_PROC_TRACE_H

/*
 * What the command line says of the trace: trace=KINDS, trace_size=EVENTS, trace_export=debugcon. As soon as
 * there is memory; and once more, for the other processors, when they run.
 */
void trace_boot(void);
void trace_boot_others(void);

#endif
