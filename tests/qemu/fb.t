#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The framebuffer as a device: a program maps it and draws, and the picture is on the screen. UEFI gives
# one; a PC that QEMU starts by itself has a text mode, and so no /dev/fb0.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

# What dev_fb's "draw" paints into the lower right corner: the colour of each pixel tells where it is.
my ($width, $height) = (64, 32);

sub wrong_pixels {
	my ($w, $h, $lines) = @_;
	my $wrong = 0;
	for my $y (0 .. $height - 1) {
		for my $x (0 .. $width - 1) {
			my $pixel = substr $lines->[$h - $height + $y] // '', 3 * ($w - $width + $x), 3;
			$wrong++ if $pixel ne pack 'C3', 4 * $x, 8 * $y, 128;
		}
	}
	return $wrong;
}

subtest 'drawn by a program' => sub {
	my $guest = Guest->start(cmdline => 'quiet tour=no', via => 'uefi', images => [qw(base tests)], limit => 120);
	$guest->wait_for($Guest::prompt) // die "no prompt\n";
	is($guest->ask('ls /dev/fb0'), "/dev/fb0\n", 'there is a framebuffer');
	like($guest->ask('/tests/dev_fb draw'),
		qr/^drawn \d+x\d+ at \d+ bits, map flags rd wr sh mr mw me ms pf io de dd$/m, 'a program draws');
	my @picture = $guest->screenshot;
	is(wrong_pixels(@picture), 0, "and each pixel is on the screen of $picture[0] x $picture[1]");
	is($guest->ask('/tests/dev_fb >/tmp/f; echo $?'), "0\n", 'dev_fb')
		or diag $guest->ask('grep -A2 ^not /tmp/f');
	unlike($guest->ask('grep -c ^ok /tmp/f'), qr/^[0-9]$/, '... has checked something');
	like($guest->ask('cp /dev/fb0 /tmp/picture; wc -c </tmp/picture'), qr/^\d{6,}$/, 'the screen as a file');
	is($guest->ask('cmp /tmp/picture /dev/fb0 | grep -c EOF'), "0\n", '... of its length');
	$guest->send("poweroff\n");
	Guest::ends_well($guest->finish, 'poweroff');
};

my $run = Guest::boot(cmdline => 'quiet init=/bin/runner tests=/bin/busybox+ls+/dev/fb0');
like($run->{console}, qr/No such file or directory/, 'in text mode there is none');
Guest::ends_well($run, 'text mode');

done_testing;
