#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# pspctl without a kernel: $PSPCTL is linked with tests/fake.c. What is read from
# the command line, what is printed, exit codes.

set -u
export LC_ALL=C TZ=UTC TERM=linux

# shellcheck source=tools/net/psp/tests/tap.sh
. "${0%/*}/tap.sh"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

said() {
	cat "$tmp"/{out,err}
}

ctl() {
	"$PSPCTL" "$@" > "$tmp/out" 2> "$tmp/err"
}

# exits STATUS ARGUMENT... - and says something on the right channel only
exits() {
	local want=$1 status=0

	shift
	ctl "$@" || status=$?
	if [ "$status" != "$want" ]; then
		ok "exits $want: $* (got $status)" 1
	elif [ "$want" = 0 ]; then
		[ ! -s "$tmp/err" ]
		ok "exits $want: $*" $?
	else
		[ -s "$tmp/err" ] && [ ! -s "$tmp/out" ]
		ok "exits $want: $*" $?
	fi
}

# says FILE REGEX
says() {
	grep -qE -- "$2" "$tmp/$1"
	ok "says on std$1: $2" $?
}

# json [--json-lines] ARGUMENT...
json() {
	local lines=()

	[ "$1" != --json-lines ] || { lines=("$1"); shift; }
	ctl "$@" && python3 -m json.tool "${lines[@]}" < "$tmp/out" \
		> /dev/null 2> "$tmp/err"
	ok "is JSON: $*" $?
}

test_usage() {
	exits 2
	exits 2 nonsense
	exits 2 key nonsense
	exits 2 dev lo up
	exits 2 dev show dev
	exits 2 stats lo interval
	exits 2 dev show 1 2
	exits 2 dev show 0
	exits 2 dev set
	exits 2 dev set 1
	exits 2 dev set 1 versions
	exits 2 dev set 1 versions aes
	says err '"aes" is no version'
	exits 2 dev set 1 versions aes-gcm-128,
	exits 2 dev assoc 1
	exits 2 dev assoc 1 ifindex 0
	exits 2 dev assoc 1 ifname lo nsid 3
	exits 2 dev assoc 1 ifindex 4 nsid -1
	exits 2 key
	exits 2 key rotate
	exits 2 stats show interval 0
	exits 2 stats show interval nan
	exits 2 stats show count 3
	exits 2 assoc show cookie 0
	exits 2 assoc show cookie 18446744073709551616
	exits 2 monitor nonsense
	exits 2 monitor count 0
	exits 2 top count 0
	exits 2 top interval
	exits 2 top sort colour
	says err 'cannot be sorted by "colour"'
	exits 2 top 1 2
	exits 2 top -x
	exits 2 -x dev
	exits 2 -color=sometimes dev
	exits 2 -n a/b dev
	FAKE_KERNEL=absent exits 2 dev set 1
}

test_text() {
	exits 0 help
	says out 'pspctl dev show'
	exits 0 -h
	exits 0 -V
	exits 0 dev help
	says out 'pspctl dev assoc'
	exits 0 dev
	says out '^1: lo$'
	says out '^    enabled     hdr0-aes-gcm-128 hdr0-aes-gcm-256$'
	says out '^    associated  ifindex 66666 nsid 3$'
	says out '^    associated  ifindex 77777$'
	exits 0 d s lo
	exits 0 dev lo
	says out '^1: lo$'
	exits 0 dev dev 7
	says out '^7: '
	exits 0 stats interval 0.01 count 1
	exits 0 stats 7
	says out '^7: '
	exits 0 assoc cookie 6
	exits 0 assoc lo
	exits 0 dev set dev lo versions none
	exits 0 dev assoc dev 1 ifname lo
	exits 0 key rotate dev lo
	exits 0 dev show dev 7
	says out 'associated  ifindex 88888$'
	exits 0 dev set lo versions none
	exits 0 dev set 1 versions all
	exits 0 dev set 1 versions aes-gcm-128,hdr0-aes-gmac-256
	exits 0 dev assoc 1 ifname lo
	exits 0 dev disassoc 1 ifindex 5 nsid 0
	exits 0 key rotate 7
	exits 0 k r all
	exits 0 stats
	says out '^    rx          packets [0-9]+ bytes [0-9]+ auth-fail'
	says out '^    drops       no-state 33$'
	exits 0 stats show 7 interval 0.01 count 2
	says out 'pkt/s .* dropped 0/s$'
	exits 0 assoc show dev lo cookie 6
	says out '^full +lo +hdr0-aes-gcm-256 +\[fd00::1\]:4433 +\[fd00::2\]:55555 +6$'
	says out '^    rx-prev  spi 0x00000010 age 75s rotations 1 packets 12$'
	says out '^rx +lo +hdr0-aes-gcm-256 +\*:\* +\*:\* +5$'
}

test_json() {
	json -j dev show
	json -j -p dev show
	json -json dev show 7
	json -jp dev set lo versions none
	says out '"ifname": "lo"'
	json -j dev assoc 1 ifname lo
	json -j dev disassoc 1 ifname lo
	json -j key rotate 1
	json -j key rotate all
	json -j stats show
	says out '^\[\{"dev-id":1,"ifname":"lo","key-rotations"'
	says out '"no-state":33'
	json -j -p stats show lo
	json --json-lines -j -i 0.01 stats show count 3
	says out '","dev-id":1,"ifname":"lo","seconds"'
	json -j assoc show
	says out '^\[\{"dev-id":1,"ifname":"lo","cookie":5,'
	says out '"spi":2147483665'
	FAKE_KERNEL=mainline json -j stats show
	FAKE_EVENTS=1 json --json-lines -j monitor count 12
	says out '"event":"lost"\}$'
	says out '"event":"dev-add-ntf","id":1,"ifname":"lo",'
	says out '"event":"key-rotate-ntf","id":1,"ifname":"lo"\}$'
	says out '"event":"assoc-stale-ntf","dev-id":1,"ifname":"lo","cookie":5,'
}

test_kernel() {
	exits 1 dev show 5
	says err '^pspctl: dev show: No such PSP device$'
	exits 1 -j dev show 5
	exits 1 dev show nowhere
	says err 'nowhere: No such device'
	exits 1 dev nowhere
	says err 'nowhere: No such device'
	exits 1 dev show 10g0
	says err '10g0: No such device'
	exits 1 dev show de
	says err '^pspctl: de: No such device'
	exits 1 key rotate dev all
	says err '^pspctl: all: No such device'
	exits 1 -n no-such-namespace dev
	FAKE_KERNEL=absent exits 1 dev
	says err 'No PSP in this kernel'
	FAKE_KERNEL=mainline exits 1 assoc
	says err 'no command assoc-get'
	FAKE_KERNEL=mainline exits 0 stats
	FAKE_KERNEL=mainline exits 1 monitor assoc count 1
	FAKE_KERNEL=refuse exits 1 key rotate 1
	says err '^pspctl: key rotate: Operation not permitted$'
	FAKE_KERNEL=refuse exits 1 monitor assoc
}

test_monitor() {
	FAKE_EVENTS=1 exits 0 monitor count 6
	says out '^[-0-9]+T[:0-9]+\.[0-9]{6}\+0000 start mgmt use assoc$'
	says out ' dev-add 1: lo enabled hdr0-aes-gcm-128,hdr0-aes-gcm-256 '
	says out ' key-rotate 1: lo$'
	says out ' assoc-stale 1: lo cookie 5 spi 0x80000011$'
	says out ' lost: some events are missing, look again$'
	FAKE_EVENTS=1 FAKE_KERNEL=refuse exits 0 monitor count 1
	says out ' start mgmt use$'
}

# In a pipe, where it is text or JSON; terminal.py has the rest
test_top() {
	exits 0 top interval 0.01 count 2
	says out '^pspctl top [0-9:]+ every 0.01 s by rate, 2 devices, 2 sockets: 1 full, 0 stale$'
	says out '^   1 lo +[0-9]+ +0s '
	says out '^     accepts aes-gcm-128,aes-gcm-256  lost rx-auth-fail [0-9]+ '
	says out '^full +lo +aes-gcm-256 +\[fd00::1\]:4433 +\[fd00::2\]:55555 '
	says out '^rx +lo +aes-gcm-256 +\*:\* +\*:\* +80000011 +75s +1 +- '
	[ "$(grep -c '^pspctl top' "$tmp/out")" = 2 ]
	ok "top says it as often as it was asked to" $?
	exits 0 -i 0.01 top -b -n 1 -o peer lo
	says out ' every 0.01 s by peer, 1 device,'
	COLUMNS=60 exits 0 top -d 0.01 -n 1
	! grep -qE '.{61}' "$tmp/out"
	ok "top is as wide as it should be" $?
	says out '^STATE +PEER +'
	json --json-lines -j top -d 0.01 -n 3
	[ "$(wc -l < "$tmp/out")" = 3 ]
	ok "top in JSON is a line each time" $?
	says out '"devs":\[\{"dev-id":1,"ifname":"lo","psp-versions-ena":\['
	says out '"assocs":\[\{"dev-id":1,"ifname":"lo","cookie":6,'
	says out '"tcp-rx-bytes":5000,"tcp-tx-bytes":[0-9]+,"rates":\{"tcp-rx-bytes":0.000,"tcp-tx-bytes":[1-9]'
	json -p top -d 0.01 -n 1
	exits 1 top 5
	says err '^pspctl: top: No such PSP device$'
	FAKE_KERNEL=absent exits 1 top
	says err 'No PSP in this kernel'
	FAKE_KERNEL=refuse exits 1 top
	says err '^pspctl: top: Operation not permitted$'
	FAKE_KERNEL=busy exits 0 top -d 0.01 -n 12
	[ "$(grep -c '^pspctl top' "$tmp/out")" = 12 ]
	ok "top asks again where the kernel is busy" $?
	FAKE_SOCKS=10000 exits 0 top -d 0.01 -n 1
	says out ', 2 devices, 10002 sockets: 1 full, 0 stale$'
	[ "$(grep -c '^rx ' "$tmp/out")" = 10001 ]
	ok "top has a line for each of 10002 sockets" $?
	FAKE_SOCKS=10000 json -j top -d 0.01 -n 1
	COLUMNS=20 exits 0 top -d 0.01 -n 1
	says out '^STATE +PEER +'
	FAKE_KERNEL=mainline exits 0 top -d 0.01 -n 1
	says out '^no socket: PSP of this kernel has no command assoc-get$'
}

# All of it to a terminal that is none, and to one that is
test_color() {
	ctl dev && ! grep -q $'\033' "$tmp/out"
	ok "no colours in a pipe" $?
	ctl -c dev && grep -q $'\033' "$tmp/out"
	ok "colours if asked for" $?
	script -qec "$PSPCTL dev" /dev/null > "$tmp/out" < /dev/null &&
		grep -q $'\033' "$tmp/out"
	ok "colours on a terminal" $?
	NO_COLOR=1 script -qec "$PSPCTL dev" /dev/null > "$tmp/out" \
		< /dev/null && ! grep -q $'\033' "$tmp/out"
	ok "no colours with NO_COLOR" $?
	script -qec "$PSPCTL -color=never dev" /dev/null > "$tmp/out" \
		< /dev/null && ! grep -q $'\033' "$tmp/out"
	ok "no colours if not wanted" $?
}

# With SIGPIPE, and for those who have it ignored
test_pipe() {
	local status=0 word

	FAKE_EVENTS=1 timeout 20 "$PSPCTL" monitor 2> "$tmp/err" |
		head -n 3 > "$tmp/out"
	status=${PIPESTATUS[0]}
	[ "$status" != 124 ] && [ ! -s "$tmp/err" ] &&
		[ "$(wc -l < "$tmp/out")" = 3 ]
	ok "monitor ends with its reader" $?
	status=0
	(trap '' PIPE; FAKE_EVENTS=1 timeout 20 "$PSPCTL" -j monitor \
		2> "$tmp/err"; echo $? > "$tmp/status") |
		head -n 3 > "$tmp/out"
	[ "$(cat "$tmp/status")" = 1 ] && [ ! -s "$tmp/err" ]
	ok "and where SIGPIPE is ignored" $?
	"$PSPCTL" dev > /dev/full 2> "$tmp/err" || status=$?
	[ "$status" = 1 ] && grep -q 'cannot write' "$tmp/err"
	ok "a full disk is an error" $?
	for word in -h -V help; do
		status=0
		"$PSPCTL" "$word" > /dev/full 2> "$tmp/err" || status=$?
		[ "$status" = 1 ] && grep -q 'cannot write' "$tmp/err"
		ok "and for $word" $?
	done
	timeout 20 "$PSPCTL" top -d 0.01 2> "$tmp/err" | head -n 3 > "$tmp/out"
	status=${PIPESTATUS[0]}
	[ "$status" != 124 ] && [ ! -s "$tmp/err" ] &&
		[ "$(wc -l < "$tmp/out")" = 3 ]
	ok "top ends with its reader" $?
}

# What is opened must not take the place of what was closed
test_closed() {
	local status=0

	"$PSPCTL" dev 2> "$tmp/err" >&- || status=$?
	[ "$status" = 1 ] && grep -q 'cannot write' "$tmp/err"
	ok "closed stdout is an error" $?
	status=0
	FAKE_EVENTS=1 timeout 20 "$PSPCTL" monitor count 2 2> "$tmp/err" \
		<&- >&- || status=$?
	[ "$status" = 1 ] && grep -q 'cannot write' "$tmp/err"
	ok "for monitor too" $?
	"$PSPCTL" dev set lo versions none <&- >&- 2>&-
	ok "nothing to say, nothing to fail" $?
	status=0
	"$PSPCTL" dev show 5 <&- > "$tmp/out" 2>&- || status=$?
	[ "$status" = 1 ] && [ ! -s "$tmp/out" ]
	ok "closed stderr" $?
}

# complete WORD... - what completion says, in a shell of its own
complete() {
	FAKE_DIR=$tmp bash -c '
		pspctl() {
			echo "$*" >> "$FAKE_DIR/asked"
			cat "$FAKE_DIR/devs"
		}
		source ctl/pspctl.bash
		COMP_WORDS=(pspctl "$@")
		COMP_CWORD=$#
		_pspctl
		printf "%s\n" "${COMPREPLY[@]}"' bash "$@" \
		> "$tmp/out" 2> "$tmp/err"
}

# Interfaces may be called what a shell would do, or a pattern
test_completion() {
	# shellcheck disable=SC2016 # not to be expanded: that is the point
	printf '%s\n' '1: eth0' '    versions    x' '2: $(>$FAKE_DIR/run)' \
		'3: * (of another namespace)' '4: a?b' > "$tmp/devs"
	complete dev show ''
	[ ! -s "$tmp/err" ] && [ ! -e "$tmp/run" ]
	ok "completion runs no name" $?
	says out '^eth0$'
	# shellcheck disable=SC2016
	says out '^\\\$\\\(\\>\\\$FAKE_DIR/run\\\)$'
	says out '^\\\*$'
	[ "$(wc -l < "$tmp/out")" = 7 ]
	ok "completion names each once" $?
	complete dev show '\$'
	says out '^\\\$\\\('
	complete dev show 'e'
	[ "$(cat "$tmp/out")" = eth0 ]
	ok "completion of a beginning" $?
	: > "$tmp/asked"
	complete -n blue stats show ''
	[ "$(cat "$tmp/asked")" = "-n blue dev show" ]
	ok "completion looks into the namespace" $?
	: > "$tmp/asked"
	complete -j -netns = blue stats show ''
	[ "$(cat "$tmp/asked")" = "-n blue dev show" ]
	ok "and with -netns=" $?
	complete d
	[ "$(cat "$tmp/out")" = dev ]
	ok "completion of an object" $?
	complete top ''
	says out '^eth0$'
	says out '^interval$'
	complete top eth0 sort r
	[ "$(sort "$tmp/out" | xargs)" = "rate rekeys rotations" ]
	ok "completion of an order" $?
	complete top interval ''
	[ -z "$(cat "$tmp/out")" ]
	ok "no completion of a number" $?
	complete dev set eth0 versions hdr0-aes-gcm-1
	[ "$(cat "$tmp/out")" = hdr0-aes-gcm-128 ]
	ok "completion of a version" $?
	complete dev assoc eth0 ifname l
	says out '^lo$'
}

test_usage
test_text
test_json
test_kernel
test_monitor
test_top
test_color
test_pipe
test_closed
test_completion
tap_end
