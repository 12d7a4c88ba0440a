#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# Where the kernel can't run, it says why, and ends.
use strict;
use warnings;
use File::Temp;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

# Before long mode there is only boot.S to say it.
for ([ 'qemu32', qr/^Tessera: .*no 64-bit long mode/m ], [ 'Nehalem,-lm', qr/^Tessera: .*no 64-bit long mode/m ],
	[ 'qemu64,-sse2', qr/^Tessera: .*no SSE2/m ]) {
	my ($cpu, $message) = @$_;
	my $run = Guest::boot(cpu => $cpu, limit => 20, cmdline => 'init=/bin/runner tests=/bin/hello-musl');
	Guest::ends_well($run, "-cpu $cpu", Guest::REFUSED_STATUS);
	like($run->{console}, $message, "-cpu $cpu: what is missing");
	unlike($run->{console}, qr/^##begin/m, "-cpu $cpu: nothing runs");
}
my $bios = Guest::boot(cpu => 'qemu32', via => 'bios', limit => 60);
Guest::ends_well($bios, '-cpu qemu32, by an ISO', Guest::REFUSED_STATUS);
like($bios->{console}, qr/^Tessera: .*no 64-bit long mode/m, '-cpu qemu32, by an ISO: what is missing');

# Later a panic does.
sub panics {
	my ($name, $message, %options) = @_;
	my $run = Guest::boot(limit => 20, %options);
	Guest::ends_well($run, $name, Guest::PANIC_STATUS);
	like($run->{console}, $message, "$name: the console says why");
	like($run->{console}, qr/^Kernel panic: /m, "$name: as a panic");
}

panics('no local APIC', qr/^Kernel panic: .*local APIC/m, cpu => 'max,-apic');
panics('no initial file system', qr/^warning: no initial file system/m, initrd => '');
panics('init is not there', qr{^cannot run /nothere: error 2$}m, cmdline => 'init=/nothere');
panics('init is no program', qr{^cannot run /etc/motd: error (?:8|13)$}m, cmdline => 'init=/etc/motd');

# A file system that breaks off: what came before is there.
my $cut = File::Temp->new;
print $cut substr Guest::slurp("$Guest::build/base.cpio"), 0, 3_000_000;
close $cut;
panics('a damaged file system', qr/^warning: the initial file system was damaged/m,
	initrd => $cut->filename, cmdline => 'init=/nothere');
my $run = Guest::boot(initrd => $cut->filename, limit => 20, cmdline => 'init=/bin/hello-musl');
like($run->{console}, qr/^warning: the initial file system was damaged\n.*^Hello from/ms, 'a program of its first part runs');

done_testing;
