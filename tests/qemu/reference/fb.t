#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# dev_fb in the reference, started by UEFI, so that it has a framebuffer as well.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/..";
use Guest;
use Test::More;

my $kernel = "$Guest::build/dist/linux/vmlinuz";
-e $kernel or plan skip_all => 'no reference kernel: tools/bootstrap reference fetches it';
my $run = Guest::boot(
	kernel => $kernel, images => [qw(base tests)], cpu => 'max,la57=off', limit => 120,
	cmdline => 'rdinit=/bin/runner console=ttyS0 quiet panic=-1 tests=dev_fb', qemu => [ Guest::uefi_firmware() ],
);
my @sections = Guest::sections($run);
is(scalar @sections, 1, 'dev_fb ran') or Guest::show_tail($run);
for (@sections) {
	unlike("@{ $_->{lines} }", qr/SKIP/, 'there is a framebuffer');
	Guest::replay($_);
}
Guest::ends_well($run, 'Linux');

done_testing;
