/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The baseline of `ioasis bench des`: std::priority_queue with the same 16-byte
 * keys (time, then priority and sequence and slot in one word) and the same record
 * of what each event does, in a table that the slot indexes.
 */
#include "tests/bench/hold_model.h"

#include <cstdlib>
#include <queue>

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

/* What std::priority_queue needs of a vector, so that no C++ library has to be linked. */
class Keys
{
      public:
	typedef Key value_type;
	typedef Key &reference;
	typedef const Key &const_reference;
	typedef size_t size_type;

	explicit Keys(size_t size) : first_(static_cast<Key *>(malloc(size * sizeof(Key))))
	{
		if (!first_)
			abort();
		end_ = first_;
	}
	Keys(Keys &&other) : first_(other.first_), end_(other.end_)
	{
		other.first_ = other.end_ = nullptr;
	}
	Keys(const Keys &) = delete;
	~Keys()
	{
		free(first_);
	}
	Key *begin()
	{
		return first_;
	}
	Key *end()
	{
		return end_;
	}
	Key &front()
	{
		return *first_;
	}
	const Key &front() const
	{
		return *first_;
	}
	bool empty() const /* checked builds of libstdc++ ask */
	{
		return first_ == end_;
	}
	void push_back(const Key &key)
	{
		*end_++ = key;
	}
	void push_back(Key &&key)
	{
		*end_++ = key;
	}
	void pop_back()
	{
		end_--;
	}

      private:
	Key *first_;
	Key *end_;
};

void fire(void *opaque, uint64_t arg)
{
	*static_cast<uint64_t *>(opaque) += arg;
}

} // namespace

uint64_t hold_std_priority_queue(const struct hold_model *model, uint64_t *checksum)
{
	std::priority_queue<Key, Keys, Later> queue(Later(), Keys(model->pending_count + 1));
	Record *records = static_cast<Record *>(malloc(model->pending_count * sizeof(Record)));
	uint64_t sequence = 0, begin_ns, sum = 0, fired = 0;

	if (!records)
		abort();
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
	free(records);
	*checksum = sum + fired;
	return begin_ns;
}
