#!/usr/bin/env bash
# The arrows between folders point one way (docs/ARCHITECTURE.md, the table of folders).
. "$TOP/tests/integration/tap.sh"
cd "$TOP" || exit 1

# FOLDER: folders (and single headers) that its files may include besides itself.
rules='
tracepoints:
backend: tracepoints ioasis/
sim/engine: tracepoints ioasis/iommufd_abi.h
sim/process: sim/engine tracepoints/identity.h
sim/inproc: sim/engine sim/process ioasis/ tracepoints
sim/where:
sim/fuse: text/ sim/engine sim/process sim/pci sim/vfio sim/where tracepoints ioasis/iommufd_abi.h
sim/pci:
sim/vfio: sim/engine sim/pci tracepoints
sim/exec: sim/engine sim/process sim/fuse sim/pci sim/vfio tracepoints/commands.h tracepoints/load.h ioasis/iommufd_abi.h
sim/vmm: ioasis/ sim/inproc sim/engine tracepoints/load.h
sim/des: sim/engine ioasis/
sim/scenario: sim/des sim/engine sim/inproc ioasis/ backend/trace_to.h text/ tracepoints
sim/learn: sim/scenario sim/engine/engine.h sim/process/process.h analysis text/ tracepoints
text:
analysis: text/ tracepoints/commands.h tracepoints/events.h tracepoints/identity.h tracepoints/names.h tracepoints/op_id.h
'
while read -r line; do
	[ -n "$line" ] || continue
	folder=${line%%:*}
	allowed=${line#*:}
	[ -d "$folder" ] || continue
	bad=
	while IFS=: read -r file include; do
		case $include in
		"$folder"/*) continue ;;
		esac
		# Stands in QEMU's tree, in the place of QEMU's own header.
		[ "$file" != backend/include/ioasis/qemu_compat.h ] || continue
		good=
		for a in $allowed; do
			case $include in "$a"*) good=1 ;; esac
		done
		[ -n "$good" ] || bad="$bad$file includes $include
"
	done < <(grep -rhoE --include='*.[ch]' --with-filename '^#include ("[^"]+"|<ioasis/[^>]+>)' "$folder" |
		sed -E 's/:#include ["<]/:/; s/[">]$//')
	if [ -z "$bad" ]; then
		ok "$folder includes what it may"
	else
		not_ok "$folder includes what it may"
		printf '%s' "$bad" | sed 's/^/# /'
	fi
done <<<"$rules"

# LTTng is behind the trace that is handed in: one file knows it, and no program is linked with it.
bad=$(grep -rlE --include='*.[ch]' '^#include ("[^"]*_tp\.h"|<lttng/)' \
	backend sim analysis text cli tracepoints | grep -vE '^tracepoints/(probes\.c|[a-z_]*_tp\.h)$')
if [ -z "$bad" ]; then ok "only the probes include LTTng"; else not_ok "only the probes include LTTng:" $bad; fi
bad=
for program in "$BUILD/ioasis" "$BUILD/ioasis-vmm" "$BUILD/libioasis-backend.so"; do
	[ -e "$program" ] || continue
	nm --undefined-only --dynamic "$program" | grep -q lttng_ust && bad="$bad $program"
done
if [ -z "$bad" ]; then ok "no program asks for LTTng"; else not_ok "no program asks for LTTng:$bad"; fi

# Every .c file of a module includes its own header first.
bad=
for c in $(git ls-files 'backend/*.c' 'text/*.c' 'sim/*.c' 'analysis/*.c' 2>/dev/null); do
	h=${c%.c}.h
	[ -e "$h" ] || continue
	first=$(grep -m1 '^#include' "$c")
	[ "$first" = "#include \"$h\"" ] || bad="$bad $c"
done
if [ -z "$bad" ]; then ok "own header first"; else not_ok "own header first:$bad"; fi
done_testing
