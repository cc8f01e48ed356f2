#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0
#
# report.pl KERNEL RESULTS - read a guest's KTAP, tell people and RESULTS
#
# Every result is one line to stdout, failures with what was said before
# them, what a test has measured ("# measured: ..."), and one line
# "ok|failed|skipped suite.test" appended to RESULTS. What contradicts itself
# has failed: a plan not kept, a status that does not fit, a suite that ran
# nothing or did not end.

use strict;
use warnings;

my ($kernel, $results) = @ARGV;
my ($suite, $plan, $ran, $suite_ran, $suite_failed, $timeout);
my @said;
my $color = -t STDOUT;

$| = 1;
open(my $out, '>>', $results) or die "$results: $!\n";
$out->autoflush(1);

sub line {
	my ($what, $name, $note) = @_;
	my %code = (ok => 32, failed => 31, skipped => 33);
	my $word = sprintf("%-7s", $what);

	$word = "\e[$code{$what}m$word\e[0m" if $color;
	printf("%-5s %s %s%s\n", $kernel, $word, $name,
	       defined $note ? "  # $note" : "");
	print $out "$what $name" . (defined $note ? " # $note" : "") . "\n";
}

sub failed {
	my ($name, $note) = @_;

	print "$kernel       | $_\n" for @said;
	@said = ();
	line("failed", "$suite.$name", $note);
	$suite_failed = 1;
}

sub plan_ends {
	if (defined $plan) {
		failed("plan", "$ran of $plan tests ran") if $ran != $plan;
	} elsif ($ran) {
		failed("plan", "none for $ran tests");
	}
	($plan, $ran) = (undef, 0);
}

sub result {
	my ($bad, $rest) = @_;
	my ($name, $directive) = split /\s*#\s*/, $rest, 2;

	$name = "(no name)" unless length $name;
	$directive = "" unless defined $directive;
	$ran++;
	$suite_ran++;
	if ($bad || $directive =~ /^(?:TODO|XFAIL|XPASS)/i) {
		failed($name, length $directive ? $directive : undef);
	} elsif ($directive =~ /^SKIP\s*(.*)/i) {
		line("skipped", "$suite.$name", $1);
	} else {
		line("ok", "$suite.$name");
	}
	@said = ();
}

sub said {
	push @said, $_[0];
	shift @said if @said > 60;
}

sub suite_line {
	my ($text) = @_;

	if ($text =~ /^(?:K?TAP) version/) {
		plan_ends();
	} elsif ($text =~ /^1\.\.(\d+)/) {
		plan_ends() if defined $plan;
		$plan = $1;
	} elsif ($text =~ /^(not )?ok\b\s*\d*\s*(?:-\s*)?(.*)/) {
		result(defined $1, $2);
	} else {
		print "$kernel         $1\n" if $text =~ /^# measured: (.*)/;
		said($text);
	}
}

sub suite_begins {
	suite_ends("?", 0) if defined $suite;
	($suite, $timeout) = ($_[0], undef);
	($plan, $ran, $suite_ran, $suite_failed) = (undef, 0, 0, 0);
	@said = ();
}

sub suite_ends {
	my ($status, $seconds) = @_;

	if (defined $timeout) {
		failed("timeout", "killed after $timeout seconds");
		($plan, $ran) = (undef, 0);
	} elsif ($status !~ /^[04]$/ && !$suite_failed) {
		failed("status", $status eq "?" ? "it never ended" :
		       "exit status $status");
	}
	plan_ends();
	failed("empty", "no test ran") unless $suite_ran || $suite_failed;
	print "$kernel         $suite: $seconds s\n" if $seconds;
	undef $suite;
}

while (<STDIN>) {
	s/[\r\n]+$//;
	if (/^#@ suite (\S+)/) {
		suite_begins($1);
	} elsif (/^#@ timeout (\d+)/) {
		$timeout = $1;
	} elsif (/^#@ end \S+ (\d+) (\d+)/) {
		suite_ends($1, $2);
	} elsif (s/^  // && defined $suite) {
		suite_line($_);
	}
}
suite_ends("?", 0) if defined $suite;
