#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# An initial file system of several archives, one behind the other in one file or as modules: what is
# in a later one is added or takes the place of what was there, whatever zeros lie between.
# tests/qemu/reference/initramfs.t does the same with Linux.
use strict;
use warnings;
use File::Temp;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

our $linux; # a kernel to boot in place of Tessera
# Without the zeros at its end, but for the one of its last name.
my $base = Guest::slurp("$Guest::build/base.cpio") =~ s/\0+\z/\0/r;
$base .= "\0" x (-length($base) % 4);

# One member: a header of 13 fields, the name, and the contents, each up to a multiple of 4 bytes.
sub member {
	my ($name, $mode, $content, %o) = @_;
	my @fields = ($o{ino} // 0, $mode, 0, 0, $o{nlink} // 1, 0, length $content, 0, 0, 0, 0, length($name) + 1, 0);
	my $header = '070701' . join('', map { sprintf '%08x', $_ } @fields) . "$name\0";
	return $header . "\0" x (-length($header) % 4) . $content . "\0" x (-length($content) % 4);
}

sub archive {
	return join '', @_, member('TRAILER!!!', 0, '');
}

my $second = archive(
	member('etc/motd', 0100644, "the second one's\n"),
	member('tmp', 041711, ''),
	member('new', 040755, ''),
	member('new/a', 0100644, '', ino => 7, nlink => 2),
	member('new/b', 0100644, "a and b\n", ino => 7, nlink => 2),
	member('new/link', 0120777, 'b'),
	member('new/was-link', 0120777, '/etc/motd'),
	member('new/was-file', 0100644, 'a file'),
	member('new/was-folder', 040755, ''),
);
# Its inode 7 is another one.
my $third = archive(
	member('new/c', 0100600, "c\n", ino => 7, nlink => 2),
	member('new/link', 0120777, 'c'),
	member('new/was-link', 0100644, "no link\n"),
	member('new/was-file', 040755, ''),
	member('new/was-folder', 0100644, ''),
);

# Boots with that file; what the programs printed, by command.
sub boot {
	my ($image, @commands) = @_;
	my $file = File::Temp->new;
	binmode $file;
	print $file $image;
	close $file;
	my $tests = 'tests=' . join ',', @commands;
	my $run = Guest::boot(initrd => $file->filename, limit => 60, $linux
		? (kernel => $linux, cpu => 'max,la57=off', cmdline => "rdinit=/bin/runner console=ttyS0 panic=-1 quiet $tests")
		: (cmdline => "init=/bin/runner $tests"));
	return ($run, map { $_->{name} => join "\n", @{ $_->{lines} } } Guest::sections($run));
}

my @commands = qw(/bin/cat+/etc/motd /bin/cat+/new/a+/new/b /bin/cat+/new/link
	/bin/stat+-c+%a:%h:%n+/new/a+/new/b+/new/c /bin/cat+/new/was-link+/etc/motd
	/bin/stat+-c+%F+/new/was-file+/new/was-folder);

for ([ 'nothing', '' ], [ 'a word', "\0" x 4 ], [ 'a sector', "\0" x 512 ], [ 'more than a page', "\0" x 5000 ]) {
	my ($name, $zeros) = @$_;
	my ($run, %said) = boot($base . $zeros . $second . $zeros . $third . $zeros, @commands);
	is($said{$commands[0]}, "the second one's", "$name between: a later file takes an earlier one's place");
	is($said{$commands[1]}, "a and b\na and b", "$name between: two names of a file");
	is($said{$commands[2]}, 'c', "$name between: a later link");
	is($said{$commands[3]}, "644:2:/new/a\n644:2:/new/b\n600:1:/new/c",
		"$name between: a number means a file in its own archive only");
	is($said{$commands[4]}, "no link\nthe second one's", "$name between: a file for a link");
	is($said{$commands[5]}, "directory\nregular empty file", "$name between: a folder for a file, and a file for it");
	unlike($run->{console}, qr/damaged/, "$name between: nothing is wrong with that");
	Guest::ends_well($run, $name);
}

# A header begins at a multiple of 4, counted from the start of all.
for ([ 'behind one byte', "\0$second" ], [ 'rubbish', "rubbish$second" ], [ 'cut off', substr $second, 0, 300 ]) {
	my ($name, $rest) = @$_;
	my ($run, %said) = boot($base . $rest, '/bin/ls+-d+/bin/sh', '/bin/cat+/new/b');
	is($said{'/bin/ls+-d+/bin/sh'}, '/bin/sh', "$name: what came before is there");
	like($said{'/bin/cat+/new/b'}, qr/No such file/, "$name: what came behind isn't");
	like($run->{console}, qr/^warning: the initial file system was damaged/m, "$name: which is said") if !$linux;
	Guest::ends_well($run, $name);
}

# Each as a module of its own, by GRUB.
if (!$linux) {
	my @files = map { my $file = File::Temp->new(SUFFIX => '.cpio'); print $file $_; close $file; $file }
		$base, $second, $third;
	my $run = Guest::boot(via => 'bios', limit => 60, initrd => "@files",
		cmdline => 'init=/bin/runner tests=' . join ',', @commands);
	my %said = map { $_->{name} => join "\n", @{ $_->{lines} } } Guest::sections($run);
	is($said{$commands[0]}, "the second one's", 'as modules: a later file takes an earlier one\'s place');
	is($said{$commands[3]}, "644:2:/new/a\n644:2:/new/b\n600:1:/new/c", 'as modules: files of all three');
	Guest::ends_well($run, 'as modules');
}

done_testing;
