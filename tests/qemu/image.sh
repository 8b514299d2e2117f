#!/usr/bin/env bash
# Makes the initial file system of a small Linux guest.
#
#   tests/qemu/image.sh OUT MODULES
#
# OUT is written; MODULES is the folder lib/modules/VERSION of the guest's kernel, or empty
# for a kernel that has everything built in. The guest has busybox, fio, nvme-cli and
# mke2fs of this machine; it runs /job, which whoever boots it puts on top (a second
# archive behind the first is unpacked over it).
set -eu

out=$1 modules=${2:-}
here=$(dirname "$(readlink -f "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root

mkdir -p "$root"/{bin,usr/bin,proc,sys,dev,tmp,run,mnt,lib}
cp "$(command -v busybox)" "$root/bin/busybox"
cp "$here/init.sh" "$root/init"
chmod +x "$root/init"

# Programs with the libraries they need, at the same paths; plugins are not.
for program in fio nvme mke2fs e2fsck; do
	path=$(PATH=$PATH:/sbin:/usr/sbin command -v "$program") || {
		echo "image.sh: no program $program" >&2
		exit 1
	}
	cp -L "$path" "$root/usr/bin/$program"
	ldd "$path" | grep -oE '/[^ )]+\.so[^ )]*'
done | sort -u | while read -r lib; do
	mkdir -p "$root${lib%/*}"
	cp -Ln "$lib" "$root$lib"
done

if [ -n "$modules" ]; then
	version=$(basename "$modules")
	into=$root/lib/modules/$version
	mkdir -p "$into/kernel"
	# What nvme and ext4 may need; busybox's modprobe finds out which.
	(cd "$modules/kernel" && for part in drivers/nvme/common drivers/nvme/host/nvme.ko* \
		drivers/nvme/host/nvme-core.ko* block lib fs/ext4 fs/jbd2 fs/mbcache.ko* \
		crypto arch/x86/crypto drivers/misc/eeprom; do
		[ -e "$part" ] && find "$part" -name '*.ko*'
	done | cpio -pdm --quiet "$into/kernel")
	find "$into" -name '*.ko.xz' -exec unxz {} +
	busybox depmod -b "$root" "$version"
	cp "$modules"/modules.builtin "$modules"/modules.order "$into/" 2>/dev/null || true
fi
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$out"
