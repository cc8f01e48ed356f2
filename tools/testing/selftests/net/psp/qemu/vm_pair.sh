# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Two virtual machines joined by a network, host side: KERNEL/pair-a and
# KERNEL/pair-b, which may differ in their kernels. Each is a VM as any other and
# judged like one. What passes between them is captured, and judged as well.
#
# The network is a pair of Unix datagram sockets: neither machine has to be
# there first, and a frame that finds nobody is lost, as on Ethernet.

is_pair() {
	[[ $1 == */pair-[ab] ]]
}

# What a VM of a pair is told besides.
pair_job() {
	! is_pair "$1" || echo "PSP_PAIR=${1##*-}"
}

# Print QEMU's arguments for a VM's part of the network, one a line.
pair_qemu() {
	local side=${1##*-} other=a

	is_pair "$1" || return 0
	[ "$side" = b ] || other=b
	printf '%s\n' \
		-netdev "dgram,id=wire,local.type=unix,local.path=$PAIR_NET/$side,$(
			)remote.type=unix,remote.path=$PAIR_NET/$other" \
		-device "virtio-net-pci,netdev=wire,romfile=,$(
			)mac=52:54:00:70:73:0$side" \
		-chardev "file,id=keys,path=$LOG/$1/keys" \
		-device "virtserialport,chardev=keys,name=psp.keys"
	[ "$side" = b ] || printf '%s\n' \
		-object "filter-dump,id=dump,netdev=wire,$(
			)file=$LOG/$1/wire.pcap"
}

# pair_test KERNEL_A KERNEL_B SUITES - both VMs, then the capture.
pair_test() {
	local a=$1/pair-a b=$2/pair-b suites PAIR_SLOW

	# They wait for each other, so the slower one sets the pace of both
	# shellcheck disable=SC2034 # vm_slow() looks at it
	PAIR_SLOW=$(printf '%s\n' "$(kernel_field "$1" slow)" \
		"$(kernel_field "$2" slow)" | sort -n | tail -n 1)
	suites=$(kernel_suites "$1" "$3" pairs)
	PAIR_NET=$(mktemp -d)
	vm_test "$a" "$suites" < /dev/null &
	vm_test "$b" "$suites" < /dev/null &
	wait || :
	rm -rf "$PAIR_NET"
	{
		[[ ,$suites, != *,pair,* ]] ||
			pair_verdict "$LOG/$a" "$LOG/$b"
		[[ ,$suites, != *,pspcat_pair,* ]] || pspcat_verdict "$LOG/$a"
	} | perl "$QEMU/report.pl" "$a" "$LOG/$a/results"
}

# What pspcat says, which of it is encrypted, and which is there to be read.
PSPCAT_NET=10.1.0.
PSPCAT_CONTROL=10.2.0.

# The capture, as KTAP: once read by tcpdump, and once by a program with keys.
pair_verdict() {
	local dir=$1 peer=$2 status=0

	# Whose keys are known
	tcpdump -r "$dir/wire.pcap" -w "$dir/pair.pcap" \
		"not (net ${PSPCAT_NET}0/24 or net ${PSPCAT_CONTROL}0/24)" \
		2> "$dir/tcpdump.log" ||
		cp "$dir/wire.pcap" "$dir/pair.pcap"
	echo "#@ suite wire"
	echo "  1..2"
	verdict 1 tcpdump_reads_ipv4 pair_tcpdump "$dir/pair.pcap" ip \
		< /dev/null
	verdict 2 tcpdump_reads_ipv6 pair_tcpdump "$dir/pair.pcap" ip6 \
		< /dev/null
	# docs: $PSP_CACHE/build/user-*/selftests/pair_judge wire.pcap keys ../../6.12/pair-b/keys
	"$LOG/selftests/pair_judge" "$dir/pair.pcap" "$dir/keys" \
		"$peer/keys" > "$dir/judge.log" 2>&1 || status=$?
	sed 's/^/  /' "$dir/judge.log"
	echo "#@ end wire $status 0"
}

# A thousand packets of UDP to PSP's port, all of them whole. -v would find fault
# with a UDP checksum of 0 over IPv6, which is as it should be here.
pair_tcpdump() {
	local lines

	# docs: tcpdump -nr wire.pcap udp port 1000
	lines=$(tcpdump -nn -r "$1" "$2 and udp dst port 1000" 2>&1) || {
		tail -n 3 <<< "$lines"
		return 1
	}
	if grep -m 3 -iE 'truncated|\[\|' <<< "$lines"; then
		return 1
	fi
	lines=$(grep -cE '\.1000: .*UDP, length [0-9]+' <<< "$lines")
	echo "$lines packets"
	[ "$lines" -ge 1000 ]
}

# The same of pspcat's part of it, which is long: it is read once.
pspcat_verdict() {
	local counts=$1/pspcat.counts

	"$QEMU/wire-count.pl" "$1/wire.pcap" "$PSPCAT_NET" "$PSPCAT_CONTROL" \
		> "$counts" 2>&1 || :
	echo "#@ suite pspcat_wire"
	echo "  1..3"
	verdict 1 nothing_can_be_read pspcat_readable "$counts" \
		"$PSPCAT_NET" 0 0 < /dev/null
	verdict 2 control_can_be_read pspcat_readable "$counts" \
		"$PSPCAT_CONTROL" 10000 1000000 < /dev/null
	verdict 3 all_but_tls_is_psp pspcat_psp "$counts" < /dev/null
	echo "#@ end pspcat_wire 0 0"
}

# pspcat_counts COUNTS NETWORK - into packets, lines, psp, plain
pspcat_counts() {
	read -r packets lines psp plain < <(sed -n "s/^$2 //p" "$1")
	[ "${packets:-0}" -gt 0 ] || { cat "$1"; return 1; }
	echo "$packets packets, $lines lines, $psp of PSP, $plain of TCP with data"
}

# pspcat_readable COUNTS NETWORK MIN MAX - lines of eight digits
pspcat_readable() {
	local packets lines psp plain

	pspcat_counts "$1" "$2" || return
	[ "$lines" -ge "$3" ] && [ "$lines" -le "$4" ]
}

# A handshake and two keys come in plain, and no more than that.
pspcat_psp() {
	local packets lines psp plain

	pspcat_counts "$1" "$PSPCAT_NET" || return
	[ "$psp" -ge 1000 ] && [ "$plain" -ge 6 ] && [ "$plain" -le 60 ]
}
