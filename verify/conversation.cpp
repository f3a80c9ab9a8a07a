#include "verify/conversation.hpp"

#include <algorithm>
#include <utility>

#include "verify/contract.hpp"

namespace antiphon::verify {

namespace {

/// Bytes by which a place is recognised, where there are so many.
constexpr std::size_t telling = 16;
/// Fewer could be anybody's.
constexpr std::size_t least_telling = 3;

void append(std::string& kept, std::string_view bytes) {
  kept += bytes.substr(0, Mismatch::most_kept - std::min(Mismatch::most_kept, kept.size()));
}

/// What was sent begins with something that is found further on in what is owed: so much was skipped.
struct Skip {
  std::size_t bytes;
  bool sure;  ///< As much of it agrees as could.
};
std::optional<Skip> skipped(const Mismatch& mismatch) {
  const std::string_view sent = mismatch.sent;
  const std::size_t most = std::min(sent.size(), telling);
  for (std::size_t length = most; length > 0; --length) {
    if (length == 1 && sent.size() > 1) break;
    const std::size_t at = mismatch.owed.find(sent.substr(0, length));
    if (at != std::string::npos && at > 0) return Skip{at, length == most};
  }
  return std::nullopt;
}

bool agree(std::string_view one, std::string_view other) {
  const std::size_t both = std::min(one.size(), other.size());
  return one.substr(0, both) == other.substr(0, both);
}

/// What was left out comes after some of what stands behind it. One or two bytes that look so may be others, unless all
/// agrees that follows.
bool comes_later(const Mismatch& mismatch, std::size_t skipped) {
  const std::string_view left_out = std::string_view(mismatch.owed).substr(0, skipped);
  const std::string_view behind = std::string_view(mismatch.owed).substr(skipped);
  const std::string_view sent = mismatch.sent;
  const auto both = static_cast<std::size_t>(std::ranges::mismatch(sent, behind).in1 - sent.begin());
  for (std::size_t first = 1; first <= both; ++first) {
    const std::string_view rest = sent.substr(first);
    if (!rest.starts_with(left_out)) continue;
    if (first == both && skipped >= least_telling) return true;
    if (agree(rest.substr(skipped), behind.substr(first))) return true;
  }
  return false;
}

/// What was sent is what had been sent last: so much is repeated.
std::optional<std::size_t> repeated(const Mismatch& mismatch) {
  const std::string_view before = mismatch.before;
  for (std::size_t length = std::min(before.size(), mismatch.sent.size()); length > 0; --length) {
    if (mismatch.sent.starts_with(before.substr(before.size() - length))) return length;
  }
  const std::string_view start = std::string_view(mismatch.sent).substr(0, telling);
  const std::size_t at = before.rfind(start);
  if (start.size() < least_telling || at == std::string_view::npos) return std::nullopt;
  return std::min(before.size() - at, mismatch.sent.size());
}

const Stream* origin(const Mismatch& mismatch, const std::vector<Stream>& others) {
  const std::string_view start = std::string_view(mismatch.sent).substr(0, telling);
  if (start.size() < least_telling) return nullptr;
  const auto found = std::ranges::find_if(
      others, [&](const Stream& other) { return other.received.find(start) != std::string_view::npos; });
  return found == others.end() ? nullptr : &*found;
}

std::string what_happened(const Mismatch& mismatch, const std::vector<Stream>& others) {
  if (const Stream* const other = stranger(mismatch, others)) return "sends what " + other->name + " had sent";
  if (const auto skip = skipped(mismatch)) {
    return comes_later(mismatch, skip->bytes) ? "sends bytes out of order" : "leaves out " + bytes_text(skip->bytes);
  }
  if (const auto again = repeated(mismatch)) return "repeats " + bytes_text(*again);
  return mismatch.nothing_owed ? "sends what it never received" : "alters what it received";
}

}  // namespace

void Conversation::receive(std::string_view bytes) {
  received_ += bytes.size();
  if (mismatch_) return append(mismatch_->owed, bytes);
  // What was paid goes once it is most of what is kept.
  if (paid_ > owed_.size() / 2 && paid_ > Mismatch::most_kept) {
    owed_.erase(0, paid_ - Mismatch::most_kept);
    paid_ = Mismatch::most_kept;
  }
  owed_ += bytes;
}

void Conversation::send(std::string_view bytes) {
  if (!mismatch_) {
    const std::size_t right = static_cast<std::size_t>(std::ranges::mismatch(bytes, owed()).in1 - bytes.begin());
    paid_ += right;
    sent_ += right;
    bytes.remove_prefix(right);
    if (bytes.empty()) return;
    mismatch_.emplace();
    mismatch_->position = sent_;
    const std::size_t from = paid_ - std::min(paid_, Mismatch::most_kept);
    mismatch_->before = owed_.substr(from, paid_ - from);
    append(mismatch_->owed, owed());
    mismatch_->nothing_owed = owed().empty();
  }
  sent_ += bytes.size();
  append(mismatch_->sent, bytes);
}

void Conversation::pass(std::uint64_t bytes) {
  if (mismatch_) return;
  owed_.clear();
  paid_ = 0;
  received_ += bytes;
  sent_ += bytes;
}

const Stream* stranger(const Mismatch& mismatch, const std::vector<Stream>& others) {
  const auto skip = skipped(mismatch);
  return skip && skip->sure ? nullptr : origin(mismatch, others);
}

std::string bytes_text(std::uint64_t count) { return std::to_string(count) + (count == 1 ? " byte" : " bytes"); }

std::string explain(const Mismatch& mismatch, const std::vector<Stream>& others) {
  return what_happened(mismatch, others) + " at byte " + std::to_string(mismatch.position) + ": sends " +
         in_quotes(mismatch.sent) + " where " + (mismatch.nothing_owed ? "nothing" : in_quotes(mismatch.owed)) +
         " is owed";
}

}  // namespace antiphon::verify
