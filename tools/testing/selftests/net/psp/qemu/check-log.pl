#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# check-log.pl KMSG [CONSOLE] - is a kernel log what a healthy run leaves?
#
# KMSG is what /dev/kmsg gave, with levels, from a line psp-begin to a line
# psp-end. Between them the kernel may say nothing above notice level but the
# taint line of out-of-tree modules, that its machine is slow, and what a test
# has announced:
#
#	echo 'psp-expect: <Perl regex>' > /dev/kmsg
#
# allows lines that match until the suite's end, and wants at least one: for all
# announcements of the same regex in a suite together, because the kernel limits
# how often it says a thing. No announcement excuses a warning, an oops or the
# like.
# CONSOLE is the text of the console: a panic is seen only there.
# Prints what is wrong; exit status 0 if nothing is.

use strict;
use warnings;

my $fatal = qr/
	\bWARNING: | \bBUG: | \bOops\b | \bKASAN | \bKCSAN | \bUBSAN
	| \blockdep\b(?!\ checking\ is\ enabled) | possible\ (?:recursive|circular)\ locking
	| inconsistent\ lock\ state | suspicious\ RCU\ usage
	| INFO:\ task\ .*\ blocked | \brcu.*\bstall | soft\ lockup
	| unreferenced\ object | suspected\ memory\ leaks | ref_tracker:
	| \brefcount_t\b | Call\ Trace
	| general\ protection | Kernel\ panic | unregister_netdevice:
	| ODEBUG: | slab-use-after-free | list_(?:add|del)\ corruption
/x;
my $taint = qr/^psp(?:_ref)?(?:_test)?:\ (?:
	loading\ out-of-tree\ module\ taints\ kernel\. |
	loading\ test\ module\ taints\ kernel\. |
	module\ verification\ failed:.*)$/x;
# All that these say is that the emulated machine gets too little of the host.
my $slow = qr/^(?:
	hrtimer:\ interrupt\ took\ \d+\ ns |
	hpet:\ Lost\ \d+\ RTC\ interrupts |
	perf:\ interrupt\ took\ too\ long.* |
	\ +\#\ \w+:\ Test\ should\ be\ marked\ slow\ \(runtime:.* |
	clocksource:\ .*)$/x;
my $suppressed = qr/^\w+: \d+ callbacks suppressed$/;
my $notice = 5;

my $problems = 0;
my ($begun, $ended, $suite) = (0, 0, "start");
my @expected;

sub problem {
	print "@_\n";
	$problems++;
}

sub end_suite {
	for my $want (@expected) {
		problem("$suite: expected line never came: $want->{text}")
			unless $want->{seen};
	}
	@expected = ();
}

# A line that a program wrote to /dev/kmsg.
sub from_user {
	my ($text) = @_;

	if ($text eq "psp-begin") {
		$begun = 1;
	} elsif ($text eq "psp-end") {
		end_suite();
		$ended = 1;
	} elsif ($text =~ /^psp-suite: (.*)/) {
		end_suite();
		$suite = $1;
	} elsif ($text =~ /^psp-expect: (.*)/) {
		my $want = $1;
		my $regex = eval { qr/$want/ };
		return problem("$suite: bad regex: $want") unless $regex;
		return if grep { $_->{text} eq $want } @expected;
		push @expected, { text => $want, regex => $regex, seen => 0 };
	}
}

sub is_expected {
	my ($text) = @_;
	my $found = 0;

	for my $want (@expected) {
		next unless $text =~ $want->{regex};
		$want->{seen} = 1;
		$found = 1;
	}
	return $found || (@expected && $text =~ $suppressed);
}

sub from_kernel {
	my ($level, $text) = @_;

	return problem("$suite: $text") if $text =~ $fatal;
	my $expected = is_expected($text);
	return if !$begun || $level >= $notice;
	return if $text =~ $taint || $text =~ $slow;
	problem("$suite: above notice level: $text") unless $expected;
}

sub check_kmsg {
	my ($path) = @_;

	open(my $log, '<', $path) or return problem("no log: $path: $!");
	while (<$log>) {
		chomp;
		# Continued and KEY=value lines of a record begin with a blank.
		my ($prio, $text) = /^(\d+),[^;]*;(.*)/ or next;
		if ($prio >> 3) {
			from_user($text);
		} else {
			from_kernel($prio & 7, $text);
		}
	}
	problem("the log has no beginning (psp-begin)") unless $begun;
	problem("the log has no end (psp-end)") unless $ended;
}

# Shows what led to it, too.
sub check_console {
	my ($path) = @_;
	my @before;
	my $after = 0;

	open(my $log, '<', $path) or return problem("no log: $path: $!");
	while (<$log>) {
		s/[\r\n]+$//;
		if ($after > 0) {
			print "console: $_\n";
			$after--;
		} elsif ($_ =~ $fatal && !/psp-expect:/) {
			print "console: $_\n" for @before;
			problem("console: $_");
			$after = 40;
		}
		push @before, $_;
		shift @before if @before > 5;
	}
}

check_kmsg($ARGV[0]);
check_console($ARGV[1]) if @ARGV > 1;
exit($problems ? 1 : 0);
