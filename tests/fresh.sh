#!/usr/bin/env bash
# A machine where nothing was installed before: make check-fresh [TARGETS="demo check"]
#
# Makes a minimal Debian 12 in build/fresh (debootstrap, needs root), clones the
# project into an empty folder there and runs the targets, as a new user would.
# ../shared, if it lies beside the project, is bound in beside the clone.
set -eu
cd "$(dirname "$0")/.."
top=$PWD
root=${FRESH_ROOT:-$top/build/fresh}
targets=${TARGETS:-demo check}

if [ "$(id -u)" != 0 ]; then
	echo "fresh.sh: needs root: debootstrap makes device nodes and mounts" >&2
	exit 3
fi
[ "${FRESH_INSIDE:-}" ] || exec env FRESH_INSIDE=1 unshare -m --propagation private "$0" "$@"

if [ ! -e "$root/.ready" ]; then
	./install-packages fresh
	mirror=$(awk '$1 == "URIs:" { print $2; exit }
		$1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /^http/) { print $i; exit } }' \
		/etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null)
	mkdir -p "$root"
	debootstrap --variant=minbase --include=git,make,ca-certificates bookworm "$root" \
		"${mirror:-http://deb.debian.org/debian}" >"$top/build/debootstrap.log"
	touch "$root/.ready"
fi
# What the run writes goes to memory, so that the next one starts fresh again.
base=$root
scratch=$(mktemp -d)
mount -t tmpfs scratch "$scratch"
mkdir "$scratch/upper" "$scratch/work" "$scratch/root"
root=$scratch/root
mount -t overlay -o "lowerdir=$base,upperdir=$scratch/upper,workdir=$scratch/work" overlay "$root"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount -t tmpfs tmp "$root/tmp"
mkdir -p "$root/run/lock"
cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
for conf in /etc/apt/apt.conf.d/*proxy*; do
	[ -e "$conf" ] && cp "$conf" "$root/etc/apt/apt.conf.d/"
done
mkdir -p "$root/tmp/clone/ioasis" "$root/tmp/source"
mount --bind "$top" "$root/tmp/source"
if [ -d ../shared ]; then
	mkdir "$root/tmp/clone/shared"
	mount --bind ../shared "$root/tmp/clone/shared"
fi
# A root of its own, not chroot: a process in a chroot may make no user namespace.
cd "$root"
pivot_root . .
umount -l .
exec /bin/sh -ec "
	cd /
	export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
	git config --global --add safe.directory '*'
	git clone -q /tmp/source /tmp/clone/ioasis
	cd /tmp/clone/ioasis
	for target in $targets; do
		echo \"== make \$target\"
		make \$target
	done"
