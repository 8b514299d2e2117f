#!/bin/sh
# make_pages.sh BUILD VERSION: man pages and completions, below BUILD/pages, from what states the
# facts already: the help texts of the programs in BUILD, pages of docs/, the library's headers.
set -eu
here=$(dirname "$0")
build=$1 version=$2
pages=$build/pages
rm -rf "$pages"
mkdir -p "$pages/help" "$pages/man1" "$pages/man3" "$pages/man5" "$pages/bash" "$pages/zsh"

"$build/ioasis" --help >"$pages/help/ioasis.help"
commands=$(sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' "$pages/help/ioasis.help")
about() { # COMMAND: its line in the list
	sed -n "s/^  $1  *//p" "$pages/help/ioasis.help"
}
command_page() { # NAME ABOUT HELP
	awk -v name="$1" -v about="$2" -v version="$version" -f "$here/man_command.awk" "$3" \
		>"$pages/man1/$1.1"
}
command_page ioasis "a /dev/iommu for any Linux machine, traced and checked" "$pages/help/ioasis.help"
for command in $commands; do
	"$build/ioasis" "$command" --help >"$pages/help/$command.help"
	command_page "ioasis-$command" "$(about "$command")" "$pages/help/$command.help"
done
"$build/ioasis-vmm" --help >"$pages/vmm.help"
command_page ioasis-vmm "a small VMM that maps memory, with faults on request" "$pages/vmm.help"
rm "$pages/vmm.help"

format_page() { # NAME ABOUT FILE
	awk -v name="$1" -v about="$2" -v section=5 -v version="$version" \
		-f "$here/man_markdown.awk" "$3" >"$pages/man5/$1.5"
}
format_page ioasis-rules "files with rules of your own for ioasis check" "$here/../docs/RULES.md"
format_page ioasis-scenario "files that ioasis simulate runs" "$here/../docs/SIMULATOR.md"
format_page ioasis-trace "traces that ioasis reads: providers, events, the verdict" \
	"$here/../docs/ANALYSIS.md"

for header in "$here"/../backend/include/ioasis/*.h; do
	name=${header##*/}
	case $name in
	iommufd_abi.h) continue ;; # the kernel's interface, no functions
	qemu_compat.h) continue ;; # QEMU's names again
	esac
	what=$(sed -n '/^ \* [A-Z]/{s/^ \* //;s/[.,]$//;p;q}' "$header")
	awk -v name="ioasis_$name" -v about="$what" -v version="$version" \
		-f "$here/man_header.awk" "$header" >"$pages/man3/ioasis_$name.3"
	for function in $(awk -v list=1 -f "$here/man_header.awk" "$header"); do
		# QEMU's names for errors are common words: only the page of the header has those.
		case $function in
		iommufd_*) echo ".so man3/ioasis_$name.3" >"$pages/man3/$function.3" ;;
		esac
	done
done

for shell in bash zsh; do
	awk -v shell=$shell -f "$here/completion.awk" "$pages"/help/*.help \
		>"$pages/$shell/$([ $shell = bash ] && echo ioasis || echo _ioasis)"
done
rm -r "$pages/help"
