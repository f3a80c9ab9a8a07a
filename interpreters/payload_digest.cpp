#include "interpreters/payload_digest.hpp"

#include <isa-l/crc64.h>

namespace antiphon {

StreamDigest digest_of(std::string_view content) {
  // The library begins with the complement of its argument and ends with that of the result.
  const auto* const data = reinterpret_cast<const unsigned char*>(content.data());
  return {content.size(), ~crc64_ecma_refl(~std::uint64_t{0}, data, content.size())};
}

Stretches::Stretches(const Bytes& bytes, std::size_t cut) : count(cut > 0 && cut < bytes.size() ? 2 : 1) {
  // (What is not kept and cut elsewhere than it is known at was never in a trace.)
  const auto digest = [](const Bytes& stretch) {
    return known_digest(stretch).value_or(StreamDigest{stretch.size(), 0});
  };
  digests[0] = digest(count == 2 ? bytes.take(cut) : bytes);
  if (count == 2) digests[1] = digest(bytes.drop(cut));
}

std::optional<StreamDigest> known_digest(const Bytes& bytes) {
  return bytes.is_kept() ? digest_of(bytes.content()) : bytes.digest();
}

}  // namespace antiphon
