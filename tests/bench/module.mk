# The benchmarks, the program ioasis-bench: one file and one row in bench_main.c each.

bench_srcs := \
	tests/bench/bench_analysis.c \
	tests/bench/bench_command.c \
	tests/bench/bench_des.c \
	tests/bench/bench_engine.c \
	tests/bench/bench_exec.c \
	tests/bench/bench_ioctl.c \
	tests/bench/bench_main.c \
	tests/bench/bench_simulate.c \
	tests/bench/bench_tracing.c \
	tests/bench/hold_std_priority_queue.cc \
	tests/bench/store_engine.c \
	tests/bench/store_glib.c \
	tests/bench/store_std_map.cc

programs += $(B)/ioasis-bench

$(B)/ioasis-bench: $(call objs,$(sort $(bench_srcs) cli/options.c cli/remove.c $(backend_srcs) $(engine_srcs) \
		$(process_srcs) $(inproc_srcs) $(des_srcs) $(scenario_srcs) $(analysis_srcs) \
		$(fuse_srcs) $(pci_srcs) $(vfio_srcs) $(exec_srcs) $(tracepoints_srcs)))
	$(link) -lstdc++ $(ioasis_libs)

# All benchmarks, some minutes; `build/ioasis bench NAME` runs one.
.PHONY: bench
bench: deps-check
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) tests
	$(Q)$(B)/ioasis-bench

# LTTng's part of `bench tracing`.
tests += $(B)/tests/bare_events.so

$(B)/tests/bare_events.so: $(call objs,tests/bench/bare_events.c)
	$(link) -shared -llttng-ust
