# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The virtual machine, host side. Functions for ./run; testing.rst tells what
# runs where.
#
# The host's root is the guest's, read-only over 9p below a tmpfs overlay.
# What comes back comes through virtio-serial ports: the tests' KTAP on
# psp.ktap, the kernel log with its levels on psp.kmsg, and on psp.result one
# word, written last of all. A guest that dies or hangs never gets that far.

# A VM is named after its kernel, KERNEL or KERNEL/NUMBER, or KERNEL/pair-a (or
# -b) if it is one of two that talk to each other (vm_pair.sh), or KERNEL/counted
# (vm_clock.sh). It has a folder of that name in the log.

# The guest's memory, and how long it may take besides its suites (seconds).
VM_MEMORY=1536
VM_BOOT_TIME=180

# What it takes to mount the root; dependencies come along.
INITRAMFS_MODULES=(
	virtio_pci virtio_console virtio_rng 9pnet_virtio 9p overlay
)

# The kernel's own watchdogs count real time, which an emulated CPU on a busy
# host has little of: hence tsc=reliable and the stall timeout.
# Programs and libraries that lie elsewhere at each start would have to be
# translated each time: with norandmaps that takes less than half as long.
VM_CMDLINE=(
	console=ttyS0 rdinit=/init no_timer_check panic=-1 oops=panic panic_on_warn=1
	loglevel=5 log_buf_len=16M printk.devkmsg=on tsc=reliable
	rcupdate.rcu_cpu_stall_timeout=60 net.ifnames=0 norandmaps
)

# Print the file names of modules and all they need, in order of loading.
module_closure() {
	local dir=$1

	shift
	awk -v want="$*" '
		function visit(path,    n, i, need) {
			if (path in seen)
				return
			seen[path] = 1
			n = split(deps[path], need, " ")
			for (i = 1; i <= n; i++)
				visit(need[i])
			print path
		}
		function name_of(path) {
			sub(/.*\//, "", path)
			sub(/\.ko.*/, "", path)
			gsub(/-/, "_", path)
			return path
		}
		FILENAME ~ /builtin$/ { builtin[name_of($0)] = 1; next }
		{
			path = $1
			sub(/:$/, "", path)
			$1 = ""
			deps[path] = $0
			by_name[name_of(path)] = path
		}
		END {
			n = split(want, names, " ")
			for (i = 1; i <= n; i++) {
				if (names[i] in by_name)
					visit(by_name[names[i]])
				else if (!(names[i] in builtin))
					exit 1
			}
		}' "$dir/modules.dep" "$dir/modules.builtin"
}

vm_kernel() {
	echo "${1%%/*}"
}

# Print the table with the suites of a VM.
vm_table() {
	if is_pair "$1"; then
		echo "$QEMU/pairs"
	elif is_counted "$1"; then
		echo "$QEMU/counted"
	else
		echo "$QEMU/suites"
	fi
}

# initramfs KERNEL OUTPUT
initramfs() {
	local kernel=$1 out=$2 root modules file

	modules=$(kernel_dir "$kernel")/lib/modules/$(kernel_release "$kernel")
	root=$(mktemp -d "$LOG/initramfs.XXXXXX")
	mkdir -p "$root"/{bin,dev,proc,sys,modules,host,run}
	cp /bin/busybox "$root/bin/busybox"
	ln -s busybox "$root/bin/sh"
	cp "$QEMU/init" "$root/init"
	module_closure "$modules" "${INITRAMFS_MODULES[@]}" > "$root/order" ||
		die "kernel $kernel lacks one of: ${INITRAMFS_MODULES[*]}"
	while read -r file; do
		case $file in
		*.xz) xz -dc "$modules/$file" ;;
		*) cat "$modules/$file" ;;
		esac > "$root/modules/$(basename "${file%.xz}")"
	done < "$root/order"
	sed -i -e 's|.*/||' -e 's|\.xz$||' "$root/order"
	(cd "$root" && find . | busybox cpio -o -H newc) > "$out" \
		2> /dev/null
	rm -rf "$root"
}

# By how much time limits are multiplied.
vm_slow() {
	local slow=${PAIR_SLOW:-}

	[ -n "$slow" ] || slow=$(kernel_field "$(vm_kernel "$1")" slow)
	echo $((${PSP_SLOW:-1} * slow))
}

tty_size() {
	{ stty size 2> /dev/null || echo 24 80; } | sed 's/^0 0$/24 80/'
}

# A file of shell variables that tells the guest what to do.
vm_job() {
	local kernel mode=$2 suites=$3

	kernel=$(vm_kernel "$1")

	cat <<-EOT
	MODE=$mode
	SUITES=$suites
	PSP_SLOW=$(vm_slow "$1")
	PSP_SCALE=$(kernel_field "$kernel" scale)
	PSP_CAT_MB=${PSP_CAT_MB:-}
	QEMU_SRC=$QEMU
	PSP_SRC=$SELFTESTS
	PSP_OUT=$LOG/selftests
	PSP_TOOLS=$LOG/tools
	PSP_TREE=$TREE
	PSP_YNL=$(ynl_dir)
	PSP_DEBS=$LOG/packages
	PSP_KO=$LOG/$kernel/psp.ko
	PSP_REF_KO=$LOG/$kernel/psp_ref.ko
	MODULES=$(kernel_dir "$kernel")/lib/modules
	KERNEL_CONFIG=$(kernel_kdir "$kernel")/.config
	SUITE_TABLE=$(vm_table "$1")
	TTY_SIZE="$(tty_size)"
	TERM=${TERM:-linux}
	EOT
	pair_job "$1"
}

# Start QEMU: vm_qemu VM SECONDS [QEMU ARGUMENT...]. The caller's arguments
# say where chardev "main" goes.
#
# Emulation always works; a /dev/kvm that is there need not, inside another
# machine.
# The guest's page tables have four levels: with five, KASAN asks the CPU's
# features where its shadow is, and an interrupt while the kernel finds them out
# is a panic.
vm_qemu() {
	local kernel seconds=$2 dir=$LOG/$1 khz clock

	kernel=$(vm_kernel "$1")
	khz=$(clock_khz "$1")
	mapfile -t clock < <(clock_qemu "$1")
	shift 2
	timeout --foreground -k 5 "$seconds" qemu-system-x86_64 \
		-nodefaults -no-user-config -no-reboot -display none \
		"${clock[@]}" -cpu max,la57=off -m $VM_MEMORY \
		-kernel "$(kernel_dir "$kernel")/vmlinuz" \
		-initrd "$dir/initramfs" \
		-append "${VM_CMDLINE[*]} tsc_early_khz=$khz psp_vm.job=$dir/job" \
		-serial "file:$dir/console.log" \
		-fsdev "local,id=host,path=/,security_model=none,readonly=on,$(
			)multidevs=remap" \
		-device virtio-9p-pci,fsdev=host,mount_tag=host \
		-device virtio-rng-pci -device virtio-serial-pci \
		-chardev "file,id=kmsg,path=$dir/kmsg.log" \
		-device virtserialport,chardev=kmsg,name=psp.kmsg \
		-chardev "file,id=result,path=$dir/result" \
		-device virtserialport,chardev=result,name=psp.result "$@"
}

# The port through which a program in the guest writes to our stdout. Not
# chardev stdio: at the end of stdin it hangs up, and the guest waits.
VM_STDOUT=(
	-chardev "file,id=main,path=/dev/stdout"
	-device "virtserialport,chardev=main,name=psp.ktap"
)

vm_prepare() {
	mkdir -p "$LOG/$1"
	initramfs "$(vm_kernel "$1")" "$LOG/$1/initramfs"
	vm_job "$@" > "$LOG/$1/job"
	: > "$LOG/$1/console.log"
}

# Print the suites of a kernel, of those wanted or of all, with commas between:
# kernel_suites KERNEL WANTED [TABLE].
kernel_suites() {
	suite_names "${@:3}" | awk -v want=",$2," \
		-v without=",$(kernel_field "$1" without)," '
		!index(without, "," $1 ",") &&
		(want == ",," || index(want, "," $1 ","))' | paste -sd,
}

# How long the suites of a VM, with commas between, may take together.
suites_time() {
	table "$(vm_table "$1")" | awk -v want=",$2," '
		index(want, "," $1 ",") { sum += $2 }
		END { print sum + 0 }'
}

# How many VMs may run side by side. The tests wait more than half of their time, so
# a CPU has two of them; one with a slow kernel keeps it busy. No less than a pair.
vm_max() {
	local kernel max=${PSP_VMS:-$(($(nproc) * 2))}

	for kernel in "$@"; do
		[ "$(kernel_field "$kernel" slow)" = 1 ] || max=$((max / 2))
	done
	echo $((max > 2 ? max : 2))
}

# Print the names of a kernel's suites, of those wanted or of all, in lines that take
# about the same time: split_suites KERNEL WANTED LINES.
split_suites() {
	table "$QEMU/suites" | sort -k2,2nr -s |
		awk -v want=",$(kernel_suites "$1" "$2" suites)," -v lines="$3" '
		index(want, "," $1 ",") {
			least = 1
			for (i = 2; i <= lines; i++)
				if (sum[i] < sum[least])
					least = i
			sum[least] += $2
			list[least] = list[least] (sum[least] > $2 ? "," : "") $1
		}
		END {
			for (i = 1; i <= lines; i++)
				if (list[i])
					print list[i]
		}'
}

# vm_test VM SUITES - results go to $LOG/VM/results, one line each.
vm_test() {
	local vm=$1 suites=$2 dir=$LOG/$1 limit status=0 wire

	limit=$(((VM_BOOT_TIME + $(suites_time "$vm" "$suites")) *
		 $(vm_slow "$vm") * $(clock_stretch "$vm")))
	vm_prepare "$vm" test "$suites"
	mapfile -t wire < <(pair_qemu "$vm")
	{
		vm_qemu "$vm" "$limit" "${VM_STDOUT[@]}" "${wire[@]}" \
			< /dev/null 2> "$dir/qemu.log" || status=$?
		echo $status > "$dir/status"
	} | tee "$dir/ktap.log" |
		perl "$QEMU/report.pl" "$vm" "$dir/results"
	vm_verdict "$vm" "$limit" |
		perl "$QEMU/report.pl" "$vm" "$dir/results"
}

# What only the host can judge, as KTAP.
vm_verdict() {
	local limit=$2 dir=$LOG/$1 status

	status=$(cat "$dir/status")
	echo "#@ suite vm"
	echo "  1..3"
	verdict 1 ends [ "$status" = 0 ] <<-EOT
	$(case $status in
	  124 | 137) echo "it hung: killed after $limit seconds" ;;
	  *) echo "QEMU's exit status was $status" ;;
	  esac
	  cat "$dir/qemu.log"
	  tail -n 40 "$dir/console.log")
	EOT
	verdict 2 says_success [ "$(cat "$dir/result" 2>&1)" = success ] <<-EOT
	the guest's last word was "$(head -c 80 "$dir/result" 2>&1)"
	EOT
	verdict 3 log_is_clean perl "$QEMU/check-log.pl" "$dir/kmsg.log" \
		"$dir/console.log" < /dev/null
	echo "#@ end vm 0 0"
}

# verdict NUMBER NAME COMMAND... - stdin explains a failure.
verdict() {
	local number=$1 name=$2 out

	shift 2
	if out=$("$@" 2>&1); then
		echo "  ok $number $name"
	else
		{ echo "$out"; cat; } | sed -e '/^$/d' -e 's/^/  # /'
		echo "  not ok $number $name"
	fi
}

count_results() {
	cat "${@:2}" 2> /dev/null | grep -c "^$1 " || :
}

# Closing lines for people and CI; fails unless all was green.
vm_summary() {
	local vm file files=() passed failed skipped

	for vm in "$@"; do
		file=$LOG/$vm/results
		files+=("$file")
		passed=$(count_results ok "$file")
		failed=$(count_results failed "$file")
		skipped=$(count_results skipped "$file")
		echo
		echo "kernel $vm ($(kernel_release "$(vm_kernel "$vm")")):" \
		     "$passed passed, $failed failed, $skipped skipped;" \
		     "logs in $LOG/$vm"
		grep -h -E '^(failed|skipped) ' "$file" | sed 's/^/  /' || :
		# Whatever went wrong on the host: no verdict, not green
		grep -qE '^(ok|failed) vm\.says_success' "$file" ||
			echo "failed vm.no_verdict" >> "$file"
	done
	passed=$(count_results ok "${files[@]}")
	failed=$(count_results failed "${files[@]}")
	skipped=$(count_results skipped "${files[@]}")
	echo
	echo "$passed passed, $failed failed$(
		[ "$skipped" = 0 ] || echo ", $skipped skipped")"
	[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

# Green as in vm_test, for a run with one thing in it; problems to stderr.
vm_clean() {
	local dir=$LOG/$1

	vm_verdict "$@" | perl "$QEMU/report.pl" "$1" "$dir/results" \
		> "$dir/verdict"
	if grep -q '^failed ' "$dir/results"; then
		cat "$dir/verdict" >&2
		die "failed; logs in $dir"
	fi
}

vm_demo() {
	local kernel=$1 dir=$LOG/$1 status=0
	local limit=$(((VM_BOOT_TIME + 300) * $(vm_slow "$1")))

	vm_prepare "$kernel" demo ""
	[ ! -t 1 ] || echo DEMO_TTY=1 >> "$dir/job"
	{
		vm_qemu "$kernel" $limit "${VM_STDOUT[@]}" < /dev/null \
			2> "$dir/qemu.log" || status=$?
		echo $status > "$dir/status"
	} | cat
	vm_clean "$kernel" $limit
}

vm_shell() {
	local kernel=$1 dir=$LOG/$1 status=0 saved

	if [ ! -t 0 ]; then
		vm_script "$kernel"
		return
	fi
	vm_prepare "$kernel" shell ""
	saved=$(stty -g)
	vm_qemu "$kernel" 86400 -device virtconsole,chardev=main \
		-chardev stdio,id=main,signal=off || status=$?
	stty "$saved"
	if [ $status != 0 ] || [ "$(cat "$dir/result")" != success ]; then
		die "the machine died; logs in $dir"
	fi
}

# Commands from a pipe or a file run as a script, and its status is ours.
vm_script() {
	local kernel=$1 dir=$LOG/$1

	cat > "$dir/script"
	vm_prepare "$kernel" script ""
	echo "PSP_SCRIPT=$dir/script" >> "$dir/job"
	vm_qemu "$kernel" 3600 "${VM_STDOUT[@]}" < /dev/null \
		2> "$dir/qemu.log" | cat
	[ "$(cat "$dir/result")" = success ] ||
		die "the script failed, or the machine died; logs in $dir"
}
