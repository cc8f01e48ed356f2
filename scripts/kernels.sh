# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Kernels and kernel source, from packages into the cache. Nothing of them is
# installed. A folder of the cache appears by rename when it is complete, so
# an interrupted run leaves nothing half done behind.
#
#	$CACHE/kernel/<name>/     vmlinuz, headers/, lib/modules/, release
#	$CACHE/source/            a kernel source tree, for its tools and headers
#				  and for kernel-tree.sh
#
# Kernels of kind "build" come from kernel-build.sh.

SOURCE_PACKAGE=linux-source-6.12

# A cached kernel is compared with the archive's when it is this old (days).
KERNEL_AGE=1

kernel_names() {
	table "$QEMU/kernels" | awk '{ print $1 }'
}

kernel_row() {
	table "$QEMU/kernels" | awk -v name="$1" '
		$1 == name { print; found = 1 } END { exit !found }' ||
		die "${1:-(none)}: no such kernel; there are:" \
		    "$(kernel_names | xargs)"
}

# The kernels that run when none is named.
stock_kernels() {
	table "$QEMU/kernels" | awk '$2 == "debian" { print $1 }'
}

# kernel_field NAME slow|scale|without
kernel_field() {
	kernel_row "$1" | awk -v field="$2" '
		BEGIN { column["slow"] = 3; column["scale"] = 4
			column["without"] = 5 }
		{ print $column[field] }'
}

kernel_is_here() {
	[ -e "$(kernel_dir "$1")/release" ]
}

kernel_dir() {
	echo "$CACHE/kernel/$1"
}

# The kernel's build folder, what KDIR is for make.
kernel_kdir() {
	echo "$(kernel_dir "$1")/headers"
}

kernel_release() {
	cat "$(kernel_dir "$1")/release"
}

is_recent() {
	[ -n "$(find "$1" -maxdepth 0 -mtime -$KERNEL_AGE 2> /dev/null)" ]
}

# What the tree says about a kernel: its row and the files that the row names.
kernel_inputs() {
	local row file

	read -r -a row <<< "$(kernel_row "$1")"
	echo "${row[@]}"
	[ "${row[1]}" != build ] || build_config "${row[@]:6}" | sha256sum
}

# Nothing to ask the archive about: same inputs as last time, a short time ago.
kernel_is_checked() {
	local checked

	checked=$(kernel_dir "$1")/checked
	kernel_is_here "$1" && is_recent "$checked" &&
		[ "$(cat "$checked")" = "$(kernel_inputs "$1")" ]
}

# The packages of a kernel: what a metapackage depends on, else itself.
real_packages() {
	local package=$1 pattern=$2 found

	found=$(apt-cache depends --important "$package" 2> /dev/null |
		sed -n "s/^ *|\?Depends: \($pattern\)$/\1/p")
	echo "${found:-$package}"
}

# The file names and versions of exactly these packages in the archive.
deb_uris() {
	apt-get download --print-uris "$@" 2> /dev/null
}

# Fetch packages into $CACHE/deb; print the paths of the files.
fetch_debs() {
	local uris file size sum

	uris=$(deb_uris "$@") || return 1
	mkdir -p "$CACHE/deb"
	while read -r _ file size sum; do
		fetch_deb "$file" "$size" "$sum" "$@" || return 1
		echo "$CACHE/deb/$file"
	done <<< "$uris"
}

fetch_deb() {
	local file=$1 size=$2 sum=${3#*:} package=${1%%_*} tmp

	if [ -f "$CACHE/deb/$file" ]; then
		[ "$(stat -c %s "$CACHE/deb/$file")" != "$size" ] || return 0
		rm -f "$CACHE/deb/$file"
	fi
	say "fetching $package"
	tmp=$(mktemp -d "$CACHE/deb/tmp.XXXXXX")
	(cd "$tmp" && "${APT[@]}" download "$package") > "$tmp/log" 2>&1 || {
		cat "$tmp/log" >&2
		rm -rf "$tmp"
		return 1
	}
	mv "$tmp"/*.deb "$CACHE/deb/$file"
	rm -rf "$tmp"
	[ -z "$sum" ] || [ ${#sum} -ne 64 ] ||
		echo "$sum  $CACHE/deb/$file" | sha256sum --status -c -
}

# Names come from lists that the archive may have moved on from: try once more
# with new ones.
with_fresh_lists() {
	apt_fresh_lists || return 1
	"$@" || { apt_update && "$@"; }
}

fetch_kernel() {
	with_lock "kernel-$1" fetch_kernel_locked "$1"
}

fetch_kernel_locked() {
	local name=$1 row inputs

	! kernel_is_checked "$name" || return 0
	inputs=$(kernel_inputs "$name")
	read -r -a row <<< "$(kernel_row "$name")"
	with_fresh_lists "fetch_${row[1]}" "$name" "${row[@]:5}" || {
		kernel_is_here "$name" || die "cannot fetch kernel $name"
		[ "$(cat "$(kernel_dir "$name")/checked")" = "$inputs" ] ||
			die "the kernel $name that is here is not the one" \
			    "that the tree wants"
		say "going on with the kernel $name that is here"
	}
	echo "$inputs" > "$(kernel_dir "$name")/checked"
}

fetch_debian() {
	local name=$1 image headers

	image=$(real_packages "$2" 'linux-image-[0-9].*')
	headers=$(real_packages "$3" 'linux-headers-[0-9].*')
	[ "$(cat "$(kernel_dir "$name")/packages" 2> /dev/null)" != \
	  "$(debian_id "$image" "$headers")" ] || return 0

	unpack_debian "$name" "$image" "$headers"
}

debian_id() {
	deb_uris "$@" | awk '{ print $2 }'
}

unpack_debian() {
	local name=$1 image=$2 headers=$3 tmp debs deb

	# The headers come in three packages that include each other.
	mapfile -t debs < <(real_packages "$headers" \
		'linux-\(headers\|kbuild\)-.*' | xargs -n1)
	mapfile -t debs < <(fetch_debs "$image" "$headers" "${debs[@]}")
	[ ${#debs[@]} -ge 4 ] || return 1

	say "unpacking kernel $name"
	mkdir -p "$CACHE/kernel"
	tmp=$(mktemp -d "$CACHE/kernel/tmp.XXXXXX")
	for deb in "${debs[@]}"; do
		dpkg-deb -x "$deb" "$tmp/root" || return 1
	done
	debian_id "$image" "$headers" > "$tmp/packages"
	arrange_debian "$tmp" && replace_dir "$tmp" "$(kernel_dir "$name")" &&
		rm -f "${debs[@]}"
}

# Give an unpacked kernel the cache's layout, and paths of its own instead of
# those it would have when installed.
arrange_debian() {
	local tmp=$1 root=$1/root release

	release=$(basename "$(echo "$root"/boot/vmlinuz-*)")
	release=${release#vmlinuz-}
	mv "$root/boot/vmlinuz-$release" "$tmp/vmlinuz" || return 1
	if [ -d "$root/usr/lib/modules" ]; then
		mkdir -p "$root/lib"
		mv "$root/usr/lib/modules" "$root/lib/modules" || return 1
	fi
	rm -f "$root/lib/modules/$release"/{build,source}
	ln -s "root/usr/src/linux-headers-$release" "$tmp/headers"
	ln -s root/lib "$tmp/lib"
	chmod 755 "$tmp"
	# shellcheck disable=SC2016 # for make to expand
	sed -i 's|^include /usr/src/|include $(dir $(lastword $(MAKEFILE_LIST)))../|' \
		"$tmp/headers/Makefile" &&
		depmod -b "$root" "$release" &&
		echo "$release" > "$tmp/release"
}

# What interrupted runs left behind.
sweep_cache() {
	find "$CACHE" -maxdepth 2 \( -name 'tmp.*' -o -name 'old.*' \) \
		-mmin +240 -exec rm -rf {} +
}

# The old one goes away under a name that nobody looks up.
replace_dir() {
	local old

	if [ -e "$2" ]; then
		old=$(mktemp -d "$CACHE/old.XXXXXX")
		mv "$2" "$old/"
		mv "$1" "$2"
		rm -rf "$old"
	else
		mv "$1" "$2"
	fi
}

fetch_source() {
	KSRC=$CACHE/source
	with_lock source fetch_source_locked
}

# What no kernel for a virtual machine needs stays away: two thirds. But here
# documentation and tests are wanted, the YNL tool's schemas and the harness.
source_unused() {
	local pattern

	for pattern in "${SOURCE_UNUSED[@]}"; do
		case $pattern in
		Documentation/* | tools/testing/*) ;;
		*) echo "--exclude=$SOURCE_PACKAGE/$pattern" ;;
		esac
	done
}

fetch_source_locked() {
	local deb tmp unused

	[ ! -e "$KSRC/net/Kconfig" ] || return 0

	with_fresh_lists fetch_debs $SOURCE_PACKAGE > "$CACHE/.source" ||
		die "no $SOURCE_PACKAGE"
	deb=$(tail -n 1 "$CACHE/.source")
	say "unpacking $SOURCE_PACKAGE"
	tmp=$(mktemp -d "$CACHE/tmp.XXXXXX")
	mapfile -t unused < <(source_unused)
	dpkg-deb --fsys-tarfile "$deb" |
		tar -xO "./usr/src/$SOURCE_PACKAGE.tar.xz" | xz -dc -T0 |
		tar -x -C "$tmp" --strip-components=1 --anchored --wildcards \
			"${unused[@]}" ||
		die "cannot unpack $SOURCE_PACKAGE"
	chmod 755 "$tmp"
	replace_dir "$tmp" "$KSRC"
	rm -f "$deb" "$CACHE/.source"
}
