/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as calls on one open file, with mock devices: nothing may crash, and
 * every invariant of the engine holds after each call. `make fuzz`.
 *
 * An input is a sequence of records: a byte that chooses the command, a byte that
 * chooses the structure's size, a byte for a fail point, and the structure. Ids
 * and addresses are folded into small ranges, so that calls meet one another.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <ioasis/iommufd_abi.h>

#include "sim/engine/command.h"
#include "tests/unit/fake_client.h"

#define FIRST_NR 0x80u
#define COMMANDS 0x22u /* up to the test command, and VFIO's behind it */
#define ARGUMENT_BYTES 72u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A number of one of VFIO's calls, or of a row of the table. */
static unsigned int choose_cmd(uint8_t byte)
{
	static const unsigned int vfio[] = { 100, 101, 102, 112, 113, 114 };
	unsigned int n = byte % (COMMANDS + sizeof(vfio) / sizeof(*vfio));

	return n < COMMANDS ? _IO(IOMMUFD_TYPE, FIRST_NR + n) :
			      _IO(IOMMUFD_TYPE, vfio[n - COMMANDS]);
}

/* Makes the words of an argument small: ids, page numbers; the size word is the row's. */
static void fold(uint32_t *words, unsigned int cmd, uint8_t size_byte)
{
	const struct command_row *row = command_row(_IOC_NR(cmd));

	words[0] = row ? row->size : 32;
	if (size_byte & 0x80)
		words[0] = size_byte & 0x7f;
	for (unsigned int i = 1; i < ARGUMENT_BYTES / 4; i++) {
		if ((words[i] & 0xff000000u) == 0)
			words[i] &= 0xf; /* ids, flags, upper halves */
		else if ((words[i] & 0xff000000u) == 0x01000000u)
			words[i] &= 0x0103f000u; /* addresses that mock devices reach */
	}
}

static void one_call(struct fake_client *fake, struct engine_ctx *ctx, const uint8_t *record)
{
	unsigned int cmd = choose_cmd(record[0]);
	uint32_t words[ARGUMENT_BYTES / 4];

	memcpy(words, record + 3, sizeof(words));
	fold(words, cmd, record[1]);
	memcpy(fake->memory, words, sizeof(words));
	fake->fail_nth = record[2] & 0x80 ? record[2] & 0x7f : 0;
	engine_ctx_ioctl(ctx, &fake->client, cmd, FAKE_BASE);
	fake->fail_nth = 0;
	engine_ctx_verify(ctx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct engine_config config = { .test_ops = true };
	static struct fake_client fake;
	struct engine *engine = engine_create(&config);
	struct engine_ctx *ctx;

	fake_client_init(&fake, 1);
	ctx = engine_ctx_open(engine, &fake.client);
	for (; size >= 3 + ARGUMENT_BYTES; size -= 3 + ARGUMENT_BYTES, data += 3 + ARGUMENT_BYTES)
		one_call(&fake, ctx, data);
	engine_ctx_release(ctx);
	fake_close_all(&fake);
	engine_destroy(engine);
	fake_client_fini(&fake);
	return 0;
}
