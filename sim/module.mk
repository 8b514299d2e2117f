# The fake device (engine, fuse, exec) and the simulator (des, scenario).

engine_srcs := \
	sim/engine/access.c \
	sim/engine/account.c \
	sim/engine/anon_file.c \
	sim/engine/attach.c \
	sim/engine/change_process.c \
	sim/engine/changes.c \
	sim/engine/command.c \
	sim/engine/core.c \
	sim/engine/device.c \
	sim/engine/dirty.c \
	sim/engine/dirty_set.c \
	sim/engine/dma.c \
	sim/engine/dmabuf.c \
	sim/engine/domain.c \
	sim/engine/eventq.c \
	sim/engine/fault_queue.c \
	sim/engine/hw_queue.c \
	sim/engine/hwpt.c \
	sim/engine/inspect.c \
	sim/engine/io_pagetable.c \
	sim/engine/ioas.c \
	sim/engine/iopt_iova.c \
	sim/engine/iopt_users.c \
	sim/engine/listener.c \
	sim/engine/mock.c \
	sim/engine/mock_nested.c \
	sim/engine/noiommu.c \
	sim/engine/object.c \
	sim/engine/option.c \
	sim/engine/pages.c \
	sim/engine/phys.c \
	sim/engine/pins.c \
	sim/engine/sim_device.c \
	sim/engine/slab.c \
	sim/engine/span_gap.c \
	sim/engine/span_tree.c \
	sim/engine/test_access.c \
	sim/engine/test_cmd.c \
	sim/engine/test_device.c \
	sim/engine/test_dmabuf.c \
	sim/engine/trace.c \
	sim/engine/veventq.c \
	sim/engine/vfio_compat.c \
	sim/engine/viommu.c
inproc_srcs := \
	sim/inproc/inproc.c \
	sim/inproc/trusted.c
process_srcs := \
	sim/process/file.c \
	sim/process/lend.c \
	sim/process/memory.c \
	sim/process/process.c \
	sim/process/shared.c \
	sim/process/table.c
where_srcs := \
	sim/where/suppress.c \
	sim/where/symbols.c \
	sim/where/unwind.c \
	sim/where/where.c
vmm_srcs := \
	sim/vmm/faults.c \
	sim/vmm/memory.c \
	sim/vmm/naive_device.c \
	sim/vmm/nic.c \
	sim/vmm/viommu.c \
	sim/vmm/vmm.c
fuse_srcs := \
	$(where_srcs) \
	sim/fuse/anon.c \
	sim/fuse/asker.c \
	sim/fuse/calls.c \
	sim/fuse/channel.c \
	sim/fuse/device.c \
	sim/fuse/files.c \
	sim/fuse/inject.c \
	sim/fuse/inject_nvme.c \
	sim/fuse/inject_parse.c \
	sim/fuse/known.c \
	sim/fuse/leak.c \
	sim/fuse/mapping.c \
	sim/fuse/mount.c \
	sim/fuse/users.c \
	sim/fuse/vfio_files.c \
	sim/fuse/vfio_folder.c \
	sim/fuse/workers.c
# A kind of device is a file of its own and a row in models.def: none is listed here.
pci_srcs := $(sort $(wildcard sim/pci/*.c))
vfio_srcs := \
	sim/vfio/changes.c \
	sim/vfio/config.c \
	sim/vfio/dma_log.c \
	sim/vfio/dmabuf.c \
	sim/vfio/eventfd.c \
	sim/vfio/feature.c \
	sim/vfio/ioeventfd.c \
	sim/vfio/irq.c \
	sim/vfio/mapped.c \
	sim/vfio/migration.c \
	sim/vfio/region.c \
	sim/vfio/reset.c \
	sim/vfio/trace.c \
	sim/vfio/vfio_device.c \
	sim/vfio/vfio_group.c
exec_srcs := \
	sim/exec/caller.c \
	sim/exec/client.c \
	sim/exec/devfs.c \
	sim/exec/fail_nth.c \
	sim/exec/filter.c \
	sim/exec/guard.c \
	sim/exec/ioctl_calls.c \
	sim/exec/kvm_calls.c \
	sim/exec/launch.c \
	sim/exec/map_bar.c \
	sim/exec/map_calls.c \
	sim/exec/namespace.c \
	sim/exec/preload_env.c \
	sim/exec/proc_files.c \
	sim/exec/read_calls.c \
	sim/exec/ring.c \
	sim/exec/shadow.c \
	sim/exec/signal_calls.c \
	sim/exec/stat_calls.c \
	sim/exec/supervisor.c \
	sim/exec/sysfs.c \
	sim/exec/sysfs_live.c \
	sim/exec/sysfs_maker.c \
	sim/exec/test_calls.c \
	sim/exec/way.c
des_srcs := \
	sim/des/calendar.c \
	sim/des/des.c \
	sim/des/event_queue.c \
	sim/des/far.c \
	sim/des/random.c
# An actor is a file of its own and a row in actors.def: none is listed here.
scenario_srcs := \
	$(sort $(wildcard sim/scenario/actor_*.c)) \
	sim/scenario/arena.c \
	sim/scenario/boot.c \
	sim/scenario/call.c \
	sim/scenario/conflicts.c \
	sim/scenario/ctf_metadata.c \
	sim/scenario/ctf_uuid.c \
	sim/scenario/ctf_writer.c \
	sim/scenario/device_probe.c \
	sim/scenario/dma.c \
	sim/scenario/iommu.c \
	sim/scenario/estimate.c \
	sim/scenario/iova_search.c \
	sim/scenario/load.c \
	sim/scenario/merge.c \
	sim/scenario/merge_draw.c \
	sim/scenario/presets.c \
	sim/scenario/replay.c \
	sim/scenario/report.c \
	sim/scenario/result.c \
	sim/scenario/schema.c \
	sim/scenario/sim_log.c \
	sim/scenario/simulate.c \
	sim/scenario/units.c \
	sim/scenario/world.c \
	sim/scenario/world_report.c

# What programs load under `ioasis exec`: without any library, a C library's neither.
libs += $(B)/libioasis-call.so

# clang makes no call of memset() out of a loop with -fno-builtin; gcc is to be told apart.
preload_cflags := -O2 -fno-stack-protector -fno-builtin \
	$(if $(findstring clang,$(shell $(CC) --version 2>/dev/null)),,-fno-tree-loop-distribute-patterns) \
	-U_FORTIFY_SOURCE -fno-sanitize=all -fno-profile-arcs -fno-test-coverage
$(B)/libioasis-call.so: sim/exec/preload.c sim/exec/ring_abi.h $(O)/flags
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) -std=gnu11 -fPIC -fvisibility=hidden -g $(warn) $(prefix_map) -D_GNU_SOURCE -I. \
		$(CFLAGS) $(preload_cflags) -shared -nostdlib -Wl,-z,now,-soname,libioasis-call.so \
		$(filter-out -fsanitize% --coverage,$(LDFLAGS)) -o $@ $<
