# The card is pulled while fio runs: `fault=remove@read:2000`.
echo 1000 >/sys/module/nvme_core/parameters/io_timeout 2>/dev/null
$fio --name=gone --filename=$disk --rw=randread --bs=4k --iodepth=32 --ioengine=libaio \
	--direct=1 --time_based --runtime=120 >/tmp/fio.log 2>&1
status=$?
check "fio ends with an error, before its time" test $status != 0
# Linux 6.1 takes the node away; newer ones (6.12) keep it with a size of 0 (blk_mark_disk_dead()).
gone() {
	[ ! -b $disk ] || [ "$(cat /sys/block/${disk##*/}/size)" = 0 ]
}
n=0
while ! gone && [ $n -lt 900 ]; do
	n=$((n + 1))
	usleep 100000
done
check "the disk is gone" gone
check "Linux says why" sh -c 'dmesg | grep -qE "nvme nvme0: .*(controller is down|Removing|Device not ready|disabled)"'
check "and the guest goes on" sh -c 'echo alive >/tmp/alive && grep -q alive /tmp/alive'
