# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Static checks. Each gate is a function that prints what it dislikes and
# fails if there was anything; check_all runs them side by side.

GATES=(
	checkpatch kernel_doc sizes version_tests leftovers spdx spelling shell
	perl python yaml netlink_spec mainline_spec judges tools man docs docs_make
	packages kernel_tree
)

# Sparse understands the headers of this one.
SPARSE_KERNEL=6.12

# Folders whose C files are the kernel's: what kernel-doc and size limits
# apply to, and version tests are not allowed in.
KERNEL_DIRS=(net drivers include samples)

check_all() {
	local gate gates passed=0 failed=0

	mapfile -t gates < <(kernels_to_check | sed 's/^/build:/')
	gates+=("${GATES[@]}")
	new_log_dir
	for gate in "${gates[@]}"; do
		while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
			wait -n || :
		done
		run_gate "$gate" > "$LOG/$gate.log" 2>&1 &
	done
	wait
	for gate in "${gates[@]}"; do
		if [ -e "$LOG/$gate.ok" ]; then
			passed=$((passed + 1))
			echo "ok $((passed + failed)) $gate"
		else
			failed=$((failed + 1))
			sed 's/^/# /' "$LOG/$gate.log"
			echo "not ok $((passed + failed)) $gate"
		fi
	done
	echo "$passed passed, $failed failed"
	[ $failed = 0 ] && [ $passed -gt 0 ]
}

# The stock kernels, and what else was built before.
kernels_to_check() {
	local kernel

	for kernel in $(kernel_names); do
		! kernel_is_here "$kernel" || echo "$kernel"
	done
}

# A gate is good only if it came to its end. After a colon comes an argument.
run_gate() {
	cd "$TREE" || return
	"gate_${1%%:*}" "${1#*:}" && : > "$LOG/$1.ok"
}

# Files of the tree, not what was built in it, that match one of the globs.
tree_files() {
	local git=(git -c safe.directory="$TREE" -C "$TREE")

	if [ -e "$TREE/.git" ] && "${git[@]}" rev-parse 2> /dev/null; then
		"${git[@]}" ls-files -co --exclude-standard -- "$@"
	else
		(cd "$TREE" && find . -type f | sed 's|^\./||' |
			grep -E "$(globs_to_regex "$@")")
	fi | sort -u | while read -r file; do
		[ ! -f "$TREE/$file" ] || echo "$file"
	done
}

globs_to_regex() {
	local glob regex=()

	for glob in "${@:-*}"; do
		glob=${glob//./\\.}
		regex+=("^${glob//\*/.*}\$")
	done
	(IFS='|'; echo "${regex[*]}")
}

kernel_files() {
	tree_files "${KERNEL_DIRS[@]/%//*.[ch]}"
}

# Good if nothing comes on stdin; what comes is shown.
nothing() {
	! grep .
}

# Lines that match in the files on stdin. Statuses of xargs say nothing here.
grep_files() {
	xargs -r grep -nE "$@" /dev/null || :
}

# Warnings are errors, so what is built has none and need not be built again.
gate_build() {
	local kernel=$1 args=(W=1e)

	[ "$kernel" != $SPARSE_KERNEL ] || args+=(C=2)
	with_lock "check-$kernel-$TREE_ID" build_check "$kernel" "${args[@]}"
}

# Sparse does not fail a build; lines that are not about our files are about
# the kernel's headers.
build_check() {
	local kernel=$1 dir out status=0

	shift
	dir=$(module_dir "check-$kernel")
	sync_sources "$dir"
	out=$(kbuild "$kernel" "$dir" "$@" 2>&1) || status=$?
	out=${out//"$dir/"/}
	[ $status = 0 ] || echo "$out"
	grep -E '^(net|drivers|include|samples|compat|compat-include)/.*: warning:' \
		<<< "$out" && status=1
	return $status
}

# In a kernel source tree, as modules; of the version whose symbols are here.
gate_kernel_tree() {
	with_lock "check-kernel-tree-$TREE_ID" env \
		SYMVERS="$(kernel_kdir "${SOURCE_PACKAGE##*-}")/Module.symvers" \
		scripts/kernel-tree.sh "$KSRC" \
		"$CACHE/build/kernel-tree-$TREE_ID"
}

# Two kinds of files are excused from rules that do not fit them: trace events
# have a layout of their own, and what the tests split are shell commands, not
# messages that somebody would grep for; and OpenSSL's names are what they are.
gate_checkpatch() {
	local status=0

	tree_files '*.[ch]' | grep -v -e '_trace\.h$' -e '^tools/' |
		checkpatch || status=1
	tree_files '*_trace.h' |
		checkpatch --ignore OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT ||
		status=1
	tree_files 'tools/*.[ch]' |
		checkpatch --ignore SPLIT_STRING,CAMELCASE || status=1
	return $status
}

# The first line is the SPDX tag, and that is as long as it is.
checkpatch() {
	{ xargs -r -n 8 -P "$(nproc)" perl "$KSRC/scripts/checkpatch.pl" \
		--terse --no-summary "$@" -f 2>&1 || :; } |
		sed '/:1: CHECK: line length/d' | nothing
}

gate_kernel_doc() {
	kernel_files | xargs -r perl "$KSRC/scripts/kernel-doc" -none -Wall \
		2>&1 | nothing
}

# No file over 700 lines, no function over 80.
gate_sizes() {
	tree_files '*.[ch]' | xargs -r scripts/sizes.pl
}

# Old kernels are known in compat-include/ only, and by what they have.
gate_version_tests() {
	{
		kernel_files |
			grep_files 'LINUX_VERSION|KERNEL_VERSION|COMPAT_'
		tree_files 'compat-include/*' 'compat/*' |
			grep_files 'LINUX_VERSION|KERNEL_VERSION'
	} | nothing
}

# The runner and its documentation name a directive of KTAP.
gate_leftovers() {
	tree_files | grep -v -e ^scripts/check.sh -e /qemu/ -e testing.rst |
		grep_files '\b(TODO|FIXME|XXX)\b' | nothing
}

gate_spdx() {
	local file bad=0

	while read -r file; do
		case $file in
		COPYING | MAINTAINERS | LICENSES/*) continue ;;
		README.md | */config | */settings) continue ;;
		debian/changelog | debian/copyright | debian/*/format) continue ;;
		esac
		head -n 3 "$file" | grep -q 'SPDX-License-Identifier: ' || {
			echo "$file: no SPDX line"
			bad=1
		}
	done < <(tree_files)
	return $bad
}

gate_spelling() {
	tree_files | grep -v ^LICENSES/ | xargs -r codespell
}

shell_files() {
	tree_files | xargs -r grep -lE \
		'^#!/bin/(ba)?sh|^# shellcheck shell=' /dev/null || :
}

gate_shell() {
	shell_files | xargs -r shellcheck -x
}

gate_perl() {
	tree_files '*.pl' | xargs -r -n1 perl -wc 2>&1 |
		sed '/syntax OK$/d' | nothing
}

gate_python() {
	tree_files '*.py' | xargs -r pyflakes3
}

gate_yaml() {
	tree_files '*.yaml' | xargs -r yamllint -s
}

# The kernel's own tool must load the spec and find it valid.
gate_netlink_spec() {
	PYTHONDONTWRITEBYTECODE=1 python3 - "$KSRC" \
		Documentation/netlink/specs/psp.yaml <<-'EOT'
	import sys

	ksrc, spec = sys.argv[1:]
	sys.path.append(ksrc + "/tools/net/ynl")
	from lib import SpecFamily

	family = SpecFamily(spec, ksrc + "/Documentation/netlink/genetlink.yaml")
	if not family.ops:
	    sys.exit(f"{spec}: no operations")
	EOT
}

# What is mainline's in it must be what mainline has.
gate_mainline_spec() {
	local spec=Documentation/netlink/specs/psp.yaml

	scripts/spec-diff.py "$spec" "$(ynl_dir)/$spec"
}

# Library and command line, with the tests of theirs that need no kernel, also
# under valgrind; once more with the compiler's own checks.
gate_tools() {
	with_lock "check-tools-$TREE_ID" tools_check
}

tools_check() {
	local dir

	dir=$CACHE/build/check-tools-$TREE_ID
	mkdir -p "$dir"/{plain,sanitize}
	make -s -C tools/net/psp OUTPUT="$dir/plain" CFLAGS="-O2 -Werror" \
		all live check valgrind 2>&1 &&
		make -s -C tools/net/psp OUTPUT="$dir/sanitize" SANITIZE=1 \
			all check 2>&1
}

gate_man() {
	tree_files 'tools/net/psp/man/*' |
		xargs -r mandoc -T lint -W warning | nothing
}

# Each block of a document is run, or excused; what it takes to run it is there.
gate_docs() {
	local docs=$SELFTESTS/docs where words command bad=0

	export PYTHONDONTWRITEBYTECODE=1
	"$docs/docs_check.py" || bad=1
	"$docs/docs_test.py" || bad=1
	host_command_test || bad=1
	while IFS=$'\t' read -r where words command; do
		host_command "$words" "$command" || {
			echo "$where: $command"
			bad=1
		}
	done < <("$docs/docs_check.py" --hosts)
	return $bad
}

# What host_command() must refuse.
host_command_test() {
	local command bad=0

	for command in "./run nonsense" "./run test --nonsense  # so" \
		       "PSP_SLOW=2 PSP_CAT_MB=10 ./run test --suite nonsense" \
		       "echo x | ./run shell --kernel nonsense" \
		       "cd . && PSP_SLOW=2 ./run shell --kernel nonsense < x"; do
		! host_command - "$command" > /dev/null || {
			echo "this is accepted: $command"
			bad=1
		}
	done
	return $bad
}

# host_command WHERE COMMAND - is a command that no virtual machine runs sound, and
# run where the document says? ./run looks at its own options.
host_command() {
	local run="${2%%  #*}" list

	case $1 in
	.ci/run)
		list=$(.ci/run --list)
		grep -qxF -- "${run%"${run##*[! ]}"}" <<< "$list" || {
			echo ".ci/run does not run this:"
			return 1
		}
		;;
	esac
	# What comes before it: a pipe, variables
	run=${run##*[|&] }
	while [[ $run =~ ^[A-Z_]+=[^\ ]*\ (.*) ]]; do
		run=${BASH_REMATCH[1]}
	done
	case $run in
	./run\ *) (
		# shellcheck disable=SC2086 # a verb and its options
		set -- ${run%%[<|#]*}
		case "$2 ${3:-}" in
		"help " | "clean --all") exit ;;
		esac
		declare -F "verb_$2" > /dev/null || die "no such verb"
		parse_options "${@:3}"
	) 2>&1 ;;
	esac
}

# The commands of documents that build and install, in a copy of the tree.
gate_docs_make() {
	with_lock "check-docs-$TREE_ID" docs_make
}

docs_make() {
	local dir=$CACHE/build/check-docs-$TREE_ID where words command
	local -x KDIR DESTDIR=$dir/dest

	KDIR=$(kernel_kdir $SPARSE_KERNEL)
	mkdir -p "$dir/tree"
	rm -rf "$dir/dest"
	tree_files > "$dir/files"
	rsync -rlp --checksum --files-from="$dir/files" "$TREE/" "$dir/tree/"
	# What the tree has no more; what was built there is left alone
	[ ! -e "$dir/files.last" ] ||
		(cd "$dir/tree" && comm -13 "$dir/files" "$dir/files.last" |
			xargs -r -d '\n' rm -f)
	mv "$dir/files" "$dir/files.last"
	while IFS=$'\t' read -r where words command; do
		[ "$words" = docs_make ] || continue
		(cd "$dir/tree" && eval "$command") > "$dir/out" 2>&1 || {
			echo "$where: $command"
			cat "$dir/out"
			return 1
		}
	done < <("$SELFTESTS/docs/docs_check.py" --hosts)
	ls "$dir/dest/usr/sbin/pspctl" "$dir"/dest/lib/modules/*/updates/net/psp
}

# The Debian packages are built, and lintian has nothing to say about them.
gate_packages() {
	build_debs && lint_debs
}

# What decides that a run was green must be able to say that it was not.
gate_judges() {
	"$QEMU/judges.sh"
}
