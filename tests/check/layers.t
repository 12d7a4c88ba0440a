#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# tools/check-layers reports what breaks the layers, and nothing else. Each case is a tree of three
# layers (base, low, mm) made for it, with a breach seeded or not.
use strict;
use warnings;
use Cwd qw(getcwd);
use File::Copy qw(copy);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use Test::More;

my $top = getcwd;
my $tool = "$top/tools/check-layers";
my @layers = ('base=kernel/base', 'low=arch/x86_64/low', 'mm=mm');

# A tree in which all is well.
my %sound = (
	'linker.ld' => "__text_start = .;\n",
	'kernel/abi/mman.h' => "#include <stdint.h>\n",
	'kernel/base/types.h' => "#include <stddef.h>\n",
	'kernel/base/printk.c' => "#include \"kernel/base/types.h\"\n#include <arch/percpu.h>\n"
		. "extern char __text_start[];\nchar *printk(void) { return __text_start; }\n",
	'arch/x86_64/include/arch/percpu.h' => "#include \"kernel/base/types.h\"\n",
	'arch/x86_64/include/arch/mmu.h' => "#include <arch/percpu.h>\n",
	'arch/x86_64/low/mmu.c' => "#include <arch/mmu.h>\n#include \"kernel/base/types.h\"\n"
		. "char *printk(void);\nchar *flush(void) { return printk(); }\n",
	'mm/vma.h' => "#include \"kernel/abi/mman.h\"\n",
	'mm/vma.c' => "#include \"mm/vma.h\"\n#include <arch/mmu.h>\nchar *flush(void);\n"
		. "char *split(void) { return flush(); }\n",
);

sub write_file {
	my ($path, $text) = @_;
	make_path($path =~ s{/[^/]*$}{}r) if $path =~ m{/};
	open my $fh, '>', $path or die "$path: $!\n";
	print $fh $text;
	close $fh;
}

# The layers are wrong on purpose; that the includes exist is not the compiler's matter here.
my %object_of;
my $objects = tempdir(CLEANUP => 1);

# The object file of a source with this text; the same text is compiled once.
sub object {
	my ($text) = @_;
	return $object_of{$text} //= do {
		my $object = "$objects/" . keys(%object_of) . '.o';
		open my $gcc, '|-', 'gcc', qw(-x c -ffreestanding -fno-pic -c -o), $object, '-' or die "gcc: $!\n";
		print $gcc $text =~ s/^#include.*//mgr;
		close $gcc or die "gcc failed on: $text\n";
		$object;
	};
}

# Runs the tool over the sound tree with %changes; returns its exit status and what it said.
sub check {
	my (%changes) = @_;
	my $tree = tempdir(CLEANUP => 1);
	chdir $tree or die "$tree: $!\n";
	my %files = (%sound, %changes);
	write_file($_, $files{$_}) for keys %files;
	for (@layers) {
		my ($layer, $dir) = split /=/;
		my @members;
		for my $source (grep { m{^\Q$dir\E/[^/]*\.c$} } sort keys %files) {
			push @members, ($source =~ s{.*/}{}r) . '.o';
			copy(object($files{$source}), $members[-1]) or die "$members[-1]: $!\n";
		}
		system('ar', 'rcsD', "lib$layer.a", @members) == 0 or die "ar failed\n";
	}
	my $said = `$tool --archives . @layers 2>&1`;
	my $status = $? >> 8;
	chdir $top;
	return ($status, $said);
}

# A seeded breach: the tool fails, and every pattern is in what it says, on one line of output.
sub reports {
	my ($name, $changes, @patterns) = @_;
	my ($status, $said) = check(%$changes);
	is($status, 1, "$name is a breach");
	like($said, $_, "$name: the report names $_") for @patterns;
	is($said =~ tr/\n//, 1, "$name: nothing else is reported") or diag $said;
}

my ($status, $said) = check();
is($status, 0, 'a sound tree passes');
is($said, '', 'in silence');

reports('including a higher layer\'s header',
	{ 'kernel/base/bad.c' => "#include \"mm/vma.h\"\nint bad;\n" },
	qr{kernel/base/bad\.c:1:.*mm/vma\.h}, qr{'base' may not use layer 'mm'});
reports('an <arch/...> header below its layer',
	{ 'kernel/base/bad.h' => "#include <arch/mmu.h>\n" }, qr{kernel/base/bad\.h:1:.*'base'.*'low'});
reports('an arch header that includes upwards',
	{ 'arch/x86_64/include/arch/bad.h' => "#include \"mm/vma.h\"\n" }, qr{arch/bad\.h:1:.*'low'.*'mm'});
reports('an ABI header that includes the kernel',
	{ 'kernel/abi/bad.h' => "#include \"kernel/base/types.h\"\n" }, qr{abi/bad\.h:1:.*'abi'.*'base'});
reports('a libc header', { 'mm/bad.c' => "#include <stdio.h>\nint bad;\n" }, qr{mm/bad\.c:1:.*stdio\.h});
reports('a header not named from the top',
	{ 'mm/bad.c' => "#include \"vma.h\"\nint bad;\n" }, qr{mm/bad\.c:1:.*vma\.h.*path from the top});
reports('a header of a place outside the kernel',
	{ 'mm/bad.c' => "#include \"user/tests/tap.h\"\nint bad;\n" }, qr{mm/bad\.c:1:.*tap\.h});
reports('calling a higher layer without its header',
	{ 'kernel/base/bad.c' => "char *split(void);\nchar *bad(void) { return split(); }\n" },
	qr{bad\.c\.o: uses split}, qr{'base' may not use layer 'mm'});
reports('a weak reference upwards',
	{ 'kernel/base/bad.c' => "char *split(void) __attribute__((weak));\n"
		. "char *bad(void) { return split ? split() : 0; }\n" }, qr{uses split.*'base'.*'mm'});
reports('a symbol nobody defines',
	{ 'mm/bad.c' => "void nowhere(void);\nvoid bad(void) { nowhere(); }\n" }, qr{uses nowhere.*'mm'});

done_testing;
