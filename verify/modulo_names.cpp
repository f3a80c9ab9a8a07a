#include "verify/modulo_names.hpp"

#include <concepts>
#include <cstddef>
#include <optional>
#include <tuple>

#include "verify/contract.hpp"
#include "verify/conversation.hpp"

namespace antiphon::verify {

namespace {

template <class T>
bool same_value(const T& one, const T& other) {
  return one == other;
}
bool same_value(const Bytes& one, const Bytes& other) { return one.size() == other.size(); }
bool same_value(const Endpoint&, const Endpoint&) { return true; }
bool same_value(const Forked& one, const Forked& other) { return one.index() == other.index(); }

template <class T>
bool same_response(const Result<T>& one, const Result<T>& other) {
  if (!one || !other) return !one && !other && one.error() == other.error();
  return same_value(*one, *other);
}

template <class T>
bool same_operand(const T& one, const T& other, Operands operands) {
  if constexpr (std::same_as<T, Socket>) return one == other;
  if constexpr (std::same_as<T, Bytes>) return one.size() == other.size();
  return operands == Operands::sockets || one == other;
}

template <class I>
bool same_operands(const I& one, const I& other, Operands operands) {
  return std::apply(
      [&](const auto&... field) { return (same_operand(one.*(field.member), other.*(field.member), operands) && ...); },
      I::fields);
}

std::string said(const Unit&) { return "ok"; }
std::string said(const Endpoint&) { return "ok"; }
std::string said(Socket socket) { return "socket " + std::to_string(socket.number); }
std::string said(std::size_t count) { return bytes_text(count); }
std::string said(const Bytes& bytes) { return bytes.empty() ? "the end" : bytes_text(bytes.size()); }
std::string said(const Forked& forked) { return std::holds_alternative<Parent>(forked) ? "a child" : "child"; }

}  // namespace

bool same_instruction(const AnyExchange<Net>& one, const AnyExchange<Net>& other, Operands operands) {
  return std::visit(
      [&]<class I>(const Exchange<I>& mine) {
        const auto* const its = std::get_if<Exchange<I>>(&other);
        // (The socket of a Fork only says whom it is counted with.)
        if (std::same_as<I, Fork> && operands == Operands::sockets) return its != nullptr;
        return its != nullptr && same_operands(mine.instruction, its->instruction, operands);
      },
      one);
}

bool same_exchange(const AnyExchange<Net>& one, const AnyExchange<Net>& other, Operands operands) {
  if (!same_instruction(one, other, operands)) return false;
  return std::visit(
      [&]<class I>(const Exchange<I>& mine) {
        const auto& its = std::get<Exchange<I>>(other);
        if (!mine.response || !its.response) return !mine.response && !its.response;
        return same_response(*mine.response, *its.response);
      },
      one);
}

std::string instruction_text(const AnyExchange<Net>& exchange) {
  return std::visit(
      []<class I>(const Exchange<I>& one) {
        std::string text(I::name);
        if constexpr (OnSocket<I>) text += " " + std::to_string(socket_of(one.instruction).number);
        if constexpr (std::same_as<I, Send>) text += " of " + bytes_text(one.instruction.bytes.size());
        return text;
      },
      exchange);
}

std::string answer_text(const AnyExchange<Net>& exchange) {
  return std::visit(
      []<class I>(const Exchange<I>& one) -> std::string {
        if (!one.response) return "nothing yet";
        if (!*one.response) return name_of(one.response->error());
        return said(**one.response);
      },
      exchange);
}

}  // namespace antiphon::verify
