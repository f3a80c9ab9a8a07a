#include "interpreters/trace_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <concepts>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "interpreters/payload_digest.hpp"
#include "interpreters/trace_form.hpp"

namespace antiphon {

namespace {

using form::done;
using form::hex_digits;
using nlohmann::json;

/// Leaves the reading of one line, from any depth. It never leaves this file.
struct Wrong {
  std::string what;
};

template <class... Arguments>
[[noreturn]] void wrong(fmt::format_string<Arguments...> text, Arguments&&... arguments) {
  throw Wrong{fmt::format(text, std::forward<Arguments>(arguments)...)};
}

/// The line as JSON. A name that stands twice in one object is refused.
json parse(std::string_view line) {
  if (line.find('\0') != std::string_view::npos) wrong("a NUL byte: this is no text");
  std::vector<std::set<std::string>> open;
  const auto check_names = [&](int, json::parse_event_t event, json& parsed) {
    if (event == json::parse_event_t::object_start) open.emplace_back();
    if (event == json::parse_event_t::object_end) open.pop_back();
    if (event == json::parse_event_t::key && !open.back().insert(parsed.get<std::string>()).second) {
      wrong("the field '{}' stands twice", parsed.get<std::string>());
    }
    return true;
  };
  try {
    return json::parse(line, check_names);
  } catch (const json::parse_error& error) {
    wrong("not JSON from column {} on", error.byte);
  } catch (const json::out_of_range&) {
    wrong("a number that is beyond all bounds");
  }
}

/// An object that is read field by field. What was not read in the end is wrong.
class Reading {
 public:
  Reading(const json& value, std::string_view name) : value_(&value), name_(name) {
    if (!value.is_object()) wrong("{} is not an object", name_);
  }

  /// Without reading it.
  [[nodiscard]] bool has(std::string_view name) const { return value_->contains(name); }

  const json* find(std::string_view name) {
    const auto found = value_->find(name);
    if (found == value_->end()) return nullptr;
    read_.insert(name);
    return &*found;
  }

  const json& field(std::string_view name) {
    const json* const found = find(name);
    if (found == nullptr) wrong("{} has no field '{}'", name_, name);
    return *found;
  }

  void finish() const {
    for (const auto& [name, value] : value_->items()) {
      if (!read_.contains(name)) wrong("the field '{}' does not belong in {}", name, name_);
    }
  }

 private:
  const json* value_;
  std::string name_;
  std::set<std::string_view> read_;
};

template <std::integral T>
T read_integer(const json& value, std::string_view name) {
  if (std::same_as<T, std::int64_t> && value.is_null()) return static_cast<T>(unlimited);
  if (!value.is_number()) wrong("the field '{}' is not a number", name);
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (std::in_range<T>(number)) return static_cast<T>(number);
  } else if (value.is_number_integer()) {
    const auto number = value.get<std::int64_t>();
    if (std::in_range<T>(number)) return static_cast<T>(number);
  }
  using Limits = std::numeric_limits<T>;
  wrong("the field '{}' is not a whole number from {} to {}: {}", name, Limits::min(), Limits::max(), value.dump());
}

const std::string& read_text(const json& value, std::string_view name) {
  if (!value.is_string()) wrong("the field '{}' is not a text", name);
  return value.get_ref<const std::string&>();
}

Errno read_errno(const json& value, std::string_view name) {
  const auto error = errno_named(read_text(value, name));
  if (!error) wrong("the field '{}': {}", name, error.error());
  return *error;
}

/// What a Send carried, and what it did not.
constexpr std::size_t most_stretches = 2;

/// "4:00000000000000ff,12:…"
Bytes read_digests(const std::string& text) {
  std::vector<StreamDigest> stretches;
  std::string_view rest = text;
  std::uint64_t left = most_digested;
  const auto is_no_digest = [&] {
    wrong("the field 'digest' does not hold stretches SIZE:CRC, {} at most, of {} bytes at most", most_stretches,
          most_digested);
  };
  for (bool more = true; more; rest.remove_prefix(more ? 1 : 0)) {
    StreamDigest& one = stretches.emplace_back();
    const auto size = std::from_chars(rest.data(), rest.data() + rest.size(), one.size);
    rest.remove_prefix(static_cast<std::size_t>(size.ptr - rest.data()));
    const bool has_size = size.ec == std::errc() && one.size > 0 && one.size <= left;
    left -= has_size ? one.size : 0;
    if (!has_size || rest.size() < 1 + form::crc_digits || rest.front() != ':') is_no_digest();
    const char* const digits = rest.data() + 1;
    const auto crc = std::from_chars(digits, digits + form::crc_digits, one.crc, 16);
    if (crc.ec != std::errc() || crc.ptr != digits + form::crc_digits) is_no_digest();
    rest.remove_prefix(1 + form::crc_digits);
    more = rest.starts_with(',') && stretches.size() < most_stretches;
  }
  if (!rest.empty()) is_no_digest();
  return Bytes::of_digests(stretches);
}

Bytes read_bytes(const json& value, std::string_view name) {
  Reading reading(value, name);
  Bytes bytes;
  if (const json* const text = reading.find("text")) {
    const std::string& content = read_text(*text, "text");
    if (!std::ranges::all_of(content, form::is_text)) wrong("the field 'text' holds a byte that belongs in 'hex'");
    bytes = Bytes::copy_of(content);
  } else if (const json* const digest = reading.find("digest")) {
    bytes = read_digests(read_text(*digest, "digest"));
  } else {
    const std::string& digits = read_text(reading.field("hex"), "hex");
    std::string content;
    for (std::size_t at = 0; at < digits.size(); at += 2) {
      const std::size_t high = hex_digits.find(digits[at]);
      const std::size_t low = at + 1 < digits.size() ? hex_digits.find(digits[at + 1]) : std::string_view::npos;
      if (high == std::string_view::npos || low == std::string_view::npos) {
        wrong("the field 'hex' does not hold pairs of the digits {}", hex_digits);
      }
      content += static_cast<char>(high * 16 + low);
    }
    bytes = Bytes::copy_of(content);
  }
  reading.finish();
  return bytes;
}

template <class T>
void read(const json& value, std::string_view name, T& into) {
  if constexpr (form::Number<T>) {
    read(value, name, into.number);
  } else if constexpr (Described<T>) {
    Reading reading(value, name);
    for_each_field(into, [&](std::string_view inner, auto& member) { read(reading.field(inner), inner, member); });
    reading.finish();
  } else if constexpr (std::same_as<T, Bytes>) {
    into = read_bytes(value, name);
  } else if constexpr (std::same_as<T, Unit>) {
    if (read_text(value, name) != done) wrong("the field '{}' is not \"{}\"", name, done);
  } else if constexpr (std::same_as<T, Forked>) {
    if (value.is_string()) {
      if (read_text(value, name) != "child") wrong("the field '{}' is neither \"child\" nor a parent", name);
      into = Child{};
    } else {
      Reading reading(value, name);
      Parent parent;
      read(reading.field("parent"), "parent", parent.child);
      reading.finish();
      into = parent;
    }
  } else if constexpr (std::integral<T>) {
    into = read_integer<T>(value, name);
  } else {
    into = read_text(value, name);
  }
}

template <class T>
T read_field(Reading& reading, std::string_view name) {
  T value{};
  read(reading.field(name), name, value);
  return value;
}

/// A tail may be left out.
template <class T>
void read_fields(Reading& reading, T& into) {
  std::size_t number = 0;
  for_each_field(into, [&](std::string_view name, auto& member) {
    const json* const found = number++ < head_size<T> ? &reading.field(name) : reading.find(name);
    if (found != nullptr) read(*found, name, member);
  });
}

void read_true(Reading& reading, std::string_view name) {
  const json& value = reading.field(name);
  if (!value.is_boolean() || !value.get<bool>()) wrong("the field '{}' can only be true", name);
}

template <Instruction I>
Exchange<I> read_exchange(Reading& reading) {
  Exchange<I> exchange{};
  read_fields(reading, exchange.instruction);
  if (const json* const answer = reading.find("answer")) {
    typename I::Response::value_type value{};
    read(*answer, "answer", value);
    exchange.response.emplace(std::move(value));
  } else if (const json* const error = reading.find("error")) {
    exchange.response.emplace(failed(read_errno(*error, "error")));
  } else if (reading.find("pending") != nullptr) {
    read_true(reading, "pending");
  } else {
    wrong("the event has none of the fields 'answer', 'error', 'pending'");
  }
  return exchange;
}

/// True where a Fork answered Parent: only then there is a child to name.
bool made_a_child(const AnyExchange<Net>& exchange) {
  const auto* fork = std::get_if<Exchange<Fork>>(&exchange);
  return fork != nullptr && fork->response && *fork->response && std::holds_alternative<Parent>(**fork->response);
}

template <Instruction... Is>
AnyExchange<Net> read_any_exchange(Effects<Is...>, Reading& reading) {
  const auto name = read_field<std::string>(reading, "do");
  std::optional<AnyExchange<Net>> exchange;
  static_cast<void>(((name == Is::name && (exchange = read_exchange<Is>(reading), true)) || ...));
  if (!exchange) wrong("there is no instruction '{}'", name);
  return *std::move(exchange);
}

ProcessEvent read_process_event(Reading& reading) {
  ProcessEvent event;
  event.process = read_field<ProcessId>(reading, "process");
  event.number = read_field<std::uint64_t>(reading, "event");
  if (const json* const end = reading.find("end")) {
    Ended ended;
    if (read_text(*end, "end") != done) ended.result = failed(read_errno(*end, "end"));
    event.what = ended;
  } else {
    Issued issued{read_any_exchange(Net{}, reading), {}};
    if (made_a_child(issued.exchange)) issued.child = read_field<ProcessId>(reading, "child");
    event.what = std::move(issued);
  }
  return event;
}

ClientEvent read_client_event(Reading& reading) {
  ClientEvent event;
  event.client = read_field<ClientId>(reading, "client");
  const auto did = read_field<std::string>(reading, "did");
  event.kind = ClientEvent::Kind::connecting;
  while (name_of(event.kind) != did) {
    if (event.kind == ClientEvent::Kind::stopped_reading) wrong("a client cannot have '{}'", did);
    event.kind = static_cast<ClientEvent::Kind>(std::to_underlying(event.kind) + 1);
  }
  if (form::carries_bytes(event.kind)) event.bytes = read_field<Bytes>(reading, "bytes");
  if (event.kind == ClientEvent::Kind::accepted) {
    event.process = read_field<ProcessId>(reading, "process");
    event.socket = read_field<Socket>(reading, "socket");
  }
  return event;
}

Event event_of(const json& line) {
  Reading reading(line, "the event");
  Event event;
  // (A Fork may be for a client.)
  if (!reading.has("do") && reading.find("client") != nullptr) {
    event = read_client_event(reading);
  } else if (reading.find("stop") != nullptr) {
    read_true(reading, "stop");
    event = StopEvent{};
  } else {
    event = read_process_event(reading);
  }
  reading.finish();
  return event;
}

/// It is printed as it is.
void check_name(std::string_view field, std::string_view name) {
  const auto is_printable = [](char byte) { return byte >= ' ' && byte <= '~'; };
  if (!std::ranges::all_of(name, is_printable)) wrong("the field '{}' holds a byte that cannot be printed", field);
}

/// What an echo-server may be told.
void check(const TraceHeader& header) {
  check_name("program", header.program);
  check_name("interpreter", header.interpreter);
  if (header.workers < 1 || header.workers > most_workers) {
    wrong("the field 'workers' is not a number from 1 to {}: {}", most_workers, header.workers);
  }
  const std::initializer_list<std::pair<std::string_view, std::int64_t>> counts{
      {"idle_ms", header.idle_ms},
      {"drain_ms", header.drain_ms},
      {"max_connections", header.max_connections},
      {"backlog", header.backlog},
      {"max_per_address", header.max_per_address},
      {"progress_ms", header.progress_ms}};
  for (const auto& [field, count] : counts) {
    if (count < 0) wrong("the field '{}' is below 0: {}", field, count);
  }
}

TraceHeader header_of(std::string_view line) {
  json parsed;
  try {
    parsed = parse(line);
  } catch (const Wrong&) {
    wrong("{}", no_header);
  }
  if (!parsed.is_object() || parsed.value("antiphon", json()) != "trace") {
    wrong("{}", no_header);
  }
  Reading reading(parsed, "the header");
  reading.field("antiphon");
  const auto version = read_field<std::uint64_t>(reading, "version");
  if (version != trace_version) {
    wrong("a trace of version {}, and this program reads version {}", version, trace_version);
  }
  TraceHeader header;
  read_fields(reading, header);
  check(header);
  reading.finish();
  return header;
}

}  // namespace

std::expected<TraceHeader, std::string> read_header(std::string_view line) {
  try {
    return header_of(line);
  } catch (const Wrong& found) {
    return std::unexpected(found.what);
  }
}

std::expected<Event, std::string> read_event(std::string_view line) {
  try {
    return event_of(parse(line));
  } catch (const Wrong& found) {
    return std::unexpected(found.what);
  }
}

}  // namespace antiphon
