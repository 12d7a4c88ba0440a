/* SPDX-License-Identifier: MIT */
#include <arch/cpu.h>
