#pragma once

#include <compare>
#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "core/handler.hpp"
#include "core/instructions.hpp"

namespace antiphon {

/// What an operator reads of a server: where it listens, on standard output; what goes wrong, on standard error. Of
/// failures of one kind the first is told at once, and how many there were at the end.
class ServerLog {
 public:
  explicit ServerLog(std::string interpreter) : interpreter_(std::move(interpreter)) {}

  void listening(const Endpoint& bound);
  [[nodiscard]] bool has_listened() const { return has_listened_; }

  void failure(std::string_view instruction, Errno error);
  /// A line about the server as a whole.
  void note(const std::string& text) const;
  /// What was counted and not told.
  void totals() const;

 private:
  struct Kind {
    std::string_view instruction;
    Errno error;
    auto operator<=>(const Kind&) const = default;
  };
  std::string interpreter_;
  bool has_listened_ = false;
  std::map<Kind, std::uint64_t> failures_;
};

/// "ECONNRESET (Connection reset by peer)"
std::string explained(Errno error);

/// Reports to the log what the acceptor's instructions are answered, and changes nothing. Sessions, in processes of
/// their own, are not reported: their clients' failures are daily business.
template <class Handler>
class Watched {
 public:
  /// `when_listening` is called once clients can connect, before the log says so.
  Watched(Handler& handler, ServerLog& log, std::function<void()> when_listening, std::function<void()> when_stopping)
      : handler_(&handler),
        log_(&log),
        when_listening_(std::move(when_listening)),
        when_stopping_(std::move(when_stopping)) {}

  template <Instruction I>
    requires Handles<Handler, I>
  typename I::Response operator()(const I& instruction) {
    typename I::Response response = (*handler_)(instruction);
    if (in_session_) return response;
    if (!response) {
      report<I>(response.error());
    } else if constexpr (std::same_as<I, Listen>) {
      when_listening_();
      log_->listening(*response);
    } else if constexpr (std::same_as<I, Fork>) {
      in_session_ = std::holds_alternative<Child>(*response);
    }
    return response;
  }

 private:
  template <Instruction I>
  void report(Errno error) {
    if (error == Errno::STOPPING) {
      if constexpr (std::same_as<I, Accept>) when_stopping_();
    } else if (error != Errno::EXPIRED && log_->has_listened()) {
      // A failure to start is the program's result, and is told as such.
      log_->failure(I::name, error);
    }
  }

  Handler* handler_;
  ServerLog* log_;
  std::function<void()> when_listening_;
  std::function<void()> when_stopping_;
  bool in_session_ = false;
};

}  // namespace antiphon
