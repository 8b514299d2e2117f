#!/usr/bin/env bash
# What `make install` puts into place works from there, and there is a page for each command.
. "$TOP/tests/integration/tap.sh"
cd "$TOP" || exit 1

build=$(cd "${BUILD:-build}" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
multiarch=$(${CC:-cc} -print-multiarch)
usr=$dir/usr
lib=$usr/lib/$multiarch

profile=${build##*/}
case $profile in asan | ubsan | tsan | O0) ;; *) profile=default ;; esac
check "make install with a libdir of the architecture" make -s install PROFILE="$profile" \
	prefix="$usr" libdir="$lib"
cd "$dir" || exit 1

check "the scenarios are found" sh -c "'$usr/bin/ioasis' simulate boot --json >sim.json"
finds_probes() {
	IOASIS_TRACE=1 IOASIS_TRACE_SAY=1 "$usr/bin/ioasis-vmm" --inproc --ops 1 2>&1 >vmm.log |
		grep -c 'not traced'
}
check_output "so are the probes, by a program" 0 finds_probes
if command -v babeltrace2 >/dev/null; then
	check_output "so is the plugin of babeltrace2" "filter.ioasis.op sink.ioasis.check sink.ioasis.stats" \
		sh -c "BABELTRACE_PLUGIN_PATH='$lib/babeltrace2/plugins' babeltrace2 list-plugins |
			grep -oE '(filter|sink)\.ioasis\.[a-z]+' | sort -u | tr '\n' ' ' | sed 's/ $//'"
else
	skip "so is the plugin of babeltrace2" "babeltrace2 is not installed"
fi

commands=$("$usr/bin/ioasis" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
without=
for command in $commands; do
	page=$usr/share/man/man1/ioasis-$command.1
	for option in $("$usr/bin/ioasis" "$command" --help | grep -oE '^  (-., )?--[a-z-]+' | grep -oE -- '--[a-z-]+'); do
		grep -qF -- "$(printf %s "$option" | sed 's/-/\\-/g')" "$page" || without="$without $command:$option"
	done
	[ -s "$page" ] || without="$without $command"
done
check_output "each command has a man page with all of its options" "" echo -n "$without"
without=
for function in $(grep -ohE '\biommufd_[a-z_]+\(' "$TOP"/backend/include/ioasis/iommufd_{backend,registry}.h |
	tr -d '(' | sort -u); do
	[ -e "$usr/share/man/man3/$function.3" ] || without="$without $function"
done
check_output "each function of the library has one" "" echo -n "$without"

complete_words() { # WORD...: what bash offers for the last
	# shellcheck disable=SC1091
	. "$usr/share/bash-completion/completions/ioasis"
	COMP_WORDS=(ioasis "$@")
	COMP_CWORD=$#
	_ioasis
	echo "${COMPREPLY[*]}"
}
check_output "bash completes a command" "simulate" complete_words simu
check_output "and an option" "--budget" complete_words check --bu

if command -v cmake >/dev/null; then
	cat >CMakeLists.txt <<-'END'
		cmake_minimum_required(VERSION 3.10)
		project(vmm C)
		find_package(ioasis-backend 0.1 REQUIRED)
		add_executable(vmm vmm.c)
		target_link_libraries(vmm ioasis::backend)
	END
	printf '#include <ioasis/iommufd_backend.h>\nint main(void)\n{\n\treturn iommufd_backend_delete(iommufd_backend_new("x"), NULL);\n}\n' >vmm.c
	cmake_builds() {
		cmake -B cm -DCMAKE_PREFIX_PATH="$usr" . && cmake --build cm &&
			LD_LIBRARY_PATH=$lib cm/vmm
	}
	check "CMake finds the library" cmake_builds
else
	skip "CMake finds the library" "cmake is not installed"
fi
done_testing
