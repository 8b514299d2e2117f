/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The baseline of `ioasis bench des`: std::priority_queue with the same 16-byte
 * keys (time, then priority and sequence and slot in one word) and the same record
 * of what each event does, in a table that the slot indexes.
 */
#include "tests/bench/hold_model.h"

#include <queue>
#include <utility>
#include <vector>

namespace
{

struct Key {
	uint64_t time_ns;
	uint64_t order;
};

struct Record {
	void (*fire)(void *, uint64_t);
	void *opaque;
	uint64_t arg;
};

struct Later {
	bool operator()(const Key &a, const Key &b) const
	{
		return a.time_ns != b.time_ns ? a.time_ns > b.time_ns : a.order > b.order;
	}
};

void fire(void *opaque, uint64_t arg)
{
	*static_cast<uint64_t *>(opaque) += arg;
}

} // namespace

uint64_t hold_std_priority_queue(const struct hold_model *model, uint64_t *checksum)
{
	std::vector<Key> keys;
	keys.reserve(model->pending_count + 1);
	std::priority_queue<Key, std::vector<Key>, Later> queue(Later(), std::move(keys));
	std::vector<Record> records(model->pending_count);
	uint64_t sequence = 0, begin_ns, sum = 0, fired = 0;

	for (size_t i = 0; i < model->pending_count; i++) {
		uint64_t delay = model->delays_ns[sequence & (model->delays_count - 1)];

		records[i] = Record{ fire, &fired, 1 };
		queue.push(Key{ delay, sequence++ << 24 | i });
	}
	begin_ns = hold_clock_ns();
	for (size_t i = 0; i < model->holds_count; i++) {
		Key key = queue.top();
		size_t slot = key.order & 0xffffff;
		const Record record = records[slot];

		queue.pop();
		sum = sum * 31 + key.time_ns;
		record.fire(record.opaque, record.arg);
		records[slot] = Record{ fire, &fired, 1 };
		queue.push(Key{ key.time_ns +
					model->delays_ns[sequence & (model->delays_count - 1)],
				sequence << 24 | slot });
		sequence++;
	}
	begin_ns = hold_clock_ns() - begin_ns;
	*checksum = sum + fired;
	return begin_ns;
}
