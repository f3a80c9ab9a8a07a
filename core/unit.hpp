#pragma once

namespace antiphon {

/// The type with one value: the answer of an instruction that has nothing to tell.
struct Unit {
  bool operator==(const Unit&) const = default;
};

}  // namespace antiphon
