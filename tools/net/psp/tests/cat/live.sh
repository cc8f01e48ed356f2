#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# pspcat on a real kernel, in a virtual machine: two namespaces, a and b, with a
# PSP device each, on the two ends of a veth pair, where the wire is captured.
#
# shellcheck disable=SC2317 # tests are called by their names

set -u
export LC_ALL=C
export PATH=$PSP_TOOLS:$PATH
export LD_LIBRARY_PATH=$PSP_TOOLS

here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
port=7000

# Of data, while it is rekeyed
KB=$((${PSP_CAT_KB:-4096} / ${PSP_SCALE:-1}))
ROTATIONS=20

# shellcheck source=tools/net/psp/tests/tap.sh
. "$here/../tap.sh"
# shellcheck source=tools/net/psp/tests/cat/util.sh
. "$here/util.sh"

cleanup() {
	local pid

	for pid in $(jobs -p); do
		kill -9 "$pid" 2> /dev/null
	done
	ip -n a link del psp0 2> /dev/null
	ip -n b link del psp1 2> /dev/null
	ip netns del b 2> /dev/null
	ip netns del a 2> /dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

fresh() {
	: > "$tmp/a.err"
	: > "$tmp/b.err"
}

said() {
	tail -vn 8 "$tmp"/{a,b}.err
}

says() {
	grep -qE -- "$2" "$tmp/$1.err" || wrong "$1 does not say \"$2\""
}

setup() {
	local ns

	certs_make "$tmp" alice bob
	ALICE=(--cert "$tmp/alice.crt" --key "$tmp/alice.key"
	       --ca "$tmp/ca.crt")
	BOB=(--cert "$tmp/bob.crt" --key "$tmp/bob.key" --ca "$tmp/ca.crt")
	for ns in a b; do
		ip netns add $ns
		# What is killed here must not hold psp for two minutes
		ip netns exec $ns sysctl -qw net.ipv4.tcp_orphan_retries=1
	done
	ip -n a link add low0 type veth peer name low1 netns b
	ip -n a link set low0 up
	ip -n b link set low1 up
	plug a low0 psp0 1
	plug b low1 psp1 2
	mkfifo "$tmp/in" "$tmp/full"
}

# plug NETNS INTERFACE PORT NUMBER
plug() {
	ip -n "$1" addr flush dev "$2"
	ip -n "$1" link add link "$2" name "$3" type psp_ref
	ip -n "$1" addr add "10.0.0.$4/24" dev "$3"
	ip -n "$1" addr add "fd00::$4/64" nodad dev "$3"
	ip -n "$1" link set "$3" up
	pspctl -n "$1" dev set "$3" versions all
}

# b has no PSP device any more, and what a sends to the same address arrives
unplug_b() {
	local mac

	mac=$(ip netns exec b cat /sys/class/net/psp1/address)
	ip -n b link del psp1
	ip -n b link set low1 address "$mac"
	ip -n b addr add 10.0.0.2/24 dev low1
}

# a_listens FILE [OPTION]... - which says there what it does
a_listens() {
	local err=$1

	shift
	port=$((port + 1))
	ip netns exec a pspcat -l -v -t 60 "${ALICE[@]}" --name bob "$@" \
		"$port" < "$tmp/a.in" > "$tmp/a.out" 2> "$err" &
	pid_a=$!
}

# What it is fed with is in $tmp/a.in
start_a() {
	reader=
	: > "$tmp/a.err"
	a_listens "$tmp/a.err" "$@"
	await "$tmp/a.err" listening
}

# b connects, in the background; it is fed through $in
start_b() {
	local addr=$1

	shift
	ip netns exec b pspcat -v -t 60 "${BOB[@]}" --name alice "$@" \
		"$addr" "$port" < "$tmp/in" > "$tmp/b.out" 2> "$tmp/b.err" &
	pid_b=$!
	exec {in}> "$tmp/in"
}

# ends STATUS_A STATUS_B
ends() {
	local status=0

	wait "$pid_a" || status=$?
	[ "$status" = "$1" ] || wrong "a ended with $status"
	status=0
	wait "$pid_b" || status=$?
	[ "$status" = "$2" ] || wrong "b ended with $status"
}

arrived() {
	ends 0 0
	cmp "$tmp/data" "$tmp/a.out" || wrong "b's data has not arrived"
	cmp "$tmp/a.in" "$tmp/b.out" || wrong "a's data has not arrived"
}

# Lines of eight digits, which chance does not make
data() {
	seq 10000000 99999999 | head -c "$1"
}

capture() {
	ip netns exec a tcpdump -Z root --immediate-mode -ni low0 -U -w "$tmp/$1.pcap" \
		2> "$tmp/dump.err" &
	pid_dump=$!
	await "$tmp/dump.err" 'listening on'
}

# How many lines of the data can be read in a capture
readable() {
	kill "$pid_dump"
	wait "$pid_dump"
	grep -caE '^[0-9]{8}$' "$tmp/$1.pcap"
}

# That many PSP packets have been captured: a capture of nothing shows nothing
captured() {
	local num

	num=$(tcpdump -nr "$tmp/$1.pcap" udp dst port 1000 2> "$tmp/dump.err" |
		wc -l)
	[ "$num" -ge "$2" ] || wrong "only $num PSP packets were captured"
}

rotate() {
	pspctl -n a key rotate psp0
	pspctl -n b key rotate psp1
}

# Data goes all the while; each device is rotated again as soon as it may be
rotations_while_data_goes() {
	local i chunk=$((KB * 1024 / ROTATIONS)) plain

	data $((chunk * ROTATIONS)) > "$tmp/data"
	data 100000 > "$tmp/a.in"
	capture gcm
	start_a
	start_b 10.0.0.1
	await "$tmp/b.err" 'PSP hdr0.*device' || wrong "no PSP"
	for ((i = 0; i < ROTATIONS; i++)); do
		rotate
		tail -c +$((i * chunk + 1)) "$tmp/data" | head -c "$chunk" >&"$in"
		await "$tmp/a.err" 'new key' $((2 * i + 2)) || break
		await "$tmp/b.err" 'new key' $((2 * i + 2)) || break
	done
	exec {in}>&-
	arrived
	says a "rekeys rx $ROTATIONS tx $ROTATIONS, $ROTATIONS rotations seen"
	says b "rekeys rx $ROTATIONS tx $ROTATIONS, $ROTATIONS rotations seen"
	plain=$(readable gcm)
	[ "$plain" = 0 ] || wrong "$plain lines can be read on the wire"
	# In each direction at least one with and one about each key
	captured gcm $((4 * ROTATIONS))
}

# Versions that encrypt nothing show that what is looked for can be seen
gmac_can_be_read() {
	local plain

	data 50000 | tee "$tmp/data" > "$tmp/a.in"
	capture gmac
	start_a --psp-versions aes-gmac-256 --unencrypted
	start_b 10.0.0.1 --psp-versions aes-gmac-256 --unencrypted
	await "$tmp/b.err" 'PSP hdr0-aes-gmac-256, device' || wrong "no PSP"
	rotate
	cat "$tmp/data" >&"$in"
	await "$tmp/a.err" 'new key' 2 || wrong "a has not been rekeyed"
	await "$tmp/b.err" 'new key' 2 || wrong "b has not been rekeyed"
	exec {in}>&-
	arrived
	plain=$(readable gmac)
	[ "$plain" -gt 5000 ] || wrong "only $plain lines can be read"
}

psk_over_ipv6() {
	local ALICE=() BOB=()

	echo 'test:00112233445566778899aabbccddeeff' > "$tmp/psk"
	chmod 600 "$tmp/psk"
	data 300000 | tee "$tmp/data" > "$tmp/a.in"
	port=$((port + 1))
	: > "$tmp/a.err"
	ip netns exec a pspcat -6 -l -v --psk-file "$tmp/psk" fd00::1 "$port" \
		< "$tmp/a.in" > "$tmp/a.out" 2> "$tmp/a.err" &
	pid_a=$!
	await "$tmp/a.err" listening
	ip netns exec b pspcat -v --psk-file "$tmp/psk" \
		--psp-versions aes-gcm-256 fd00::1 "$port" \
		< "$tmp/data" > "$tmp/b.out" 2> "$tmp/b.err" &
	pid_b=$!
	arrived
	says a 'PSP hdr0-aes-gcm-256'
}

# One side's device accepts no version
fallback() {
	data 100000 | tee "$tmp/data" > "$tmp/a.in"
	pspctl -n b dev set psp1 versions none
	start_a
	start_b 10.0.0.1
	exec {in}>&-
	ends 1 1
	says a 'the other side has no PSP: interface psp1: no version'
	says b 'this side has no PSP: interface psp1: no version .* refuse'
	start_a --fallback=tls
	start_b 10.0.0.1 --fallback=tls
	cat "$tmp/data" >&"$in"
	exec {in}>&-
	arrived
	says a ' TLS, no PSP$'
	pspctl -n b dev set psp1 versions all
}

# goes_on REASON - b has no PSP, and both want to: all of the data, and exit codes
goes_on() {
	cat "$tmp/data" >&"$in"
	exec {in}>&-
	arrived
	[ -z "$reader" ] || wait "$reader"
	says a ' 100000 bytes sent, 100000 received, .* TLS, no PSP$'
	says a "the other side has no PSP: $1; going on under TLS$"
	says b "this side has no PSP: $1; going on under TLS$"
	says b ' 100000 bytes sent, 100000 received, .* TLS, no PSP$'
}

# gives_up REASON - one does not; and nothing has passed
gives_up() {
	exec {in}>&-
	ends 1 1
	[ -z "$reader" ] || wait "$reader"
	says a ' 0 bytes sent, 0 received, .* no connection$'
	says a "the other side has no PSP: $1; and"
	says b "this side has no PSP: $1; and"
	[ ! -s "$tmp/a.out" ] || wrong "a has got data"
	[ ! -s "$tmp/b.out" ] || wrong "b has got data"
}

# There is none where b's packets leave
no_device() {
	local why='interface low1: it has no PSP device'

	data 100000 | tee "$tmp/data" > "$tmp/a.in"
	unplug_b
	start_a --fallback=tls
	start_b 10.0.0.1 --fallback=tls
	goes_on "$why"
	start_a --fallback=tls
	start_b 10.0.0.1
	gives_up "$why"
	start_a
	start_b 10.0.0.1 --fallback=tls
	gives_up "$why"
	plug b low1 psp1 2
}

# It will stand still where it says that TLS is established: nobody reads that
hold_a() {
	exec {full}<> "$tmp/full"
	a_listens "$tmp/full" "$@"
	read -r -t $((30 * ${PSP_SLOW:-1})) <&"$full" ||
		wrong "a does not listen"
	yes | dd of="$tmp/full" bs=4096 iflag=fullblock oflag=nonblock \
		2> "$tmp/dump.err"
}

# It does so, in write() to stderr, and b's HELLO has come
a_is_held() {
	local try queue

	for ((try = 0; try < 600 * ${PSP_SLOW:-1}; try++)); do
		if grep -q '^1 0x2 ' "/proc/$pid_a/syscall"; then
			queue=$(ip netns exec a ss -Htn "sport = :$port" |
				awk '{ print $2 }')
			[ "${queue:-0}" = 0 ] || return 0
		fi
		sleep 0.05
	done
	return 1
}

release_a() {
	local from

	exec {from}< "$tmp/full"
	exec {full}>&-
	# b's input is to end when we close it
	(exec {in}>&-; exec cat <&"$from" > "$tmp/a.err") &
	reader=$!
	exec {from}<&-
}

# promises FALLBACK - both say that they have PSP, and then b's device goes
promises() {
	hold_a --fallback="$1"
	start_b 10.0.0.1 --fallback="$1"
	a_is_held || wrong "a is not held"
	unplug_b
	release_a
}

device_goes() {
	local why='rx-assoc: [A-Z][^;]*'

	data 100000 | tee "$tmp/data" > "$tmp/a.in"
	promises tls
	goes_on "$why"
	plug b low1 psp1 2
	promises refuse
	gives_up "$why"
	plug b low1 psp1 2
}

# Both are rotated twice before either can do anything: nothing passes any more
both_stale() {
	data 1000 > "$tmp/data"
	: > "$tmp/a.in"
	start_a -t 3
	start_b 10.0.0.1 -t 3
	await "$tmp/b.err" 'PSP hdr0.*device' || wrong "no PSP"
	kill -STOP "$pid_a" "$pid_b"
	rotate
	rotate
	cat "$tmp/data" >&"$in"
	kill -CONT "$pid_a" "$pid_b"
	ends 1 1
	exec {in}>&-
	says a 'the connection is dead: the device was rotated twice'
	says b 'the connection is dead: the device was rotated twice'
}

# One is: its peer comes back, and nothing is lost
one_stale() {
	data 200000 > "$tmp/data"
	: > "$tmp/a.in"
	start_a
	start_b 10.0.0.1
	await "$tmp/b.err" 'PSP hdr0.*device' || wrong "no PSP"
	kill -STOP "$pid_b"
	pspctl -n a key rotate psp0
	pspctl -n a key rotate psp0
	kill -CONT "$pid_b"
	cat "$tmp/data" >&"$in"
	await "$tmp/a.err" 'new key: the other' || wrong "a was not rekeyed"
	exec {in}>&-
	arrived
}

peer_is_killed() {
	data 1000 > "$tmp/data"
	: > "$tmp/a.in"
	start_a
	start_b 10.0.0.1
	await "$tmp/b.err" 'PSP hdr0.*device' || wrong "no PSP"
	kill -9 "$pid_b"
	ends 1 137
	exec {in}>&-
	says a 'the connection ended before the data|reset'
}

# Keys do not get to whom the kernel pipes core files, either
no_core() {
	local pattern pid

	pattern=$(cat /proc/sys/kernel/core_pattern)
	# shellcheck disable=SC2016 # for the shell that runs it
	printf '#!/bin/sh\n/bin/cat > /dev/null\necho "$1" >> %s\n' "$tmp/cores" \
		> "$tmp/core"
	chmod +x "$tmp/core"
	data 1000 > "$tmp/data"
	: > "$tmp/a.in"
	start_a
	start_b 10.0.0.1
	await "$tmp/b.err" 'PSP hdr0.*device' || wrong "no PSP"
	echo "|$tmp/core %p" > /proc/sys/kernel/core_pattern
	kill -ABRT "$pid_a"
	ends 134 1
	exec {in}>&-
	sleep 1000 &
	pid=$!
	# Until then it is a shell, which would clean up for us
	until grep -qx sleep "/proc/$pid/comm"; do :; done
	kill -ABRT "$pid"
	wait "$pid" 2> /dev/null
	await "$tmp/cores" "^$pid$" || wrong "there are no core files"
	echo "$pattern" > /proc/sys/kernel/core_pattern
	! grep -qx "$pid_a" "$tmp/cores" || wrong "a core file was written"
}

echo "TAP version 13"
setup
run rotations_while_data_goes
run gmac_can_be_read
run psk_over_ipv6
run fallback
run no_device
run device_goes
run both_stale
run one_stale
run peer_is_killed
run no_core
tap_end
