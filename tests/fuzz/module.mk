# `make fuzz`: random calls on the engine for FUZZ_SECONDS, with clang's libFuzzer.

FUZZ_SECONDS ?= 30
FUZZ_CC ?= clang
fuzz_flags := -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
fuzz_srcs := tests/fuzz/fuzz_engine.c tests/unit/fake_client.c $(engine_srcs) $(tracepoints_srcs)

build/fuzz/fuzz_engine: $(fuzz_srcs)
	@mkdir -p $(@D)/corpus
	$(say) FUZZ $@
	$(Q)$(FUZZ_CC) -std=gnu11 $(fuzz_flags) $(warn) -D_GNU_SOURCE -I. -Ibackend/include \
		-o $@ $(fuzz_srcs) -ldl -pthread

.PHONY: fuzz
fuzz:
	$(Q)./install-packages fuzz
	$(Q)$(MAKE) --no-print-directory build/fuzz/fuzz_engine
	$(Q)build/fuzz/fuzz_engine -max_len=2400 -len_control=1 -timeout=10 \
		-artifact_prefix=build/fuzz/ -max_total_time=$(FUZZ_SECONDS) build/fuzz/corpus
