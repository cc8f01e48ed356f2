# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The modules as they were built, in the virtual machine: for guest.sh, and for a
# suite that has to do without them for a while. $PSP_KO, $PSP_REF_KO are their
# files, $KERNEL_CONFIG is the kernel's configuration.

# What the kernel was built to look for has to be looked for.
kernel_has() {
	grep -qx "$1=y" "$KERNEL_CONFIG"
}

# The core's file, unless the kernel has mainline's core, and the driver's.
module_files() {
	kernel_has CONFIG_INET_PSP || echo "$PSP_KO"
	echo "$PSP_REF_KO"
}

load_modules() {
	local ko depends module

	# As udev does on a machine: what the CPU has instructions for
	modprobe -aq aesni_intel ghash_clmulni_intel
	for ko in $(module_files); do
		depends=$(modinfo -F depends "$ko") || return 1
		for module in ${depends//,/ }; do
			[ "$module" = psp ] || modprobe "$module" || return 1
		done
		insmod "$ko" || return 1
	done
}

# How long TCP may have an orphan (s): a socket that was closed without an abort
# stays until its peer is given up. Each that is under PSP holds psp.
ORPHAN=130

# What can be known of those who hold psp: an orphan has no process any more,
# and its namespace no name.
psp_holders() {
	echo "psp has $(cat /sys/module/psp/refcnt) users, its driver is one"
	echo "modules: $(ls /sys/module/psp/holders)"
	echo "TCP sockets, in all namespaces:$(
		sed -n 's/^TCP:.*\( orphan [0-9]*\).*/\1/p' /proc/net/sockstat)"
	echo "network namespaces with processes:"
	lsns -t net -o NS,NPROCS,PID,COMMAND
}

# Wait until nobody but the driver uses psp
psp_unused() {
	local try

	for ((try = 0; try < ORPHAN * 2; try++)); do
		[ -e /sys/module/psp ] || return 0
		[ "$(cat /sys/module/psp/refcnt)" -gt 1 ] || return 0
		sleep 0.5
	done
	psp_holders
	return 1
}

unload_modules() {
	local module try

	psp_unused || return 1
	for module in psp_ref psp; do
		for try in {1..20}; do
			[ -e /sys/module/$module ] || break
			[ "$try" = 1 ] || sleep 0.5
			rmmod $module && break
		done
		[ ! -e /sys/module/$module ] || return 1
	done
}
