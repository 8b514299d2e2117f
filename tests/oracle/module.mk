# The program that asks, and the engine in its own process under it.

ask_srcs := tests/oracle/ask.c tests/oracle/ask_call.c tests/oracle/ask_mock.c \
	tests/oracle/ask_plain.c

# Alone: for a kernel in an emulator and for the fake's file. Static, without sanitizers.
tests += $(B)/tests/ask $(B)/tests/sweep $(B)/tests/oracle_inproc

$(B)/tests/ask: $(ask_srcs) tests/oracle/ask.h
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) -O2 -g $(warn) -std=gnu11 -D_GNU_SOURCE -I. -static -o $@ $(ask_srcs)

$(B)/tests/sweep: tests/oracle/sweep.c tests/oracle/sweep_directed.c tests/oracle/sweep.h
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) -O2 -g $(warn) -std=gnu11 -D_GNU_SOURCE -I. -static -o $@ \
		$(filter %.c,$^)

$(B)/tests/oracle_inproc: $(call objs,$(ask_srcs) tests/oracle/oracle_inproc.c \
		$(inproc_srcs) $(process_srcs) $(engine_srcs) $(tracepoints_srcs))
	$(link) -Wl,--wrap=open,--wrap=close,--wrap=ioctl -ldl

# All recorded answers of all versions; `make check` asks a sample.
.PHONY: check-oracle
check-oracle: deps-check
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) tests
	$(Q)ORACLE=all BUILD=$(B) tests/run -t 1800 tests/oracle/inproc.sh tests/oracle/fuse.sh \
		tests/oracle/sweep.sh
