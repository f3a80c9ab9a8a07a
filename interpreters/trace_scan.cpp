#include "interpreters/trace_scan.hpp"

#include <array>
#include <charconv>
#include <concepts>
#include <cstring>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

#include "interpreters/trace_form.hpp"

namespace antiphon {

namespace {

constexpr std::array<std::uint8_t, 256> digit_values = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(255);
  for (std::size_t value = 0; value < 16; ++value) {
    values[static_cast<unsigned char>(form::hex_digits[value])] = static_cast<std::uint8_t>(value);
  }
  return values;
}();

/// Goes through a line. Every reader answers whether what is there is what it reads.
class Scanner {
 public:
  explicit Scanner(std::string_view line) : at_(line.data()), end_(line.data() + line.size()) {}

  bool event(Event& event) {
    if (literal(R"({"process":)")) return process_event(event.emplace<ProcessEvent>()) && literal("}") && at_ == end_;
    if (literal(R"({"client":)")) return client_event(event.emplace<ClientEvent>()) && literal("}") && at_ == end_;
    event = StopEvent{};
    return literal(R"({"stop":true})") && at_ == end_;
  }

 private:
  bool literal(std::string_view text) {
    if (!std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(text)) return false;
    at_ += text.size();
    return true;
  }

  /// The whole name, with the quote that ends it.
  bool name(std::string_view text) {
    const char* const start = at_;
    if (literal(text) && literal("\"")) return true;
    at_ = start;
    return false;
  }

  template <std::integral T>
  bool value(T& into) {
    if constexpr (std::same_as<T, std::int64_t>) {
      if (literal("null")) {
        into = unlimited;
        return true;
      }
    }
    const auto read = std::from_chars(at_, end_, into);
    if (read.ec != std::errc()) return false;
    const char* const digits = at_ + (*at_ == '-' ? 1 : 0);
    if (*digits == '0' && read.ptr != digits + 1) return false;
    at_ = read.ptr;
    // (A number without a limit has its own word.)
    return !(std::same_as<T, std::int64_t> && std::cmp_equal(into, unlimited));
  }

  template <form::Number T>
  bool value(T& into) {
    return value(into.number);
  }

  /// `{"a":1,"b":2}`
  template <Described T>
    requires(!form::Number<T>)
  bool value(T& into) {
    if (at_ == end_ || *at_ != '{') return false;
    ++at_;
    return fields<true>(into, std::make_index_sequence<std::tuple_size_v<decltype(T::fields)>>()) && literal("}");
  }

  template <bool First, class T, std::size_t... Indices>
  bool fields(T& into, std::index_sequence<Indices...>) {
    return (field < First && Indices == 0, T, Indices > (into) && ...);
  }
  template <bool First, class T, std::size_t Index>
  bool field(T& into) {
    constexpr const auto& key = form::key_of<T, Index>;
    return literal(std::string_view(key.data(), key.size()).substr(First ? 1 : 0)) &&
           value(into.*(std::get<Index>(T::fields).member));
  }

  /// All of it, or nothing.
  template <class I, std::size_t... Indices>
  bool tail(I& into, std::index_sequence<Indices...>) {
    constexpr const auto& key = form::key_of<I, head_size<I>>;
    const std::string_view left(at_, static_cast<std::size_t>(end_ - at_));
    if (!left.starts_with(std::string_view(key.data(), key.size()))) return true;
    return (field<false, I, head_size<I> + Indices>(into) && ...);
  }

  bool value(Unit&) { return literal(R"("ok")"); }

  bool value(std::string& into) { return literal("\"") && text(into); }

  bool value(Forked& into) {
    into = Child{};
    if (literal(R"("child")")) return true;
    return literal(R"({"parent":)") && value(into.emplace<Parent>().child) && literal("}");
  }

  bool value(Bytes& into) {
    if (literal(R"({"digest":")")) return digests(into);
    const bool is_text = literal(R"({"text":")");
    if (is_text && plain_text(into)) return literal("}");
    content_.clear();
    if (is_text ? !text(content_) : !literal(R"({"hex":")") || !hex(content_)) return false;
    into = Bytes::copy_of(content_);
    return literal("}");
  }

  /// The same as `text` where nothing is escaped, straight into its place.
  bool plain_text(Bytes& into) {
    const std::string_view left(at_, static_cast<std::size_t>(end_ - at_));
    const std::size_t plain = form::plain_length(left);
    if (plain == left.size() || left[plain] != '"') return false;
    into = Bytes::copy_of(left.substr(0, plain));
    at_ += plain + 1;
    return true;
  }

  /// Up to the closing quote, and that.
  bool text(std::string& into) {
    for (;;) {
      const std::string_view left(at_, static_cast<std::size_t>(end_ - at_));
      const std::size_t plain = form::plain_length(left);
      into.append(at_, plain);
      at_ += plain;
      if (plain == left.size()) return false;
      if (*at_ == '"') {
        ++at_;
        return true;
      }
      if (!escaped(into)) return false;
    }
  }

  bool escaped(std::string& into) {
    if (end_ - at_ < 2 || *at_ != '\\') return false;
    switch (at_[1]) {
      case 'n':
        into += '\n';
        break;
      case 'r':
        into += '\r';
        break;
      case 't':
        into += '\t';
        break;
      case '"':
      case '\\':
        into += at_[1];
        break;
      default:
        return false;
    }
    at_ += 2;
    return true;
  }

  bool hex(std::string& into) {
    const auto* const quote = static_cast<const char*>(std::memchr(at_, '"', static_cast<std::size_t>(end_ - at_)));
    if (quote == nullptr || (quote - at_) % 2 != 0) return false;
    into.resize(static_cast<std::size_t>(quote - at_) / 2);
    unsigned wrong = 0;
    for (char& byte : into) {
      const unsigned high = digit_values[static_cast<unsigned char>(*at_++)];
      const unsigned low = digit_values[static_cast<unsigned char>(*at_++)];
      wrong |= high | low;
      byte = static_cast<char>(high << 4U | low);
    }
    ++at_;
    return wrong < 16;
  }

  bool digests(Bytes& into) {
    std::array<StreamDigest, 2> stretches;
    if (!stretch(stretches[0])) return false;
    const bool two = literal(",");
    if (two && !stretch(stretches[1])) return false;
    into = Bytes::of_digests(std::span(stretches).first(two ? 2 : 1));
    return literal(R"("})");
  }
  bool stretch(StreamDigest& into) {
    std::uint32_t size = 0;
    if (!value(size) || size == 0 || size > std::uint32_t{1} << 30U || !literal(":")) return false;
    if (end_ - at_ < static_cast<std::ptrdiff_t>(form::crc_digits)) return false;
    const auto crc = std::from_chars(at_, at_ + form::crc_digits, into.crc, 16);
    if (crc.ptr != at_ + form::crc_digits) return false;
    into.size = size;
    at_ = crc.ptr;
    return true;
  }

  bool process_event(ProcessEvent& event) {
    if (!value(event.process) || !literal(R"(,"event":)") || !value(event.number)) return false;
    if (literal(R"(,"do":")")) return any_exchange(Net{}, event.what.emplace<Issued>());
    event.what = Ended{};
    return literal(R"(,"end":"ok")");
  }

  template <Instruction... Is>
  bool any_exchange(Effects<Is...>, Issued& issued) {
    bool is_good = false;
    static_cast<void>(
        ((name(Is::name) && (is_good = exchange(issued.exchange.template emplace<Exchange<Is>>(), issued), true)) ||
         ...));
    return is_good;
  }

  template <Instruction I>
  bool exchange(Exchange<I>& exchange, Issued& issued) {
    constexpr std::size_t count = std::tuple_size_v<decltype(I::fields)>;
    if (!fields<false>(exchange.instruction, std::make_index_sequence<head_size<I>>())) return false;
    if constexpr (Tailed<I>) {
      if (!tail(exchange.instruction, std::make_index_sequence<count - head_size<I>>())) return false;
    }
    if (literal(R"(,"error":")")) {
      std::string name;
      if (!text(name)) return false;
      const auto error = errno_named(name);
      if (error) exchange.response.emplace(failed(*error));
      return error.has_value();
    }
    if (!literal(R"(,"answer":)")) return false;
    exchange.response.emplace();
    if (!value(**exchange.response)) return false;
    if constexpr (std::same_as<I, Fork>) {
      if (std::holds_alternative<Parent>(**exchange.response)) {
        return literal(R"(,"child":)") && value(issued.child.emplace());
      }
    }
    return true;
  }

  bool client_event(ClientEvent& event) {
    std::string did;
    if (!value(event.client) || !literal(R"(,"did":")") || !text(did)) return false;
    event.kind = ClientEvent::Kind::connecting;
    while (name_of(event.kind) != did) {
      if (event.kind == ClientEvent::Kind::stopped_reading) return false;
      event.kind = static_cast<ClientEvent::Kind>(std::to_underlying(event.kind) + 1);
    }
    if (form::carries_bytes(event.kind)) return literal(R"(,"bytes":)") && value(event.bytes);
    if (event.kind != ClientEvent::Kind::accepted) return true;
    return literal(R"(,"process":)") && value(event.process) && literal(R"(,"socket":)") && value(event.socket);
  }

  const char* at_;
  const char* end_;
  std::string content_;
};

}  // namespace

bool scan_event(std::string_view line, Event& event) { return Scanner(line).event(event); }

}  // namespace antiphon
