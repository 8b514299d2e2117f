#!/usr/bin/env bash
# A Linux guest under stock QEMU whose disk is `--device nvme`: make check-qemu. Its last
# part alone, the same reads from QEMU's own nvme in one guest: make bench-qemu
#
#   QEMU_JOBS="JOB..."     which boots: first again remove vfio_user speed
#   VFIO_USER_NVME=SOCKET  a vfio-user server of an NVMe disk of at least 64 MiB, such as
#                          SPDK's target, for the boot vfio_user; it loses what is on it
#
# The guest's kernel is Debian's (fetched once, not installed); KERNEL=vmlinuz and
# MODULES=lib/modules/VERSION name another. With a KVM that works a machine is fast, else
# it is emulated. Everything made is in BUILD/qemu.
TOP=$(cd "$(dirname "$0")/../.." && pwd)
export TOP
. "$TOP/tests/integration/tap.sh"
cd "$TOP" || exit 1
build=$(realpath "${BUILD:-build}")
work=$build/qemu
ioasis=$build/ioasis
limit=${BOOT_SECONDS:-600}
mkdir -p "$work"

for program in qemu-system-x86_64 busybox cpio fio nvme mke2fs; do
	PATH=$PATH:/sbin:/usr/sbin command -v $program >/dev/null ||
		skip_all "no $program; ./install-packages kernel qemu installs it"
done
qemu-system-x86_64 -object help | grep -q iommufd ||
	skip_all "$(qemu-system-x86_64 --version | head -1) has no iommufd; Debian 12 has one in bookworm-backports"
"$ioasis" exec -- true 2>"$work/exec.log" || skip_all "ioasis exec: $(head -1 "$work/exec.log")"

# ---- the guest -------------------------------------------------------------------

kernel=${KERNEL:-} modules=${MODULES:-}
if [ -z "$kernel" ]; then
	package=$(apt-cache depends linux-image-amd64 2>/dev/null | grep -oE 'linux-image-[0-9][^ ]*' | head -1)
	[ -n "$package" ] || skip_all "apt knows no linux-image-amd64; KERNEL= and MODULES= name a kernel"
	if [ ! -d "$work/$package" ]; then
		(cd "$work" && apt-get download "$package" >download.log 2>&1) &&
			dpkg -x "$work/$package"_*.deb "$work/$package.new" &&
			mv "$work/$package.new" "$work/$package"
		rm -f "$work/$package"_*.deb
		[ -d "$work/$package" ] || skip_all "$package cannot be fetched: $(tail -1 "$work/download.log")"
	fi
	kernel=$(echo "$work/$package"/boot/vmlinuz-*)
	modules=$(echo "$work/$package"/lib/modules/* "$work/$package"/usr/lib/modules/* | tr ' ' '\n' |
		while read -r folder; do [ -d "$folder" ] && echo "$folder"; done | head -1)
fi
[ -r "$kernel" ] || skip_all "no kernel at $kernel"
tests/qemu/image.sh "$work/image.gz" "$modules" 2>"$work/image.log" ||
	skip_all "the guest's image cannot be made: $(tail -1 "$work/image.log")"

# machine ACCEL JOB ARGUMENT...: boots once; the console is in console.JOB.
machine() {
	local accel=$1 job=$2 cpu=max
	shift 2
	# Without the word that a nested KVM may refuse.
	[ "$accel" = kvm ] && cpu=host,-arch-capabilities
	cat tests/qemu/jobs/lib.sh "tests/qemu/jobs/$job.sh" >"$work/job"
	(cd "$work" && echo job | cpio -o -H newc --quiet | gzip -1) >"$work/job.gz"
	cat "$work/image.gz" "$work/job.gz" >"$work/initrd.gz"
	rm -f "$work/console.$job"
	timeout -k 5 "$limit" "${launcher[@]}" qemu-system-x86_64 -accel "$accel" -cpu "$cpu" -smp 2 -m 1G \
		-machine q35 -nic none -display none -monitor none -no-reboot \
		-serial "file:$work/console.$job" -kernel "$kernel" -initrd "$work/initrd.gz" \
		-append "console=ttyS0 panic=-1 quiet no_timer_check nvme_core.io_timeout=5 nvme_core.admin_timeout=10" \
		"$@" </dev/null >"$work/qemu.$job" 2>&1
}

accel=tcg,thread=multi
if [ -w /dev/kvm ]; then
	launcher=()
	limit=${KVM_SECONDS:-20} machine kvm lib
	grep -q 'job ended' "$work/console.lib" && accel=kvm
fi
echo "# $(qemu-system-x86_64 --version | head -1), $accel, $(basename "$kernel")"

# What the guest said becomes checks of this test.
report() { # JOB
	local line
	tr -d '\r' <"$work/console.$1" | grep -E '^(ok |not ok |# )' | while read -r line; do
		echo "$line"
	done >"$work/result.$1"
	while read -r line; do
		case $line in
		'ok '*) ok "$1: ${line#ok }" ;;
		'not ok '*) not_ok "$1: ${line#not ok }" ;;
		*) echo "$line" ;;
		esac
	done <"$work/result.$1"
	if grep -q 'job ended' "$work/console.$1"; then
		ok "$1: the guest came to its end"
	else
		not_ok "$1: the guest came to its end"
		tail -n 15 "$work/console.$1" "$work/qemu.$1" | sed 's/^/# /'
	fi
}

wanted() { # JOB
	case " ${QEMU_JOBS:-first again remove vfio_user speed} " in *" $1 "*) return 0 ;; esac
	return 1
}

recorder=("$ioasis" record --lossless -o "$work/trace" --)
no_record=
rm -rf "$work/trace"
if ! command -v lttng-sessiond >/dev/null || ! "${recorder[@]}" true >"$work/record.log" 2>&1; then
	no_record="recording does not work here: $(head -1 "$work/record.log" 2>/dev/null)"
	recorder=()
fi

# guest JOB DEVICE ARGUMENT...: boots with this --device, and checks the trace of it.
guest() {
	local job=$1 device=$2
	shift 2
	wanted "$job" || return
	rm -rf "$work/trace"
	launcher=("${recorder[@]}" "$ioasis" exec --leak-check no --device "$device,addr=0000:00:1e.0" --)
	machine "$accel" "$job" -object iommufd,id=i -device vfio-pci,host=0000:00:1e.0,iommufd=i "$@"
	report "$job"
	if [ -n "$no_record" ]; then
		skip "$job: the trace passes check" "$no_record"
	else
		check "$job: the trace passes check" "$ioasis" check "$work/trace"
	fi
	rm -rf "$work/trace"
}

# ---- the tests ---------------------------------------------------------------------

# What first leaves is what again finds.
if wanted first; then
	rm -f "$work/disk"
	truncate -s 256M "$work/disk"
fi
[ -f "$work/disk" ] || truncate -s 256M "$work/disk"
guest first "nvme,file=$work/disk,serial=QEMUTEST"
guest again "nvme,file=$work/disk,serial=QEMUTEST"
guest remove "nvme,file=$work/disk,fault=remove@read:2000"

# A server that maps the guest's memory; the memory has a file for that.
shared=(-object "memory-backend-memfd,id=ram,size=1G,share=on" -machine memory-backend=ram)
if [ -n "${VFIO_USER_NVME:-}" ]; then
	guest vfio_user "vfio-user,socket=$VFIO_USER_NVME" "${shared[@]}"
elif wanted vfio_user; then
	skip "vfio_user: another program's disk" "VFIO_USER_NVME names no socket of a server"
fi

# ---- side by side with QEMU's own ------------------------------------------------------

wanted speed || done_testing
cp "$work/disk" "$work/disk.qemu"
launcher=("$ioasis" exec --leak-check no --device "nvme,file=$work/disk,addr=0000:00:1e.0" --)
machine "$accel" speed -object iommufd,id=i -device vfio-pci,host=0000:00:1e.0,iommufd=i \
	-drive "if=none,id=d,file=$work/disk.qemu,format=raw,cache=none" -device nvme,drive=d,serial=other
report speed
best() {
	grep "^# speed $1" "$work/result.speed" | awk '{ if ($4 > best) best = $4 } END { print best + 0 }'
}
ours=$(best IOASIS) theirs=$(best QEMU)
echo "# best of 3: ioasis $ours IOPS, QEMU's own nvme $theirs IOPS"
# ioasis is a process more to be scheduled, so what else runs decides on a busy machine.
if [ "$(awk '{ print int($1) }' /proc/loadavg)" -le 4 ] || [ -n "${QUIET:-}" ]; then
	check "as many reads a second as QEMU's own nvme" test "$ours" -ge "$theirs" -a "$theirs" -gt 0
else
	check "both disks are read" test "$ours" -gt 0 -a "$theirs" -gt 0
	skip "as many reads a second as QEMU's own nvme" "other programs run: load $(cut -d' ' -f1 /proc/loadavg); QUIET=1 compares"
fi
done_testing
