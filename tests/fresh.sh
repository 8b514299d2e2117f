#!/usr/bin/env bash
# A machine where nothing was installed before: make check-fresh [SUITE=bookworm|trixie|sid]
#
# Makes a minimal Debian in build/fresh-SUITE (debootstrap, needs root), clones the project into
# an empty folder there and runs TARGETS ("demo check") as a new user would: as root, and then
# again as an ordinary user (FRESH_AS="root user"). Target `ci` is what continuous integration runs.
# Each is to leave nothing behind: no process, mount, file in /tmp, /run/lttng, /dev/shm or the home.
# ../shared, if it lies beside the project, is bound in beside the clone.
#
# make check-packages [SUITE=...]: builds the Debian packages in such a machine, installs them in
# another one without compilers, runs their main job there, purges them, and looks what is left.
#
# make check-autopkgtest [SUITE=...]: builds source and binary packages in such a machine; in another
# one Debian's autopkgtest installs them and runs the tests that they bring.
#
# make check-arm64 [SUITE=...]: builds for another architecture in such a machine, and runs the unit
# tests there in an emulator of its processor. CROSS=arm64 names it.
set -eu
cd "$(dirname "$0")/.."
top=$PWD
suite=${SUITE:-bookworm}
base=${FRESH_ROOT:-$top/build/fresh-$suite}
targets=${TARGETS:-demo check}
mode=${1:-check}

if [ "$(id -u)" != 0 ]; then
	echo "fresh.sh: needs root: debootstrap makes device nodes and mounts" >&2
	exit 3
fi

make_base() {
	./install-packages fresh
	mirror=$(awk '$1 == "URIs:" { print $2; exit }
		$1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /^http/) { print $i; exit } }' \
		/etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null) || true
	mkdir -p "$base"
	debootstrap --variant=minbase --include=git,make,ca-certificates "$suite" "$base" \
		"${mirror:-http://deb.debian.org/debian}" >"$top/build/debootstrap.log"
	# A mirror may be a snapshot, whose lists are older than apt likes.
	echo 'Acquire::Check-Valid-Until "false";' >"$base/etc/apt/apt.conf.d/90snapshot"
	useradd -R "$base" -m tester
	touch "$base/.ready"
}

# inside SCRIPT: runs it (sh) as root in a copy of the base whose changes go to memory, so that the
# next one starts fresh again. Its /out is kept: $out.
inside() {
	FRESH_SCRIPT=$1 base=$base top=$top out=$out scratch=$scratch unshare -m --propagation private \
		bash -euc '
	mount -t tmpfs scratch "$scratch"
	mkdir "$scratch/upper" "$scratch/work" "$scratch/root"
	root=$scratch/root
	mount -t overlay -o "lowerdir=$base,upperdir=$scratch/upper,workdir=$scratch/work" \
		overlay "$root"
	mount --rbind /dev "$root/dev"
	mount -t proc proc "$root/proc"
	mount --rbind /sys "$root/sys"
	mount -t tmpfs -o mode=1777 tmp "$root/tmp"
	mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
	# Some machines give /dev/fuse to root alone; Debian gives it to everybody.
	if [ -c /dev/fuse ]; then
		mknod -m 666 "$root/run/fuse" c 10 229
		mount --bind "$root/run/fuse" "$root/dev/fuse"
	fi
	mkdir -p "$root/run/lock" "$root/out" "$root/source"
	cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
	for conf in /etc/apt/apt.conf.d/*proxy*; do
		[ -e "$conf" ] && cp "$conf" "$root/etc/apt/apt.conf.d/"
	done
	mount --bind "$out" "$root/out"
	git clone -q --bare "$top" "$root/source/ioasis.git"
	for home in "$root/root" "$root/home/tester"; do
		mkdir -p "$home/clone"
		if [ -d "$top/../shared" ]; then
			mkdir "$home/clone/shared"
			mount --bind "$top/../shared" "$home/clone/shared"
		fi
	done
	chroot "$root" chown tester: /home/tester/clone
	# A root of its own, not chroot: a process in a chroot may make no user namespace.
	cd "$root"
	pivot_root . .
	umount -l .
	cd /
	export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
	git config --system --add safe.directory "*"
	exec /bin/sh -euc "$FRESH_SCRIPT"'
}

mkdir -p "$top/build"
[ -e "$base/.ready" ] || make_base
out=$(mktemp -d)
scratch=$(mktemp -d)
chmod 755 "$out"
trap 'rm -rf "$out"; rmdir "$scratch"' EXIT

if [ "$mode" = check ]; then
	# What is there now, apart from who asks: the machine is told by its own /source.
	cat >"$out/there" <<-'END'
		# Packages make .ssh and /tmp/.X11-unix with its like; LTTng's library keeps lttng-ust-wait-N for every later program of the user.
		find /tmp /dev/shm /run/lttng "$HOME" -mindepth 1 -path "$HOME/clone" -prune -o -print 2>/dev/null |
			grep -v -e '^/dev/shm/lttng-ust-wait-' -e "^$HOME/.ssh" \
				-e '^/tmp/\.[A-Za-z0-9]*-unix$' | sed 's/^/file /'
		sed 's/^[0-9]* [0-9]* [^ ]* /mount /; s/ .* - / /' /proc/self/mountinfo
		machine=$(stat -c %d:%i /source/ioasis.git)
		for process in /proc/[0-9]*; do
			[ "$(stat -c %d:%i "$process/root/source/ioasis.git" 2>/dev/null)" = "$machine" ] &&
				echo "process $(tr '\0' ' ' <"$process/cmdline" 2>/dev/null | cut -c1-100)"
		done | grep -vE '^process ?$|^process (sh|/bin/sh|setpriv) ' | grep -v /out/there
	END
	steps="
	cd ~/clone
	git clone -q /source/ioasis.git
	cd ioasis
	for target in $targets; do
		echo \"== make \$target, as \$(id -un)\"
		sh /out/there | sort >~/clone/before
		began=\$(date +%s)
		case \$target in
		ci) CI=true bash .ci/run </dev/null ;;
		*) make \$target ;;
		esac
		echo \"== \$target took \$((\$(date +%s) - began)) s\"
		sh /out/there | sort >~/clone/after
		if diff ~/clone/before ~/clone/after | grep \"^>\"; then
			echo \"== \$target left that behind\"
			exit 1
		fi
	done"
	script=
	for who in ${FRESH_AS:-root user}; do
		case $who in
		root) script="$script
			( $steps )" ;;
		user) script="$script
			[ -x ~/clone/ioasis/build/ioasis ] || { cd ~/clone; git clone -q /source/ioasis.git
				cd ioasis; ./install-packages build run test; }
			setpriv --reuid=tester --regid=tester --init-groups env HOME=/home/tester \\
				USER=tester sh -euc '$steps'" ;;
		esac
	done
	inside "$script"
	exit
fi

if [ "$mode" = autopkgtest ]; then
	inside '
	git clone -q /source/ioasis.git ~/clone/ioasis
	cd ~/clone/ioasis
	echo "== make deb, with a source package"
	make deb DEB_BUILD_FLAGS=-F
	cp build/deb/* /out'
	inside '
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -q >/dev/null
	apt-get install -y -q --no-install-recommends autopkgtest >/tmp/log 2>&1 || { tail /tmp/log; exit 1; }
	echo "== autopkgtest"
	# The tests want a machine of their own, which this is but for its kernel.
	autopkgtest --ignore-restrictions=isolation-machine /out/*.changes -- null >/tmp/log 2>&1 || status=$?
	sed -n "/summary/,\$p" /tmp/log
	[ "${status:-0}" = 0 ] || tail -n 60 /tmp/log
	exit "${status:-0}"'
	exit
fi

if [ "$mode" = cross ]; then
	inside "
	cross=${CROSS:-arm64}"'
	git clone -q /source/ioasis.git ~/clone/ioasis
	cd ~/clone/ioasis
	export DEBIAN_FRONTEND=noninteractive
	install() {
		apt-get install -y -q --no-install-recommends "$@" >/tmp/log 2>&1 || { tail /tmp/log; exit 1; }
	}
	dpkg --add-architecture "$cross"
	apt-get update -q >/dev/null
	echo "== libraries and compilers for $cross"
	install build-essential pkgconf qemu-user "crossbuild-essential-$cross"
	# The libraries are of that architecture, the rest of packages.txt is of this machine.
	libraries=$(awk "!/^#/ && (\$2 == \"build\" && /^lib.*-dev/ || \$1 == \"libcmocka-dev\") { print \$1 }" packages.txt)
	install $(for library in $libraries; do echo "$library:$cross"; done)
	install $(awk "!/^#/ && \$2 == \"build\" && !/^lib.*-dev/ { print \$1 }" packages.txt)
	triplet=$(dpkg-architecture -a "$cross" -qDEB_HOST_GNU_TYPE 2>/dev/null)
	cpu=$(dpkg-architecture -a "$cross" -qDEB_HOST_GNU_CPU 2>/dev/null)
	tools="CC=$triplet-gcc CXX=$triplet-g++ AR=$triplet-ar"
	export PKG_CONFIG_LIBDIR="/usr/lib/$triplet/pkgconfig:/usr/share/pkgconfig"
	echo "== make all and the unit tests with $triplet-gcc"
	make -j"$(nproc)" $tools WERROR=1 all unit-tests
	echo "== the unit tests in qemu-$cpu"
	make $tools WERROR=1 RUNNER="qemu-$cpu" check-units'
	exit
fi

inside '
	git clone -q /source/ioasis.git ~/clone/ioasis
	cd ~/clone/ioasis
	echo "== make deb"
	make deb
	cp build/deb/*.deb packaging/debian/tests/main-job /out'
inside '
	echo "== the packages on a machine without compilers"
	files() { find / -xdev \( -path /proc -o -path /tmp -o -path /out -o -path /var/lib/apt \
		-o -path /var/cache -o -path /var/log -o -path /root \) -prune -o -print | sort; }
	rm -f /out/*-dev_*.deb /out/*dbgsym*
	apt-get update -q >/dev/null
	names=$(dpkg-deb -f /out/ioasis_*.deb Depends Recommends | sed "s/^[A-Z][a-z]*://; s/([^)]*)//g; s/[|,]/ /g; s/|//g")
	export DEBIAN_FRONTEND=noninteractive
	apt-get install -y -q --no-install-recommends $(echo $names | tr " " "\n" | grep -v "^libioasis" | sort -u) >/tmp/log 2>&1 ||
		{ tail /tmp/log; exit 1; }
	files >/tmp/before
	apt-get install -y -q /out/*.deb >/tmp/log 2>&1 || { tail /tmp/log; exit 1; }
	! command -v cc
	setpriv --reuid=tester --regid=tester --init-groups env HOME=/home/tester sh /out/main-job
	apt-get purge -y -q ioasis libioasis-backend2 >/tmp/log 2>&1
	files >/tmp/after
	if ! diff /tmp/before /tmp/after; then
		echo "purged, but this differs"
		exit 1
	fi
	echo "installed, ran, and purged without a trace"'
