/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/pci/pci_state.h"

#include <stdlib.h>
#include <string.h>

void pci_state_put(struct pci_state *state, const void *bytes, size_t length)
{
	if (length > state->room - state->length) {
		size_t room = state->room ? state->room * 2 : 4096;
		uint8_t *grown;

		while (room - state->length < length)
			room *= 2;
		grown = realloc(state->bytes, room);
		if (!grown) {
			state->failed = true;
			return;
		}
		state->bytes = grown;
		state->room = room;
	}
	memcpy(state->bytes + state->length, bytes, length);
	state->length += length;
}

bool pci_state_get(struct pci_state *state, void *bytes, size_t length)
{
	if (state->failed || length > state->length - state->taken) {
		memset(bytes, 0, length);
		state->failed = true;
		return false;
	}
	memcpy(bytes, state->bytes + state->taken, length);
	state->taken += length;
	return true;
}

void pci_state_fini(struct pci_state *state)
{
	free(state->bytes);
	*state = (struct pci_state){ 0 };
}
