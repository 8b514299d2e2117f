#!/usr/bin/env bash
# What one more costs: a copy of the sources gets a new ioctl (three files), a call of the backend
# for it (four) and a tracepoint (one statement), and a program made of the copy sees all of it
# work: number, name, ids, events, answers. Then a rule, an actor of the simulator and a kind of
# device (two files each), and a program that sees these at work. Then the counts in the sources as
# they are.
. "$TOP/tests/integration/tap.sh"
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1

mkdir copy
cp -r "$TOP"/{analysis,backend,sim,text,tracepoints} copy
cp -r copy before
cd copy || exit 1

# after FILE PATTERN: puts its input behind the first line that fits.
after() {
	local line
	line=$(grep -nm1 -- "$2" "$1" | cut -d: -f1)
	[ -n "$line" ] && sed -i "${line}r /dev/stdin" "$1"
}

changed() {
	diff -rq ../before . | wc -l
}

# ---- an ioctl ---------------------------------------------------------------------
after backend/include/ioasis/iommufd_abi.h '^#define IOMMU_HW_QUEUE_ALLOC' <<'END'

struct iommu_ping {
	uint32_t size;
	uint32_t ioas_id;
	uint64_t out_pong;
};
#define IOMMUFD_CMD_PING 0x9e
#define IOMMU_PING _IO(IOMMUFD_TYPE, IOMMUFD_CMD_PING)
END
cat >>sim/engine/ioas.c <<'END'

int cmd_ping(struct engine_ucmd *ucmd)
{
	struct iommu_ping *cmd = ucmd->cmd;

	if (!ioas_get(ucmd->ctx, cmd->ioas_id))
		return -ENOENT;
	cmd->out_pong = 42;
	return ucmd_respond(ucmd, sizeof(*cmd));
}
END
after tracepoints/commands.h '^#define IOMMUFD_COMMANDS(' <<'END'
	COMMAND(0x9e, PING, "ping", cmd_ping, iommu_ping, out_pong, 6, 2, PING_IOAS,       \
		ID(ioas_id), ERRNOS(ENOENT), NO_FILE)                                      \
END
check "an ioctl touches 3 files" test "$(changed)" = 3
rm -rf ../before && cp -r . ../before

# ---- a call of the backend for it ---------------------------------------------------
after backend/include/ioasis/iommufd_backend.h 'IOASIS_SYMBOL(iommufd_backend_free_id)' <<'END'
int iommufd_backend_ping_ioas(IOMMUFDBackend *be, uint32_t ioas_id, uint64_t *pong)
	IOASIS_SYMBOL(iommufd_backend_ping_ioas);
END
cat >>backend/ioas.c <<'END'

static void trace_ping_ioas_begin(struct backend_call *call, const struct iommu_ping *arg)
{
	if (call_begins(call, ping_ioas))
		call_emit(call, ping_ioas_begin, CALL_BEGIN_OF(call), arg->ioas_id);
}

static void trace_ping_ioas(const struct backend_call *call, const struct iommu_ping *arg, int ret)
{
	if (call->op_id)
		call_emit(call, ping_ioas, CALL_END_OF(call), arg->ioas_id, arg->out_pong, ret);
}

int iommufd_backend_ping_ioas(IOMMUFDBackend *be, uint32_t ioas_id, uint64_t *pong)
{
	struct iommu_ping ping = { .size = sizeof(ping), .ioas_id = ioas_id };
	struct backend_call call = backend_call_of(be);
	int ret;

	if (backend_traced(be))
		trace_ping_ioas_begin(&call, &ping);
	ret = backend_ioctl(be, call.fd, IOMMU_PING, &ping);
	if (backend_traced(be))
		trace_ping_ioas(&call, &ping, ret);
	*pong = ping.out_pong;
	return ret;
}
END
after tracepoints/iommufd_backend.def '^EVENT(iommufd_backend, free_id_begin' <<'END'
EVENT(iommufd_backend, ping_ioas_begin, CALL_BEGIN FIELD(id, ioas))
EVENT(iommufd_backend, ping_ioas, CALL_END FIELD(id, ioas) FIELD(x64, pong) FIELD(i32, ret))
END
after tracepoints/commands.h '^#define IOMMUFD_BACKEND_CALLS(' <<'END'
	CALL(PING_IOAS, "ping_ioas", NONE)                                                 \
END
check "a call of the backend touches 4 files" test "$(changed)" = 4
rm -rf ../before && cp -r . ../before

# ---- a tracepoint -------------------------------------------------------------------
after tracepoints/iommufd_dev.def '^EVENT(iommufd_dev, release' <<'END'
EVENT(iommufd_dev, pinged, FIELD(u64, ctx) FIELD(id, ioas) FIELD(str, by))
END
check "a tracepoint is 1 statement" test "$(diff -r ../before . | grep -c '^[<>]')" = 1
after sim/engine/ioas.c '^	cmd->out_pong = 42;' <<'END'
	trace_emit(ucmd->ctx->trace, iommufd_dev, pinged, ucmd->ctx->number, cmd->ioas_id, "who");
END

# ---- all of it at work ----------------------------------------------------------------
cp "$TOP/tests/integration/structure/client.c" .
after sim/engine/ioas.c '^#include "sim/engine/' <<<'#include "tracepoints/trace.h"'
defines=$(grep -oE -- '-DIOASIS_[A-Z]+' "$TOP/Makefile" | sort -u | sed 's/$/=""/')
sources="client.c analysis/event_names.c $(find backend sim/engine sim/inproc sim/process tracepoints \
	sim/fuse/inject*.c sim/pci/pci_address.c -name '*.c' ! -name probes.c)"
build() {
	# shellcheck disable=SC2086
	printf '%s\n' $sources | xargs -P "$(nproc)" -I{} "${CC:-cc}" -std=gnu11 -O0 -pthread \
		-D_GNU_SOURCE $defines -I. -Ibackend/include -c {} -o {}.o &&
		find . -name '*.o' >objects && "${CC:-cc}" -pthread -o client @objects -ljson-c -ldl
}
check "the copy builds" build
check "LTTng's library builds" "${CC:-cc}" -std=gnu11 -O0 -fPIC -shared -I. -o probes.so \
	tracepoints/probes.c tracepoints/describe.c -llttng-ust
check "... and holds the new events" sh -c \
	"nm probes.so | grep -q iommufd_dev___pinged && nm probes.so | grep -q ping_ioas_begin"
check_output "the copy knows and does it all" "$(cat "$TOP/tests/integration/structure/client.out")" \
	./client

# ---- a rule, an actor, a device -----------------------------------------------------
rm -rf ../before && cp -r . ../before
cat >analysis/check/rule_release.c <<'END'
#include "analysis/check/check_internal.h"

static void release_event(struct check *check, const struct event *event)
{
	if (event->kind == EVENT_DEV_RELEASE)
		finding_add(check, RULE_NO_RELEASE, VERDICT_VIOLATION, event->time_ns,
			    "file %d was released", (int)event->ctx);
}

const struct rule_hooks rule_release = { .event = release_event };
END
cat >>analysis/check/rules.def <<'END'
RULE(NO_RELEASE, "no-release", "no open file is released", rule_release)
END
check "a rule touches 2 files" test "$(changed)" = 2
rm -rf ../before && cp -r . ../before

cat >sim/scenario/actor_ping.c <<'END'
#include <errno.h>
#include <stdlib.h>

#include "sim/scenario/actors.h"
#include "sim/scenario/report.h"

struct pings {
	uint64_t count;
};

static int create(struct world *world)
{
	world->pings = calloc(1, sizeof(*world->pings));
	return world->pings ? 0 : -ENOMEM;
}

static void begin(struct guest *guest)
{
	guest->world->pings->count += guest->world->scenario->ping.per_guest;
}

static void report(struct world *world, struct report *out)
{
	report_add(out, "ping", "pings", "pings", REPORT_COUNT, world->pings->count);
}

static void destroy(struct world *world)
{
	free(world->pings);
}

const struct actor_kind actor_ping = {
	.section = SECTION_PING, .did = "pings", .create = create, .begin = begin,
	.report = report, .destroy = destroy,
};
END
cat >>sim/scenario/actors.def <<'END'

ACTOR(PING, ping, "guests that ping", OWN(struct pings, pings),
	ACTOR_KEY(PING, "per_guest", COUNT, ping, per_guest, "1", 0, 100, NULL, "how often each"))
END
check "an actor touches 2 files" test "$(changed)" = 2
rm -rf ../before && cp -r . ../before

cat >sim/pci/ping.c <<'END'
#include "sim/pci/models.h"

#include <stdlib.h>

static int ping_create(struct pci_function *function, const void *config,
		       struct pci_description *description, void **model, char why[PCI_WHY_BYTES])
{
	(void)function, (void)config, (void)why;
	*description = (struct pci_description){
		.vendor = 0x1234, .device = 0x9e9e, .class_code = 0x00ff00,
		.bars = { { .bytes = 4096 } },
	};
	*model = calloc(1, 1);
	return *model ? 0 : -12;
}

static void ping_reset(void *model)
{
	(void)model;
}

static uint64_t ping_read(void *model, unsigned int bar, uint64_t offset, unsigned int size)
{
	(void)model, (void)bar, (void)offset, (void)size;
	return 42;
}

static void ping_write(void *model, unsigned int bar, uint64_t offset, uint64_t value,
		       unsigned int size)
{
	(void)model, (void)bar, (void)offset, (void)value, (void)size;
}

const struct pci_model pci_model_ping = {
	.kind = "ping", .summary = "answers pings", .create = ping_create, .destroy = free,
	.reset = ping_reset, .read = ping_read, .write = ping_write,
};
END
echo 'PCI_MODEL(ping)' >>sim/pci/models.def
check "a kind of device touches 2 files" test "$(changed)" = 2

# Its makefiles list none of the three: what the product is made of is found by name.
for list in analysis/module.mk sim/module.mk; do
	check "$list lists no rule, actor or device" sh -c \
		"! grep -qE 'check/rule_[a-z]|scenario/actor_[a-z]|pci/[a-z_]+\.c' '$list'"
done

cat >ping.yaml <<'END'
name: ping
duration: 1ms
guest:
  count: 2
  layout: none
ping:
  per_guest: 2
END
cp "$TOP/tests/integration/structure/parts.c" .
rm -f client.c client.c.o
sources="parts.c $(find analysis/*.c analysis/check analysis/state analysis/linearize analysis/stats \
	text sim/des sim/scenario sim/pci -name '*.c' | grep -vE 'event_names.c|pci_address.c')"
build_parts() {
	# shellcheck disable=SC2086
	printf '%s\n' $sources | xargs -P "$(nproc)" -I{} "${CC:-cc}" -std=gnu11 -O0 -pthread \
		-D_GNU_SOURCE $defines -I. -Ibackend/include -c {} -o {}.o &&
		find . -name '*.o' >objects &&
		"${CC:-cc}" -pthread -o parts @objects -ljson-c -lyaml -lm -ldl
}
check "a copy with all three builds" build_parts
check_output "and does what is new" "$(cat "$TOP/tests/integration/structure/parts.out")" \
	./parts ping.yaml

# ---- the counts as they are ---------------------------------------------------------
cd "$TOP" || exit 1

# files WORDS: how many files of the product say one of the words. QEMU's other names of an event
# (a row in analysis/event_names.c) are its business, as is QEMU's form of a call that QEMU has.
files() {
	grep -rnwE --include='*.c' --include='*.h' --include='*.def' --exclude=qemu_compat.h "$1" backend sim analysis cli text \
		tracepoints | grep -vE ':[[:space:]]*\{ "iommufd_' | cut -d: -f1 | sort -u | wc -l
}

for command in IOAS_ALLOW_IOVAS IOAS_IOVA_RANGES FAULT_QUEUE_ALLOC; do
	lower=${command,,}
	check "$command is in 3 files" test \
		"$(files "$command|IOMMU_$command|IOMMUFD_CMD_$command|cmd_$lower|iommu_$lower")" -le 3
done
for call in alloc_viommu alloc_vdev alloc_veventq; do
	check "$call is in 4 files" test \
		"$(files "iommufd_backend_$call|trace_$call|$call|${call}_begin|OP_${call^^}")" -le 4
done

done_testing
