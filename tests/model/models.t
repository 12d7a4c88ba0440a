#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# Each protocol's model in this folder, checked exhaustively with Spin: no order of its steps violates an
# assertion or leaves somebody waiting for ever. And each mistake that can be built into it (MISTAKE=n; the
# model's head lists them) is found: so the check looks where it should.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use File::Temp qw(tempdir);
use Test::More;

my $here = dirname(abs_path($0));

for my $tool (qw(spin gcc)) {
	plan skip_all => "there is no $tool (tools/bootstrap check installs it)"
		if system("command -v $tool >/dev/null 2>&1");
}

# What the checker prints of a model built with these definitions.
sub check {
	my ($model, @defines) = @_;
	my $dir = tempdir(CLEANUP => 1);
	my $defines = join ' ', map { "-D$_" } @defines;
	# Compiling takes longer than searching: a mistake is found soon.
	my $optimize = @defines ? '-O0' : '-O1';
	return `cd $dir && spin $defines -a $model && gcc -w $optimize -DSAFETY -o pan pan.c && ./pan -m2000000 2>&1`;
}

sub errors {
	my ($said) = @_;
	return $said =~ /errors: (\d+)/ ? $1 : 'none counted';
}

for my $model (sort glob "$here/*.pml") {
	my $name = basename($model, '.pml');
	open my $fh, '<', $model or die "$model: $!\n";
	my $text = do { local $/; <$fh> };
	close $fh;
	my %mistakes = map { $_ => "mistake $_" } $text =~ /\bMISTAKE [=!]= ([1-9]\d*)/g;
	$mistakes{$1} = $2 while $text =~ /^ \*\t([1-9]\d*)  (.*)/mg;

	my $said = check($model);
	is(errors($said), 0, "$name: no order of its steps is wrong") or diag $said;
	unlike($said, qr/search depth too small|hash table full|out of memory|interrupted/i,
		"$name: every order was looked at");
	my ($states) = $said =~ /(\d+) states, stored/;
	cmp_ok($states // 0, '>', 1000, "$name: there is something to look at");
	diag "$name: $states states" if $ENV{V};
	cmp_ok(scalar keys %mistakes, '>', 0, "$name: has mistakes to build in");
	for my $n (sort { $a <=> $b } keys %mistakes) {
		$said = check($model, "MISTAKE=$n");
		cmp_ok(errors($said) =~ /^\d+$/ ? errors($said) : 0, '>', 0, "$name: found: $mistakes{$n}")
			or diag $said;
	}
}

done_testing;
