#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kernel-tree.sh KSRC OUT - lay this tree over a kernel source tree, and build
# it in there as modules, with W=1. What make kernel-tree does.
#
# KSRC is only read. OUT/source is a copy of it made of symbolic links, but for
# the folders that something is added to; OUT/build is where it is built. Both
# stay: the next run builds only what is new.
#
# A kernel that has mainline's core keeps it and gets the driver only. What an
# older kernel lacks is served as outside of a kernel tree: compat-include/ and
# compat/ come along, and each of our folders looks there before it looks into
# the kernel's include/.
#
# modpost wants to know what the kernel exports, so a very small kernel is built
# first, which takes some minutes. SYMVERS in the environment, the Module.symvers of
# a kernel of that version, saves that.
#
# Warnings are errors here, wherever they come from.

set -euo pipefail

TREE=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)

die() {
	echo "kernel-tree: $*" >&2
	exit 1
}

[ $# = 2 ] || die "usage: $0 KSRC OUT"
KSRC=$(readlink -f "$1")
[ -e "$KSRC/net/ipv4/tcp.c" ] ||
	die "$1 is not a kernel source tree"
mkdir -p "$2"
OUT=$(readlink -f "$2")
SRC=$OUT/source

# What is laid over: the driver, and the core where the kernel has none.
PARTS=(
	drivers/net/ethernet/psp_ref
	Documentation/networking/device_drivers/ethernet/psp_ref.rst
)
CORE=(
	net/psp include/net/psp include/net/psp.h include/uapi/linux/psp.h
	Documentation/networking/psp.rst Documentation/networking/psp_rekey.rst
	Documentation/netlink/specs/psp.yaml tools/testing/selftests/net/psp
	samples/psp
)
FOLDERS=(drivers/net/ethernet/psp_ref)
[ -e "$KSRC/net/psp" ] || {
	PARTS+=("${CORE[@]}")
	FOLDERS+=(net/psp samples/psp)
}

# The options that the modules depend on, and they themselves.
CONFIG="
CONFIG_64BIT=y
CONFIG_DEBUG_FS=y
CONFIG_ENABLE_DEFAULT_TRACERS=y
CONFIG_ETHERNET=y
CONFIG_FTRACE=y
CONFIG_INET=y
CONFIG_IPV6=y
CONFIG_KUNIT=m
CONFIG_MODULES=y
CONFIG_MODULE_UNLOAD=y
CONFIG_NET=y
CONFIG_NETDEVICES=y
CONFIG_NETFILTER=y
CONFIG_NETFILTER_ADVANCED=y
CONFIG_NETFILTER_INGRESS=y
CONFIG_PSP_REF=m
CONFIG_PSP_REF_KUNIT_TEST=m
CONFIG_SMP=y
CONFIG_TLS=y
CONFIG_TLS_DEVICE=y
"

# Links to what another tree, or another state of it, had are of no use.
begin() {
	local id

	id="$KSRC $(stat -c %y "$KSRC/Makefile")"
	[ "$(cat "$OUT/id" 2> /dev/null)" != "$id" ] || return 0
	rm -rf "$SRC"
	mkdir "$SRC"
	link_all .
	echo "$id" > "$OUT/id"
}

link_all() {
	find "$KSRC/$1" -mindepth 1 -maxdepth 1 -exec ln -s -t "$SRC/$1" {} +
}

# A folder of the overlay becomes a real one, full of links, once those above are:
# what is written to a path with a link in it ends up in KSRC.
open_folder() {
	[ "$1" != . ] || return 0
	open_folder "$(dirname "$1")"
	[ -L "$SRC/$1" ] || [ ! -d "$SRC/$1" ] || return 0
	rm -f "$SRC/$1"
	mkdir "$SRC/$1"
	[ ! -d "$KSRC/$1" ] || link_all "$1"
}

# put FILE < TEXT - a file that is the same keeps its time.
put() {
	open_folder "$(dirname "$1")"
	cat > "$OUT/new"
	if [ -L "$SRC/$1" ] || ! cmp -s "$OUT/new" "$SRC/$1"; then
		rm -f "$SRC/$1"
		mv "$OUT/new" "$SRC/$1"
	fi
}

# hook FILE REGEX LINE - a line more in a file of the kernel, behind the first
# that matches; nothing to do where the kernel has it.
hook() {
	local file=$1 regex=$2 line=$3

	! grep -qF "${line##*[[:blank:]]}" "$KSRC/$file" || return 0
	grep -qE "$regex" "$KSRC/$file" || die "no place in $file for: $line"
	awk -v regex="$regex" -v line="$line" '
		{ print } !done && $0 ~ regex { print line; done = 1 }' \
		"$KSRC/$file" | put "$file"
}

# Ours are copies: links would lead make out of the tree.
lay_over() {
	local part

	for part in "${PARTS[@]}" compat-include compat; do
		open_folder "$(dirname "$part")"
		[ ! -L "$SRC/$part" ] || rm "$SRC/$part"
		rsync -rlp --checksum --delete --exclude /generated \
			--exclude /Makefile.compat --exclude '*.o' \
			"$TREE/$part$([ ! -d "$TREE/$part" ] || echo /)" \
			"$SRC/$part"
	done
}

# shellcheck disable=SC2016 # for make to expand
hook_in() {
	hook drivers/net/ethernet/Kconfig '^if ETHERNET$' \
		'source "drivers/net/ethernet/psp_ref/Kconfig"'
	hook drivers/net/ethernet/Makefile '^obj-' \
		'obj-$(CONFIG_PSP_REF) += psp_ref/'
	hook net/Kconfig '^source "net/mptcp/Kconfig"$' \
		'source "net/psp/Kconfig"'
	hook net/Makefile '^obj-\$\(CONFIG_MPTCP\)' \
		'obj-$(CONFIG_INET_PSP) += psp/'
	[ ! -e "$KSRC/net/psp" ] || return 0
	hook samples/Kconfig '^if SAMPLES$' 'source "samples/psp/Kconfig"'
	hook samples/Makefile '^obj-' 'obj-$(CONFIG_SAMPLE_PSP) += psp/'
}

has() {
	grep -q "define COMPAT_HAS_$1 " \
		"$SRC/compat-include/generated/compat-probes.h"
}

# A folder's Makefile gets the shims' include path: NOSTDINC_FLAGS come before the
# kernel's -I, and are for the folder alone.
# shellcheck disable=SC2016 # for make to expand
add_shims() {
	local folder

	"$TREE/scripts/compat-probe.sh" "$TREE/compat-include/probes" \
		"$SRC/compat-include/generated/compat-probes.h" "$SRC"
	{
		echo 'NOSTDINC_FLAGS += -I$(srctree)/compat-include'
		has GENL_INFO_DUMP || echo 'CONFIG_PSP_COMPAT_GENETLINK := y'
		has PSP_TX_KEY_RETIRE || echo 'CONFIG_PSP_COMPAT_RETIRE := y'
	} | put compat-include/Makefile.compat
	for folder in "${FOLDERS[@]}"; do
		sed '1a include $(srctree)/compat-include/Makefile.compat' \
			"$TREE/$folder/Makefile" | put "$folder/Makefile"
	done
}

kmake() {
	make -s -C "$SRC" O="$OUT/build" ARCH=x86_64 -j"$(nproc)" "$@"
}

configure() {
	local line

	{
		grep . <<< "$CONFIG"
		if [ -e "$KSRC/net/psp" ]; then
			echo "CONFIG_INET_PSP=y"
		else
			printf '%s\n' CONFIG_INET_PSP=m \
				CONFIG_PSP_KUNIT_TEST=m CONFIG_SAMPLES=y \
				CONFIG_SAMPLE_PSP=m
		fi
	} > "$OUT/wanted"
	mkdir -p "$OUT/build"
	kmake KCONFIG_ALLCONFIG="$OUT/wanted" allnoconfig > /dev/null
	while read -r line; do
		grep -qx "$line" "$OUT/build/.config" ||
			die "Kconfig did not take $line"
	done < "$OUT/wanted"
}

# Without the kernel itself at hand, modpost knows none of its symbols, and says so
# in some lines.
drop_unknown() {
	awk '
		/^WARNING: modpost: .* undefined!$/ { next }
		/^WARNING: modpost: suppressed .* unresolved symbol/ { next }
		/^WARNING: (vmlinux\.o|Symbol version dump)/ { skip = 1; next }
		skip && /^  / { next }
		{ skip = 0; print }'
}

# So look whether all that the modules want is in a list of what there is. KUnit has
# two symbols in the kernel itself, which may be one without KUnit.
check_symbols() {
	nm -u "$OUT"/build/{net/psp,drivers/net/ethernet/psp_ref,samples/psp}/*.ko \
		2> /dev/null | awk '
		BEGIN { known["kunit_hooks"] = known["kunit_running"] = 1 }
		FILENAME != "-" { known[$2] = 1; next }
		$1 == "U" && !($2 in known) { print "not exported: " $2 }' \
		"$SYMVERS" "$OUT/build/modules-only.symvers" -
}

build() {
	kmake modules_prepare > "$OUT/log" 2>&1 || return
	if [ -n "${SYMVERS:-}" ]; then
		kmake W=1 KBUILD_MODPOST_WARN=1 modules > "$OUT/log" 2>&1 ||
			return
		drop_unknown < "$OUT/log" > "$OUT/new"
		mv "$OUT/new" "$OUT/log"
		check_symbols >> "$OUT/log"
	else
		kmake vmlinux > "$OUT/log" 2>&1 &&
			kmake W=1 modules > "$OUT/log" 2>&1
	fi
}

begin
lay_over
hook_in
add_shims
configure
rm -f "$OUT"/build/{net/psp,drivers/net/ethernet/psp_ref,samples/psp}/*.ko
build || {
	cat "$OUT/log" >&2
	die "does not build"
}
! grep . "$OUT/log" >&2 || die "there were warnings"
for folder in "${FOLDERS[@]}"; do
	ls "$OUT/build/$folder"/*.ko
done
