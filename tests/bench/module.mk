# The benchmarks, the program ioasis-bench: one file and one row in bench_main.c each.

bench_srcs := \
	tests/bench/bench_analysis.c \
	tests/bench/bench_bar.c \
	tests/bench/bench_call.c \
	tests/bench/bench_children.c \
	tests/bench/bench_command.c \
	tests/bench/bench_des.c \
	tests/bench/bench_engine.c \
	tests/bench/bench_exec.c \
	tests/bench/bench_export.c \
	tests/bench/bench_guests.c \
	tests/bench/bench_ioctl.c \
	tests/bench/bench_main.c \
	tests/bench/bench_nvme.c \
	tests/bench/bench_rows.c \
	tests/bench/bench_simulate.c \
	tests/bench/bench_trace.c \
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

# The clients of `bench call`, `bar` and `children`, which run under exec: without sanitizers.
bench_clients := $(addprefix $(B)/tests/,bench_bar_client bench_call_client bench_call_client_static bench_children_client)
tests += $(bench_clients)

$(B)/tests/bench_bar_client: tests/bench/bench_bar_client.c sim/vfio/abi.h
$(B)/tests/bench_call_client $(B)/tests/bench_call_client_static: tests/bench/bench_call_client.c
$(B)/tests/bench_children_client: tests/bench/bench_children_client.c
$(bench_clients): backend/include/ioasis/iommufd_abi.h tests/bench/client_time.h
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) -O2 -g $(warn) -std=gnu11 -D_GNU_SOURCE -I. -Ibackend/include \
		$(if $(findstring static,$@),-static) -o $@ $(filter %.c,$^)
