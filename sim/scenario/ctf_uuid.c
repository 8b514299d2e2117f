/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenario/ctf_uuid.h"

#include <stdio.h>

#include "sim/des/random.h"

void ctf_uuid_derive(const char *name, uint64_t seed, uint64_t run_seed, uint8_t uuid[16])
{
	struct des_random random;

	des_random_init(&random, seed, name, run_seed);
	for (unsigned int half = 0; half < 2; half++) {
		uint64_t bits = des_random_next(&random);

		for (unsigned int i = 0; i < 8; i++)
			uuid[half * 8 + i] = (uint8_t)(bits >> (8 * i));
	}
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x80);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

void ctf_uuid_print(const uint8_t uuid[16], char text[CTF_UUID_TEXT_BYTES])
{
	char *at = text;

	for (unsigned int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*at++ = '-';
		at += sprintf(at, "%02x", uuid[i]);
	}
}
