# SPDX-License-Identifier: MIT
#
# Real programs and what they are given to do, in Tessera and in the reference: the reference's output
# is stored in *.expected beside this file, and is what Tessera's must be, byte for byte.
package Programs;
use strict;
use warnings;
use File::Basename;
use File::Temp;
use Guest;
use Test::More;

our $reference = "$Guest::build/dist/linux/vmlinuz";
my $folder = dirname(__FILE__);

# What runs in one boot:
#	images		what the initial file system is made of
#	configs		the kernels that it runs on
#	limit		seconds for one of them
#	root		true if it runs as root
#	printing	what each prints: the runner's item, the file that has it, and how the program ends;
#			true behind that: what it prints has addresses, which must not be random
#	testing		items that print TAP
#	fetched		true if the images have programs that tools/bootstrap fetches
our %groups = (
	static => {
		images => [qw(base programs)], configs => [qw(debug release)], limit => 400,
		printing => [
			[ '/programs/exec_damaged', 'damaged', 'exit=0' ],
			[ '/bin/sh+/programs/shell.sh', 'shell', 'exit=17' ],
			[ '/programs/bash+/programs/shell.sh', 'shell', 'exit=17' ],
			[ '/bin/sh+/programs/tree.sh', 'tree', 'exit=0' ],
			[ '/programs/bash+/programs/tree.sh', 'tree', 'exit=0' ],
		],
		testing => [ map { "/programs/threads-$_" } qw(musl glibc) ],
	},
	tools => {
		images => [qw(base programs dynamic)], configs => [qw(debug release)], limit => 400, fetched => 1,
		printing => [
			[ '/bin/sh+/programs/dynamic_layout.sh', 'layout', 'exit=0', 1 ],
			[ '/bin/sh+/programs/dynamic_ls.sh', 'ls', 'exit=0' ],
			[ '/bin/bash+/programs/shell.sh', 'bash', 'exit=17' ],
			[ '/bin/bash+/programs/dynamic_sqlite.sh', 'sqlite', 'exit=0' ],
			[ '/bin/sh+/programs/dynamic_lmdb.sh', 'lmdb', 'exit=0' ],
		],
	},
	languages => {
		images => [qw(base python tcc)], configs => [qw(debug release)], limit => 400, fetched => 1,
		printing => [
			(map { [ "/usr/bin/python3+/python/use_$_.py", "python_$_", 'exit=0' ] }
				qw(mmap ctypes shm subprocess)),
			[ '/bin/sh+/programs/dynamic_tcc.sh', 'tcc', 'exit=0' ],
		],
	},
	# It locks more memory than others may, and works long on it.
	memtester => {
		images => [qw(base dynamic)], configs => ['debug'], limit => 400, fetched => 1, root => 1,
		printing => [ [ '/usr/sbin/memtester+16M+1', 'memtester', 'exit=0' ] ],
	},
);

# The debug kernel puts programs where Linux does under norandmaps, the release kernel anywhere.
sub items_for {
	my ($group, $config, @items) = @_;
	my %fixed = map { $_->[0] => $_->[3] } @{ $group->{printing} };
	return grep { $config eq 'debug' || !$fixed{$_} } @items;
}

sub items {
	my ($group) = @_;
	return ((map { $_->[0] } @{ $group->{printing} }), @{ $group->{testing} // [] });
}

# The programs that the images have.
sub there {
	my ($group, $item) = @_;
	return 0 if $group->{fetched} && !-e "$Guest::build/dist/programs/packages";
	return $item !~ m{^/programs/bash} || -e "$Guest::build/programs.root/programs/bash";
}

sub arguments {
	my ($group, @items) = @_;
	return ($group->{root} ? '' : 'uid=65534 ') . 'tests=' . join(',', @items);
}

# Boots with these of the group's items; returns what Guest::boot() does.
sub run_in_tessera {
	my ($group, $config, @items) = @_;
	return Guest::boot(config => $config, limit => $group->{limit}, images => $group->{images},
		cmdline => 'quiet leakcheck ' . ($config eq 'debug' ? 'norandmaps ' : '')
			. 'init=/bin/runner ' . arguments($group, @items));
}

sub run_in_reference {
	my ($group, @items) = @_;
	return Guest::boot(kernel => $reference, limit => $group->{limit} * 2, images => $group->{images},
		cpu => 'max,la57=off', cmdline => 'rdinit=/bin/runner transparent_hugepage=never norandmaps '
			. 'console=ttyS0 quiet panic=-1 ' . arguments($group, @items));
}

# A line as a terminal shows it: what comes behind backspaces is written over what was there.
sub overwritten {
	my ($line) = @_;
	return $line if $line !~ /\x08/;
	my ($shown, $at) = ('', 0);
	for ($line =~ /./sg) {
		if ($_ eq "\x08") {
			$at-- if $at;
		} else {
			substr($shown, $at++, 1) = $_;
		}
	}
	return $shown =~ s/ +\z//r;
}

# A program's output. What Tessera says of programs that a fault ends isn't theirs.
sub output {
	my ($section) = @_;
	return join '', map { overwritten($_) . "\n" }
		grep { !/^[^\s\[]+\[\d+\]: (?:cannot (?:read|write|execute) |general protection)/ } @{ $section->{lines} };
}

sub expected_file {
	my ($name) = @_;
	return "$folder/$name.expected";
}

# What differs, in diff's words.
sub difference {
	my ($want, $got) = @_;
	my @files = map { my $file = File::Temp->new; print $file $_; close $file; $file } $want, $got;
	return join '', `diff -u --label expected --label printed @files`;
}

# Tests a section's output and its end against what is stored.
sub compare {
	my ($section, $name, $file, $end) = @_;
	my $want = Guest::slurp(expected_file($file));
	my $got = output($section);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok($got eq $want && $want ne '', "$name prints what it does in Linux")
		or diag difference($want, $got);
	is($section->{end} // 'never ended', $end, "$name ends as it should");
}

# Tests the sections of a run with these of the group's items.
sub check_sections {
	my ($group, $name, $run, @items) = @_;
	my %section = map { $_->{name} => $_ } Guest::sections($run);
	for my $item (@items) {
		my $section = $section{$item} // { name => $item, lines => [] };
		my ($printing) = grep { $_->[0] eq $item } @{ $group->{printing} };
		my $what = "$name: " . ($item =~ s{\+(?:\S*/)?}{ }gr);
		if ($printing) {
			compare($section, $what, @$printing[1, 2]);
		} else {
			Guest::replay($section, $what);
		}
	}
	like($run->{console}, qr/^##done/m, "$name: the runner came to its end");
}

# Skips, with the reason, those that can't be run; returns the others.
sub runnable {
	my ($group) = @_;
	my @items = items($group);
	for (grep { !there($group, $_) } @items) {
		SKIP: { skip "$_: what it runs isn't here (tools/bootstrap test fetches it)", 1; }
	}
	return grep { there($group, $_) } @items;
}

# A group in Tessera, in each configuration: what it prints, and that nothing of what it used stays away.
sub test_group {
	my ($name) = @_;
	my $group = $groups{$name};
	my @runnable = runnable($group) or return done_testing;
	for my $config (@{ $group->{configs} }) {
		my @items = items_for($group, $config, @runnable);
		my $run = run_in_tessera($group, $config, @items);
		check_sections($group, $config, $run, @items);
		like($run->{console}, qr/^leakcheck: init ended with status 0; everything came back$/m,
			"$config: free memory is what it was before");
		Guest::ends_well($run, $config);
		note sprintf '%s: %.1f s', $config, $run->{seconds};
	}
	return done_testing;
}

1;
