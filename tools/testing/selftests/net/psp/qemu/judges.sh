#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Do the programs that judge a run see each thing that may go wrong? Feeds
# them planted output and logs; part of ./run check, needs no VM.

set -u

here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
bad=0

wrong() {
	echo "$*"
	bad=1
}

# kmsg_is good|bad NAME - is the log on stdin judged so? Lines are
# "k<level> text" from the kernel and "u text" from a program.
kmsg_is() {
	local want=$1 name=$2 got=bad

	awk '/^k/ { level = substr($1, 2) } /^u/ { level = 14 }
		{ sub(/^[^ ]+ /, ""); print level ",1,2,-;" $0 }' \
		> "$tmp/kmsg"
	perl "$here/check-log.pl" "$tmp/kmsg" > "$tmp/out" && got=good
	[ $got = "$want" ] || {
		wrong "log: $name is $got, not $want"
		cat "$tmp/out"
	}
}

console_is() {
	local want=$1 name=$2 got=bad

	cat > "$tmp/console"
	printf '14,1,2,-;psp-begin\n14,2,3,-;psp-end\n' > "$tmp/kmsg"
	perl "$here/check-log.pl" "$tmp/kmsg" "$tmp/console" \
		> "$tmp/out" && got=good
	[ $got = "$want" ] || wrong "console: $name is $got, not $want"
}

# results_are "LINE..." NAME - what does the KTAP on stdin become?
results_are() {
	local want=$1 name=$2 got

	rm -f "$tmp/results"
	perl "$here/report.pl" k "$tmp/results" > "$tmp/out"
	got=$(paste -sd, "$tmp/results")
	[ "$got" = "$want" ] || wrong "results: $name: $got, not $want"
}

test_levels() {
	kmsg_is good "a quiet log" <<-EOT
	k4 loud before the beginning
	k6 rcu: 	RCU lockdep checking is enabled.
	u psp-begin
	k5 notice
	k6 info
	k4 psp: loading out-of-tree module taints kernel.
	k4 hrtimer: interrupt took 52967818 ns
	k4     # psp_test_x: Test should be marked slow (runtime: 13.492543068s)
	u psp-end
	EOT
	kmsg_is bad "a warning-level line" <<-EOT
	u psp-begin
	k4 psp: something
	u psp-end
	EOT
	kmsg_is bad "an error-level line" <<-EOT
	u psp-begin
	k3 something
	u psp-end
	EOT
	kmsg_is bad "another module's taint" <<-EOT
	u psp-begin
	k4 other: loading out-of-tree module taints kernel.
	u psp-end
	EOT
}

test_fatal() {
	local text

	while read -r text; do
		kmsg_is bad "$text" <<-EOT
		u psp-begin
		u psp-expect: .
		k6 fine
		k6 $text
		u psp-end
		EOT
	done <<-EOT
	WARNING: CPU: 0 PID: 1 at net/psp/psp_main.c:1 psp_x+0x1/0x2 [psp]
	WARNING: possible circular locking dependency detected
	WARNING: suspicious RCU usage
	possible recursive locking detected
	BUG: kernel NULL pointer dereference, address: 0000000000000000
	BUG: KASAN: slab-use-after-free in psp_x
	BUG: KASAN: double-free in psp_x
	BUG: scheduling while atomic: a/1/0x2
	BUG: sleeping function called from invalid context at mm/x.c:1
	[ BUG: Invalid wait context ]
	WARNING: possible irq lock inversion dependency detected
	WARNING: inconsistent lock state
	WARNING: bad unlock balance detected!
	BUG: MAX_LOCKDEP_CHAINS too low!
	INFO: lockdep is turned off.
	ODEBUG: free active (active state 0) object: (____ptrval____)
	kmemleak: 1 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
	ref_tracker: netdev@00000000abcdef01 has 1/1 users at
	Oops: 0002 [#1] PREEMPT SMP NOPTI
	INFO: task device:12 blocked for more than 120 seconds.
	rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
	rcu: INFO: rcu_preempt self-detected stall on CPU
	unreferenced object 0xffff888003f12345 (size 64):
	refcount_t: underflow; use-after-free.
	general protection fault, probably for non-canonical address
	unregister_netdevice: waiting for psp0 to become free. Usage count = 1
	watchdog: BUG: soft lockup - CPU#1 stuck for 22s!
	Call Trace:
	EOT
	console_is bad "a panic" <<< "Kernel panic - not syncing: planted"
	console_is good "a boot" <<< "Run /init as init process"
	kmsg_is bad "a warning before the beginning" <<-EOT
	k4 WARNING: CPU: 0 PID: 1 at mm/x.c:1
	u psp-begin
	u psp-end
	EOT
}

test_expect() {
	kmsg_is good "an announced line" <<-EOT
	u psp-begin
	u psp-suite: leak
	u psp-expect: unencrypted skb .* dropping
	k4 unencrypted skb with no associated socket - dropping
	k4 sk_validate_xmit_skb: 3 callbacks suppressed
	u psp-suite: next
	u psp-end
	EOT
	kmsg_is good "a line announced twice that came once" <<-EOT
	u psp-begin
	u psp-expect: unencrypted skb
	k4 unencrypted skb with no associated socket - dropping
	u psp-expect: unencrypted skb
	u psp-end
	EOT
	kmsg_is bad "an announced line that never came" <<-EOT
	u psp-begin
	u psp-expect: unencrypted skb
	u psp-end
	EOT
	kmsg_is bad "a line announced too late" <<-EOT
	u psp-begin
	k4 unencrypted skb
	u psp-expect: unencrypted skb
	k4 unencrypted skb
	u psp-end
	EOT
	kmsg_is bad "a line of an earlier suite's announcement" <<-EOT
	u psp-begin
	u psp-suite: leak
	u psp-expect: unencrypted skb
	k4 unencrypted skb
	u psp-suite: data
	k4 unencrypted skb
	u psp-end
	EOT
	kmsg_is bad "an announced line that a program wrote" <<-EOT
	u psp-begin
	u psp-expect: unencrypted skb
	u unencrypted skb
	u psp-end
	EOT
	kmsg_is bad "suppressed lines that nobody announced" <<-EOT
	u psp-begin
	k4 sk_validate_xmit_skb: 3 callbacks suppressed
	u psp-end
	EOT
	kmsg_is bad "an announcement that is no regex" <<-EOT
	u psp-begin
	u psp-expect: (
	u psp-end
	EOT
}

test_whole() {
	kmsg_is bad "a log without a beginning" <<< "u psp-end"
	kmsg_is bad "a log without an end" <<< "u psp-begin"
	kmsg_is bad "an empty log" < /dev/null
	! perl "$here/check-log.pl" "$tmp/missing" > /dev/null ||
		wrong "log: a missing one is good"
}

test_results() {
	results_are "ok s.a,skipped s.b # why" "two results" <<-EOT
	#@ suite s
	  KTAP version 1
	  1..2
	  ok 1 - a
	  ok 2 b # SKIP why
	#@ end s 0 1
	EOT
	results_are "ok s.a,failed s.b" "a failure" <<-EOT
	#@ suite s
	  1..2
	  ok 1 a
	  # b.c:1: no
	  not ok 2 b
	#@ end s 1 1
	EOT
	results_are "ok s.a,failed s.plan # 1 of 2 tests ran" "a short run" \
	<<-EOT
	#@ suite s
	  1..2
	  ok 1 a
	#@ end s 0 1
	EOT
	results_are "ok s.a,failed s.plan # none for 1 tests" "no plan" <<-EOT
	#@ suite s
	  ok 1 a
	#@ end s 0 1
	EOT
	results_are "ok s.a,failed s.b # TODO later" "a to-do" <<-EOT
	#@ suite s
	  1..2
	  ok 1 a
	  ok 2 b # TODO later
	#@ end s 0 1
	EOT
	results_are "failed s.empty # no test ran" "nothing" <<-EOT
	#@ suite s
	#@ end s 0 1
	EOT
	results_are "failed s.status # exit status 127" "a missing program" \
	<<-EOT
	#@ suite s
	  bash: line 1: ./s: No such file or directory
	#@ end s 127 1
	EOT
	results_are "ok s.a,failed s.status # exit status 139" "a crash" <<-EOT
	#@ suite s
	  1..1
	  ok 1 a
	#@ end s 139 1
	EOT
	results_are "ok s.a,failed s.timeout # killed after 9 seconds" \
		"a hang" <<-EOT
	#@ suite s
	  1..1
	  ok 1 a
	#@ timeout 9
	#@ end s 124 9
	EOT
	results_are "ok s.a,failed s.status # it never ended" "a dead guest" \
	<<-EOT
	#@ suite s
	  1..1
	  ok 1 a
	EOT
	results_are "ok s.a,failed s.plan # 1 of 2 tests ran,ok s.c" \
		"two programs, the first one short" <<-EOT
	#@ suite s
	  TAP version 13
	  1..2
	  ok 1 a
	  TAP version 13
	  1..1
	  ok 1 c
	#@ end s 0 1
	EOT
}

# capture TEXT - pcap on stdout: an UDP packet from 10.1.0.1 to 10.1.0.2 with it,
# or no packet
capture() {
	perl -e '
		print pack("LSSlLLL", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1);
		my $text = shift or exit;
		my $udp = pack("nnnn", 1, 2, 8 + length $text, 0) . $text;
		my $ip = pack("CCnnnCCnC4C4", 0x45, 0, 20 + length $udp, 0, 0,
			      64, 17, 0, 10, 1, 0, 1, 10, 1, 0, 2) . $udp;
		my $frame = pack("x12n", 0x800) . $ip;
		print pack("LLLL", 1, 0, length $frame, length $frame) . $frame;
	' "$1"
}

# readable_is good|bad NAME MIN MAX - is the capture on stdin judged so?
readable_is() {
	local got=bad

	cat > "$tmp/pcap"
	perl "$here/wire-count.pl" "$tmp/pcap" "$PSPCAT_NET" > "$tmp/counts" 2>&1
	pspcat_readable "$tmp/counts" "$PSPCAT_NET" "$3" "$4" > "$tmp/out" &&
		got=good
	[ $got = "$1" ] || wrong "capture: $2 is $got, not $1"
}

test_capture() {
	local text=$'\n12345678\n'

	# shellcheck source=tools/testing/selftests/net/psp/qemu/vm_pair.sh
	. "$here/vm_pair.sh"
	capture nothing > "$tmp/nothing"
	capture "$text" > "$tmp/text"
	capture "" > "$tmp/empty"
	readable_is good "one where nothing is read" 0 0 < "$tmp/nothing"
	readable_is bad "one where something is read" 0 0 < "$tmp/text"
	readable_is good "one where it should be" 1 9 < "$tmp/text"
	readable_is bad "one where it should have been" 1 9 < "$tmp/nothing"
	readable_is bad "one without packets" 0 0 < "$tmp/empty"
	readable_is bad "none" 0 0 < /dev/null
	head -c -1 "$tmp/nothing" > "$tmp/cut"
	readable_is bad "one that is cut off" 0 0 < "$tmp/cut"
}

test_capture
test_levels
test_fatal
test_expect
test_whole
test_results
exit $bad
