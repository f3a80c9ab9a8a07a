#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/digest.hpp"
#include "verify/contract.hpp"

namespace antiphon::verify {

/// Whether bytes are those that are due. Of bytes that are not kept it cannot be told before both streams have come to
/// a place where the digest of each is known.
enum class Match : std::uint8_t { yes, no, unknown };

/// What a connection was sent and has not been answered yet.
class Owed {
 public:
  static constexpr About about = About::record;

  /// However it was cut.
  void identify(Digest& digest) const {
    digest.add_text(text());
    digest.add_word(heard_ ? 1 : 0);
  }

  void add(const Bytes& received);
  /// So many of the bytes that were offered went out; no more than are owed.
  void pay(const Bytes& offered, std::size_t count);

  /// Whether `offered` is what is owed next.
  [[nodiscard]] Match match(const Bytes& offered) const;
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// A message was received.
  [[nodiscard]] bool heard() const { return heard_; }
  /// What went out last could not be compared yet.
  [[nodiscard]] bool is_open() const { return is_open_; }

  [[nodiscard]] std::string text() const;
  /// For people.
  [[nodiscard]] std::string quoted() const;

 private:
  [[nodiscard]] bool is_kept() const;
  [[nodiscard]] Match match_digest(const Bytes& offered) const;

  std::vector<Bytes> parts_;
  std::size_t first_ = 0;  ///< Of `parts_`, that is not paid.
  std::size_t bytes_ = 0;
  bool heard_ = false;
  bool is_open_ = false;
};

using Owing = Parts<Owed>;  ///< By connection.

/// How much of what arrives has to be answered.
enum class Answers : std::uint8_t {
  everything,    ///< An echo of the whole stream.
  first_message  ///< What the first Recv carried.
};

}  // namespace antiphon::verify
