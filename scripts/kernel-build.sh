# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Kernels that we build ourselves, from a source package of a newer Debian
# than the machine's. Source and objects stay in the cache, so that a new
# configuration or a new point release compiles only what it changes.
#
#	$CACHE/apt/              apt's lists for that Debian, beside the machine's
#	$CACHE/tree/<name>/      source/, build/, package, log

# Where the sources come from: that release of the machine's own archive.
SOURCE_RELEASE=trixie-backports
SOURCE_KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# Of a kernel source tree, what a small kernel for a virtual machine will not
# look at. Kconfig and make read their files of all folders.
SOURCE_UNUSED=(
	'Documentation/*.rst' 'arch/[!x]*/*.[chS]' 'arch/*.dts*'
	'drivers/net/ethernet/*.[ch]' 'drivers/net/wireless/*.[ch]'
	'rust/*.rs' 'samples/*.[ch]' 'sound/*.[ch]' 'tools/perf/*'
	'tools/testing/*'
)
for dir in accel clk crypto gpu hwmon iio infiniband/hw infiniband/sw \
	   infiniband/ulp media mfd misc pinctrl scsi staging usb; do
	SOURCE_UNUSED+=("drivers/$dir/*.[ch]")
done
unset dir

tree_dir() {
	echo "$CACHE/tree/$1"
}

# Run a command with lists of SOURCE_RELEASE instead of the machine's own.
with_source_release() {
	APT_CONFIG=$CACHE/apt/apt.conf "$@"
}

# Make an apt configuration of our own; the machine's stays as it is, and tells
# where its archive is.
setup_source_release() {
	local dir=$CACHE/apt uri

	# shellcheck disable=SC2016 # for apt to expand
	uri=$(apt-get indextargets --format '$(REPO_URI)' \
		"Created-By: Packages" "Origin: Debian" "Label: Debian" \
		"Component: main" | head -n 1)
	[ -n "$uri" ] || {
		say "the machine's apt knows no Debian archive"
		return 1
	}
	mkdir -p "$dir"/{lists,cache/archives}/partial
	echo "deb [signed-by=$SOURCE_KEYRING] $uri $SOURCE_RELEASE main" \
		> "$dir/sources.list"
	cat > "$dir/apt.conf" <<-EOC
	Dir::Etc::SourceList "$dir/sources.list";
	Dir::Etc::SourceParts "/dev/null";
	Dir::State::Lists "$dir/lists";
	Dir::Cache "$dir/cache";
	Acquire::Languages "none";
	EOC
	quietly with_source_release "${APT[@]}" update
}

# The newest package that is called PREFIX and a version; in SOURCE_RELEASE.
newest_package() {
	apt-cache pkgnames "$1" | grep -xE -- "$1[0-9.]+" | sort -V |
		tail -n 1 | grep .
}

# fetch_build NAME PREFIX CONFIG... - a kernel from the newest source package
# PREFIX<version>, configured by files of $QEMU and by what the tests list.
fetch_build() {
	local name=$1 prefix=$2 dir package

	shift 2
	dir=$(tree_dir "$name")
	need_packages kernel
	mkdir -p "$dir"
	with_lock source-release setup_source_release || return 1
	package=$(with_source_release newest_package "$prefix") || {
		say "no $prefix* in $SOURCE_RELEASE"
		return 1
	}
	with_source_release unpack_tree "$dir" "$package" || return 1
	build_config "$@" > "$dir/wanted"
	[ "$(cat "$(kernel_dir "$name")/id" 2> /dev/null)" != \
	  "$(build_id "$dir")" ] || return 0
	configure_tree "$dir"
	build_tree "$name" "$dir"
	install_tree "$name" "$dir"
}

# What a built kernel depends on.
build_id() {
	cat "$1/package"
	gcc -dumpfullversion
	sha256sum < "$1/wanted"
}

# Another kernel of the same source may have it unpacked: share the files by hard
# links. rsync replaces files and never writes to one, so that a tree that moves
# on leaves the other alone; it must not have done so meanwhile.
link_tree() {
	local dir=$1 id=$2 other

	for other in "$CACHE"/tree/*/; do
		[ "$(cat "${other}package" 2> /dev/null)" = "$id" ] || continue
		rm -f "$dir/package"
		mkdir -p "$dir/source"
		rsync -rlp --checksum --delete --link-dest="${other}source" \
			"${other}source/" "$dir/source/" &&
			[ "$(cat "${other}package" 2> /dev/null)" = "$id" ] &&
			echo "$id" > "$dir/package" && return 0
	done
	return 1
}

# In two steps, so that a file that is the same keeps its time.
unpack_tree() {
	local dir=$1 package=$2 id deb tmp

	id=$(deb_uris "$package" | awk '{ print $2 }')
	[ -n "$id" ] || return 1
	id="$id without $(echo "${SOURCE_UNUSED[@]}" | cksum)"
	[ "$(cat "$dir/package" 2> /dev/null)" != "$id" ] || return 0

	! link_tree "$dir" "$id" || return 0

	deb=$(fetch_debs "$package") || return 1
	say "unpacking $package"
	tmp=$(mktemp -d "$CACHE/tree/tmp.XXXXXX")
	dpkg-deb --fsys-tarfile "$deb" |
		tar -xO "./usr/src/$package.tar.xz" | xz -dc -T0 |
		tar -x -C "$tmp" --strip-components=1 --anchored --wildcards \
			"${SOURCE_UNUSED[@]/#/--exclude=$package/}" ||
		die "cannot unpack $package"
	rm -f "$dir/package"
	mkdir -p "$dir/source"
	rsync -rlp --checksum --delete "$tmp/" "$dir/source/" &&
		echo "$id" > "$dir/package"
	rm -rf "$tmp" "$deb"
}

# The options of the named files and of the tests, one a line. All is built in:
# fewer steps to boot, and modprobe is content with that. PSP is ours, unless a
# file asks for the kernel's.
build_config() {
	local file

	for file in "$@"; do
		table "$QEMU/$file"
	done
	table "$SELFTESTS/config" | sed -e 's/=m$/=y/' \
		-e '/^CONFIG_\(INET_PSP\|PSP_REF\)=/d'
	grep -qx 'CONFIG_INET_PSP=y' "${@/#/$QEMU/}" || echo "CONFIG_INET_PSP=n"
}

tree_make() {
	local dir=$1

	shift
	make -s -C "$dir/source" O="$dir/build" -j"$(nproc)" ARCH=x86_64 \
		KBUILD_BUILD_USER=psp KBUILD_BUILD_HOST=psp "$@"
}

# An option that Kconfig drops without a word would be a check that is not made.
configure_tree() {
	local dir=$1

	mkdir -p "$dir/build"
	quietly tree_make "$dir" KCONFIG_ALLCONFIG="$dir/wanted" allnoconfig ||
		die "cannot configure the kernel"
	awk -F= '
		FNR == NR { is[$1] = $0; next }
		/=n$/ { if ($1 in is) bad = bad "\n  " is[$1]; next }
		is[$1] != $0 { bad = bad "\n  " $1 " is not " $2 }
		END { if (bad) print bad; exit bad != "" }' \
		"$dir/build/.config" "$dir/wanted" >&2 ||
		die "Kconfig did not take these options"
}

build_tree() {
	local name=$1 dir=$2

	say "building kernel $name: some minutes the first time"
	tree_make "$dir" bzImage modules > "$dir/log" 2>&1 || {
		tail -n 30 "$dir/log" >&2
		die "kernel $name does not build; all of it is in $dir/log"
	}
}

install_tree() {
	local name=$1 dir=$2 tmp

	mkdir -p "$CACHE/kernel"
	tmp=$(mktemp -d "$CACHE/kernel/tmp.XXXXXX")
	arrange_tree "$dir" "$tmp" ||
		die "cannot gather what was built for kernel $name"
	replace_dir "$tmp" "$(kernel_dir "$name")"
}

# Give a built kernel the cache's layout.
arrange_tree() {
	local dir=$1 tmp=$2 release

	release=$(tree_make "$dir" kernelrelease) || return 1
	cp "$dir/build/arch/x86/boot/bzImage" "$tmp/vmlinuz" || return 1
	install_headers "$dir" "$tmp/headers" &&
		cp "$dir/build/.config" "$tmp/headers/" || return 1
	quietly tree_make "$dir" INSTALL_MOD_PATH="$tmp" modules_install ||
		return 1
	rm -f "$tmp/lib/modules/$release"/{build,source}
	build_id "$dir" > "$tmp/id" && chmod 755 "$tmp" &&
		echo "$release" > "$tmp/release"
}

# The kernel's own script knows what building a module takes.
install_headers() {
	local script=scripts/package/install-extmod-build

	quietly tree_make "$1" run-command \
		KBUILD_RUN_COMMAND="+\$(srctree)/$script $2"
}
