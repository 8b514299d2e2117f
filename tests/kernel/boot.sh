#!/usr/bin/env bash
# Boots a kernel with a real /dev/iommu in an emulator and runs a program there.
#
#   tests/kernel/boot.sh KERNEL SHARE COMMAND
#
# SHARE is a folder of the host, seen as /host by the guest, read and write.
# COMMAND is run by the guest's shell in /host, as root, with no limit on locked
# memory and 256 huge pages; the libraries of the programs in SHARE come along.
# Its output goes to SHARE/output, its exit status is this script's; 125 when the kernel did not
# come that far. BOOT_SECONDS (default 300) bounds the whole.
#
# BOOT_IOMMU=intel gives the machine an IOMMU and a device behind it to learn with (edu). It has
# none otherwise: before 6.19 the mock devices of the test command work only without.
set -eu

kernel=$1 share=$2 command=$3
limit=${BOOT_SECONDS:-300}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work"/root/{bin,proc,sys,dev,tmp,host}
cp "$(command -v busybox)" "$work/root/bin/busybox"
if ! file -L "$work/root/bin/busybox" 2>/dev/null | grep -q 'static' &&
	ldd "$work/root/bin/busybox" >/dev/null 2>&1; then
	echo "boot.sh: busybox is not a static program; install busybox-static" >&2
	exit 125
fi
cat >"$work/root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
mkdir -p /dev/shm && mount -t tmpfs shm /dev/shm
mount -t debugfs debug /sys/kernel/debug 2>/dev/null
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 host /host || poweroff -f
echo 256 >/proc/sys/vm/nr_hugepages
ulimit -l unlimited
cd /host
sh ./command >output 2>&1
echo $? >status
sync
poweroff -f
INIT
chmod +x "$work/root/init"
# What the dynamic programs in SHARE need, at the same paths.
find "$share" -maxdepth 1 -type f -perm -u+x -exec ldd {} \; 2>/dev/null |
	grep -oE '/[^ )]+\.so[^ )]*' | sort -u | while read -r lib; do
	mkdir -p "$work/root${lib%/*}"
	cp -L "$lib" "$work/root$lib"
done
(cd "$work/root" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/initrd.gz"
printf '%s\n' "$command" >"$share/command"
rm -f "$share/status" "$share/output"

# boot ACCELERATOR CPU: runs the machine until it powers off.
boot() {
	local devices="" options=""

	if [ "${BOOT_IOMMU:-}" = intel ]; then
		devices="-device intel-iommu -device edu"
		options="intel_iommu=on iommufd.allow_unsafe_interrupts=1"
	fi
	# Devices that go wait for a grace period: short ones, for there are many such devices.
	# A slow emulator fails the check of the timer.
	# shellcheck disable=SC2086
	timeout -k 5 "$limit" qemu-system-x86_64 -accel "$1" -cpu "$2" -smp 2 -m 4G \
		-machine q35 $devices -nic none \
		-nographic -no-reboot -kernel "$kernel" -initrd "$work/initrd.gz" \
		-append "console=ttyS0 panic=-1 loglevel=4 no_timer_check \
			rcupdate.rcu_expedited=1 $options" \
		-virtfs "local,path=$share,mount_tag=host,security_model=none" \
		</dev/null >"$work/console" 2>&1
}

# Pure emulation unless KVM is asked for: nested KVM often hangs with this kernel.
if [ "${BOOT_KVM:-no}" = yes ]; then
	boot kvm max || true
else
	boot tcg,thread=multi max || true
fi
if [ ! -e "$share/status" ]; then
	echo "boot.sh: the kernel did not run the command; the end of its console:" >&2
	tail -n 15 "$work/console" >&2
	exit 125
fi
exit "$(cat "$share/status")"
