# The events of each layer. tracepoints_srcs goes into whatever emits events;
# the probes are a library of their own, loaded only when someone traces.

tracepoints_srcs := \
	tracepoints/describe.c \
	tracepoints/identity.c \
	tracepoints/load.c \
	tracepoints/op_id.c

probes_srcs := \
	tracepoints/describe.c \
	tracepoints/probes.c

libs += $(B)/libioasis-probes.so

$(B)/libioasis-probes.so: $(call objs,$(probes_srcs))
	$(link) -shared -Wl,-soname,libioasis-probes.so -llttng-ust
