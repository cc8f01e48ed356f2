# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Builds outside of the source tree, one folder per kernel, so that two
# kernels stand side by side and a second build does only what is new.

# Different trees share the cache but not what was built.
TREE_ID=$(echo "$TREE" | sha256sum | cut -c1-8)

# What goes into a kernel build; all else stays where it is.
MODULE_SOURCES=(Kbuild net drivers include samples compat-include scripts)
[ ! -d "$TREE/compat" ] || MODULE_SOURCES+=(compat)

# What a build makes: rsync neither copies nor deletes it.
BUILT=(
	'*.o' '*.ko' '*.mod' '*.mod.c' '.*.cmd' '.*.d' Module.symvers
	modules.order /compat-include/generated
)

module_dir() {
	echo "$CACHE/build/$1-$TREE_ID"
}

user_dir() {
	echo "$CACHE/build/user-$TREE_ID"
}

# Only contents count: a file that a tool touched is not built again.
sync_sources() {
	mkdir -p "$1"
	rsync -rlp --checksum --delete "${BUILT[@]/#/--exclude=}" \
		"${MODULE_SOURCES[@]/#/$TREE/}" "$1/"
}

# kbuild KERNEL DIR [ARGUMENT...]
kbuild() {
	local kernel=$1 dir=$2

	shift 2
	make -s -C "$(kernel_kdir "$kernel")" M="$dir" -j"$(nproc)" \
		CONFIG_DEBUG_INFO_BTF_MODULES= CONFIG_SAMPLE_PSP=m "$@" modules
}

# build_modules KERNEL DESTINATION - the .ko files go to DESTINATION, where a
# later build does not touch them.
build_modules() {
	with_lock "build-$1-$TREE_ID" build_modules_locked "$@"
}

build_modules_locked() {
	local kernel=$1 dest=$2 dir

	dir=$(module_dir "$kernel")
	say "building modules for $kernel"
	sync_sources "$dir"
	kbuild "$kernel" "$dir" >&2 || die "build for $kernel failed"
	mkdir -p "$dest"
	find "$dir" -name '*.ko' -exec cp -t "$dest" {} +
}

# build_user DESTINATION - the same for the tools and test programs.
build_user() {
	with_lock "build-user-$TREE_ID" build_user_locked "$@"
}

build_user_locked() {
	local dest=$1 dir

	dir=$(user_dir)
	say "building programs"
	mkdir -p "$dir/selftests" "$dir/tools"
	build_program tools/net/psp "$dir/tools" all live examples
	build_program tools/testing/selftests/net/psp "$dir/selftests"
	mkdir -p "$dest"
	cp -r "$dir/selftests" "$dir/tools" "$dest/"
}

# build_program FOLDER OUTPUT [TARGET...]
build_program() {
	[ -e "$TREE/$1/Makefile" ] || return 0
	make -s -C "$TREE/$1" -j"$(nproc)" KSRC="$KSRC" OUTPUT="$2" "${@:3}" >&2 ||
		die "$1 does not build"
}
