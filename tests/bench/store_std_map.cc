/* SPDX-License-Identifier: GPL-2.0-or-later */
/* std::map from start to last, with the checks for overlap that a mapping needs. */
#include "tests/bench/interval_store.h"

#include <map>
#include <new>

namespace {

using Spans = std::map<uint64_t, uint64_t>;

void *create()
{
	return new (std::nothrow) Spans;
}

void destroy(void *store)
{
	delete static_cast<Spans *>(store);
}

bool map(void *store, uint64_t start, uint64_t length)
{
	Spans &spans = *static_cast<Spans *>(store);
	const uint64_t last = start + length - 1;
	const auto next = spans.lower_bound(start);

	if (next != spans.end() && next->first <= last)
		return false;
	if (next != spans.begin()) {
		auto before = next;

		if ((--before)->second >= start)
			return false;
	}
	spans.emplace_hint(next, start, last);
	return true;
}

bool unmap(void *store, uint64_t start, uint64_t length)
{
	Spans &spans = *static_cast<Spans *>(store);
	const auto span = spans.find(start);

	if (span == spans.end() || span->second != start + length - 1)
		return false;
	spans.erase(span);
	return true;
}

bool lookup(void *store, uint64_t address)
{
	const Spans &spans = *static_cast<Spans *>(store);
	auto span = spans.upper_bound(address);

	return span != spans.begin() && (--span)->second >= address;
}

} // namespace

extern "C" const struct interval_store store_std_map = {
	"std::map", create, destroy, map, unmap, nullptr, nullptr, lookup,
};
