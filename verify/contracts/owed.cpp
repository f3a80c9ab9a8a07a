#include <algorithm>
#include <array>
#include <optional>
#include <ranges>

#include "interpreters/payload_digest.hpp"
#include "verify/contracts/owed.hpp"

namespace antiphon::verify {

namespace {

/// What is left of a part that is not kept, once so many of its bytes went out. `sent` ended with them, and the parts
/// before it had the digest `before`.
Bytes rest_of(const Bytes& part, std::size_t count, const Bytes& sent, const StreamDigest& before) {
  const auto whole = part.digest();
  const auto all_sent = known_digest(sent);
  if (part.drop(count).digest() || !whole || !all_sent) return part.drop(count);
  return Bytes::of_digests(std::array{without_front(*whole, without_front(*all_sent, before))});
}

}  // namespace

void Owed::add(const Bytes& received) {
  if (first_ == parts_.size()) {
    parts_.clear();
    first_ = 0;
  }
  parts_.push_back(received);
  bytes_ += received.size();
  heard_ = true;
}

void Owed::pay(const Bytes& offered, std::size_t count) {
  if (!offered.is_kept() || !is_kept()) is_open_ = match(offered) == Match::unknown;
  const Bytes sent = offered.take(count);
  StreamDigest before;
  bytes_ -= count;
  while (count > 0) {
    Bytes& part = parts_[first_];
    if (part.size() > count) {
      part = part.is_kept() ? part.drop(count) : rest_of(part, count, sent, before);
      return;
    }
    count -= part.size();
    if (!part.is_kept()) before = before + part.digest().value_or(StreamDigest{});
    part = {};
    ++first_;
  }
}

Match Owed::match(const Bytes& offered) const {
  if (offered.size() > bytes_) return Match::no;
  if (!offered.is_kept() || !is_kept()) return match_digest(offered);
  std::string_view rest = offered.content();
  for (std::size_t place = first_; !rest.empty(); ++place) {
    const std::string_view next = parts_[place].content().substr(0, rest.size());
    // Mostly what goes out is the very memory that came in.
    if (rest.data() != next.data() && !rest.starts_with(next)) return Match::no;
    rest.remove_prefix(next.size());
  }
  return Match::yes;
}

Match Owed::match_digest(const Bytes& offered) const {
  StreamDigest due;
  std::size_t left = offered.size();
  for (std::size_t place = first_; left > 0; ++place) {
    const Bytes next = parts_[place].take(left);
    const auto digest = known_digest(next);
    if (!digest) return Match::unknown;
    due = due + *digest;
    left -= next.size();
  }
  const auto digest = known_digest(offered);
  if (!digest) return Match::unknown;
  return *digest == due ? Match::yes : Match::no;
}

bool Owed::is_kept() const {
  return std::ranges::all_of(parts_ | std::views::drop(first_), [](const Bytes& part) { return part.is_kept(); });
}

std::string Owed::text() const {
  std::string all;
  for (const Bytes& part : parts_ | std::views::drop(first_)) all += part.content();
  return all;
}

std::string Owed::quoted() const {
  return is_kept() ? in_quotes(text()) : std::to_string(bytes_) + " bytes of which only digests are known";
}

}  // namespace antiphon::verify
