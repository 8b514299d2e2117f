#!/bin/busybox sh
# The first program of the guest: what there is to mount and load, then the job. What the
# job has to say goes to the console: `ok NAME` and `not ok NAME`, figures behind `#`.
/bin/busybox --install -s /bin
export PATH=/usr/bin:/bin HOME=/
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
mkdir -p /dev/shm && mount -t tmpfs shm /dev/shm
for module in nvme crc32c_generic ext4; do
	modprobe "$module" 2>/dev/null
done
# The disk is there some moments after its driver.
n=0
while [ ! -b /dev/nvme0n1 ] && [ $n -lt 300 ]; do
	n=$((n + 1))
	usleep 100000
done
. /job
echo "job ended"
sync
poweroff -f
