# The benchmarks, which `ioasis bench` runs: one file and one row in cli/cmd_bench.c each.

bench_srcs := \
	tests/bench/bench_ioctl.c
