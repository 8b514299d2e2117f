# The benchmarks, which `ioasis bench` runs: one file and one row in cli/cmd_bench.c each.

bench_srcs := \
	tests/bench/bench_analysis.c \
	tests/bench/bench_command.c \
	tests/bench/bench_des.c \
	tests/bench/bench_engine.c \
	tests/bench/bench_exec.c \
	tests/bench/bench_ioctl.c \
	tests/bench/bench_simulate.c \
	tests/bench/bench_tracing.c \
	tests/bench/hold_std_priority_queue.cc \
	tests/bench/store_engine.c \
	tests/bench/store_glib.c \
	tests/bench/store_std_map.cc

# The program is linked as C; what std::map needs of the C++ library is linked in.
bench_libs := -l:libstdc++.a
CXXFLAGS += -fno-exceptions -fno-rtti

# All benchmarks, some minutes; `build/ioasis bench NAME` runs one.
.PHONY: bench
bench: deps-check
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) tests
	$(Q)$(B)/ioasis bench

# LTTng's part of `bench tracing`.
tests += $(B)/tests/bare_events.so

$(B)/tests/bare_events.so: $(call objs,tests/bench/bare_events.c)
	$(link) -shared -llttng-ust
