#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# pspctl and libpsp on a real kernel, in a virtual machine: $PSP_TOOLS is where
# they were built. Two namespaces, a and b, with a port each of one cable, and a
# connection that the program live holds; c is a container of a's.
#
# shellcheck disable=SC2317 # tests are called by their names

set -u
export LC_ALL=C TERM=linux
export PATH=$PSP_TOOLS:$PATH
export LD_LIBRARY_PATH=$PSP_TOOLS

# shellcheck source=tools/net/psp/tests/tap.sh
. "${0%/*}/tap.sh"

tmp=$(mktemp -d)
all=$tmp/all		# all that was ever printed
input=

# Deadline of what has to happen (tenths of a second)
WAIT=$((300 * ${PSP_SLOW:-1}))

cleanup() {
	local pid

	# live ends with its input
	if [ -n "$input" ]; then
		exec {input}>&-
		wait "$holder"
	fi
	for pid in $(jobs -p); do
		kill "$pid" 2> /dev/null
	done
	ip -n a link del psp0 2> /dev/null
	ip netns del c 2> /dev/null
	ip netns del b 2> /dev/null
	ip netns del a 2> /dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT

said() {
	cat "$tmp/out" "$tmp/err"
}

ctl() {
	local status=0

	pspctl "$@" > "$tmp/out" 2> "$tmp/err" || status=$?
	cat "$tmp/out" "$tmp/err" >> "$all"
	return "$status"
}

# good ARGUMENT... - succeeds, has nothing to complain of
good() {
	ctl "$@" || { wrong "$* failed"; return; }
	[ ! -s "$tmp/err" ] || wrong "$* complained"
}

# json ARGUMENT... - the same, one line of JSON, to be looked at in the end
json() {
	good -j "$@"
	[ "$(wc -l < "$tmp/out")" = 1 ] || wrong "$* is not one line"
	cat "$tmp/out" >> "$tmp/json"
}

# refused TEXT ARGUMENT... - by the kernel, in these words
refused() {
	local text=$1 status=0

	shift
	ctl "$@" || status=$?
	[ "$status" = 1 ] || wrong "$* exited with $status"
	[ ! -s "$tmp/out" ] || wrong "$* printed something"
	grep -qxF "pspctl: $text" "$tmp/err" || wrong "$* was not told \"$text\""
}

says() {
	grep -qE -- "$1" "$tmp/out" || wrong "no \"$1\""
}

# live COMMAND ANSWER
live() {
	local answer

	echo "$1" >&"$input"
	read -r -t "$WAIT" answer <&"$output"
	[ "$answer" = "$2" ] || wrong "live said \"$answer\" to $1"
}

# await FILE REGEX
await() {
	local try

	for ((try = 0; try < WAIT; try++)); do
		! grep -qE -- "$2" "$1" || return 0
		sleep 0.1
	done
	cp "$1" "$tmp/out"
	wrong "\"$2\" did not come"
	return 1
}

# Each has to end by itself
await_end() {
	local try

	for ((try = 0; try < WAIT; try++)); do
		kill -0 "$1" 2> /dev/null || return 0
		sleep 0.1
	done
	kill "$1"
	wrong "process $1 did not end"
}

setup() {
	local ns

	for ns in a b c; do
		ip netns add $ns
		ip -n $ns link set lo up
	done
	ip -n a link add psp0 type psp_ref
	ip -n a link add link psp0 name psp1 type psp_ref
	ip -n a link set psp1 netns b
	ip -n a addr add 10.0.0.1/24 dev psp0
	ip -n b addr add 10.0.0.2/24 dev psp1
	ip -n a link set psp0 up
	ip -n b link set psp1 up
	ip -n a netns set c 77
	ip -n a link add v0 type veth peer name v1
	ip -n a link set v1 netns c
	ID=$(pspctl -n a dev show psp0 | sed 's/:.*//;q')
}

dev_show() {
	good -n a dev
	says "^$ID: psp0$"
	says '^    versions    hdr0-aes-gcm-128 .* hdr0-aes-gmac-256$'
	says '^    enabled     none$'
	good -n a dev show "$ID"
	says "^$ID: psp0$"
	json -n a dev show psp0
	says "^\[\{\"id\":$ID,\"ifname\":\"psp0\",\"ifindex\":[0-9]+,"
	says '"psp-versions-ena":\[\]'
	good -n c dev
	[ ! -s "$tmp/out" ] || wrong "c has a device"
	json -n c dev
	says '^\[\]$'
}

dev_set() {
	good -n a dev set psp0 versions aes-gcm-128,aes-gmac-256
	good -n a dev show psp0
	says '^    enabled     hdr0-aes-gcm-128 hdr0-aes-gmac-256$'
	json -n a dev set "$ID" versions none
	says "^\[\{\"id\":$ID,\"ifname\":\"psp0\"\}\]$"
	good -n a dev show psp0
	says '^    enabled     none$'
	good -n a dev set psp0 versions all
	good -n b dev set psp1 versions all
}

dev_refuses() {
	refused 'dev show: No such PSP device' -n a dev show 99999
	refused 'dev show: No such PSP device' -j -n a dev show 99999
	refused 'dev set: No such PSP device' -n a dev set 99999 versions none
	refused 'dev show: PSP device is not in this namespace' \
		-n c dev show "$ID"
	refused 'lo: Interface has no PSP device' -n a dev show lo
	refused 'nowhere: No such device' -n a dev show nowhere
	refused 'namespace nowhere: No such file or directory' -n nowhere dev
}

# A container comes and goes
dev_assoc() {
	local v1

	v1=$(ip netns exec c cat /sys/class/net/v1/ifindex)
	refused 'dev assoc: No such network device (.ifindex)' \
		-n a dev assoc psp0 ifindex 99999
	refused 'dev assoc: No such namespace id (.nsid)' \
		-n a dev assoc psp0 ifindex 1 nsid 99
	refused 'dev disassoc: No such associated device (.ifindex)' \
		-n a dev disassoc psp0 ifname v0
	good -n a dev assoc psp0 ifindex "$v1" nsid 77
	refused 'dev assoc: Network device belongs to a PSP device already' \
		-n a dev assoc psp0 ifindex "$v1" nsid 77
	good -n a dev show psp0
	says "^    associated  ifindex $v1 nsid 77$"
	json -n a dev
	says "\"assoc-list\":\[\{\"ifindex\":$v1,\"nsid\":77\}\]"
	good -n c dev show v1
	says "^$ID: v1 \(of another namespace\)$"
	says "^    associated  ifindex $v1 ifname v1$"
	json -n c dev
	says '"by-association":true'
	refused 'key rotate: PSP device is not in this namespace' \
		-n c key rotate v1
	json -n c key rotate all
	says '^\[\]$'
	json -n a dev disassoc psp0 ifindex "$v1" nsid 77
	good -n c dev
	[ ! -s "$tmp/out" ] || wrong "c still has a device"
	good -n a dev assoc psp0 ifname v0
	good -n a dev show v0
	says "^$ID: psp0$"
	says '^    associated  ifindex [0-9]+ ifname v0$'
	good -n a dev assoc psp0 ifindex "$v1" nsid 77
	good -n a dev show v0
	says "^    associated  ifindex $v1 nsid 77$"
	good -n a stats show v0
	json -n a dev show v0
	says '"nsid":[0-9]+,"ifname":"v0"\}'
	good -n a dev disassoc v0 ifindex "$v1" nsid 77
	good -n a dev disassoc psp0 ifname v0
	refused 'v0: Interface has no PSP device' -n a dev show v0
}

# It takes 10 seconds more under valgrind: on one kernel
under=()
case $(uname -r) in
6.12.*)
	if command -v valgrind > /dev/null; then
		under=(valgrind -q --error-exitcode=99 --leak-check=full)
	fi
	;;
esac

# Valgrind has its say at the end
library_ends() {
	exec {input}>&-
	input=
	wait "$holder" || wrong "live ended with $?"
	cat "$tmp/live" >> "$all"
	[ ! -s "$tmp/live" ] || { cp "$tmp/live" "$tmp/err"; wrong "live"; }
}

# The reasons are the kernel's, and so is what it blames
library() {
	local answer

	coproc LIVE { exec "${under[@]}" "$PSP_TOOLS/tests/live" a 10.0.0.1 \
			   b 10.0.0.2 "$tmp/keys" 2> "$tmp/live"; }
	output=${LIVE[0]}
	input=${LIVE[1]}
	holder=$LIVE_PID
	read -r -t "$WAIT" answer <&"$output"
	[ "$answer" = ready ] || wrong "live said \"$answer\""
	live keys ok
	live ping ok
	live udp 'Not a TCP socket over IPv4 or IPv6 (.sock-fd)'
	live nowhere 'Socket has no route over a PSP device (missing .dev-id)'
	live spi 'Lower 31 bits of the SPI are 0 (.tx-key.key)'
	live length "Length of the key is not the version's (.tx-key.key)"
	live keys 'Device key has not been rotated since (.sock-fd)'
}

key_rotate() {
	good -n a key rotate psp0
	good -n b k r psp1
	live event 'event 4'
	good -n a stats show psp0
	says '^    device key  rotations 1 stale-sockets 0$'
	live keys ok
	json -n a key rotate all
	says "^\[\{\"id\":$ID,\"ifname\":\"psp0\"\}\]$"
	json -n b key rotate all
	live keys ok
	live ping ok
	refused 'key rotate: No such PSP device' -n a key rotate 99999
}

stats_show() {
	good -n a stats show
	says "^$ID: psp0$"
	says '^    rx          packets [1-9][0-9]* bytes [1-9][0-9]* auth-fail 0'
	says '^    tx keys     held [1-9] retired [0-9] deleted [0-9]+$'
	says '^    drops       none$'
	json -n a stats show psp0
	says '"tx-keys":[1-9],.*"drops":\{"plain-data":0,'
	good -n a -i 0.2 stats show psp0 count 2
	says "^[-0-9]+T.* $ID: psp0 rx 0 pkt/s .* dropped 0/s$"
	[ "$(wc -l < "$tmp/out")" = 2 ] || wrong "not two lines"
	json -n a stats show psp0 interval 0.2 count 1
	says '"rates":\{"key-rotations":0.000,'
	refused 'stats show: No such PSP device' -n a stats show 99999
}

assoc_show() {
	local cookie

	good -n a assoc show dev psp0
	says '^full +psp0 +hdr0-aes-gcm-256 +10.0.0.1:[0-9]+ +10.0.0.2:4433 +'
	says '^    rx       spi 0x[0-9a-f]{8} age [0-9]+s rotations 0 packets '
	says '^    tx       spi 0x[0-9a-f]{8} age [0-9]+s$'
	says '^    rekeys   rx 2 tx 2$'
	cookie=$(awk '$1 == "full" { print $6 }' "$tmp/out")
	json -n a assoc show
	says "\"cookie\":$cookie,\"local-addr\":\"10.0.0.1\",.*\"state\":\"full\""
	good -n a assoc show cookie "$cookie"
	says '^full '
	good -n a assoc show psp0 cookie 999999999
	! grep -q ^full "$tmp/out" || wrong "the cookie did not matter"
	json -n c assoc
	says '^\[\]$'
	# Kernel 6.1 does not pass on what we say of a list that does not begin
	! ctl -n a assoc show 99999 || wrong "there is no device 99999"
	grep -qxE 'pspctl: assoc show: No such (PSP )?device' "$tmp/err" ||
		wrong "assoc show 99999 was not told so"
}

# After a rekey there are two keys to receive with
assoc_rekeyed() {
	live rotate ok
	live keys ok
	live ping ok
	good -n a assoc show
	says '^    rx-prev  spi 0x[0-9a-f]{8} age [0-9]+s rotations 1 packets '
	says '^    rekeys   rx 3 tx 3$'
	json -n a assoc show
	says '"rx-prev":\{"spi":'
}

# What goes over its connection is seen, and so are devices that come and go
top_pipe() {
	local log=$tmp/top pid

	good -n a top psp0 count 1 interval 0.2
	says "^ *$ID psp0 +[1-9]"
	says '^full +psp0 +aes-gcm-256 +10.0.0.1:[0-9]+ +10.0.0.2:4433 +[0-9a-f]{8} '
	json -n a top count 1 interval 0.2
	says '"tcp-rx-bytes":[1-9][0-9]*,"tcp-tx-bytes":[1-9]'
	refused 'top: No such PSP device' -n a top 99999
	: > "$log"
	pspctl -j -n a top interval 0.2 > "$log" 2>&1 &
	pid=$!
	await "$log" '"devs":'
	live ping ok
	await "$log" '"rates":\{"tcp-rx-bytes":[1-9][.0-9]*,"tcp-tx-bytes":[1-9]'
	await "$log" "\"dev-id\":$ID,.*\"rates\":\{\"rx-packets\":[1-9]"
	ip -n a link add psp9 type psp_ref
	await "$log" '"ifname":"psp9"'
	ip -n a link del psp9
	await_gone "$log" psp9
	kill "$pid"
	wait "$pid"
	cat "$log" >> "$all"
}

# await_gone FILE WORD - the last line that is complete has it no more
await_gone() {
	local try

	for ((try = 0; try < WAIT; try++)); do
		[[ $(tail -n 2 "$1" | head -n 1) == *"$2"* ]] || return 0
		sleep 0.1
	done
	wrong "$2 stays"
}

# As with the kernel that is none, with one that is one
top_terminal() {
	PSPCTL=$(command -v pspctl) "${0%/*}/terminal.py" a > "$tmp/out" \
		2> "$tmp/err" || wrong "on a terminal"
}

needs_capability() {
	local pspctl

	pspctl=$(command -v pspctl)
	# shellcheck disable=SC2317 # called by refused
	pspctl() {
		setpriv --bounding-set=-net_admin "$pspctl" "$@"
	}
	refused 'key rotate: Operation not permitted' -n a key rotate psp0
	refused 'dev set: Operation not permitted' \
		-n a dev set psp0 versions none
	refused 'dev assoc: Operation not permitted' \
		-n a dev assoc psp0 ifname v0
	refused 'assoc show: Operation not permitted' -n a assoc show
	refused 'monitor: Operation not permitted' -n a monitor assoc
	good -n a dev show psp0
	says '^    enabled     hdr0'
	good -n a stats show psp0
	good -n a top count 1 interval 0.2
	says "^ *$ID psp0 "
	says '^no socket: Operation not permitted$'
	unset -f pspctl
}

# What it sees of devices, and of a rotation, through a pipe, line by line
monitor_pipe() {
	local log=$tmp/monitor pid

	: > "$log"
	pspctl -n a monitor mgmt use count 7 2>&1 | cat > "$log" &
	pid=$!
	await "$log" '^[-0-9]+T[0-9:.]+[-+0-9]+ start mgmt use$'
	good -n a key rotate psp0
	await "$log" " key-rotate $ID: psp0$"
	good -n a dev set psp0 versions none
	await "$log" " dev-change $ID: psp0 enabled none associated 0$"
	good -n a dev set psp0 versions all
	good -n a dev assoc psp0 ifname v0
	await "$log" " dev-change $ID: psp0 enabled hdr0-.* associated 1$"
	good -n a dev disassoc psp0 ifname v0
	ip -n a link add psp9 type psp_ref
	await "$log" ' dev-add [0-9]+: psp9 enabled none associated 0$'
	ip -n a link del psp9
	await "$log" ' dev-del [0-9]+: '
	await_end "$pid"
	cat "$log" >> "$all"
}

# Its own socket has not been rekeyed for two rotations
monitor_stale() {
	local log=$tmp/monitor pid

	: > "$log"
	pspctl -j -n a monitor > "$log" 2>&1 &
	pid=$!
	await "$log" '"event":"start","groups":\["mgmt","use","assoc"\]'
	live rotate ok
	live rotate ok
	await "$log" "\"event\":\"assoc-stale-ntf\",\"dev-id\":$ID,\"ifname\":\"psp0\",$(
		)\"cookie\":[0-9]+,\"spi\":[0-9]+\}$"
	kill "$pid"
	wait "$pid"
	cat "$log" >> "$all"
	cat "$log" >> "$tmp/json"
	good -n a assoc show
	says '^    rx +spi .* rotations [2-9] packets [0-9]+ stale$'
	good -n a stats show psp0
	says 'stale-sockets [1-9]'
}

# It may be that nothing happens any more
monitor_unread() {
	local pid

	(trap '' PIPE; exec pspctl -n a monitor) 2> "$tmp/err" |
		head -n 1 > "$tmp/out" &
	pid=$!
	await_end "$pid"
	says ' start mgmt use assoc$'
	[ ! -s "$tmp/err" ] || wrong "it complained"
}

terminal() {
	script -qec "pspctl -n a dev show" /dev/null > "$tmp/out" < /dev/null
	cat "$tmp/out" >> "$all"
	grep -q $'\033\[36mpsp0\033\[0m' "$tmp/out" || wrong "no colours"
	NO_COLOR=1 script -qec "pspctl -n a assoc show" /dev/null \
		> "$tmp/out" < /dev/null
	cat "$tmp/out" >> "$all"
	! grep -q $'\033' "$tmp/out" || wrong "colours"
	script -qec "pspctl -n a monitor count 1" /dev/null \
		> "$tmp/tty" < /dev/null &
	await "$tmp/tty" ' start mgmt use assoc'
	good -n a key rotate psp0
	await_end $!
	await "$tmp/tty" 'key-rotate'
	cat "$tmp/tty" >> "$all"
}

# Interfaces may be called what a terminal obeys, or what is no UTF-8
odd_names() {
	local name=$'p"\\\033[1m\xff\xc2\x9b'

	ip -n a link set psp0 down
	ip -n a link set psp0 name "$name"
	good -n a dev show "$name"
	says "^$ID: p\"\\\\\?\[1m\?\?\?\$"
	! grep -q $'\033\|\xc2\x9b' "$tmp/out" || wrong "it got through"
	json -n a dev show "$ID"
	says '"ifname":"p\\"\\\\\\u001b\[1m\\ufffd\\u009b"'
	ip -n a link set "$name" name psp0
	ip -n a link set psp0 up
}

is_json() {
	python3 -m json.tool --json-lines < "$tmp/json" > /dev/null \
		2> "$tmp/err" || wrong "it is not"
	[ "$(wc -l < "$tmp/json")" -gt 15 ] || wrong "hardly any"
	good -n a -p assoc show
	python3 -m json.tool < "$tmp/out" > /dev/null 2> "$tmp/err" ||
		wrong "with line breaks it is not"
}

# forms KEYS TEXT - says which form of which line of KEYS is in TEXT: the key,
# in hexadecimal, base64 and decimal, and its SPI
forms() {
	python3 - "$1" "$2" << 'END'
import base64
import re
import sys

text = open(sys.argv[2], encoding="latin-1").read()
dense = re.sub(r"\s", "", text)
hexes = re.sub(r"0x|[\s:,-]", "", text.lower())
for number, line in enumerate(open(sys.argv[1]), 1):
    key, spi = (bytes.fromhex(word) for word in line.split())
    tries = {"spi": (spi.hex() in hexes, str(int(spi.hex(), 16)) in text)}
    for name, val in ("key", key), ("reversed", key[::-1]):
        code = base64.b64encode(val).decode().rstrip("=")
        tries[name] = (val.hex() in hexes, code in dense,
                       code.replace("+", "-").replace("/", "_") in dense,
                       ",".join(map(str, val)) in dense,
                       " ".join(map(str, val)) in text,
                       val.decode("latin-1") in text)
    for name, found in tries.items():
        if any(found):
            print(name, "of line", number)
END
}

# The same search finds SPIs, which are shown, and keys where they are planted
no_key_was_shown() {
	[ "$(wc -l < "$tmp/keys")" -ge 4 ] || wrong "no keys to look for"
	forms "$tmp/keys" "$all" > "$tmp/out" 2> "$tmp/err" ||
		wrong "could not look"
	says '^spi of line '
	! grep -qvF 'spi of' "$tmp/out" || wrong "a key"
	echo '000102030405060708090a0b0c0d0e0f 80000011' > "$tmp/planted"
	planted '00:01:02:03 04050607 08,09,0A,0B 0c0d0e0f'
	planted 'AAECAwQFBgcICQoLDA0ODw=='
	planted '[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]'
	: > "$tmp/out"
}

planted() {
	echo "$1" > "$tmp/plant"
	forms "$tmp/planted" "$tmp/plant" > "$tmp/out" 2> "$tmp/err"
	says '^key of line 1$'
}

echo "TAP version 13"
setup
run dev_show
run dev_set
run dev_refuses
run dev_assoc
run library
run key_rotate
run stats_show
run assoc_show
run assoc_rekeyed
run top_pipe
run top_terminal
run needs_capability
run monitor_pipe
run monitor_stale
run monitor_unread
run terminal
run odd_names
run library_ends
run is_json
run no_key_was_shown
tap_end
