# The library that a VMM links: static and shared, with its pkg-config file.

backend_srcs := \
	backend/cpr.c \
	backend/device.c \
	backend/error.c \
	backend/error_echo.c \
	backend/hwpt.c \
	backend/ioas.c \
	backend/live.c \
	backend/object.c \
	backend/options.c \
	backend/registry.c \
	backend/state.c \
	backend/trace.c \
	backend/viommu.c

backend_headers := \
	backend/include/ioasis/error.h \
	backend/include/ioasis/iommufd_abi.h \
	backend/include/ioasis/iommufd_backend.h \
	backend/include/ioasis/iommufd_registry.h \
	backend/include/ioasis/qemu_compat.h

# The number that programs are bound to; raise it when one of them would break.
backend_soversion := 2
backend_soname := libioasis-backend.so.$(backend_soversion)

libs += $(B)/libioasis-backend.a $(B)/libioasis-backend.so

$(B)/libioasis-backend.a: $(call objs,$(backend_srcs) $(tracepoints_srcs))
	@mkdir -p $(@D)
	$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(B)/$(backend_soname): $(call objs,$(backend_srcs) $(tracepoints_srcs)) \
		backend/libioasis-backend.map
	$(link) -shared -Wl,-soname,$(backend_soname) \
		$(if $(san_$(PROFILE)),,-Wl,-z,defs) \
		-Wl,--version-script,backend/libioasis-backend.map -ljson-c -ldl

$(B)/libioasis-backend.so: $(B)/$(backend_soname)
	$(Q)ln -sf $(<F) $@
