#include "verify/token.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>
#include <vector>

#include <range/v3/range/conversion.hpp>
#include <range/v3/view/split.hpp>
#include <range/v3/view/transform.hpp>

#include "core/digest.hpp"
#include "interpreters/responses.hpp"

namespace antiphon::verify {

namespace {

constexpr std::string_view version = "a3";
constexpr std::size_t identity_digits = 12;
constexpr std::string_view hex = "0123456789abcdef";
constexpr std::string_view base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.";
constexpr std::uint64_t most_elements = 1'000'000;

/// Numbers in groups of seven bits, low group first; structures field by field.
class Writer {
 public:
  void put(std::uint64_t number) {
    while (number >= 0x80) {
      bytes_.push_back(static_cast<char>(number | 0x80U));
      number >>= 7U;
    }
    bytes_.push_back(static_cast<char>(number));
  }
  template <class T>
  void put_value(const T& value) {
    if constexpr (std::is_enum_v<T> || std::is_integral_v<T>) {
      put(static_cast<std::uint64_t>(value));
    } else if constexpr (Described<T>) {
      std::size_t number = 0;
      const bool is_whole = !has_silent_tail(value);
      for_each_field(value, [&](std::string_view, const auto& member) {
        if (number++ < head_size<T> || is_whole) put_value(member);
      });
    } else if constexpr (antiphon::detail::is_a<T, std::optional>) {
      put(value ? 1 : 0);
      if (value) put_value(*value);
    } else if constexpr (antiphon::detail::is_a<T, std::variant>) {
      put(value.index());
      std::visit([&](const auto& held) { put_value(held); }, value);
    } else {
      put(value.size());
      for (const auto& element : value) put_value(element);
    }
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// The reverse; `bad` once anything did not fit.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t get() {
    std::uint64_t number = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at_ == bytes_.size()) break;
      const auto byte = static_cast<unsigned char>(bytes_[at_++]);
      if (shift == 63 && byte > 1) break;
      number |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) {
        bad_ |= byte == 0 && shift != 0;  // one way to write each number
        return number;
      }
    }
    bad_ = true;
    return 0;
  }
  template <class T>
  void get_value(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      value = get_below(2) != 0;
    } else if constexpr (std::is_enum_v<T>) {
      value = static_cast<T>(get_below(std::numeric_limits<std::uint16_t>::max()));
    } else if constexpr (std::is_integral_v<T>) {
      const std::uint64_t number = get();
      bad_ |= number > std::numeric_limits<T>::max();
      value = static_cast<T>(number);
    } else if constexpr (Described<T>) {
      std::size_t number = 0;
      bool has_tail = false;
      for_each_field(value, [&](std::string_view, auto& member) {
        // A tail is at the end of the text.
        if (number++ >= head_size<T> && at_ == bytes_.size()) return;
        has_tail = number > head_size<T>;
        get_value(member);
      });
      bad_ |= has_tail && has_silent_tail(value);  // one way to write each value
    } else if constexpr (antiphon::detail::is_a<T, std::optional>) {
      if (get_below(2) != 0) get_value(value.emplace());
    } else if constexpr (antiphon::detail::is_a<T, std::variant>) {
      get_alternative(value, get_below(std::variant_size_v<T>), std::make_index_sequence<std::variant_size_v<T>>());
    } else {
      const std::uint64_t size = get_below(most_elements);
      for (std::uint64_t index = 0; index < size && !bad_; ++index) get_value(value.emplace_back());
    }
  }
  [[nodiscard]] bool good() const { return !bad_ && at_ == bytes_.size(); }

 private:
  std::uint64_t get_below(std::uint64_t bound) {
    const std::uint64_t number = get();
    bad_ |= number >= bound;
    return bad_ ? 0 : number;
  }
  template <class T, std::size_t... Indices>
  void get_alternative(T& value, std::uint64_t chosen, std::index_sequence<Indices...>) {
    static_cast<void>(((Indices == chosen && (get_value(value.template emplace<Indices>()), true)) || ...));
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
  bool bad_ = false;
};

std::string to_text(std::string_view bytes) {
  std::string text;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char byte : bytes) {
    bits = (bits << 8U) | static_cast<unsigned char>(byte);
    for (count += 8; count >= 6; count -= 6) text += base64[(bits >> (count - 6)) & 63U];
  }
  if (count > 0) text += base64[(bits << (6 - count)) & 63U];
  return text;
}

std::expected<std::string, std::string> to_bytes(std::string_view text) {
  std::string bytes;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char character : text) {
    const std::size_t digit = base64.find(character);
    if (digit == std::string_view::npos) return std::unexpected(std::string("a stray character"));
    bits = (bits << 6U) | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count >= 8) bytes += static_cast<char>((bits >> (count -= 8)) & 0xFFU);
  }
  // One way to write it: what is left over fills no byte up, and says nothing.
  if (count >= 6 || (bits & ((1U << count) - 1U)) != 0) return std::unexpected(std::string("a stray end"));
  return bytes;
}

std::string checksum(std::string_view text) {
  Digest digest(0x616E7469);
  digest.add_text(text);
  std::string digits;
  for (unsigned shift = 0; shift < 32; shift += 4) digits += hex[(digest.low() >> shift) & 15U];
  return digits;
}

/// What the clients send, all together, but for messages of which they send any number.
std::uint64_t bytes_sent(const Scenario& scenario) {
  std::uint64_t sum = 0;
  for (const Script& script : scenario.clients) {
    for (const script::Action& action : script) {
      if (const auto* const send = std::get_if<script::Send>(&action)) sum += send->count;
    }
  }
  return sum;
}

}  // namespace

std::optional<std::string> beyond_bounds(const Scenario& scenario) {
  constexpr std::size_t most_clients = 256;
  constexpr std::size_t most_faults = 10'000;
  constexpr std::uint32_t most_bytes = 1U << 20U;
  constexpr std::uint64_t most_sent = std::uint64_t{1} << 28U;
  if (scenario.clients.size() > most_clients) return "it has too many clients";
  if (scenario.faults.size() > most_faults) return "it has too many faults";
  if (scenario.addresses == 0 || scenario.addresses > most_clients) return "its clients have no addresses, or too many";
  if (scenario.capacity > most_bytes) return "its buffers are too large";
  if (bytes_sent(scenario) > most_sent) return "its clients send too much";
  for (const Fault& fault : scenario.faults) {
    if (fault.instruction >= faulty_instructions.size()) return "it names an instruction that does not exist";
    const auto possible = errors_of(code_of(fault.name()));
    if (std::ranges::find(possible, fault.error) == possible.end()) {
      return "it has a fault that the instruction cannot answer";
    }
  }
  return std::nullopt;
}

std::string token_of(const Scenario& scenario, std::string_view program, std::string_view identity) {
  Writer writer;
  writer.put_value(scenario);
  std::string token(version);
  token += '-';
  token += program;
  token += '-';
  token += identity.substr(0, identity_digits);
  token += '-';
  token += to_text(writer.bytes());
  return token + '-' + checksum(token);
}

std::expected<Scenario, std::string> scenario_of(std::string_view token, std::string_view program,
                                                 std::string_view identity) {
  const auto parts = token | ranges::views::split('-') |
                     ranges::views::transform([](auto&& part) { return part | ranges::to<std::string>(); }) |
                     ranges::to<std::vector<std::string>>();
  const auto garbled = [](std::string_view why) {
    return std::unexpected("the replay token is garbled: " + std::string(why));
  };
  if (parts.size() != 5) return garbled("it has " + std::to_string(parts.size()) + " parts where 5 are due");
  if (parts[0] != version)
    return std::unexpected("the replay token is of version '" + parts[0] + "', not " + std::string(version));
  if (checksum(token.substr(0, token.rfind('-'))) != parts[4]) return garbled("its checksum does not match");
  if (parts[1] != program) {
    return std::unexpected("the replay token is of program '" + parts[1] + "', not '" + std::string(program) + "'");
  }
  if (parts[2] != identity.substr(0, identity_digits)) {
    return std::unexpected("the replay token is of another version of program '" + parts[1] + "': " + parts[2] +
                           ", not " + std::string(identity.substr(0, identity_digits)));
  }
  const auto bytes = to_bytes(parts[3]);
  if (!bytes) return garbled(bytes.error());
  Scenario scenario(0);
  Reader reader(*bytes);
  reader.get_value(scenario);
  if (!reader.good()) return garbled("its scenario does not read");
  if (const auto why = beyond_bounds(scenario)) return garbled(*why);
  return scenario;
}

}  // namespace antiphon::verify
