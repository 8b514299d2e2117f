# 4 KiB random reads at depth 32: which=NAME of each disk is its model's.
for round in 1 2 3; do
	for d in 0 1; do
		model=$(tr -d ' ' </sys/class/nvme/nvme$d/model)
		iops=$($fio --name=speed --filename=/dev/nvme${d}n1 --rw=randread --bs=4k --iodepth=32 \
			--ioengine=libaio --direct=1 --time_based --runtime=6 --output-format=terse |
			cut -d';' -f8)
		echo "# speed $model $iops"
	done
done
