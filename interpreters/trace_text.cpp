#include "interpreters/trace_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <concepts>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace antiphon {

namespace {

using nlohmann::json;

/// A struct that only gives a number a type: written as the number.
template <class T>
concept Number = Described<T> && std::tuple_size_v<decltype(T::fields)> == 1 && requires(T value) {
  { value.number } -> std::convertible_to<std::int64_t>;
};

constexpr std::string_view done = "ok";
constexpr std::string_view hex_digits = "0123456789abcdef";

constexpr bool is_text(char byte) {
  return (byte >= ' ' && byte <= '~') || byte == '\n' || byte == '\r' || byte == '\t';
}

// -- Writing -----------------------------------------------------------------------------------------------------

void put_text(std::string& out, std::string_view text) {
  out += '"';
  for (const char byte : text) {
    switch (byte) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(byte) < ' ') {
          fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(byte));
        } else {
          out += byte;
        }
    }
  }
  out += '"';
}

void put_bytes(std::string& out, std::string_view content) {
  if (std::ranges::all_of(content, is_text)) {
    out += R"({"text":)";
    put_text(out, content);
    out += '}';
    return;
  }
  out += R"({"hex":")";
  for (const char byte : content) {
    const auto bits = static_cast<unsigned char>(byte);
    out += hex_digits[bits >> 4U];
    out += hex_digits[bits & 15U];
  }
  out += R"("})";
}

template <class T>
void put(std::string& out, const T& value);

/// `,"name":value`
template <class T>
void put_field(std::string& out, std::string_view name, const T& value) {
  out += ",\"";
  out += name;
  out += "\":";
  put(out, value);
}

template <class T>
void put(std::string& out, const T& value) {
  if constexpr (Number<T>) {
    put(out, value.number);
  } else if constexpr (Described<T>) {
    static_assert(std::tuple_size_v<decltype(T::fields)> > 0, "the first field's comma makes room for the brace");
    const std::size_t start = out.size();
    for_each_field(value, [&](std::string_view name, const auto& member) { put_field(out, name, member); });
    out[start] = '{';
    out += '}';
  } else if constexpr (std::same_as<T, Bytes>) {
    put_bytes(out, value.content());
  } else if constexpr (std::same_as<T, Unit>) {
    put(out, done);
  } else if constexpr (std::same_as<T, Forked>) {
    if (const auto* parent = std::get_if<Parent>(&value)) {
      out += R"({"parent":)";
      put(out, parent->child);
      out += '}';
    } else {
      out += R"("child")";
    }
  } else if constexpr (std::integral<T>) {
    if (std::same_as<T, std::int64_t> && std::cmp_equal(value, unlimited)) {
      out += "null";
    } else {
      const fmt::format_int digits(value);
      out.append(digits.data(), digits.size());
    }
  } else {
    put_text(out, value);
  }
}

template <Instruction I>
void put_instruction(std::string& out, const I& instruction) {
  put_field(out, "do", I::name);
  for_each_field(instruction, [&](std::string_view name, const auto& member) { put_field(out, name, member); });
}

void put_issued(std::string& out, const Issued& issued) {
  std::visit(
      [&]<class I>(const Exchange<I>& exchange) {
        put_instruction(out, exchange.instruction);
        if (!exchange.response) {
          out += R"(,"pending":true)";
        } else if (*exchange.response) {
          put_field(out, "answer", **exchange.response);
        } else {
          put_field(out, "error", name_of(exchange.response->error()));
        }
      },
      issued.exchange);
  if (issued.child) put_field(out, "child", *issued.child);
}

void put_event(std::string& out, const ProcessEvent& event) {
  out += R"({"process":)";
  put(out, event.process);
  put_field(out, "event", event.number);
  if (const auto* issued = std::get_if<Issued>(&event.what)) {
    put_issued(out, *issued);
  } else {
    const Result<Unit>& result = std::get<Ended>(event.what).result;
    put_field(out, "end", result ? std::string(done) : name_of(result.error()));
  }
  out += '}';
}

bool carries_bytes(ClientEvent::Kind kind) {
  return kind == ClientEvent::Kind::sent || kind == ClientEvent::Kind::received;
}

void put_event(std::string& out, const ClientEvent& event) {
  out += R"({"client":)";
  put(out, event.client);
  put_field(out, "did", name_of(event.kind));
  if (carries_bytes(event.kind)) put_field(out, "bytes", event.bytes);
  if (event.kind == ClientEvent::Kind::accepted) {
    put_field(out, "process", event.process);
    put_field(out, "socket", event.socket);
  }
  out += '}';
}

void put_event(std::string& out, const StopEvent&) { out += R"({"stop":true})"; }

}  // namespace

std::string header_line(const TraceHeader& header) {
  std::string out = R"({"antiphon":"trace")";
  put_field(out, "version", trace_version);
  for_each_field(header, [&](std::string_view name, const auto& member) { put_field(out, name, member); });
  out += '}';
  return out;
}

std::string event_line(const Event& event) {
  std::string out;
  std::visit([&](const auto& one) { put_event(out, one); }, event);
  return out;
}

std::string instruction_line(const AnyExchange<Net>& exchange) {
  std::string out;
  std::visit([&](const auto& one) { put_instruction(out, one.instruction); }, exchange);
  out.front() = '{';
  return out + '}';
}

void append_line(std::string& text, const Event& event) {
  std::visit([&](const auto& one) { put_event(text, one); }, event);
  text += '\n';
}

void append_line(std::string& text, const ProcessEvent& event) {
  put_event(text, event);
  text += '\n';
}

// -- Reading -----------------------------------------------------------------------------------------------------

namespace {

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

Bytes read_bytes(const json& value, std::string_view name) {
  Reading reading(value, name);
  Bytes bytes;
  if (const json* const text = reading.find("text")) {
    const std::string& content = read_text(*text, "text");
    if (!std::ranges::all_of(content, is_text)) wrong("the field 'text' holds a byte that belongs in 'hex'");
    bytes = Bytes::copy_of(content);
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
  if constexpr (Number<T>) {
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

void read_true(Reading& reading, std::string_view name) {
  const json& value = reading.field(name);
  if (!value.is_boolean() || !value.get<bool>()) wrong("the field '{}' can only be true", name);
}

template <Instruction I>
Exchange<I> read_exchange(Reading& reading) {
  Exchange<I> exchange{};
  for_each_field(exchange.instruction,
                 [&](std::string_view name, auto& member) { read(reading.field(name), name, member); });
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
  if (carries_bytes(event.kind)) event.bytes = read_field<Bytes>(reading, "bytes");
  if (event.kind == ClientEvent::Kind::accepted) {
    event.process = read_field<ProcessId>(reading, "process");
    event.socket = read_field<Socket>(reading, "socket");
  }
  return event;
}

Event read_event(const json& line) {
  Reading reading(line, "the event");
  Event event;
  if (reading.find("client") != nullptr) {
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

constexpr std::string_view header_start = R"({"antiphon":"trace")";
constexpr const char* no_header = "not a trace: the first line is not a trace's header";

TraceHeader read_header(std::string_view line) {
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
  for_each_field(header, [&](std::string_view name, auto& member) { read(reading.field(name), name, member); });
  if (header.workers < 1 || header.workers > most_workers) {
    wrong("the field 'workers' is not a number from 1 to {}: {}", most_workers, header.workers);
  }
  reading.finish();
  return header;
}

bool starts_as_child(const ProcessEvent& event) {
  const auto* issued = std::get_if<Issued>(&event.what);
  if (issued == nullptr) return false;
  const auto* fork = std::get_if<Exchange<Fork>>(&issued->exchange);
  return fork != nullptr && fork->response && *fork->response && std::holds_alternative<Child>(**fork->response);
}

}  // namespace

/// One line that shows what it can of a text from outside.
BadInput TraceReader::bad(std::string what) const {
  constexpr std::size_t longest = 200;
  if (what.size() > longest) what = what.substr(0, longest) + "...";
  std::ranges::replace_if(what, [](char byte) { return static_cast<unsigned char>(byte) < ' ' || byte == 127; }, '?');
  return {line_number_, std::move(what)};
}

/// An event's line holds a message of 1 MiB at most, in hexadecimal digits, and little else.
constexpr std::size_t longest_line = std::size_t{8} << 20U;

/// True: `line_` is the next whole line. False: there is none.
std::expected<bool, BadInput> TraceReader::read_line() {
  if (in_->eof()) return false;
  ++line_number_;
  line_.clear();
  std::streambuf& from = *in_->rdbuf();
  for (int next = from.sbumpc(); next != '\n'; next = from.sbumpc()) {
    if (next == std::streambuf::traits_type::eof()) {
      in_->setstate(std::ios::eofbit);
      break;
    }
    if (next == 0) {
      return std::unexpected(bad(line_number_ == 1 ? no_header : "a NUL byte: this is no text"));
    }
    if (line_.size() == longest_line) return std::unexpected(bad("the line is longer than any event's"));
    line_ += static_cast<char>(next);
  }
  if (in_->bad()) return std::unexpected(bad("the file cannot be read"));
  if (!in_->eof()) return true;
  cut_ = !line_.empty();
  return false;
}

std::expected<TraceHeader, BadInput> TraceReader::header() {
  const auto whole = read_line();
  if (!whole) return std::unexpected(whole.error());
  if (!*whole) {
    if (!cut_) return std::unexpected(bad("the file is empty"));
    cut_ = line_.starts_with(header_start) || header_start.starts_with(line_);
    if (cut_) return std::unexpected(bad("the trace is cut off in its header"));
  }
  try {
    TraceHeader header = read_header(line_);
    first_processes_ = header.workers;
    return header;
  } catch (const Wrong& found) {
    return std::unexpected(bad(found.what));
  }
}

std::expected<std::optional<Event>, BadInput> TraceReader::next() {
  const auto whole = read_line();
  if (!whole) return std::unexpected(whole.error());
  if (!*whole) return std::nullopt;
  try {
    Event event = read_event(parse(line_));
    if (const auto* one = std::get_if<ProcessEvent>(&event)) {
      if (auto what = check_order(*one)) wrong("{}", *what);
    }
    return event;
  } catch (const Wrong& found) {
    return std::unexpected(bad(found.what));
  }
}

/// What is wrong with an event's place in its process, or nothing.
std::optional<std::string> TraceReader::check_order(const ProcessEvent& event) {
  const auto [process, number] = std::pair(event.process, event.number);
  if (ended_.contains(process)) return fmt::format("process {}: event {} after its end", process, number);
  const auto [place, first] = due_.try_emplace(process, 0);
  if (number != place->second) {
    return fmt::format("process {}: event {} where event {} was due", process, number, place->second);
  }
  if ((first && process >= first_processes_) != starts_as_child(event)) {
    return starts_as_child(event)
               ? fmt::format("process {}: event {} can only be the first of a child", process, number)
               : fmt::format("process {}: its first event is not the Fork that made it", process);
  }
  ++place->second;
  if (std::holds_alternative<Ended>(event.what)) {
    due_.erase(place);
    ended_.insert(process);
  }
  return std::nullopt;
}

}  // namespace antiphon
