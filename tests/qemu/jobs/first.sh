# A new disk: ext4, files, and I/O whose data is verified.
check "the disk is found" test -b $disk
check "its serial number is that of --device" grep -q '^QEMUTEST' /sys/class/nvme/nvme0/serial
check "each processor has a queue with its interrupt" \
	sh -c 'test $(grep -c "nvme0q[12]" /proc/interrupts) = 2'
check "ext4 is made" /usr/bin/mke2fs -F -q -t ext4 $disk
check "and mounted" mount -t ext4 $disk /mnt
check "random reads and writes at depth 32 by 2 jobs are verified" \
	$fio --name=verify --directory=/mnt --size=12M --rw=randrw --bs=4k --iodepth=32 \
	--ioengine=libaio --direct=1 --numjobs=2 --verify=crc32c --verify_fatal=1 --group_reporting
check "large ones, too" \
	$fio --name=large --directory=/mnt --size=12M --rw=randwrite --bsrange=512-512k --iodepth=8 \
	--ioengine=libaio --direct=1 --verify=crc32c --verify_fatal=1
rm -f /mnt/verify* /mnt/large*
mkdir /mnt/files
for i in $(seq 40); do
	head -c $((i * 3001)) /dev/urandom >/mnt/files/$i
done
check "files are written" sh -c 'cd /mnt/files && sha256sum * >../sums'
check "the space of others is given back" fstrim /mnt
check "and unmounted" umount /mnt
check "e2fsck finds nothing" /usr/bin/e2fsck -f -n $disk
