# The oracle's program, unmodified, on an engine in its own process.

ifneq ($(wildcard $(oracle_program)),)
tests += $(B)/tests/oracle_inproc
endif

$(O)/iommufd-diff.o: $(oracle_program)
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) -O2 -fPIC -w -c -o $@ $<

$(B)/tests/oracle_inproc: $(O)/iommufd-diff.o $(call objs,tests/oracle/oracle_inproc.c \
		$(inproc_srcs) $(process_srcs) $(engine_srcs) $(tracepoints_srcs))
	$(link) -Wl,--wrap=open,--wrap=close,--wrap=ioctl -ldl
