/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/where/symbols.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>

/* A number of a DIE; missing where it has none. */
static Dwarf_Word number_of(Dwarf_Die *die, unsigned int name, Dwarf_Word missing)
{
	Dwarf_Attribute attribute;
	Dwarf_Word number;

	return dwarf_formudata(dwarf_attr(die, name, &attribute), &number) ? missing : number;
}

/* The file that an inlined call of unit is written in; NULL: not told. */
static const char *call_file(Dwarf_Die *unit, Dwarf_Die *call)
{
	Dwarf_Files *files;
	size_t count;

	if (dwarf_getsrcfiles(unit, &files, &count))
		return NULL;
	return dwarf_filesrc(files, number_of(call, DW_AT_call_file, 0), NULL, NULL);
}

/*
 * Goes outwards from the place in *frame through calls that were put inline at address: each
 * makes a frame of its own. Returns how many frames, without the function itself.
 */
static size_t find_inlined(Dwarf_Die *unit, Dwarf_Addr address, struct where_frame *frames,
			   size_t max)
{
	Dwarf_Die *scopes = NULL;
	int count = dwarf_getscopes(unit, address, &scopes);
	size_t found = 0;

	for (int i = 0; i < count && found + 1 < max; i++) {
		struct where_frame *frame = &frames[found];
		const char *name;

		if (dwarf_tag(&scopes[i]) == DW_TAG_subprogram)
			break;
		if (dwarf_tag(&scopes[i]) != DW_TAG_inlined_subroutine)
			continue;
		name = dwarf_diename(&scopes[i]);
		frames[found + 1] = *frame; /* the caller: same object, where it calls */
		frame->function = name ? name : "???";
		frames[found + 1].file = call_file(unit, &scopes[i]);
		frames[found + 1].line =
			(unsigned int)number_of(&scopes[i], DW_AT_call_line, 0);
		found++;
	}
	free(scopes);
	return found;
}

size_t symbols_find(Dwfl *dwfl, uint64_t address, struct where_frame *frames, size_t max)
{
	Dwfl_Module *module = dwfl_addrmodule(dwfl, address);
	const char *function, *object = NULL;
	Dwarf_Addr bias = 0;
	size_t inlined = 0;
	Dwarf_Die *unit;
	Dwfl_Line *line;
	int number = 0;

	if (!max)
		return 0;
	frames[0] = (struct where_frame){ .address = address, .function = "???", .object = "???" };
	if (!module)
		return 1;
	object = dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
	if (object)
		frames[0].object = object;
	line = dwfl_module_getsrc(module, address);
	if (line) {
		frames[0].file = dwfl_lineinfo(line, NULL, &number, NULL, NULL, NULL);
		frames[0].line = (unsigned int)number;
	}
	unit = dwfl_module_addrdie(module, address, &bias);
	if (unit)
		inlined = find_inlined(unit, address - bias, frames, max);
	function = dwfl_module_addrname(module, address);
	frames[inlined].function = function ? function : "???";
	return inlined + 1;
}
