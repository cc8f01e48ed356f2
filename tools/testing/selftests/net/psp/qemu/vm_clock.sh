# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The clock of a virtual machine. KERNEL/counted has one of its own, which
# counts instructions: one CPU that takes a nanosecond for each, whatever the
# host does meanwhile. While the guest has nothing to do, it goes with the host's.
# It could be put forward to the next timer instead, which takes less time; but a
# guest that waits for the host, for a program from the disk, has nothing to do
# either, and its time-outs would run out.

is_counted() {
	[[ $1 == */counted ]]
}

# Print QEMU's arguments for the clock, one a line.
#
# One thread for all CPUs: with a thread for each, QEMU may run an instruction
# that the kernel has already patched (a stale int3 of a static key, and oops),
# and VMs side by side keep all CPUs busy anyway.
clock_qemu() {
	if is_counted "$1"; then
		printf '%s\n' -accel tcg,thread=single -smp 1 \
			-icount shift=0,sleep=on
	else
		printf '%s\n' -accel "${PSP_ACCEL:-tcg,thread=single}" -smp 2
	fi
}

# How many kHz the guest's TSC has. It is told: on a busy host it may take
# 52 MHz for the result of its own measurement, and time then flies.
clock_khz() {
	if is_counted "$1"; then
		echo 1000000
	else
		"$LOG/selftests/vm_tsc"
	fi
}

# By how much a second of the guest may be longer than one of the host.
clock_stretch() {
	if is_counted "$1"; then
		echo 4
	else
		echo 1
	fi
}
