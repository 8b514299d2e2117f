# What every job begins with; busybox's shell, which would take its own mke2fs for ours.
check() { # NAME COMMAND...
	name=$1
	shift
	if "$@" >/tmp/check.log 2>&1; then
		echo "ok $name"
	else
		echo "not ok $name: status $?"
		sed 's/^/# /' /tmp/check.log | tail -n 20
	fi
}

disk=/dev/nvme0n1
controller=/dev/nvme0
fio=/usr/bin/fio
nvme=/usr/bin/nvme
