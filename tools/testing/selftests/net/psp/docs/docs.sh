#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# docs.sh [DOCUMENT...] - docs_run.py with a /usr and an /etc of its own, since
# documents install and configure, and other suites come later.

set -eu

mounts() {
	local dir

	mount -t tmpfs docs /run/docs
	mkdir /run/docs/modules
	mount --rbind /lib/modules /run/docs/modules
	for dir in usr etc; do
		mkdir /run/docs/{$dir,$dir.work}
		mount -t overlay -o "lowerdir=/$dir,upperdir=/run/docs/$dir,$(
			)workdir=/run/docs/$dir.work" docs /$dir
	done
	mount --rbind /run/docs/modules /lib/modules
}

if [ "${1:-}" = --mounted ]; then
	mounts
	exec "${0%/*}/docs_run.py" "${@:2}"
fi
mkdir -p /run/docs
exec unshare --mount "$0" --mounted "$@"
