#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# Every way to start the kernel reaches user mode: by QEMU's own loader with each CPU model and
# memory size, and from an ISO under each firmware.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

my $cmdline = 'init=/bin/runner tests=/bin/hello-musl';

sub reaches_user_mode {
	my ($name, %options) = @_;
	subtest $name => sub {
		my $run = Guest::boot(cmdline => $cmdline, %options);
		my ($hello) = Guest::sections($run);
		is($hello->{end} // 'not reached', 'exit=0', 'a program runs and ends');
		like(join("\n", @{ $hello->{lines} // [] }), qr/hello/i, 'what it printed arrives');
		Guest::ends_well($run, $name);
		note sprintf '%.1f s', $run->{seconds};
	};
}

for my $mem (qw(64M 512M 5G)) {
	for my $cpu (qw(qemu64 max)) {
		reaches_user_mode("PVH, -cpu $cpu, -m $mem", cpu => $cpu, mem => $mem, limit => 30);
	}
}
reaches_user_mode('ISO under BIOS', via => 'bios', limit => 60);
reaches_user_mode('ISO under UEFI', via => 'uefi', limit => 120);

done_testing;
