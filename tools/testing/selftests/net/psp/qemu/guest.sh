#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Process 1 of the virtual machine: load the modules, do the job, look at
# what is left behind, and only then say "success".

set -u

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root LANG=C.UTF-8

# shellcheck source=/dev/null
. "$1"
export PSP_SRC PSP_OUT PSP_TOOLS PSP_TREE PSP_KO PSP_REF_KO PSP_SCALE PSP_SLOW TERM
export PSP_PAIR=${PSP_PAIR:-} PSP_KEYS PSP_YNL PSP_DEBS PSP_CAT_MB KERNEL_CONFIG
# shellcheck source=tools/testing/selftests/net/psp/qemu/modules.sh
. "$QEMU_SRC/modules.sh"

CGROUP=/sys/fs/cgroup/suite
KMEMLEAK=/sys/kernel/debug/kmemleak
LOCKDEP=/proc/lockdep_stats
failures=0

# Lines of the runner's own begin with #@, so a suite's cannot be mistaken:
# they are indented.
control() {
	echo "#@ $*" >&3
}

kmsg() {
	echo "<6>$*" > /dev/kmsg
}

mount_all() {
	mount -t proc proc /proc
	mount -t sysfs sys /sys
	mount -t tmpfs run /run
	mount -t debugfs debug /sys/kernel/debug
	mount -t tracefs trace /sys/kernel/tracing
	mount -t bpf bpf /sys/fs/bpf
	mount -t cgroup2 cgroup /sys/fs/cgroup
	mkdir -p /dev/pts /dev/shm /run/netns /lib/modules
	mount -t devpts -o ptmxmode=666 devpts /dev/pts
	mount -t tmpfs shm /dev/shm
	mount --bind "$MODULES" /lib/modules
	mkdir $CGROUP
	mkfifo /run/said
	[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd
}

# The device file of a virtio-serial port.
port() {
	local dir

	for dir in /sys/class/virtio-ports/*; do
		[ "$(cat "$dir/name")" != "$1" ] || echo "/dev/${dir##*/}"
	done
}

open_ports() {
	KMSG=$(port psp.kmsg)
	RESULT=$(port psp.result)
	PSP_KEYS=$(port psp.keys)
	[ "$MODE" = shell ] || exec 3> "$(port psp.ktap)"
}

# A suite of the runner's own with one result, which is also its status.
own_test() {
	local name=$1 out status=0

	shift
	control "suite $name"
	echo "  1..1" >&3
	if out=$("$@" 2>&1); then
		echo "  ok 1 done" >&3
	else
		printf '%s\n' "$out" | sed 's/^/  # /' >&3
		echo "  not ok 1 done" >&3
		failures=$((failures + 1))
		status=1
	fi
	control "end $name 0 0"
	return $status
}

# Run one suite. Processes it leaves are killed, so the next starts clean.
run_suite() {
	local name=$1 seconds=$2 command=$3 status=0 start=$SECONDS said

	control "suite $name"
	kmsg "psp-suite: $name"
	sed -u 's/^/  /' < /run/said >&3 &
	said=$!
	(
		echo $BASHPID > $CGROUP/cgroup.procs
		cd "$PSP_OUT" || exit 1
		exec timeout -k 5 "$seconds" bash -c "$command"
	) < /dev/null > /run/said 2>&1 3>&- &
	wait $! || status=$?
	echo 1 > $CGROUP/cgroup.kill
	wait $said
	ip -all netns delete
	case $status in
	0 | 4) ;;
	124 | 137)
		control "timeout $seconds"
		failures=$((failures + 1))
		;;
	*) failures=$((failures + 1)) ;;
	esac
	control "end $name $status $((SECONDS - start))"
}

run_suites() {
	local name seconds command

	while read -r name seconds command; do
		seconds=$((seconds * PSP_SLOW))
		case ,$SUITES, in
		*,"$name",*) ;;
		*) continue ;;
		esac
		case $command in
		"unused "*) own_test "unused_$name" psp_unused || continue ;;
		esac
		run_suite "$name" "$seconds" "${command#unused }"
	done < <(sed -e '/^[[:space:]]*\(#\|$\)/d' "$SUITE_TABLE")
}

# Where the kernel can look for leaks, it does; twice, as it wants time to be
# sure. It refuses when it has given up by itself, be it while we read.
leak_scan() {
	local leaks

	sleep 6
	echo scan > $KMEMLEAK || return 1
	sleep 6
	echo scan > $KMEMLEAK || return 1
	leaks=$(cat $KMEMLEAK) || return 1
	echo scan > $KMEMLEAK || return 1
	echo "$leaks"
	[ -z "$leaks" ]
}

# Lockdep turns itself off at its first report, or when a table of its own is
# full; what comes later it has not seen.
lockdep_is_on() {
	cat $LOCKDEP
	grep -qE '^ *debug_locks: +1$' $LOCKDEP
}

# All of the kernel's log in one go, with levels.
save_log() {
	kmsg "psp-end"
	dd if=/dev/kmsg of=/run/kmsg bs=8192 iflag=nonblock status=none \
		2> /dev/null
	cat /run/kmsg > "$KMSG"
}

check_log() {
	perl "$QEMU_SRC/check-log.pl" /run/kmsg
}

finish() {
	own_test unload unload_modules
	! kernel_has CONFIG_DEBUG_KMEMLEAK || own_test leaks leak_scan
	! kernel_has CONFIG_PROVE_LOCKING || own_test lockdep lockdep_is_on
	save_log
	own_test log check_log
	if [ "$failures" = 0 ]; then
		echo success > "$RESULT"
	else
		echo failure > "$RESULT"
	fi
}

job_test() {
	own_test load load_modules
	if [ "$failures" = 0 ]; then
		run_suites
	fi
	finish
}

# The demo's lines are all that the user sees; failures of the runner's own
# go to the console.
job_demo() {
	local status=0 demo=$PSP_OUT/demo

	export DEMO_TTY=${DEMO_TTY:-} LINES=${TTY_SIZE% *} COLUMNS=${TTY_SIZE#* }
	exec 4>&3 3> /dev/console
	[ -e "$demo" ] || demo=$PSP_SRC/demo.sh
	own_test load load_modules
	(cd "$PSP_OUT" && exec timeout $((240 * PSP_SLOW)) "$demo") \
		< /dev/null >&4 2>&1 || status=$?
	[ $status = 0 ] || failures=$((failures + 1))
	finish
}

shell_setup() {
	load_modules || echo "The modules are not loaded."
	cd "$PSP_TREE" || cd /
	export PATH=$PATH:$PSP_TOOLS:$PSP_OUT LD_LIBRARY_PATH=$PSP_TOOLS
}

job_shell() {
	shell_setup
	printf 'Modules are loaded; the tree is here: %s\n' "$PSP_TREE"
	printf 'Writing goes to memory. "exit" ends the machine.\n'
	# shellcheck disable=SC2016 # for the inner shell
	setsid -c bash -c 'stty rows "$1" cols "$2"
		PS1="psp-vm:\w# " exec bash --norc' \
		bash "${TTY_SIZE% *}" "${TTY_SIZE#* }" \
		< /dev/hvc0 > /dev/hvc0 2>&1
	echo success > "$RESULT"
}

# The shell where stdin is not a terminal: success is the script's.
job_script() {
	shell_setup >&3 2>&1
	bash < "$PSP_SCRIPT" >&3 2>&1 && echo success > "$RESULT"
}

mount_all
open_ports
dmesg -n 7
kmsg "psp-begin"
ip link set lo up
# No tunnel devices in each new namespace, where a kernel has them built in
[ ! -e /proc/sys/net/core/fb_tunnels_only_for_init_net ] ||
	echo 1 > /proc/sys/net/core/fb_tunnels_only_for_init_net
"job_$MODE"
sync
busybox poweroff -f
