#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# tools/bootstrap where it can't help: without apt it lists what is missing, and of a tool that is
# too old it says so. Each case runs it with a PATH of its own.
use strict;
use warnings;
use File::Temp qw(tempdir);
use Test::More;

# What the script itself is written with, and what it asks for the version of.
my @always = qw(sh sed head sort tr id printf mkdir mktemp cat grep);

# Runs tools/bootstrap GROUP with a PATH of @$names and of scripts that print %$versions.
sub bootstrap {
	my ($group, $names, $versions) = @_;
	my $path = tempdir(CLEANUP => 1);
	for my $name (@always, @$names) {
		my ($found) = grep { -x } map { "$_/$name" } split /:/, $ENV{PATH};
		symlink $found, "$path/$name" if defined $found;
	}
	for my $name (keys %$versions) {
		open my $fh, '>', "$path/$name" or die "$path/$name: $!\n";
		print $fh "#!/bin/sh\necho '$versions->{$name}'\n";
		close $fh;
		chmod 0755, "$path/$name";
	}
	my $said = `PATH=$path sh tools/bootstrap $group 2>&1`;
	return ($? >> 8, $said);
}

my ($status, $said) = bootstrap('run', [], {});
is($status, 1, 'without apt and compilers it fails');
like($said, qr/no apt-get/, 'says why');
like($said, qr/^\s+\Q$_\E$/m, "and lists $_") for qw(gcc musl-tools qemu-system-x86 grub-common);

my @tools = qw(make ld musl-gcc cpio perl xorriso mformat);
my %new = (
	gcc => '12.2.0', 'grub-mkrescue' => 'grub-mkrescue (GRUB) 2.06-13+deb12u2',
	'qemu-system-x86_64' => 'QEMU emulator version 7.2.19 (Debian 1:7.2+dfsg-7)',
);
SKIP: {
	my @missing = ((grep { system("command -v $_ >/dev/null") } @tools),
		grep { !-e } qw(/usr/include/stdio.h /bin/busybox /usr/share/OVMF /usr/share/seabios
			/usr/lib/grub/i386-pc /usr/lib/grub/x86_64-efi));
	skip "not everything is installed here: @missing", 8 if @missing;

	($status, $said) = bootstrap('run', \@tools, \%new);
	is($status, 0, 'the oldest versions it takes') or diag $said;
	is($said =~ s/.*(?:font|console-setup).*\n//gr, '', 'are taken in silence');
	for my $case ([ gcc => '11.4.0', 'GCC', '11.4.0' ],
		[ 'grub-mkrescue' => 'grub-mkrescue (GRUB) 2.04-1', 'GRUB', '2.04' ],
		[ 'qemu-system-x86_64' => 'QEMU emulator version 6.2.0 (Debian)', 'QEMU', '6.2.0' ]) {
		my ($tool, $version, $name, $number) = @$case;
		($status, $said) = bootstrap('run', \@tools, { %new, $tool => $version });
		is($status, 1, "$name $number is too old");
		like($said, qr/$name is version \Q$number\E; Tessera needs/, 'which it says plainly');
	}
}

($status, $said) = bootstrap('nonsense', [], {});
is($status, 2, 'an unknown group is an error');

done_testing;
