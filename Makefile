# SPDX-License-Identifier: MIT
#
# Everything that can be done with Tessera; `make help` lists it. One Makefile for the whole tree,
# and everything it makes is under $(O).

O ?= build
# KASAN=1: the debug kernel with an address sanitizer, in its place wherever it is run.
override KASAN := $(filter-out 0,$(KASAN))
export KASAN
DEBUG_CONFIG := $(if $(KASAN),kasan,debug)
# The kernel on the ISO: debug (with its checks) or release.
CONFIG ?= $(DEBUG_CONFIG)
MEM ?= 512M
SMP ?= 1
# Continuous integration treats warnings as errors; a student's newer compiler must not.
WERROR ?= $(if $(CI),1)
Q := $(if $(V),,@)

.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules
JOBS ?= $(shell nproc)
# The default goal takes as many jobs as there are processors, unless somebody says otherwise.
ifeq ($(filter-out all,$(MAKECMDGOALS))$(findstring -j,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(JOBS)
endif

.PHONY: all
all:

# ---------------------------------------------------------------------------------------------
# What is where. A layer is one archive and may use only the layers before it (`make check`).

LAYERS := base lib low sync sched mm fs process syscall entry init boot

DIR_base := kernel/base
DIR_lib := kernel/lib
DIR_low := arch/x86_64/low
DIR_sync := kernel/sync
DIR_sched := kernel/sched
DIR_mm := mm
DIR_fs := kernel/fs
DIR_process := kernel/process
DIR_syscall := kernel/syscall
DIR_entry := arch/x86_64/entry
DIR_init := kernel/init
DIR_boot := boot

ASFILES := $(foreach l,$(LAYERS),$(wildcard $(DIR_$(l))/*.S))
CFILES := $(foreach l,$(LAYERS),$(wildcard $(DIR_$(l))/*.c))

# ---------------------------------------------------------------------------------------------
# Tools.

ifeq ($(origin CROSS_COMPILE),undefined)
CROSS_COMPILE := $(shell for p in x86_64-elf- x86_64-linux-gnu-; do \
	command -v $${p}gcc >/dev/null && { echo $$p; break; }; done)
endif

ifneq ($(LLVM),)
CC := clang
LD := ld.lld
AR := llvm-ar
NM := llvm-nm
STRIP := llvm-strip
endif
ifneq ($(filter default undefined,$(origin CC)),)
CC := $(CROSS_COMPILE)gcc
endif
ifneq ($(filter default undefined,$(origin LD)),)
LD := $(CROSS_COMPILE)ld
endif
ifneq ($(filter default undefined,$(origin AR)),)
AR := $(CROSS_COMPILE)ar
endif
NM ?= $(CROSS_COMPILE)nm
STRIP ?= $(CROSS_COMPILE)strip

# User programs and host tests are built for Linux, whatever the kernel is built with.
MUSL_CC ?= musl-gcc
USER_CC ?= gcc
USER_STRIP ?= strip
HOST_CC ?= gcc
BUSYBOX ?= /bin/busybox

IS_CLANG := $(findstring clang,$(notdir $(firstword $(CC))))

# ---------------------------------------------------------------------------------------------
# Flags. CFI goes to .debug_frame, which gdb reads and which isn't loaded.

INCLUDES := -I. -Iarch/x86_64/include
WARNINGS := -Wall -Wextra -Wno-unused-parameter $(if $(WERROR),-Werror)

# A canary per task, at %gs:40: kernel/base/stack_protector.h.
STACK_PROTECTOR := -fstack-protector-strong -mstack-protector-guard=tls -mstack-protector-guard-reg=gs \
	-mstack-protector-guard-offset=40
KCFLAGS := -std=gnu11 -O2 -g -ffreestanding -nostdlib -mno-red-zone -mcmodel=kernel -fno-pic \
	-fno-pie -mgeneral-regs-only -fcf-protection=none $(STACK_PROTECTOR) \
	-fno-asynchronous-unwind-tables -fno-omit-frame-pointer -fno-strict-aliasing -fno-common \
	$(WARNINGS) $(INCLUDES)
# GCC takes an access to a low constant address, such as the VGA text buffer's, for a mistake.
KCFLAGS += $(if $(IS_CLANG),--target=x86_64-linux-gnu,--param=min-pagesize=0)
# Without vector registers nothing needs a stack aligned to 16.
KCFLAGS += $(if $(IS_CLANG),-mstack-alignment=8,-mpreferred-stack-boundary=3)
KASFLAGS := -g -mno-red-zone $(if $(IS_CLANG),--target=x86_64-linux-gnu) $(INCLUDES) \
	-D__ASSEMBLER__ -include $(O)/gen/asm-prelude.h
KLDFLAGS := -nostdlib -static --no-dynamic-linker --build-id=none -z max-page-size=4096 \
	-z noexecstack --orphan-handling=warn $(if $(WERROR),--fatal-warnings)

# What C leaves undefined ends in kernel/base/ubsan.c. Looking at each pointer that is followed would make
# the debug kernel slower by half: that is for UBSAN=all.
UBSAN_CHECKS := bool,bounds,builtin,integer-divide-by-zero,nonnull-attribute,returns-nonnull-attribute,$(strip \
	)shift,signed-integer-overflow,unreachable,vla-bound
UBSAN_FLAGS := -fsanitize=$(if $(filter all,$(UBSAN)),undefined,$(UBSAN_CHECKS)) -fno-sanitize-recover=all

# A tail call leaves no frame: the debug kernel's backtraces name every caller.
CONFIG_FLAGS_debug := -DCONFIG_DEBUG -DCONFIG_LOCKDEP -fno-optimize-sibling-calls $(UBSAN_FLAGS)
CONFIG_FLAGS_release :=
# With the address sanitizer: a function of kernel/base/kasan.c is called before each access to memory.
KASAN_FLAGS := -fsanitize=kernel-address --param asan-instrumentation-with-call-threshold=0 \
	-fasan-shadow-offset=0xdffffc0000000000 --param asan-stack=1 --param asan-globals=1 \
	-fsanitize-address-use-after-scope -fsanitize-recover=kernel-address
CONFIG_FLAGS_kasan = $(CONFIG_FLAGS_debug) -DCONFIG_KASAN $(if $(NO_KASAN),,$(KASAN_FLAGS))

# $(call remember,FILE,TEXT): FILE holds TEXT and is newer than what depends on it if TEXT changed.
# Runs while the Makefile is read, without starting a process when nothing changed.
define remember
$(if $(wildcard $(dir $(1))),,$(shell mkdir -p $(dir $(1))))$(if $(and $(wildcard $(1)),$(call same,$(strip $(file <$(1))),$(strip $(2)))),,$(file >$(1),$(strip $(2))))
endef
same = $(and $(findstring x$(1)x,x$(2)x),$(findstring x$(2)x,x$(1)x))

# Goals that build nothing must not leave anything either.
ifneq ($(filter-out help clean console format,$(or $(MAKECMDGOALS),all)),)
BUILDING := 1
endif

# ---------------------------------------------------------------------------------------------
# The kernel, once per configuration.

# $(call objects,CONFIG,SOURCES): switch.c becomes switch.o, and switch.S beside it switch.S.o.
objects = $(patsubst %,$(O)/$(1)/%.o,$(patsubst %.c,%,$(2)))

# $(call layer_objects,CONFIG,LAYER)
layer_objects = $(call objects,$(1),$(wildcard $(DIR_$(2))/*.c $(DIR_$(2))/*.S)) \
	$(if $(filter low,$(2)),$(O)/$(1)/gen/font.o $(O)/$(1)/gen/vdso.o)

define layer_rules
$(if $(BUILDING),$(call remember,$(O)/$(1)/lib$(2).list,$(call layer_objects,$(1),$(2))))
$(O)/$(1)/lib$(2).a: $(call layer_objects,$(1),$(2)) $(O)/$(1)/lib$(2).list
	@rm -f $$@
	$$(Q)$$(AR) rcsD $$@ $$(filter %.o,$$^)
endef

define config_rules
ARCHIVES_$(1) := $(LAYERS:%=$(O)/$(1)/lib%.a)
$(if $(BUILDING),$(call remember,$(O)/$(1)/flags,$(CC) $(KCFLAGS) $(CONFIG_FLAGS_$(1)) $(KASFLAGS) $(LD) $(KLDFLAGS)))

$(foreach l,$(LAYERS),$(eval $(call layer_rules,$(1),$(l))))

$(O)/$(1)/%.o: %.c $(O)/$(1)/flags
	@echo "  CC      $$<"; mkdir -p $$(@D)
	$$(Q)$$(CC) $$(KCFLAGS) $$(CONFIG_FLAGS_$(1)) -MMD -MP -c -o $$@ $$<

$(O)/$(1)/%.S.o: %.S $(O)/$(1)/flags $(O)/gen/asm-prelude.h
	@echo "  AS      $$<"; mkdir -p $$(@D)
	$$(Q)$$(CC) $$(KASFLAGS) $$(CONFIG_FLAGS_$(1)) -MMD -MP -c -o $$@ $$<

$(O)/$(1)/gen/%.o: $(O)/gen/%.S $(O)/$(1)/flags $(O)/gen/asm-prelude.h
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(KASFLAGS) -c -o $$@ $$<

$(O)/$(1)/gen/font.o: $(O)/gen/font.psf
$(O)/$(1)/boot/gdb_scripts.S.o: tools/gdb/autoload.py
$(O)/$(1)/gen/vdso.o: $(O)/gen/vdso.so

# Two links: the second adds the names of the functions that the first placed.
$(O)/$(1)/first.elf: $$(ARCHIVES_$(1)) $(O)/$(1)/gen/no-ksyms.o linker.ld
	$$(Q)$$(LD) $$(KLDFLAGS) -T linker.ld -o $$@ $(O)/$(1)/gen/no-ksyms.o \
		--whole-archive $$(ARCHIVES_$(1))

$(O)/$(1)/tessera.elf: $(O)/$(1)/first.elf tools/mkksyms
	@echo "  LD      $$@"
	$$(Q)$$(NM) $(O)/$(1)/first.elf >$(O)/$(1)/first.nm
	$$(Q)tools/mkksyms <$(O)/$(1)/first.nm >$(O)/$(1)/ksyms.S
	$$(Q)$$(CC) $$(KASFLAGS) -c -o $(O)/$(1)/ksyms.o $(O)/$(1)/ksyms.S
	$$(Q)$$(LD) $$(KLDFLAGS) -T linker.ld -Map $(O)/$(1)/tessera.map -o $$@ $(O)/$(1)/ksyms.o \
		--whole-archive $$(ARCHIVES_$(1))
	$$(Q)$$(NM) $$@ >$(O)/$(1)/tessera.nm
	$$(Q)tools/mkksyms --compare $(O)/$(1)/first.nm $(O)/$(1)/tessera.nm

-include $(patsubst %.o,%.d,$(call objects,$(1),$(CFILES) $(ASFILES)))
endef

$(foreach c,debug release kasan,$(eval $(call config_rules,$(c))))

# What these do, the sanitizer itself and who makes free objects, is to handle memory that nobody may use.
$(O)/kasan/kernel/base/kasan%.o $(O)/kasan/mm/kasan.o $(O)/kasan/mm/slab.o $(O)/kasan/mm/slab_debug.o: NO_KASAN := 1

# It provokes every report that there is.
$(O)/debug/kernel/init/selftest_ubsan.o $(O)/kasan/kernel/init/selftest_ubsan.o: private KCFLAGS += -fsanitize=undefined -Wno-array-bounds

$(O)/gen/asm-prelude.h:
	@mkdir -p $(@D)
	@printf '%s\n' '.cfi_sections .debug_frame' >$@

$(O)/gen/no-ksyms.S: tools/mkksyms
	@mkdir -p $(@D)
	@tools/mkksyms --empty >$@

# What the ISO carries: without debug information, which only slows the loader.
$(O)/tessera.elf: $(O)/$(CONFIG)/tessera.elf $(O)/config
	$(Q)$(STRIP) -g -o $@ $<

$(if $(BUILDING),$(call remember,$(O)/config,$(CONFIG)))

# The console font is the distribution's; without it the framebuffer console stays off.
FONT := $(firstword $(wildcard $(foreach d,$(O)/dist/console-setup-linux /, \
	$(d)/usr/share/consolefonts/Lat15-VGA16.psf.gz $(d)/usr/share/consolefonts/Uni2-VGA16.psf.gz)))
$(if $(BUILDING),$(call remember,$(O)/gen/font.from,$(FONT)))

$(O)/gen/font.psf: $(O)/gen/font.from
	$(if $(FONT),@gzip -dc $(FONT) >$@,@echo "no console font (tools/bootstrap build fetches one):" \
		"there will be no text on a graphical screen"; : >$@)

$(O)/gen/font.S: Makefile
	@mkdir -p $(@D)
	@printf '%s\n' '.section .rodata.font, "a"' '.balign 16' \
		'.global console_font_start, console_font_end' \
		'console_font_start: .incbin "$(O)/gen/font.psf"' 'console_font_end:' \
		'.section .note.GNU-stack, "", @progbits' >$@

# The vdso: code that programs run, so it is compiled for any address and with what unwinds it.
VDSO_DIR := arch/x86_64/vdso
VDSO_CFLAGS := -std=gnu11 -O2 -fPIC -ffreestanding -nostdlib -mgeneral-regs-only -fno-stack-protector \
	-fcf-protection=none -fasynchronous-unwind-tables -fno-strict-aliasing -fno-common -DBUILD_VDSO \
	$(WARNINGS) $(INCLUDES) $(if $(IS_CLANG),--target=x86_64-linux-gnu)
VDSO_LDFLAGS := -shared -soname linux-vdso.so.1 -Bsymbolic --hash-style=both --build-id=sha1 \
	--eh-frame-hdr --no-undefined -z max-page-size=4096 -z noexecstack
$(if $(BUILDING),$(call remember,$(O)/gen/vdso.flags,$(CC) $(VDSO_CFLAGS) $(LD) $(VDSO_LDFLAGS)))

$(O)/gen/vdso.o: $(VDSO_DIR)/vdso.c $(O)/gen/vdso.flags
	@echo "  CC      $<"; mkdir -p $(@D)
	$(Q)$(CC) $(VDSO_CFLAGS) -MMD -MP -c -o $@ $<

$(O)/gen/vdso.so: $(O)/gen/vdso.o $(VDSO_DIR)/vdso.lds
	@echo "  LD      $@"
	$(Q)$(LD) $(VDSO_LDFLAGS) -T $(VDSO_DIR)/vdso.lds -o $@.tmp $<
	$(Q)$(STRIP) -s -o $@ $@.tmp

# In the kernel it has the size that is mapped: .org refuses to go back when it has outgrown that.
$(O)/gen/vdso.S: Makefile
	@mkdir -p $(@D)
	@printf '%s\n' '.section .rodata.vdso, "a"' '.global vdso_image' 'vdso_image:' \
		'.incbin "$(O)/gen/vdso.so"' '.org vdso_image + 8192' \
		'.section .note.GNU-stack, "", @progbits' >$@

-include $(O)/gen/vdso.d

# ---------------------------------------------------------------------------------------------
# User programs and the initial file system.

USER_SRCS := $(wildcard user/*.c)
USER_TEST_SRCS := $(wildcard user/tests/*.c)
USER_TEST_PROGS := $(USER_TEST_SRCS:user/tests/%.c=$(O)/user/tests/%)
USER_BIN_PROGS := $(USER_SRCS:user/%.c=$(O)/user/bin/%)
USER_PROGS := $(USER_BIN_PROGS) $(USER_TEST_PROGS)
HELLO := $(wildcard tests/programs/hello.c)
HELLO_PROGS := $(if $(HELLO),$(addprefix $(O)/user/bin/hello-,musl glibc pie))
USER_CFLAGS := -static -O2 -g -std=gnu11 -Wall $(if $(WERROR),-Werror) -Iuser -I.
# There are many tests, each small: the compiler's time is most of a build. `make TEST_DEBUG=-g` for gdb.
USER_TEST_CFLAGS := -static -Os $(TEST_DEBUG) -std=gnu11 -Wall $(if $(WERROR),-Werror) -Iuser -I.
ETC_FILES := $(wildcard iso/etc/*)

$(if $(BUILDING),$(call remember,$(O)/user/flags,$(MUSL_CC) $(USER_CC) $(USER_CFLAGS) $(USER_TEST_CFLAGS)))
$(if $(BUILDING),$(call remember,$(O)/user/base.list,$(USER_BIN_PROGS) $(HELLO_PROGS) $(ETC_FILES) $(BUSYBOX)))
$(if $(BUILDING),$(call remember,$(O)/user/tests.list,$(USER_TEST_PROGS)))

$(O)/user/bin/%: user/%.c $(O)/user/flags
	@echo "  USER    $<"; mkdir -p $(@D)
	$(Q)$(MUSL_CC) $(USER_CFLAGS) -MMD -MP -MF $@.d -MT $@ -o $@ $<

$(O)/user/tests/%: user/tests/%.c $(O)/user/flags
	@echo "  USER    $<"; mkdir -p $(@D)
	$(Q)$(MUSL_CC) $(USER_TEST_CFLAGS) -MMD -MP -MF $@.d -MT $@ -o $@ $<

$(O)/user/bin/hello-musl: $(HELLO) $(O)/user/flags
	@echo "  USER    $@"; mkdir -p $(@D)
	$(Q)$(MUSL_CC) -static -O2 -o $@ $<

$(O)/user/bin/hello-glibc: $(HELLO) $(O)/user/flags
	@echo "  USER    $@"; mkdir -p $(@D)
	$(Q)$(USER_CC) -static -O2 -o $@ $<

$(O)/user/bin/hello-pie: $(HELLO) $(O)/user/flags
	@echo "  USER    $@"; mkdir -p $(@D)
	$(Q)$(USER_CC) -static-pie -fPIE -O2 -o $@ $<

-include $(USER_PROGS:%=%.d)

# The initial file system comes in images: every boot has the base, and what a test needs of the
# others. They are unpacked into RAM of which there may be just 64 MiB.
IMAGE_MAX := 6291456
TESTS_IMAGE_MAX := 10485760

$(O)/base.cpio: $(USER_BIN_PROGS) $(HELLO_PROGS) $(ETC_FILES) $(O)/user/base.list $(BUSYBOX) \
		iso/applets iso/mkroot iso/mkimage
	@echo "  CPIO    $@"
	$(Q)iso/mkroot $(O)/root $(BUSYBOX)
	$(Q)cp $(O)/user/bin/init $(O)/root/init && $(USER_STRIP) -s $(O)/root/init
	$(Q)iso/mkimage $@ $(O)/root $(IMAGE_MAX) $(USER_STRIP) $(USER_BIN_PROGS) $(HELLO_PROGS)

$(O)/tests.cpio: $(USER_TEST_PROGS) $(O)/user/tests.list iso/mkimage
	@echo "  CPIO    $@"; rm -rf $(O)/tests.root; mkdir -p $(O)/tests.root/tests
	$(Q)iso/mkimage $@ $(O)/tests.root $(TESTS_IMAGE_MAX) $(USER_STRIP) $(USER_TEST_PROGS)

# Programs that weren't written for the suite, and what they are given. bash is the distribution's.
BASH := $(firstword $(wildcard $(O)/dist/bash-static/bin/bash-static /bin/bash-static))
PROGRAM_PROGS := $(addprefix $(O)/user/programs/,exec_damaged threads-musl threads-glibc clocks-musl clocks-glibc)
PROGRAM_SCRIPTS := $(addprefix tests/programs/,shell.sh tree.sh)

$(if $(BUILDING),$(call remember,$(O)/user/programs.list,$(PROGRAM_PROGS) $(PROGRAM_SCRIPTS) $(BASH)))

$(O)/user/programs/exec_damaged: tests/programs/exec_damaged.c user/common.h $(O)/user/flags
	@echo "  USER    $<"; mkdir -p $(@D)
	$(Q)$(MUSL_CC) $(USER_CFLAGS) -o $@ $<

THREADS_CFLAGS := $(USER_CFLAGS) -pthread

$(O)/user/programs/threads-musl: tests/programs/threads.c user/tests/tap.h $(O)/user/flags
	@echo "  USER    $@"; mkdir -p $(@D)
	$(Q)$(MUSL_CC) $(THREADS_CFLAGS) -o $@ $<

$(O)/user/programs/threads-glibc: tests/programs/threads.c user/tests/tap.h $(O)/user/flags
	@echo "  USER    $@"; mkdir -p $(@D)
	$(Q)$(USER_CC) $(THREADS_CFLAGS) -o $@ $<

$(O)/user/programs/clocks-musl: tests/programs/clocks.c $(O)/user/flags
	@echo "  USER    $@"; mkdir -p $(@D)
	$(Q)$(MUSL_CC) $(USER_CFLAGS) -o $@ $<

$(O)/user/programs/clocks-glibc: tests/programs/clocks.c $(O)/user/flags
	@echo "  USER    $@"; mkdir -p $(@D)
	$(Q)$(USER_CC) $(USER_CFLAGS) -o $@ $<

$(O)/programs.cpio: $(PROGRAM_PROGS) $(PROGRAM_SCRIPTS) $(BASH) $(O)/user/programs.list tests/programs/mkdamaged \
		iso/mkimage
	@echo "  CPIO    $@"; rm -rf $(O)/programs.root; mkdir -p $(O)/programs.root/programs
	$(Q)tests/programs/mkdamaged $(O)/programs.root/programs/damaged
	$(if $(BASH),$(Q)cp $(BASH) $(O)/programs.root/programs/bash,@echo "no bash-static \
		(tools/bootstrap test fetches one): no test runs it")
	$(Q)iso/mkimage $@ $(O)/programs.root $(IMAGE_MAX) $(USER_STRIP) $(PROGRAM_PROGS) $(PROGRAM_SCRIPTS)

# Programs with shared libraries, the distribution's as they are: a small system under $(O)/dist.
DIST := $(wildcard $(O)/dist/programs/packages)
DIST_TREE := $(O)/dist/programs
NO_DIST = echo "no programs of the distribution (tools/bootstrap test fetches them): $@ is empty"
DIST_IMAGE_MAX := 33554432
DYNAMIC_FILES := /bin/bash /bin/ls /usr/bin/sqlite3 /usr/sbin/memtester \
	$(addprefix /usr/bin/mdb_,load dump stat copy)
# The C library for tcc, with the headers that a small program includes, and what those include.
TCC_FILES := /usr/bin/tcc $(addprefix /usr/lib/x86_64-linux-gnu/, \
	tcc/libtcc1.a tcc/include/ crt1.o crti.o crtn.o libc.so libc_nonshared.a libm.so) \
	/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 \
	/lib/x86_64-linux-gnu/libmvec.so.1 $(addprefix /usr/include/, \
	$(addsuffix .h,alloca assert ctype endian errno features features-time64 fcntl limits math stdc-predef \
		stdint stdio stdlib string strings unistd asm-generic/errno asm-generic/errno-base linux/errno) \
	$(addprefix x86_64-linux-gnu/,asm/errno.h bits/ gnu/ sys/cdefs.h sys/select.h sys/types.h))
LAYOUT_PROGS := $(addprefix $(O)/user/programs/layout-,fixed stack pie aligned static static-pie static-aligned)
DYNAMIC_SCRIPTS := $(addprefix tests/programs/dynamic_,layout.sh ls.sh sqlite.sh lmdb.sh)
PYTHON_SCRIPTS := $(wildcard tests/programs/python/*.py)

$(if $(BUILDING),$(call remember,$(O)/user/dist.list,$(if $(DIST),$(file <$(DIST))) $(DYNAMIC_FILES) $(TCC_FILES) \
	$(DYNAMIC_SCRIPTS) $(PYTHON_SCRIPTS)))

LAYOUT_FLAGS_fixed := -no-pie
LAYOUT_FLAGS_stack := -no-pie -z execstack
LAYOUT_FLAGS_static := -static
LAYOUT_FLAGS_pie := -fPIE -pie
LAYOUT_FLAGS_aligned := -fPIE -pie -Wl,-z,max-page-size=0x10000
LAYOUT_FLAGS_static-pie := -fPIE -static-pie
LAYOUT_FLAGS_static-aligned := -fPIE -static-pie -Wl,-z,max-page-size=0x10000

$(O)/user/programs/layout-%: tests/programs/layout.c $(O)/user/flags
	@echo "  USER    $@"; mkdir -p $(@D)
	$(Q)$(USER_CC) -O1 -std=gnu11 -Wall $(if $(WERROR),-Werror) $(LAYOUT_FLAGS_$*) -o $@ $<

$(O)/dynamic.cpio: $(O)/user/dist.list tests/programs/gather $(DYNAMIC_SCRIPTS) $(LAYOUT_PROGS) iso/mkimage
	@echo "  CPIO    $@"; rm -rf $(O)/dynamic.root; mkdir -p $(O)/dynamic.root
	$(Q)$(if $(DIST),tests/programs/gather $(DIST_TREE) $(O)/dynamic.root $(DYNAMIC_FILES),$(NO_DIST))
	$(Q)iso/mkimage $@ $(O)/dynamic.root $(DIST_IMAGE_MAX) $(USER_STRIP) $(DYNAMIC_SCRIPTS) $(LAYOUT_PROGS)

$(O)/python.cpio: $(O)/user/dist.list tests/programs/gather tests/programs/mkpython $(PYTHON_SCRIPTS) iso/mkimage
	@echo "  CPIO    $@"; rm -rf $(O)/python.root; mkdir -p $(O)/python.root
	$(Q)$(if $(DIST),tests/programs/mkpython $(DIST_TREE) $(O)/python.root,$(NO_DIST))
	$(Q)iso/mkimage $@ $(O)/python.root $(DIST_IMAGE_MAX) $(USER_STRIP) $(PYTHON_SCRIPTS)

$(O)/tcc.cpio: $(O)/user/dist.list tests/programs/gather tests/programs/dynamic_tcc.sh iso/mkimage
	@echo "  CPIO    $@"; rm -rf $(O)/tcc.root; mkdir -p $(O)/tcc.root
	$(Q)$(if $(DIST),tests/programs/gather $(DIST_TREE) $(O)/tcc.root $(TCC_FILES),$(NO_DIST))
	$(Q)iso/mkimage $@ $(O)/tcc.root $(DIST_IMAGE_MAX) $(USER_STRIP) tests/programs/dynamic_tcc.sh

# stress-ng with its libraries; needed by one goal only, which has it fetched.
STRESS_DIST := $(wildcard $(O)/dist/stress-ng/packages)
STRESS_IMAGE_MAX := 41943040
$(if $(BUILDING),$(call remember,$(O)/user/stress.list,$(if $(STRESS_DIST),$(file <$(STRESS_DIST)))))

$(O)/stress.cpio: $(O)/user/stress.list tests/programs/gather tests/stress/run.sh iso/mkimage
	@echo "  CPIO    $@"; rm -rf $(O)/stress.root; mkdir -p $(O)/stress.root
	$(Q)tests/programs/gather $(O)/dist/stress-ng $(O)/stress.root /usr/bin/stress-ng
	$(Q)iso/mkimage $@ $(O)/stress.root $(STRESS_IMAGE_MAX) $(USER_STRIP) tests/stress/run.sh

PROGRAM_IMAGES := $(addprefix $(O)/,programs.cpio dynamic.cpio python.cpio tcc.cpio)

# What one boots by hand to run a test: archives that follow each other are one.
$(O)/initramfs.cpio: $(O)/base.cpio $(O)/tests.cpio
	$(Q)cat $^ >$@

# The bench boots with nothing beside it: what else there is must not move its figures.
$(O)/bench.cpio: $(O)/user/bin/bench iso/mkimage
	@echo "  CPIO    $@"; rm -rf $(O)/bench.root; mkdir -p $(O)/bench.root/dev $(O)/bench.root/proc
	$(Q)iso/mkimage $@ $(O)/bench.root $(IMAGE_MAX) $(USER_STRIP) $<

# ---------------------------------------------------------------------------------------------
# Host tests: kernel code that needs no machine, compiled as a library for this one.

HOST_TESTS := $(patsubst tests/host/%.c,$(O)/host/%,$(wildcard tests/host/test_*.c))
HOST_SUPPORT := $(wildcard tests/host/support/*.c)
# All of mm/, unchanged, over the simulated machine of tests/host/sim.h.
HOST_LIB_SRCS := $(wildcard kernel/lib/*.c mm/*.c) $(addprefix kernel/sync/,mutex.c rcu.c rwsem.c) kernel/sched/wait.c \
	kernel/sched/run_queue.c arch/x86_64/low/tlb.c \
	kernel/base/cmdline.c kernel/base/trace.c kernel/base/trace_read.c kernel/base/trace_export.c boot/multiboot2.c boot/pvh.c $(HOST_SUPPORT)
HOST_OBJS := $(HOST_LIB_SRCS:%.c=$(O)/host/obj/%.o)
HOST_CFLAGS := -std=gnu11 -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all \
	$(WARNINGS) -DTESSERA_HOST -DCONFIG_DEBUG -Itests/host/include -Iarch/x86_64/include -I.
# Calls between the files of mm/ that the machine looks at on their way: support/sim_machine.c.
HOST_WRAPPED := alloc_pages free_pages put_page kmem_cache_alloc down_read down_write mutex_lock \
	tlb_flush_range user_pages_are_free
HOST_LDFLAGS := $(HOST_WRAPPED:%=-Wl,--wrap=%)

$(if $(BUILDING),$(call remember,$(O)/host/flags,$(HOST_CC) $(HOST_CFLAGS) $(HOST_LDFLAGS)))
$(if $(BUILDING),$(call remember,$(O)/host/list,$(HOST_OBJS)))

$(O)/host/obj/%.o: %.c $(O)/host/flags
	@echo "  HOSTCC  $<"; mkdir -p $(@D)
	$(Q)$(HOST_CC) $(HOST_CFLAGS) -MMD -MP -c -o $@ $<

$(O)/host/libhost.a: $(HOST_OBJS) $(O)/host/list
	@rm -f $@
	$(Q)ar rcsD $@ $(HOST_OBJS)

$(O)/host/test_%: tests/host/test_%.c $(O)/host/libhost.a
	@echo "  HOSTCC  $<"
	$(Q)$(HOST_CC) $(HOST_CFLAGS) -MMD -MP -MF $@.d -MT $@ $(HOST_LDFLAGS) -o $@ $< $(O)/host/libhost.a -lpthread

# Its subject is also what printf does with formats that a compiler warns of.
$(O)/host/test_printf: private HOST_CFLAGS += -Wno-format -Wno-format-overflow -Wno-format-truncation \
	-Wno-format-security -Wno-format-extra-args -Wno-restrict -Wno-unknown-warning-option

-include $(HOST_TESTS:%=%.d) $(HOST_OBJS:.o=.d)

# The same with a thread for each processor, under ThreadSanitizer: tests/host/threads/threads.h.
TSAN_TESTS := $(patsubst tests/host/threads/%.c,$(O)/host-tsan/%,$(wildcard tests/host/threads/tsan_*.c))
TSAN_LIB_SRCS := $(filter-out %/sim_cpu.c %/sim_mmu.c %/sim_task.c boot/%,$(HOST_LIB_SRCS)) \
	$(wildcard tests/host/threads/thr_*.c)
TSAN_OBJS := $(TSAN_LIB_SRCS:%.c=$(O)/host-tsan/obj/%.o)
# Fences are not what anything rests on there: ThreadSanitizer does not see them.
TSAN_CFLAGS := -std=gnu11 -g -O1 -fsanitize=thread $(WARNINGS) -Wno-unknown-warning-option -Wno-tsan \
	-DTESSERA_HOST -DCONFIG_DEBUG -Itests/host/threads/include -Itests/host/include \
	-Iarch/x86_64/include -I.

# Flushes are looked at by the other machine's MMU.
TSAN_LDFLAGS := $(filter-out %=tlb_flush_range,$(HOST_LDFLAGS))

$(if $(BUILDING),$(call remember,$(O)/host-tsan/flags,$(HOST_CC) $(TSAN_CFLAGS) $(TSAN_LDFLAGS)))
$(if $(BUILDING),$(call remember,$(O)/host-tsan/list,$(TSAN_OBJS)))

$(O)/host-tsan/obj/%.o: %.c $(O)/host-tsan/flags
	@echo "  HOSTCC  $< (threads)"; mkdir -p $(@D)
	$(Q)$(HOST_CC) $(TSAN_CFLAGS) -MMD -MP -c -o $@ $<

$(O)/host-tsan/libhost.a: $(TSAN_OBJS) $(O)/host-tsan/list
	@rm -f $@
	$(Q)ar rcsD $@ $(TSAN_OBJS)

$(O)/host-tsan/tsan_%: tests/host/threads/tsan_%.c $(O)/host-tsan/libhost.a
	@echo "  HOSTCC  $<"
	$(Q)$(HOST_CC) $(TSAN_CFLAGS) -MMD -MP -MF $@.d -MT $@ $(TSAN_LDFLAGS) -o $@ $< $(O)/host-tsan/libhost.a -lpthread

-include $(TSAN_TESTS:%=%.d) $(TSAN_OBJS:.o=.d)

# mm/ again, by Clang, with what libFuzzer wants to know of the way an input took: tests/host/fuzz/.
FUZZ_LIB_SRCS := $(filter-out boot/%,$(HOST_LIB_SRCS))
FUZZ_OBJS := $(FUZZ_LIB_SRCS:%.c=$(O)/fuzz/obj/%.o)
FUZZ_CFLAGS := $(HOST_CFLAGS) -fno-sanitize=function
FUZZ_CC ?= clang

$(if $(BUILDING),$(call remember,$(O)/fuzz/flags,$(FUZZ_CC) $(FUZZ_CFLAGS) $(HOST_LDFLAGS)))

$(O)/fuzz/obj/%.o: %.c $(O)/fuzz/flags
	@echo "  FUZZCC  $<"; mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

$(O)/fuzz/fuzz_mm: tests/host/fuzz/fuzz_mm.c $(FUZZ_OBJS) $(O)/fuzz/flags
	@echo "  FUZZCC  $<"
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -fsanitize=fuzzer -MMD -MP -MF $@.d -MT $@ $(HOST_LDFLAGS) -o $@ $< \
		$(FUZZ_OBJS) -lpthread

-include $(FUZZ_OBJS:.o=.d) $(O)/fuzz/fuzz_mm.d

# ---------------------------------------------------------------------------------------------
# ISO images. A second one differs by its command line only: init plays the tour and powers off.

CMDLINE ?=
$(if $(BUILDING),$(call remember,$(O)/cmdline,$(CMDLINE)))

$(O)/tessera.iso $(O)/tessera-tour.iso: $(O)/tessera.elf $(O)/base.cpio iso/grub.cfg iso/mkiso $(O)/cmdline
	@echo "  ISO     $@"
	$(Q)iso/mkiso $@ $(O)/tessera.elf $(O)/base.cpio \
		"$(strip $(if $(filter %-tour.iso,$@),tour=auto) $(CMDLINE))"

# ---------------------------------------------------------------------------------------------
# For editors: how each file of the kernel is compiled.

empty :=
space := $(empty) $(empty)
comma := ,
define newline


endef
json_entry = {"directory": "$(CURDIR)", "file": "$(1)", "command": "$(CC) $(KCFLAGS) $(CONFIG_FLAGS_debug) -c -o $(O)/debug/$(basename $(1)).o $(1)"}
$(if $(BUILDING),$(call remember,$(O)/gen/sources,$(CFILES)))

$(O)/compile_commands.json: $(O)/gen/sources $(O)/debug/flags
	$(file >$@,[$(newline)$(subst }$(space){,}$(comma)$(newline){,$(foreach f,$(CFILES),$(call json_entry,$(f))))$(newline)])@:

# ---------------------------------------------------------------------------------------------
# Goals.

PROVE ?= prove
# TESTS= chooses among the user tests.
REFERENCE_TESTS := $(if $(TESTS),tests/qemu/reference/user.t,$(wildcard tests/qemu/reference/*.t))
PROGRAM_TESTS := $(wildcard tests/programs/*.t)
GDB_TESTS := $(wildcard tests/gdb/*.t)
# The soak takes its minutes, so it begins first.
GUEST_TESTS := $(sort $(wildcard tests/qemu/*.t tests/twin/*.t)) $(PROGRAM_TESTS)
GUEST_TESTS := tests/qemu/soak.t $(filter-out tests/qemu/soak.t,$(GUEST_TESTS))

# Tools may be missing before tools/bootstrap has run, so such goals build by a second make.
SUBMAKE = $(MAKE) --no-print-directory $(if $(V),,-s) $(if $(findstring -j,$(MAKEFLAGS)),,-j$(JOBS))

all: $(O)/$(DEBUG_CONFIG)/tessera.elf $(O)/base.cpio iso $(O)/compile_commands.json ## build what `make run` needs (default)

.PHONY: iso
iso: $(O)/tessera.iso $(O)/tessera-tour.iso ## build the hybrid BIOS and UEFI image

.PHONY: run
run: ## boot the ISO in QEMU: UEFI=1 SMP=n MEM=size KVM=1 GUI=1 DEBUGCON=file CMDLINE='...'
	$(Q)O=$(O) tools/bootstrap run
	$(Q)$(SUBMAKE) iso
	$(Q)O=$(O) UEFI=$(UEFI) SMP=$(SMP) MEM=$(MEM) KVM=$(KVM) GUI=$(GUI) DEBUGCON='$(DEBUGCON)' tools/run

DEBUG_ENV = O=$(O) CONFIG=$(CONFIG) SMP=$(SMP) MEM=$(MEM) CMDLINE='$(CMDLINE)' VIA=$(VIA) FROM=$(FROM) UEFI=$(UEFI) \
	STRIP='$(STRIP)'

.PHONY: debug debug-server console
debug: ## boot under gdb: FROM=kernel|entry|reset VIA=iso UEFI=1 SMP=n MEM=size CMDLINE='...' GDBFLAGS='...'
	$(Q)O=$(O) tools/bootstrap run debug
	$(Q)$(SUBMAKE) $(O)/$(CONFIG)/tessera.elf $(O)/initramfs.cpio
	$(Q)$(DEBUG_ENV) tools/debug $(GDBFLAGS)

debug-server: ## the same without gdb, for an editor's: PORT=n (else a free one) of the loopback
	$(Q)O=$(O) tools/bootstrap run
	$(Q)$(SUBMAKE) $(O)/$(CONFIG)/tessera.elf $(O)/initramfs.cpio
	$(Q)$(DEBUG_ENV) SERVER=1 PORT=$(PORT) tools/debug

console: ## show the console of the guest that `make debug` runs, and type there
	$(Q)O=$(O) CONFIG=$(CONFIG) tools/console

.PHONY: test
test: ## run all tests, on the host and in QEMU: KASAN=1 with the address sanitizer in the debug kernel
	$(Q)O=$(O) tools/bootstrap test
	$(Q)$(SUBMAKE) all kernels $(O)/initramfs.cpio $(PROGRAM_IMAGES) host-tests $(O)/bench.cpio
	$(if $(KASAN),@echo "left out: gdb's tests: they are about the commands and know the debug kernel")
	$(Q)O=$(O) $(BENCH_ENV) $(PROVE) -j$(JOBS) $(GUEST_TESTS) $(if $(KASAN),,$(GDB_TESTS)) $(BENCH_GATE) $(HOST_TESTS) $(TSAN_TESTS)

.PHONY: test-guest
test-guest: ## run the tests that boot the kernel in QEMU
	$(Q)O=$(O) tools/bootstrap test
	$(Q)$(SUBMAKE) all kernels $(O)/initramfs.cpio $(PROGRAM_IMAGES)
	$(Q)O=$(O) $(PROVE) -j$(JOBS) $(GUEST_TESTS)

.PHONY: test-gdb
test-gdb: ## run the tests of gdb's commands, in gdb, on the kernel in QEMU
	$(Q)O=$(O) tools/bootstrap test
	$(Q)$(SUBMAKE) all kernels $(O)/initramfs.cpio
	$(Q)O=$(O) $(PROVE) -j$(JOBS) $(GDB_TESTS)

.PHONY: test-programs
test-programs: ## run the distribution's programs in the kernel and compare with what Linux prints
	$(Q)O=$(O) tools/bootstrap test
	$(Q)$(SUBMAKE) kernels $(O)/base.cpio $(PROGRAM_IMAGES)
	$(Q)O=$(O) $(PROVE) -j$(JOBS) $(PROGRAM_TESTS)

.PHONY: test-host
test-host: ## run the tests of kernel code compiled for the host, under ASan and UBSan, or TSan
	$(Q)O=$(O) tools/bootstrap test
	$(Q)$(SUBMAKE) host-tests
	$(Q)$(PROVE) -j$(JOBS) -e '' $(HOST_TESTS) $(TSAN_TESTS)

.PHONY: test-linux
test-linux: ## run the user tests in the reference, Linux 6.1 in QEMU: SMP=n (HOST=1: on this machine)
	$(Q)O=$(O) tools/bootstrap $(if $(HOST),test,reference)
	$(Q)$(SUBMAKE) $(if $(HOST),$(USER_TEST_PROGS),$(O)/initramfs.cpio $(PROGRAM_IMAGES))
	$(Q)O=$(O) SMP=$(if $(filter file,$(origin SMP)),2,$(SMP)) $(PROVE) $(if $(HOST),-e '$(AS_NOBODY)' $(USER_TEST_PROGS),$(REFERENCE_TESTS))

MINUTES ?= $(if $(filter fuzz,$(MAKECMDGOALS)),4,20)
SEED ?= 1

.PHONY: soak
soak: ## do all kinds of things at random for long, with all checks: MINUTES=n SMP=n SEED=n
	$(Q)O=$(O) tools/bootstrap test
	$(Q)$(SUBMAKE) $(O)/$(DEBUG_CONFIG)/tessera.elf $(O)/base.cpio
	$(Q)O=$(O) SOAK_MINUTES=$(MINUTES) SOAK_SMP=$(if $(filter file,$(origin SMP)),4,$(SMP)) SOAK_SEED=$(SEED) \
		$(PROVE) -v tests/qemu/soak.t

.PHONY: fuzz fuzz-replay
fuzz: ## give mm/, on the host, and the kernel, in QEMU, random programs for long: MINUTES=n SEED=n
	$(Q)O=$(O) tools/bootstrap fuzz
	$(Q)$(SUBMAKE) $(O)/fuzz/fuzz_mm $(O)/$(DEBUG_CONFIG)/tessera.elf $(O)/base.cpio
	$(Q)O=$(O) tests/host/fuzz/run $(MINUTES) $(SEED)

fuzz-replay: ## the same once more: FILE=input of the host's half, or SEED=n ROUND=n of the guest's
	$(Q)O=$(O) tools/bootstrap fuzz
	$(Q)$(SUBMAKE) $(if $(FILE),$(O)/fuzz/fuzz_mm,$(O)/$(DEBUG_CONFIG)/tessera.elf $(O)/base.cpio)
	$(Q)$(if $(FILE),FUZZ_SHOW=1 $(O)/fuzz/fuzz_mm $(FILE),O=$(O) FUZZ_SEED=$(SEED) FUZZ_ROUND=$(or $(ROUND),1) \
		$(PROVE) -v tests/qemu/fuzz.t)

# The compilers' versions belong to the figures.
BENCH_ENV = CC='$(CC)' MUSL_CC='$(MUSL_CC)'
BENCH_GATE := tests/bench/gate.t

.PHONY: bench bench-baseline
bench: ## count guest instructions of memory calls, in Linux 6.1 and in Tessera, side by side
	$(Q)O=$(O) tools/bootstrap bench reference
	$(Q)$(SUBMAKE) $(O)/release/tessera.elf $(O)/bench.cpio
	$(Q)O=$(O) $(BENCH_ENV) tests/bench/compare

bench-baseline: ## make Tessera's present counts those that `make test` compares with
	$(Q)O=$(O) tools/bootstrap bench
	$(Q)$(SUBMAKE) $(O)/release/tessera.elf $(O)/bench.cpio
	$(Q)O=$(O) $(BENCH_ENV) tests/bench/compare --baseline tests/bench/baseline.tsv

# Linux's own self-tests, which its source is unpacked for under $(O)/dist.
CONFORMANCE_ENV = O=$(O) JOBS=$(JOBS) USER_CC='$(USER_CC)' MUSL_CC='$(MUSL_CC)' USER_STRIP='$(USER_STRIP)'

.PHONY: conformance conformance-record
conformance: ## run Linux's own self-tests and stress-ng in both kernels, and compare with what is expected
	$(Q)O=$(O) tools/bootstrap conformance stress
	$(Q)$(SUBMAKE) $(O)/$(CONFIG)/tessera.elf $(O)/base.cpio $(O)/stress.cpio
	$(Q)$(CONFORMANCE_ENV) tests/conformance/build
	$(Q)O=$(O) CONFIG=$(CONFIG) tests/stress/compare memory
	$(Q)O=$(O) CONFIG=$(CONFIG) tests/conformance/compare

conformance-record: ## make what they do now the least that is expected
	$(Q)O=$(O) tools/bootstrap conformance
	$(Q)$(SUBMAKE) $(O)/$(CONFIG)/tessera.elf $(O)/base.cpio
	$(Q)$(CONFORMANCE_ENV) tests/conformance/build
	$(Q)O=$(O) CONFIG=$(CONFIG) tests/conformance/compare record

.PHONY: stress-ng stress-ng-record
stress-ng: ## run stress-ng's stressors in both kernels: STRESS='memory|more|root|name...'
	$(Q)O=$(O) tools/bootstrap stress
	$(Q)$(SUBMAKE) $(O)/$(CONFIG)/tessera.elf $(O)/base.cpio $(O)/stress.cpio
	$(Q)O=$(O) CONFIG=$(CONFIG) tests/stress/compare $(STRESS)

stress-ng-record: ## store what comes of them as what is expected
	$(Q)O=$(O) tools/bootstrap stress
	$(Q)$(SUBMAKE) $(O)/$(CONFIG)/tessera.elf $(O)/base.cpio $(O)/stress.cpio
	$(Q)O=$(O) CONFIG=$(CONFIG) tests/stress/compare record $(STRESS)

START ?= 1
SEEDS ?= 200
# Of many seeds, each is shorter.
OPS ?= $(if $(shell [ $(SEEDS) -gt 1000 ] && echo many),200,500)

.PHONY: twin
twin: ## run random sequences of calls in both kernels and compare: START=seed SEEDS=n OPS=n
	$(Q)O=$(O) tools/bootstrap reference
	$(Q)$(SUBMAKE) $(O)/$(CONFIG)/tessera.elf $(O)/initramfs.cpio
	$(Q)O=$(O) CONFIG=$(CONFIG) tests/twin/compare compare $(START) $(SEEDS) $(OPS) $(TWINFLAGS)

.PHONY: twin-reference
twin-reference: ## store what the reference prints for the seeds that `make test` compares
	$(Q)O=$(O) tools/bootstrap reference
	$(Q)$(SUBMAKE) $(O)/initramfs.cpio
	$(Q)O=$(O) tests/twin/compare reference 1 200 500

.PHONY: programs-reference
programs-reference: ## store what the real programs print in the reference: GROUPS='...'
	$(Q)O=$(O) tools/bootstrap reference
	$(Q)$(SUBMAKE) $(O)/base.cpio $(PROGRAM_IMAGES)
	$(Q)O=$(O) tests/programs/record $(GROUPS)

# As the runner in the guest does: what a test expects of permissions is not what root may do.
AS_NOBODY = $(if $(filter 0,$(shell id -u)),setpriv --reuid=65534 --regid=65534 --clear-groups)

.PHONY: check
check: ## compile with warnings as errors (GCC, Clang), check format, layers, models, and for likely bugs
	$(Q)O=$(O) tools/bootstrap check
	$(Q)$(SUBMAKE) check-format check-static check-layers check-models

# What can't be known of one function alone (that a tree isn't empty here), a DEBUG_ON() tells the analyzers.
ANALYZER_FLAGS := -fanalyzer -Werror
TIDY_FLAGS := -std=gnu11 --target=x86_64-linux-gnu -ffreestanding -mcmodel=kernel -mgeneral-regs-only \
	-Wall -Wextra -Wno-unused-parameter $(INCLUDES) -DCONFIG_DEBUG -DCONFIG_LOCKDEP

$(O)/analyze/%.gcc: %.c $(O)/debug/flags
	@echo "  ANALYZE $<"; mkdir -p $(@D)
	$(Q)$(CROSS_COMPILE)gcc $(KCFLAGS) -DCONFIG_DEBUG -DCONFIG_LOCKDEP $(ANALYZER_FLAGS) -MMD -MF $@.d -MT $@ -c -o /dev/null $<
	@touch $@

# Where each mistake is one that is meant.
$(O)/analyze/kernel/init/selftest_ubsan.gcc: private ANALYZER_FLAGS += -Wno-array-bounds

$(O)/analyze/%.tidy: %.c .clang-tidy $(O)/analyze/%.gcc
	@echo "  TIDY    $<"; mkdir -p $(@D)
	$(Q)clang-tidy --quiet $< -- $(TIDY_FLAGS) 2>/dev/null
	@touch $@

ANALYZED := $(CFILES:%.c=$(O)/analyze/%.tidy)
.PHONY: analyze analyzed
analyze: ## have GCC's analyzer and clang-tidy look at the kernel: minutes, then only what has changed
	$(Q)O=$(O) tools/bootstrap analyze
	$(Q)$(SUBMAKE) analyzed
analyzed: $(ANALYZED)
-include $(wildcard $(ANALYZED:.tidy=.gcc.d))

# Each compiler in a folder of its own, so that the usual build isn't made anew after a check.
.PHONY: check-gcc check-clang
check-gcc:
	@echo "  CHECK   GCC, warnings are errors"
	$(Q)$(MAKE) --no-print-directory O=$(O)/check/gcc WERROR=1 kernels programs host-tests >$(O)/check/gcc.log
check-clang: check-gcc
	@echo "  CHECK   Clang, warnings are errors"
	$(Q)$(MAKE) --no-print-directory O=$(O)/check/clang CC=clang WERROR=1 kernels >$(O)/check/clang.log

.PHONY: check-format
check-format:
	@echo "  CHECK   format"
	$(Q)clang-format --dry-run -Werror $(FORMATTED)

.PHONY: check-static
check-static:
	@echo "  CHECK   cppcheck"
	$(Q)mkdir -p $(O)/check/cppcheck
	$(Q)cppcheck -q -j$(JOBS) --std=c11 --platform=unix64 --enable=warning,portability \
		--cppcheck-build-dir=$(O)/check/cppcheck --inline-suppr --error-exitcode=1 \
		--suppressions-list=tests/check/cppcheck.txt $(INCLUDES) -D__x86_64__ -DCONFIG_DEBUG -DCONFIG_LOCKDEP $(CFILES)

.PHONY: check-models
check-models:
	@echo "  CHECK   models"
	$(Q)$(PROVE) tests/model

.PHONY: check-layers
check-layers: check-clang
	@echo "  CHECK   layers"
	$(Q)tools/check-layers --archives $(O)/check/gcc/debug $(foreach l,$(LAYERS),$(l)=$(DIR_$(l)))
	$(Q)$(PROVE) tests/check

.PHONY: format
format: ## put the sources into the project's format
	$(Q)clang-format -i $(FORMATTED)

FORMATTED := $(sort $(wildcard $(foreach d,$(foreach l,$(LAYERS),$(DIR_$(l))) kernel/abi arch/x86_64/include/arch $(VDSO_DIR) \
	user user/tests tests/programs tests/host tests/host/*,$(d)/*.c $(d)/*.h)))

.PHONY: kernels programs host-tests
kernels: $(O)/$(DEBUG_CONFIG)/tessera.elf $(O)/release/tessera.elf ## build the debug (KASAN=1: see test) and the release kernel
programs: $(USER_PROGS) $(HELLO_PROGS) $(PROGRAM_PROGS) $(LAYOUT_PROGS)
host-tests: $(HOST_TESTS) $(TSAN_TESTS)

.PHONY: clean
clean: ## remove what was built (downloads in $(O)/dist stay)
	$(Q)if [ -d $(O) ]; then find $(O) -mindepth 1 -maxdepth 1 ! -name dist -exec rm -rf {} +; fi

.PHONY: help
help: ## show this list
	@awk -F ' *(:.*)?## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

ifneq ($(filter bench% conformance% debug% fuzz% programs-reference run soak stress-ng% test% twin%,$(MAKECMDGOALS)),)
# Their recipes run make again; two of them at a time would build the same files twice.
.NOTPARALLEL:
endif
