# The benchmarks, which `ioasis bench` runs: one file and one row in cli/cmd_bench.c each.

bench_srcs := \
	tests/bench/bench_des.c \
	tests/bench/bench_ioctl.c \
	tests/bench/hold_std_priority_queue.cc

# No part of the C++ library is needed, so the program is linked as C.
CXXFLAGS += -fno-exceptions -fno-rtti
