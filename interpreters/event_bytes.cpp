#include "interpreters/event_bytes.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <span>
#include <utility>
#include <variant>

#include "interpreters/payload_digest.hpp"

namespace antiphon {

namespace {

// -- Writing -----------------------------------------------------------------------------------------------------

/// What stands in an event's place of the instruction: the end of the process.
constexpr std::uint8_t the_end = 0xff;

template <std::integral T>
void put(std::string& out, T number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof(T));
}

void put(std::string& out, std::string_view text) {
  put(out, text.size());
  out += text;
}
void put(std::string& out, const std::string& text) { put(out, std::string_view(text)); }
void put(std::string&, Unit) {}

template <Described T>
void put(std::string& out, const T& value) {
  for_each_field(value, [&](std::string_view, const auto& member) { put(out, member); });
}

void put(std::string& out, const Forked& forked) {
  const auto* const parent = std::get_if<Parent>(&forked);
  put(out, parent == nullptr ? std::int64_t{-1} : parent->child.number);
}

/// Longer messages are told by their digests.
constexpr std::size_t most_kept = 256;

/// Their content; or how many stretches there are, and the digest of each. `cut`: as of `Stretches`.
void put(std::string& out, const Bytes& bytes, std::size_t cut) {
  if (bytes.size() <= most_kept && bytes.is_kept()) {
    put(out, std::uint8_t{0});
    return put(out, bytes.content());
  }
  const Stretches stretches(bytes, cut);
  put(out, static_cast<std::uint8_t>(stretches.count));
  for (const StreamDigest& digest : stretches.all()) {
    put(out, digest.size);
    put(out, digest.crc);
  }
}
void put(std::string& out, const Bytes& bytes) { put(out, bytes, 0); }

template <class T>
void put(std::string& out, const Result<T>& result) {
  put(out, result ? 0 : static_cast<int>(result.error()));
  if (result) put(out, *result);
}

/// With a value: 1, and the value.
template <class T>
void put(std::string& out, const std::optional<T>& value) {
  put(out, static_cast<std::uint8_t>(value ? 1 : 0));
  if (value) put(out, *value);
}

// -- Reading -----------------------------------------------------------------------------------------------------

/// Takes values off the front of bytes. After the first that is not whole there is nothing more.
class Taking {
 public:
  explicit Taking(std::string_view bytes) : rest_(bytes) {}

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] std::string_view rest() const { return rest_; }
  void fail() { failed_ = true; }

  std::string_view take(std::size_t size) {
    if (failed_ || size > rest_.size()) {
      failed_ = true;
      return {};
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  template <std::integral T>
  void get(T& number) {
    const std::string_view bytes = take(sizeof(T));
    if (!failed_) std::ranges::copy(bytes, reinterpret_cast<char*>(&number));
  }
  void get(std::string& text) { text = take(next<std::size_t>()); }
  void get(Bytes& bytes) {
    const auto stretches = next<std::uint8_t>();
    if (stretches == 0) {
      bytes = Bytes::copy_of(take(next<std::size_t>()));
      return;
    }
    std::array<StreamDigest, 2> digests;
    if (stretches > digests.size()) return fail();
    std::uint64_t left = most_digested;
    for (StreamDigest& digest : std::span(digests).first(stretches)) {
      get(digest.size);
      get(digest.crc);
      if (digest.size > left) return fail();
      left -= digest.size;
    }
    if (!failed_) bytes = Bytes::of_digests(std::span(digests).first(stretches));
  }
  void get(Unit&) {}

  template <Described T>
  void get(T& value) {
    for_each_field(value, [&](std::string_view, auto& member) { get(member); });
  }

  void get(Forked& forked) {
    const auto child = next<std::int64_t>();
    forked = child < 0 ? Forked(Child{}) : Forked(Parent{Pid{child}});
  }

  template <class T>
  void get(Result<T>& result) {
    const int error = next<int>();
    if (error != 0) {
      result = antiphon::failed(Errno{error});
    } else {
      result = T{};
      get(*result);
    }
  }

  template <class T>
  void get(std::optional<T>& value) {
    if (next<std::uint8_t>() == 1) get(value.emplace());
  }

  template <class T>
  T next() {
    T value{};
    get(value);
    return value;
  }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

template <Instruction I>
AnyExchange<Net> take_exchange(Taking& from) {
  Exchange<I> exchange{};
  from.get(exchange.instruction);
  from.get(exchange.response);
  return exchange;
}

/// The exchange of the instruction that stands at the place in Net.
template <class... Is>
AnyExchange<Net> take_any(Effects<Is...>, std::size_t place, Taking& from) {
  using Take = AnyExchange<Net> (*)(Taking&);
  static constexpr Take takes[] = {&take_exchange<Is>...};
  if (place < sizeof...(Is)) return takes[place](from);
  from.fail();
  return {};
}

}  // namespace

void append_bytes(std::string& bytes, const ProcessEvent& event) {
  put(bytes, event.process);
  put(bytes, event.number);
  if (const auto* const end = std::get_if<Ended>(&event.what)) {
    put(bytes, the_end);
    return put(bytes, end->result);
  }
  const auto& issued = std::get<Issued>(event.what);
  put(bytes, static_cast<std::uint8_t>(issued.exchange.index()));
  std::visit(
      [&](const auto& exchange) {
        for_each_field(exchange.instruction, [&]<class T>(std::string_view, const T& member) {
          if constexpr (std::same_as<T, Bytes>) {
            put(bytes, member, cut_of(exchange));
          } else {
            put(bytes, member);
          }
        });
        put(bytes, exchange.response);
      },
      issued.exchange);
  put(bytes, issued.child);
}

std::optional<ProcessEvent> take_event(std::string_view& bytes) {
  Taking from(bytes);
  ProcessEvent event;
  from.get(event.process);
  from.get(event.number);
  const auto place = from.next<std::uint8_t>();
  if (place == the_end) {
    event.what = Ended{from.next<Result<Unit>>()};
  } else {
    Issued issued{take_any(Net{}, place, from), {}};
    from.get(issued.child);
    event.what = std::move(issued);
  }
  if (from.failed()) return std::nullopt;
  bytes = from.rest();
  return event;
}

}  // namespace antiphon
