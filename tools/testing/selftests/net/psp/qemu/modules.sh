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

# Sockets of killed tests go in their own time, but soon.
# A socket that was closed without an abort may hold psp until TCP gives its
# peer up, as any orphan does: up to two minutes.
unload_modules() {
	local module try

	for module in psp_ref psp; do
		for try in {1..240}; do
			[ -e /sys/module/$module ] || break
			[ "$try" = 1 ] || sleep 0.5
			rmmod $module && break
		done
		[ ! -e /sys/module/$module ] || return 1
	done
}
