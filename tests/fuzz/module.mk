# `make fuzz`: random calls on the engine, then random files as rules and as scenarios, for
# FUZZ_SECONDS each, with clang's libFuzzer.

FUZZ_SECONDS ?= 30
FUZZ_CC ?= clang
fuzz_flags := -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
fuzz_srcs := tests/fuzz/fuzz_engine.c tests/unit/fake_client.c $(engine_srcs) $(tracepoints_srcs)

$(out)/fuzz/fuzz_engine: $(fuzz_srcs)
	@mkdir -p $(@D)/corpus
	$(say) FUZZ $@
	$(Q)$(FUZZ_CC) -std=gnu11 $(fuzz_flags) $(warn) -D_GNU_SOURCE -I. -Ibackend/include \
		-o $@ $(fuzz_srcs) -ldl -pthread

fuzz_rules_srcs := tests/fuzz/fuzz_rules.c $(rules_dot_srcs)

$(out)/fuzz/fuzz_rules: $(fuzz_rules_srcs) $(wildcard analysis/rules/*.dot)
	@mkdir -p $(@D)/rules
	$(say) FUZZ $@
	$(Q)cp analysis/rules/*.dot $(@D)/rules
	$(Q)$(FUZZ_CC) -std=gnu11 $(fuzz_flags) $(warn) -D_GNU_SOURCE -I. -o $@ $(fuzz_rules_srcs)

fuzz_scenario_srcs := tests/fuzz/fuzz_scenario.c sim/scenario/conflicts.c sim/scenario/load.c \
	sim/scenario/presets.c sim/scenario/schema.c sim/scenario/units.c sim/des/random.c

$(out)/fuzz/fuzz_scenario: $(fuzz_scenario_srcs) $(wildcard sim/scenarios/*.yaml)
	@mkdir -p $(@D)/scenarios
	$(say) FUZZ $@
	$(Q)cp sim/scenarios/*.yaml $(@D)/scenarios
	$(Q)$(FUZZ_CC) -std=gnu11 $(fuzz_flags) $(warn) -D_GNU_SOURCE -I. -o $@ \
		$(fuzz_scenario_srcs) -lyaml

.PHONY: fuzz
fuzz:
	$(Q)./install-packages fuzz
	$(Q)$(MAKE) --no-print-directory $(out)/fuzz/fuzz_engine $(out)/fuzz/fuzz_rules \
		$(out)/fuzz/fuzz_scenario
	$(Q)$(out)/fuzz/fuzz_engine -max_len=2400 -len_control=1 -timeout=10 \
		-artifact_prefix=$(out)/fuzz/ -max_total_time=$(FUZZ_SECONDS) $(out)/fuzz/corpus
	$(Q)$(out)/fuzz/fuzz_rules -max_len=2000 -timeout=10 -artifact_prefix=$(out)/fuzz/ \
		-max_total_time=$(FUZZ_SECONDS) $(out)/fuzz/rules
	$(Q)$(out)/fuzz/fuzz_scenario -max_len=3000 -timeout=10 -artifact_prefix=$(out)/fuzz/ \
		-max_total_time=$(FUZZ_SECONDS) $(out)/fuzz/scenarios
