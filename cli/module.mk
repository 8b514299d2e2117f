# The program `ioasis`: one row per command in main.c, one file per command.

cli_srcs := \
	cli/cmd_bench.c \
	cli/cmd_check.c \
	cli/cmd_diff.c \
	cli/cmd_exec.c \
	cli/cmd_export.c \
	cli/cmd_merge.c \
	cli/cmd_record.c \
	cli/cmd_replay.c \
	cli/cmd_report.c \
	cli/cmd_serve.c \
	cli/cmd_simulate.c \
	cli/cmd_stats.c \
	cli/cmd_sweep.c \
	cli/cmd_test.c \
	cli/cmd_top.c \
	cli/colour.c \
	cli/cost_from.c \
	cli/device_options.c \
	cli/iommu_option.c \
	cli/fail_each.c \
	cli/guard.c \
	cli/lttng_programs.c \
	cli/main.c \
	cli/options.c \
	cli/output.c \
	cli/progress.c \
	cli/read_traces.c \
	cli/recording_check.c \
	cli/relay_daemon.c \
	cli/remove.c \
	cli/shipped_scenarios.c \
	cli/sweep.c \
	cli/sweep_plan.c \
	cli/trace_input.c \
	cli/tracing_session.c \
	cli/verdict_files.c

ioasis_srcs := $(sort $(cli_srcs) $(backend_srcs) $(engine_srcs) $(process_srcs) $(inproc_srcs) $(fuse_srcs) $(pci_srcs) $(vfio_srcs) $(exec_srcs) \
	$(des_srcs) $(scenario_srcs) $(analysis_srcs) $(tracepoints_srcs))
# Not LTTng's library: it starts threads before main(), and only the probes need it.
ioasis_libs = $(shell $(PKG_CONFIG) --libs $(filter-out lttng-ust,$(pkgs)) 2>/dev/null) -ldl -lm

programs += $(B)/ioasis

$(B)/ioasis: $(call objs,$(ioasis_srcs)) | $(libs)
	$(link) $(ioasis_libs)

# Where the program looks for scenarios before it is installed.
libs += $(B)/share/ioasis/scenarios

$(B)/share/ioasis/scenarios:
	@mkdir -p $(@D)
	$(Q)ln -sfn $(top)/sim/scenarios $@

# The small VMM of `make demo`, linked as a VMM is: with the library.
programs += $(B)/ioasis-vmm

$(B)/ioasis-vmm: $(call objs,$(sort cli/vmm_main.c cli/options.c $(vmm_srcs) $(inproc_srcs) \
		$(process_srcs) $(engine_srcs))) $(B)/libioasis-backend.a
	$(link) -ljson-c -ldl

# A second make, since pkg-config may have been missing when this one started.
.PHONY: demo
demo: deps
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) all
	$(Q)BUILD=$(B) sim/vmm/demo.sh
