#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The same user tests in the reference: the distribution's Linux 6.1 in the same QEMU, with the same
# initial file system. A test that fails here expects something that Linux doesn't do.
use strict;
use warnings;
use File::Temp qw(tempfile);
use FindBin;
use lib "$FindBin::Bin/..";
use Guest;
use Test::More;

my $kernel = "$Guest::build/dist/linux/vmlinuz";
-e $kernel or plan skip_all => 'no reference kernel: tools/bootstrap reference fetches it';

# A disk that may be overwritten, where Tessera has /dev/ram0.
my ($disk, $disk_name) = tempfile('tessera-disk.XXXXXX', TMPDIR => 1, UNLINK => 1);
truncate $disk, 2 << 20 or die "$disk_name: $!\n";
my @disk = ('-drive', "if=none,id=disk,format=raw,file=$disk_name", '-device', 'nvme,serial=1,drive=disk');

# Four levels of page tables, no huge pages and fixed addresses, as in Tessera. A word that Linux
# doesn't know becomes an argument of the runner, so nothing is here that isn't needed.
sub run_tests {
	my ($name, $words) = @_;
	my $run = Guest::boot(
		kernel => $kernel, images => [qw(base tests)], cpu => 'max,la57=off', limit => 1200,
		smp => $ENV{SMP} || 2, qemu => \@disk,
		cmdline => 'rdinit=/bin/runner transparent_hugepage=never norandmaps console=ttyS0 quiet '
			. "panic=-1 $words",
	);
	my @sections = Guest::sections($run);
	ok(scalar @sections, "$name: tests ran") or Guest::show_tail($run);
	Guest::replay($_, "$name: $_->{name}") for @sections;
	like($run->{console}, qr/^##done/m, "$name: the suite came to its end");
	Guest::ends_well($run, $name);
}

# Without TESTS= all of them as an ordinary user, then as root those that are about root.
my @as_root = grep { !$ENV{TESTS} || ",$ENV{TESTS}," =~ /,$_,/ } Guest::root_tests();
run_tests('Linux', 'uid=65534 tests=' . ($ENV{TESTS} || 'all'));
run_tests('Linux as root', 'tests=' . join(',', @as_root)) if @as_root;

done_testing;
