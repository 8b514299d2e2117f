# Another program's disk: what it holds goes through memory that the program maps.
check "the disk is found" test -b $disk
check "ext4 is made" /usr/bin/mke2fs -F -q -t ext4 $disk
check "and mounted" mount -t ext4 $disk /mnt
check "random reads and writes at depth 32 by 2 jobs are verified" \
	$fio --name=verify --directory=/mnt --size=8M --rw=randrw --bs=4k --iodepth=32 \
	--ioengine=libaio --direct=1 --numjobs=2 --verify=crc32c --verify_fatal=1 --group_reporting
check "large ones, too" \
	$fio --name=large --directory=/mnt --size=8M --rw=randwrite --bsrange=4k-128k --iodepth=8 \
	--ioengine=libaio --direct=1 --verify=crc32c --verify_fatal=1
check "and unmounted" umount /mnt
check "e2fsck finds nothing" /usr/bin/e2fsck -f -n $disk
check "nvme id-ctrl" $nvme id-ctrl $controller
check "nvme smart-log" $nvme smart-log $controller
check "nvme reset" $nvme reset $controller
check "it is read after that" head -c 1048576 $disk
