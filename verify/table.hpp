#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/trace.hpp"

namespace antiphon::verify {

/// A trace for people: a column for each client and process, a row for each event, in the order in which they
/// happened. `mark` is the row (counted as Violation::event counts) that gets an arrow. Of a run that goes on for ever,
/// the rows from `lap_from` on come again and again.
std::string table_of(const std::vector<Event>& trace, std::size_t mark, std::optional<std::uint64_t> lap_from = {});

/// One event, with its column's heading before it: "process 1: Close 1 → ok".
std::string cell_of(const Event& event);

/// Whether two events stand in one column of the table.
bool same_column(const Event& one, const Event& other);

}  // namespace antiphon::verify
