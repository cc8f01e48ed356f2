# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Mainline's netlink client and what it knows of the family "psp", for tests
# that are to see what a user of mainline sees: of the newest kernel source
# package that Debian has, these few files alone.
#
#	$CACHE/ynl/		the files, in their places of a kernel tree
#	$CACHE/ynl/package	where they are from
#	$CACHE/ynl/checked	when the archive was asked for a newer one

YNL_PREFIX=linux-source-
YNL_FILES=(
	tools/net/ynl/pyynl Documentation/netlink/genetlink.yaml
	Documentation/netlink/specs/nlctrl.yaml Documentation/netlink/specs/psp.yaml
)

ynl_dir() {
	echo "$CACHE/ynl"
}

fetch_ynl() {
	with_lock ynl fetch_ynl_locked
}

fetch_ynl_locked() {
	local dir

	dir=$(ynl_dir)
	! is_recent "$dir/checked" || return 0
	update_ynl "$dir" || {
		[ -e "$dir/package" ] || die "cannot fetch mainline's YNL client"
		say "going on with the YNL client that is here"
	}
	touch "$dir/checked"
}

update_ynl() {
	local dir=$1 package id tmp

	with_lock source-release setup_source_release || return 1
	package=$(with_source_release newest_package $YNL_PREFIX) || return 1
	id=$(with_source_release deb_uris "$package" | awk '{ print $2 }')
	[ -n "$id" ] || return 1
	[ "$(cat "$dir/package" 2> /dev/null)" != "$id" ] || return 0

	tmp=$(mktemp -d "$CACHE/tmp.XXXXXX")
	copy_ynl "$id" "$tmp" ||
		with_source_release unpack_ynl "$package" "$tmp" || return 1
	chmod 755 "$tmp"
	echo "$id" > "$tmp/package"
	replace_dir "$tmp" "$dir"
}

# A kernel of that source may have been built; its tree must not have moved on
# meanwhile.
copy_ynl() {
	local id=$1 dest=$2 tree

	for tree in "$CACHE"/tree/*/; do
		is_tree_of "$tree" "$id" &&
			(cd "${tree}source" &&
			 cp -r --parents -t "$dest" "${YNL_FILES[@]}") &&
			is_tree_of "$tree" "$id" && return 0
	done
	return 1
}

is_tree_of() {
	[[ $(cat "$1package" 2> /dev/null) == "$2 "* ]]
}

unpack_ynl() {
	local package=$1 dest=$2 deb

	deb=$(fetch_debs "$package") || return 1
	say "unpacking the YNL client of $package"
	dpkg-deb --fsys-tarfile "$deb" |
		tar -xO "./usr/src/$package.tar.xz" | xz -dc -T0 |
		tar -x -C "$dest" --strip-components=1 \
			"${YNL_FILES[@]/#/$package/}" || return 1
	rm -f "$deb"
}
