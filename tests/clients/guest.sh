# For tests/clients/run: a Linux guest whose shell runs a script, from a kernel and busybox.
#
#   guest_needs         why there can be no guest, on standard output; empty: nothing is missing
#   guest_make NAME     makes $work/NAME.cpio.gz, whose /init runs the script on standard input
#                       with `drive` (edu_guest of every edu), $guest_programs and what busybox has
#   guest_with PROGRAM...   static ones of $work go into the guests made from now on
#   guest_args NAME     the arguments of QEMU that boot it, one a line

guest_programs="edu_guest bar_guest ram_guest"
guest_kernel=${KERNEL:-$top/../shared/kernel/bzImage-7.3}

guest_needs() {
	[ -r "$guest_kernel" ] ||
		echo "no kernel: KERNEL=FILE names one (7.3 or newer, with VFIO's noiommu mode)"
	command -v busybox >/dev/null || echo "no busybox (package busybox-static)"
	command -v cpio >/dev/null || echo "no cpio"
	for program in $guest_programs; do
		[ -x "$build/tests/$program" ] || echo "$build/tests/$program is not built"
	done
}

guest_with() {
	guest_extra=("${@/#/$work/}")
}
guest_extra=()

guest_make() {
	local root=$work/$1.root
	mkdir -p "$root"/{bin,proc,sys,dev,host}
	# shellcheck disable=SC2046,SC2059
	cp "$(command -v busybox)" $(printf "$build/tests/%s " $guest_programs) "${guest_extra[@]}" \
		"$root/bin"
	cat >"$root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t 9p -o trans=virtio,version=9p2000.L host /host 2>/dev/null
echo 1 >/sys/module/vfio/parameters/enable_unsafe_noiommu_mode
edus() { grep -l 0x11e8 /sys/bus/pci/devices/*/device 2>/dev/null; }
# As many lines `KIND N of 20` as there are kinds, for every edu.
drive() {
	for id in $(edus); do
		device=${id%/device} bdf=$(basename "${id%/device}")
		[ ! -e "$device/driver" ] || echo "$bdf" >"$device/driver/unbind"
		echo vfio-pci >"$device/driver_override"
		echo "$bdf" >/sys/bus/pci/drivers_probe
		edu_guest "$bdf" "/dev/vfio/noiommu-$(basename "$(readlink "$device/iommu_group")")"
	done
}
# await COMMAND...: until it succeeds, a minute at most.
await() {
	for i in $(seq 600); do
		"$@" && return
		usleep 100000
	done
	echo "gave up: $*"
}
INIT
	cat >>"$root/init"
	echo 'poweroff -f' >>"$root/init"
	chmod +x "$root/init"
	(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$work/$1.cpio.gz"
	rm -rf "$root"
}

guest_args() {
	printf '%s\n' -m 512M -nodefaults -display none -serial stdio -kernel "$guest_kernel" \
		-initrd "$work/$1.cpio.gz" -append "console=ttyS0 panic=-1 loglevel=3"
}
