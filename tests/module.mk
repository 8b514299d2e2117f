# Tests and benchmarks. Every test is a program or a script that prints TAP;
# tests/run runs them and closes with `N passed, N failed, N skipped`.
#
# A unit test is tests/unit/NAME.c or tests/model/NAME.c, one name in unit_tests, and
# NAME_srcs: what else it links. A script is tests/SOMEWHERE/NAME.sh, listed in script_tests.

# WAY=fuse: what runs under `ioasis exec` makes its calls by FUSE; also notify, ring.
ifneq ($(WAY),)
export IOASIS_CALL := $(WAY)
endif

unit_tests := \
	test_abi \
	test_asker \
	test_backend \
	test_backend_calls \
	test_backend_cpr \
	test_backend_device \
	test_backend_live \
	test_backend_registry \
	test_bench_rows \
	test_check \
	test_check_device \
	test_check_gaps \
	test_check_loss \
	test_check_vfio \
	test_commands \
	test_des \
	test_device_stop \
	test_device_threads \
	test_diff \
	test_dirty_set \
	test_engine_access \
	test_engine_dma \
	test_engine_account \
	test_engine_errors \
	test_engine_fail_nth \
	test_engine_heap \
	test_engine_memory \
	test_engine_noiommu \
	test_engine_versions \
	test_engine_hwpt \
	test_engine_queues \
	test_engine_threads \
	test_error \
	test_event_names \
	test_exec \
	test_export \
	test_histogram \
	test_ioas_model \
	test_iova_range \
	test_inject \
	test_iommu_costs \
	test_iova_search \
	test_listener \
	test_mux \
	test_nvme \
	test_nvme_admin \
	test_nvme_fuzz \
	test_nvme_io \
	test_options \
	test_process \
	test_progress \
	test_qemu_log \
	test_range_set \
	test_stats \
	test_report \
	test_rules \
	test_process_hostile \
	test_process_lend \
	test_process_shared \
	test_rules_dot \
	test_scenario_load \
	test_span_tree \
	test_stat_test \
	test_text \
	test_pci \
	test_vfio \
	test_vfio_data \
	test_vfio_irq \
	test_vfio_versions \
	test_vfio_user

test_abi_srcs := tests/unit/abi_ours.c tests/unit/abi_system.c
test_asker_srcs := sim/fuse/asker.c sim/fuse/channel.c sim/fuse/mount.c sim/fuse/workers.c
backend_test_srcs := tests/unit/scripted_device.c $(backend_srcs) $(tracepoints_srcs)
test_backend_srcs := $(backend_test_srcs)
test_backend_calls_srcs := $(backend_test_srcs)
test_backend_cpr_srcs := $(backend_test_srcs)
test_backend_device_srcs = $(backend_srcs) $(inproc_srcs) $(process_srcs) $(engine_srcs) \
	$(tracepoints_srcs)
test_backend_live_srcs := backend/live.c
test_backend_registry_srcs := $(backend_test_srcs)
analysis_test_srcs := tests/unit/trace_maker.c analysis/stats/histogram.c $(analysis_core_srcs)
engine_test_srcs := tests/unit/fake_client.c $(engine_srcs) $(tracepoints_srcs)
engine_rig_srcs := tests/unit/engine_rig.c $(engine_test_srcs)
test_check_loss_srcs := $(analysis_test_srcs)
check_test_srcs := tests/unit/check_rig.c $(analysis_test_srcs)
test_check_srcs := $(check_test_srcs)
test_check_device_srcs := $(check_test_srcs)
test_check_gaps_srcs := $(check_test_srcs)
test_check_vfio_srcs := $(check_test_srcs)
test_event_names_srcs := $(check_test_srcs)
test_stats_srcs := $(analysis_test_srcs)
test_range_set_srcs := analysis/state/range_set.c analysis/table.c
test_commands_srcs := $(engine_test_srcs)
test_device_stop_srcs := $(sort $(fuse_srcs) $(pci_srcs) $(vfio_srcs) $(process_srcs) $(engine_srcs) $(text_srcs) $(tracepoints_srcs))
test_device_threads_srcs := $(engine_rig_srcs)
test_dirty_set_srcs := sim/engine/dirty_set.c
test_engine_access_srcs := $(engine_rig_srcs)
test_engine_dma_srcs := $(engine_rig_srcs)
test_engine_errors_srcs := $(engine_rig_srcs)
test_engine_fail_nth_srcs := $(engine_rig_srcs)
test_engine_heap_srcs := $(engine_rig_srcs)
test_engine_memory_srcs := $(engine_rig_srcs)
test_engine_noiommu_srcs := $(engine_rig_srcs)
test_engine_versions_srcs := $(engine_rig_srcs)
test_engine_hwpt_srcs := $(engine_rig_srcs)
test_engine_queues_srcs := $(engine_rig_srcs)
test_engine_account_srcs := $(engine_test_srcs)
test_engine_threads_srcs := $(engine_test_srcs)
test_ioas_model_srcs := $(engine_test_srcs)
test_error_srcs := backend/error.c
test_exec_srcs := sim/exec/fail_nth.c sim/exec/filter.c
test_des_srcs := $(des_srcs)
test_bench_rows_srcs := tests/bench/bench_rows.c
test_progress_srcs := cli/progress.c
test_histogram_srcs := analysis/stats/histogram.c
inject_test_srcs := sim/fuse/inject.c sim/fuse/inject_nvme.c sim/fuse/inject_parse.c
test_inject_srcs := $(inject_test_srcs) sim/pci/pci_address.c
test_mux_srcs := analysis/decode/mip.c analysis/decode/mux.c
test_vfio_user_srcs = tests/unit/vfio_user_server.c $(pci_srcs)
test_nvme_srcs = tests/unit/nvme_rig.c $(pci_srcs)
test_nvme_admin_srcs = tests/unit/nvme_rig.c $(pci_srcs)
test_nvme_fuzz_srcs = tests/unit/nvme_rig.c $(pci_srcs)
test_nvme_io_srcs = tests/unit/nvme_rig.c $(inject_test_srcs) $(pci_srcs)
test_process_srcs = $(process_srcs) tracepoints/identity.c
test_pci_srcs = $(pci_srcs)
test_vfio_srcs = tests/unit/vfio_rig.c $(pci_srcs) $(vfio_srcs) $(engine_rig_srcs)
test_vfio_data_srcs = $(test_vfio_srcs)
test_vfio_irq_srcs = $(test_vfio_srcs)
test_vfio_versions_srcs = $(test_vfio_srcs)
test_iommu_costs_srcs = sim/scenario/iommu.c $(des_srcs)
test_iova_search_srcs = sim/scenario/iova_search.c
test_options_srcs := cli/options.c
trace_feed_srcs := tests/unit/trace_feed.c $(analysis_srcs)
test_export_srcs := $(trace_feed_srcs)
test_report_srcs := $(trace_feed_srcs)
test_rules_srcs := $(trace_feed_srcs)
test_diff_srcs := $(trace_feed_srcs)
test_qemu_log_srcs := $(analysis_srcs)
test_stat_test_srcs := analysis/stats/histogram.c analysis/stats/stat_test.c
test_scenario_load_srcs := sim/scenario/conflicts.c sim/scenario/load.c sim/scenario/presets.c sim/scenario/schema.c \
	sim/scenario/units.c sim/des/random.c
test_process_hostile_srcs := $(process_srcs) tracepoints/identity.c
test_process_shared_srcs := $(process_srcs) tracepoints/identity.c
test_process_lend_srcs := $(process_srcs) tracepoints/identity.c
test_listener_srcs := $(engine_rig_srcs)
test_rules_dot_srcs := $(rules_dot_srcs)
test_text_srcs := analysis/export/proto_out.c analysis/json_add.c $(text_srcs)
test_span_tree_srcs := sim/engine/slab.c sim/engine/span_gap.c sim/engine/span_tree.c

script_tests := \
	tests/conformance/fuse.sh \
	tests/integration/backend.sh \
	tests/integration/check.sh \
	tests/integration/ci.sh \
	tests/integration/demo.sh \
	tests/integration/exec_ways.sh \
	tests/integration/exec_devices.sh \
	tests/integration/engine_faults.sh \
	tests/integration/exec_end.sh \
	tests/integration/exec_files.sh \
	tests/integration/exec_kill.sh \
	tests/integration/exec_refused.sh \
	tests/integration/exec_status.sh \
	tests/integration/faults.sh \
	tests/integration/guard.sh \
	tests/integration/headers.sh \
	tests/integration/ids.sh \
	tests/integration/includes.sh \
	tests/integration/install.sh \
	tests/integration/late.sh \
	tests/integration/learn.sh \
	tests/integration/costs.sh \
	tests/integration/docs.sh \
	tests/integration/perfetto.sh \
	tests/integration/library.sh \
	tests/integration/live.sh \
	tests/integration/noiommu.sh \
	tests/integration/nvme.sh \
	tests/integration/outputs.sh \
	tests/integration/packages.sh \
	tests/integration/qemu_log.sh \
	tests/integration/raw.sh \
	tests/integration/readers.sh \
	tests/integration/record.sh \
	tests/integration/scripts.sh \
	tests/integration/serve.sh \
	tests/integration/serve_clients.sh \
	tests/integration/serve_hostile.sh \
	tests/integration/serve_kill.sh \
	tests/integration/serve_limits.sh \
	tests/integration/serve_user.sh \
	tests/integration/progress.sh \
	tests/integration/replay.sh \
	tests/integration/simulate.sh \
	tests/integration/soak.sh \
	tests/integration/structure.sh \
	tests/integration/sweep.sh \
	tests/integration/top.sh \
	tests/integration/verdict.sh \
	tests/integration/verdict_sessions.sh \
	tests/integration/vmm.sh \
	tests/integration/where.sh \
	tests/integration/where_record.sh \
	tests/learn/same.sh \
	tests/integration/device_model.sh \
	tests/integration/vfio_device.sh \
	tests/integration/vfio_probe.sh \
	tests/integration/vfio_trace.sh \
	tests/integration/vfio_user.sh \
	tests/oracle/devices.sh \
	tests/oracle/exec.sh \
	tests/oracle/fuse.sh \
	tests/qemu_api/check.sh \
	tests/oracle/inproc.sh \
	tests/oracle/sweep.sh

# What the exec tests run: the same program linked both ways, without sanitizers.
exec_clients := $(foreach name,exec_client ways_client ring_client,$(B)/tests/$(name) $(B)/tests/$(name)_static)
tests += $(exec_clients)

$(exec_clients): $(B)/tests/%: backend/include/ioasis/iommufd_abi.h
$(B)/tests/exec_client $(B)/tests/exec_client_static: tests/integration/exec_client.c
$(B)/tests/ways_client $(B)/tests/ways_client_static: tests/integration/ways_client.c
$(B)/tests/ring_client $(B)/tests/ring_client_static: tests/integration/ring_client.c sim/exec/ring_abi.h
$(exec_clients):
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) -O2 -g $(warn) -D_GNU_SOURCE -I. -Ibackend/include -pthread \
		$(if $(findstring static,$@),-static) -o $@ $(filter %.c,$^)

# What tests/integration/where.sh runs: one program built in the ways that make stacks differ.
where_flags_O0 := -O0
where_flags_O2 := -O2
where_flags_static := -O2 -static
where_flags_pointers := -O1 -fno-omit-frame-pointer -fno-asynchronous-unwind-tables
where_clients := $(addprefix $(B)/tests/where_client_,O0 O2 static pointers)
tests += $(where_clients)

$(where_clients): tests/integration/where_client.c backend/include/ioasis/iommufd_abi.h
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(where_flags_$(subst where_client_,,$(@F))) -g -Wall -Wextra -D_GNU_SOURCE \
		-Ibackend/include -pthread -o $@ $<

# What the serve tests run, and those of devices.
serve_clients := $(B)/tests/bar_memory_client $(B)/tests/device_client $(B)/tests/hostile_client \
	$(B)/tests/ids_client $(B)/tests/noiommu_client $(B)/tests/nvme_client \
	$(B)/tests/vfio_client
tests += $(serve_clients)

$(serve_clients): $(B)/tests/%: tests/integration/%.c backend/include/ioasis/iommufd_abi.h \
		sim/engine/test_abi.h sim/pci/nvme_abi.h sim/vfio/abi.h
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) -O2 -g $(warn) -D_GNU_SOURCE -I. -Ibackend/include -pthread -o $@ $<

# A reader that ends the program, for tests/integration/guard.sh.
reader_that_ends := $(B)/tests/reader_that_ends/babeltrace-plugin-ctf.so
tests += $(reader_that_ends)

$(reader_that_ends): tests/integration/reader_that_ends.c
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) -O2 -fPIC -shared $(warn) $(pkg_cflags) -o $@ $< \
		$(shell $(PKG_CONFIG) --libs babeltrace2 2>/dev/null)

# What tests/integration/exec_devices.sh asks.
vfio_probe_srcs := $(addprefix tests/oracle/devices/, \
	vfio_probe.c vfio_probe_features.c vfio_probe_regions.c)
tests += $(B)/tests/vfio_probe

$(B)/tests/vfio_probe: $(vfio_probe_srcs) tests/oracle/devices/vfio_probe.h sim/vfio/abi.h \
		backend/include/ioasis/iommufd_abi.h
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) -O2 -g $(warn) -std=gnu11 -D_GNU_SOURCE -I. -Ibackend/include -o $@ \
		$(filter %.c,$^)

device_probes := $(B)/tests/group_probe $(B)/tests/noiommu_probe
tests += $(device_probes)

$(device_probes): $(B)/tests/%: tests/oracle/devices/%.c backend/include/ioasis/iommufd_abi.h \
		sim/engine/vfio_abi.h sim/vfio/abi.h
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) -O2 -g $(warn) -D_GNU_SOURCE -I. -Ibackend/include -o $@ $<

# Runs in the emulator, too.
tests += $(B)/tests/vfio_sweep

$(B)/tests/vfio_sweep: tests/oracle/devices/vfio_sweep.c sim/vfio/abi.h \
		backend/include/ioasis/iommufd_abi.h
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) -O2 -g $(warn) -std=gnu11 -D_GNU_SOURCE -I. -Ibackend/include -static -o $@ $<

# The server of tests/integration/vfio_user.sh.
tests += $(B)/tests/vfio_user_server

$(B)/tests/vfio_user_server: $(call objs,tests/integration/vfio_user_server_main.c \
		tests/unit/vfio_user_server.c)
	$(link)

# What the guests of tests/clients run.
guest_programs := $(addprefix $(B)/tests/,bar_guest edu_guest ram_guest)
tests += $(guest_programs)

$(guest_programs): $(B)/tests/%: tests/clients/%.c tests/clients/guest_device.h tests/bench/client_time.h
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) -O2 -g $(warn) -D_GNU_SOURCE -I. -static -o $@ $<

# What tests/integration/verdict.sh records.
verdict_clients := $(B)/tests/verdict_client
tests += $(verdict_clients)

$(B)/tests/verdict_client: $(call objs,tests/integration/verdict_client.c $(backend_srcs) \
		$(tracepoints_srcs))
	$(link) $(ioasis_libs)

# `ioasis simulate` whose own code (not the engine's) is built with -O0: the results are the same.
tests += $(B)/tests/simulate_O0
simulate_O0_objs := $(patsubst %.c,$(O)/O0/%.o,$(sort $(des_srcs) $(scenario_srcs)))
simulate_O0_srcs = $(sort tests/integration/simulate_main.c cli/cmd_simulate.c \
	cli/cost_from.c cli/guard.c cli/options.c cli/output.c cli/progress.c cli/read_traces.c cli/remove.c cli/trace_input.c \
	cli/shipped_scenarios.c $(analysis_srcs) $(backend_srcs) $(engine_srcs) $(inproc_srcs) $(process_srcs) $(tracepoints_srcs))

$(O)/O0/%.o: %.c $(O)/flags
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(all_cflags) -O0 -MMD -MP -c -o $@ $<

$(B)/tests/simulate_O0: $(simulate_O0_objs) $(call objs,$(simulate_O0_srcs))
	$(link) $(ioasis_libs)

# The same on engines that have one fault each, made by a sed script out of a source of the engine.
engine_faults := map_shifts map_writes unmap_denies unmap_goes_on unmap_says_so
engine_fault_source := sim/engine/io_pagetable.c
tests += $(engine_faults:%=$(B)/tests/simulate_%)

.SECONDARY: $(engine_faults:%=$(O)/faults/%.c) $(engine_faults:%=$(O)/faults/%.o)
$(O)/faults/%.c: tests/integration/engine_faults/%.sed $(engine_fault_source)
	@mkdir -p $(@D)
	$(Q)sed -E -f $< $(engine_fault_source) > $@
	$(Q)if cmp -s $(engine_fault_source) $@; then echo '$<: changes nothing' >&2; rm $@; exit 1; fi

$(O)/faults/%.o: $(O)/faults/%.c
	$(say) CC $<
	$(Q)$(CC) $(all_cflags) -MMD -MP -c -o $@ $<

$(B)/tests/simulate_%: $(O)/faults/%.o $(call objs,$(sort $(des_srcs) $(scenario_srcs) \
		$(filter-out $(engine_fault_source),$(simulate_O0_srcs))))
	$(link) $(ioasis_libs)

# cmocka 2.0 deprecates names for which 1.1 has no other.
$(O)/tests/%.o: warn += -DCMOCKA_DISABLE_DEPRECATION_WARNINGS

# Reads a trace with both readers.
tests += $(B)/tests/compare_readers
$(B)/tests/compare_readers: $(call objs,tests/integration/compare_readers.c $(analysis_srcs))
	$(link) $(ioasis_libs)

unit_programs := $(addprefix $(B)/tests/,$(unit_tests))
tests += $(unit_programs)

include tests/oracle/module.mk
include tests/kernel/module.mk
include tests/fuzz/module.mk
include tests/nvme/module.mk
include tests/qemu/module.mk
include tests/qemu_api/module.mk

# $(1): name of a unit test
define unit_test_rule
$(B)/tests/$(1): $$(call objs,$(firstword $(wildcard tests/unit/$(1).c tests/model/$(1).c)) $$($(1)_srcs))
	$$(link) $$($(1)_libs) -lcmocka $$(ioasis_libs)
endef
$(foreach t,$(unit_tests),$(eval $(call unit_test_rule,$(t))))

.PHONY: check check-now

# A second make, since pkg-config may have been missing when this one started.
check: deps-check
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) tests
	$(Q)$(MAKE) --no-print-directory check-now

# The tests themselves, with what is built and installed. Slow ones come first.
check-now:
	$(Q)BUILD=$(B) tests/run $(script_tests) $(unit_programs)

# The unit tests and what reads only the source: seconds, while one works.
.PHONY: check-quick
check-quick: tests
	$(Q)BUILD=$(B) tests/run tests/integration/headers.sh tests/integration/includes.sh \
		tests/integration/packages.sh $(unit_programs)

# The unit tests alone. RUNNER is a program that runs those of another architecture.
.PHONY: unit-tests check-units
unit-tests: $(unit_programs)
check-units: unit-tests
	$(Q)RUNNER='$(RUNNER)' LEFT_OUT='$(if $(RUNNER),$(not_emulated))' BUILD=$(B) \
		LEFT_OUT_WHY='it asks the kernel for what an emulator of one program does not give' \
		tests/run -t 900 $(unit_programs)

# What asks the kernel for more than qemu-user (7.2) gives: the memory of other processes
# (process_vm_readv), ENOTTY for an unknown ioctl, a limit of memory, threads beside signals.
not_emulated := test_backend_calls test_backend_device test_conformance test_device_stop test_error \
	test_process test_process_lend test_process_shared test_vfio test_vfio_irq test_vfio_versions

# With clang, and its warnings as errors: CLANG=clang-19 names another one.
.PHONY: check-clang
check-clang: deps-check
	$(Q)./install-packages fuzz
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) CC='$(or $(CLANG),clang)' \
		CXX='$(patsubst clang%,clang++%,$(or $(CLANG),clang))' WERROR=1 O='$(abspath $(out))/clang' check-quick

# Programs that people work on, on simulated devices: QEMU with guests, DPDK.
.PHONY: check-clients
check-clients: all $(guest_programs)
	$(Q)BUILD=$(abspath $(B)) tests/clients/run $(ROW)

# SIGKILL at 300 random moments; SEED= repeats them.
# Sweeps on a Slurm and with GNU parallel, on this machine; see tests/cluster/check.sh.
.PHONY: check-cluster
check-cluster: deps-check
	$(Q)./install-packages cluster || echo "check-cluster: goes on with what is installed"
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) all
	$(Q)BUILD=$(abspath $(B)) tests/run -t 1800 -v tests/cluster/check.sh

.PHONY: check-kill
check-kill: all $(B)/tests/vfio_client $(B)/tests/group_probe
	$(Q)ROUNDS=300 BUILD=$(abspath $(B)) tests/run -v -t 900 tests/integration/exec_kill.sh

# The kernels' own self-tests on the fake device; LINUX=7.3 asks those of one kernel,
# KERNEL_SOURCE=DIR then spares a download.
.PHONY: check-upstream
check-upstream: all
	$(Q)./install-packages upstream
	$(Q)for linux in $(or $(LINUX),6.12 7.2 7.3); do \
		LINUX=$$linux BUILD=$(abspath $(B)) tests/upstream/run || exit $$?; done

# The unit tests under a sanitizer.
.PHONY: asan ubsan tsan
asan ubsan tsan: deps-check
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) PROFILE=$@ tests
	$(Q)BUILD=$(out)/$@ tests/run $(patsubst $(B)/%,$(out)/$@/%,$(unit_programs))

# Which lines `make check` reaches, by folder: needs some minutes. What an ordinary user's test
# runs counts lines, too.
.PHONY: coverage
coverage: deps-check
	$(Q)find $(out)/coverage -name '*.gcda' -delete 2>/dev/null || true
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) PROFILE=coverage tests
	$(Q)find $(out)/coverage/obj -type d -exec chmod a+rwx {} +
	-$(Q)umask 0; $(MAKE) --no-print-directory PROFILE=coverage check-now
	$(Q)tests/coverage.sh $(out)/coverage/obj

# 1,000 runs of clean concurrent clients in recordings of every shape, then each mistake in each shape.
.PHONY: soak
soak: tests
	$(Q)RUNS=$${RUNS:-1000} BUILD=$(B) tests/run -t 7200 tests/integration/soak.sh

# Traces of others, below TRACES=DIR: the sources of babeltrace2 and barectf have many.
.PHONY: check-foreign
check-foreign: all
	$(Q)TRACES='$(TRACES)' BUILD=$(B) tests/run -t 3600 tests/foreign.sh
