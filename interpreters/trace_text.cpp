#include "interpreters/trace_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstring>
#include <iterator>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>

#include "interpreters/payload_digest.hpp"
#include "interpreters/trace_form.hpp"

namespace antiphon {

namespace {

using form::done;
using form::hex_digits;

/// Appends to a string by way of a little room of its own: a line is made of many short pieces. What is in that room
/// gets there by `all`.
class Pieces {
 public:
  explicit Pieces(std::string& out) : out_(&out) {}
  Pieces(const Pieces&) = delete;
  Pieces& operator=(const Pieces&) = delete;

  void operator+=(char byte) {
    if (size_ == held_.size()) all();
    held_[size_++] = byte;
  }
  template <std::size_t Size>
  void operator+=(const char (&literal)[Size]) {
    add<Size - 1>(literal);
  }
  template <std::size_t Size>
  void operator+=(const std::array<char, Size>& piece) {
    add<Size>(piece.data());
  }
  void operator+=(std::string_view piece) {
    if (piece.size() > held_.size() - size_) {
      all() += piece;
    } else {
      std::ranges::copy(piece, held_.data() + size_);  // an empty piece may be nowhere
      size_ += piece.size();
    }
  }

  /// The string, with all that was appended so far.
  std::string& all() {
    out_->append(held_.data(), std::exchange(size_, 0));
    return *out_;
  }

 private:
  /// Of a size that is known when this is compiled, so that no call is made.
  template <std::size_t Size>
  void add(const char* piece) {
    static_assert(Size < 512);
    if (Size > held_.size() - size_) all();
    std::memcpy(held_.data() + size_, piece, Size);
    size_ += Size;
  }

  std::string* out_;
  std::size_t size_ = 0;
  std::array<char, 512> held_;
};

void put_hex(std::string& out, std::string_view content) {
  std::size_t at = out.size();
  out.resize(at + 2 * content.size());
  for (const char byte : content) {
    const auto bits = static_cast<unsigned char>(byte);
    out[at++] = hex_digits[bits >> 4U];
    out[at++] = hex_digits[bits & 15U];
  }
}

void put_crc(Pieces& out, std::uint64_t crc) {
  std::array<char, form::crc_digits> digits{};
  for (std::size_t at = digits.size(); at-- > 0; crc >>= 4U) digits[at] = hex_digits[crc & 15U];
  out += digits;
}

bool is_text(std::string_view content) {
  for (;;) {
    const std::size_t plain = form::plain_length(content);
    if (plain == content.size()) return true;
    if (!form::is_text(content[plain])) return false;
    content.remove_prefix(plain + 1);
  }
}

/// Writes the fields of one line, each with a comma before it.
class LineWriter {
 public:
  LineWriter(std::string& out, Payload payload) : out_(out), payload_(payload) {}

  /// `,"name":value`
  template <class Name, class T>
  void field(const Name& name, const T& value) {
    out_ += ",\"";
    out_ += name;
    out_ += "\":";
    put(value);
  }

  void event(const ProcessEvent& event) {
    out_ += R"({"process":)";
    put(event.process);
    field("event", event.number);
    if (const auto* issued = std::get_if<Issued>(&event.what)) {
      put_issued(*issued);
    } else {
      const Result<Unit>& result = std::get<Ended>(event.what).result;
      field("end", result ? std::string(done) : name_of(result.error()));
    }
    out_ += '}';
  }

  void event(const ClientEvent& event) {
    out_ += R"({"client":)";
    put(event.client);
    field("did", name_of(event.kind));
    if (form::carries_bytes(event.kind)) field("bytes", event.bytes);
    if (event.kind == ClientEvent::Kind::accepted) {
      field("process", event.process);
      field("socket", event.socket);
    }
    out_ += '}';
  }

  void event(const StopEvent&) { out_ += R"({"stop":true})"; }

  template <Instruction I>
  void instruction(const I& instruction) {
    out_ += R"(,"do":")";
    out_ += I::name;
    out_ += '"';
    fields<','>(instruction, std::make_index_sequence<head_size<I>>());
    if constexpr (Tailed<I>) {
      constexpr std::size_t all = std::tuple_size_v<decltype(I::fields)>;
      if (!instruction.tail_is_silent()) tail(instruction, std::make_index_sequence<all - head_size<I>>());
    }
  }

  /// Nothing follows.
  void finish() { out_.all(); }

 private:
  template <class I, std::size_t... Indices>
  void tail(const I& instruction, std::index_sequence<Indices...>) {
    (field_at<head_size<I> + Indices, ','>(instruction), ...);
  }
  /// All fields of a struct. `First` stands before them.
  template <char First, class T, std::size_t... Indices>
  void fields(const T& value, std::index_sequence<Indices...>) {
    (field_at < Indices, Indices == 0 ? First : ',' > (value), ...);
  }
  template <std::size_t Index, char First, class T>
  void field_at(const T& value) {
    constexpr const auto& key = form::key_of<T, Index, First>;
    out_ += key;
    put(value.*(std::get<Index>(T::fields).member));
  }

  template <class T>
  void put(const T& value) {
    if constexpr (form::Number<T>) {
      put(value.number);
    } else if constexpr (Described<T>) {
      static_assert(std::tuple_size_v<decltype(T::fields)> > 0, "the brace stands before the first field");
      fields<'{'>(value, std::make_index_sequence<std::tuple_size_v<decltype(T::fields)>>());
      out_ += '}';
    } else if constexpr (std::same_as<T, Bytes>) {
      put_bytes(value);
    } else if constexpr (std::same_as<T, Unit>) {
      put_text(done);
    } else if constexpr (std::same_as<T, Forked>) {
      if (const auto* parent = std::get_if<Parent>(&value)) {
        out_ += R"({"parent":)";
        put(parent->child);
        out_ += '}';
      } else {
        out_ += R"("child")";
      }
    } else if constexpr (std::integral<T>) {
      if (std::same_as<T, std::int64_t> && std::cmp_equal(value, unlimited)) {
        out_ += "null";
      } else {
        const fmt::format_int digits(value);
        out_ += std::string_view(digits.data(), digits.size());
      }
    } else {
      put_text(value);
    }
  }

  void put_text(std::string_view text) {
    out_ += '"';
    for (;;) {
      const std::size_t plain = form::plain_length(text);
      out_ += text.substr(0, plain);
      if (plain == text.size()) break;
      put_escaped(text[plain]);
      text.remove_prefix(plain + 1);
    }
    out_ += '"';
  }

  void put_escaped(char byte) {
    switch (byte) {
      case '"':
        out_ += "\\\"";
        break;
      case '\\':
        out_ += "\\\\";
        break;
      case '\n':
        out_ += "\\n";
        break;
      case '\r':
        out_ += "\\r";
        break;
      case '\t':
        out_ += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(byte) < ' ') {
          fmt::format_to(std::back_inserter(out_.all()), "\\u{:04x}", static_cast<unsigned>(byte));
        } else {
          out_ += byte;
        }
    }
  }

  void put_bytes(const Bytes& bytes) {
    if (!bytes.empty() && (payload_ == Payload::digest || !bytes.is_kept())) return put_digests(bytes);
    const std::string_view content = bytes.content();
    if (is_text(content)) {
      out_ += R"({"text":)";
      put_text(content);
      out_ += '}';
    } else {
      out_ += R"({"hex":")";
      put_hex(out_.all(), content);
      out_ += R"("})";
    }
  }

  void put_digests(const Bytes& bytes) {
    out_ += R"({"digest":")";
    bool first = true;
    for (const StreamDigest& digest : Stretches(bytes, cut_).all()) {
      if (!std::exchange(first, false)) out_ += ',';
      put(digest.size);
      out_ += ':';
      put_crc(out_, digest.crc);
    }
    out_ += R"("})";
  }

  void put_issued(const Issued& issued) {
    std::visit(
        [&]<class I>(const Exchange<I>& exchange) {
          cut_ = cut_of(exchange);
          instruction(exchange.instruction);
          if (!exchange.response) {
            out_ += R"(,"pending":true)";
          } else if (*exchange.response) {
            field("answer", **exchange.response);
          } else {
            field("error", name_of(exchange.response->error()));
          }
        },
        issued.exchange);
    if (issued.child) field("child", *issued.child);
  }

  Pieces out_;
  Payload payload_;
  std::size_t cut_ = 0;  ///< Where bytes are cut in two for their digests.
};

template <class E>
void append_event(std::string& out, const E& event, Payload payload) {
  LineWriter line(out, payload);
  line.event(event);
  line.finish();
}

}  // namespace

std::string header_line(const TraceHeader& header) {
  std::string out = R"({"antiphon":"trace")";
  LineWriter line(out, Payload::full);
  line.field("version", trace_version);
  std::size_t number = 0;
  const bool is_whole = !has_silent_tail(header);
  for_each_field(header, [&](std::string_view name, const auto& member) {
    if (number++ < head_size<TraceHeader> || is_whole) line.field(name, member);
  });
  line.finish();
  return out + '}';
}

std::string event_line(const Event& event) {
  std::string out;
  std::visit([&](const auto& one) { append_event(out, one, Payload::full); }, event);
  return out;
}

std::string instruction_line(const AnyExchange<Net>& exchange) {
  std::string out;
  LineWriter line(out, Payload::full);
  std::visit([&](const auto& one) { line.instruction(one.instruction); }, exchange);
  line.finish();
  out.front() = '{';
  return out + '}';
}

void append_line(std::string& text, const Event& event, Payload payload) {
  std::visit([&](const auto& one) { append_event(text, one, payload); }, event);
  text += '\n';
}

void append_line(std::string& text, const ProcessEvent& event, Payload payload) {
  append_event(text, event, payload);
  text += '\n';
}

}  // namespace antiphon
