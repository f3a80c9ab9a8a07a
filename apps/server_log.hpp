#pragma once

#include <compare>
#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
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

  /// Several threads may call it.
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
  mutable std::mutex mutex_;  ///< Of what follows.
  std::map<Kind, std::uint64_t> failures_;
};

/// Writes a line with its end to standard error. A reader that went away, or that does not read, is no reason to end or
/// to wait: what cannot be written at once is lost.
void put_line(const std::string& text);

/// "ECONNRESET (Connection reset by peer)"
std::string explained(Errno error);

/// What an acceptor does, told to the log. Sessions are not told of: their clients' failures are daily business.
class AcceptorWatch {
 public:
  /// `when_listening` is called once clients can connect; it may let the log say so. `when_stopping`: once the
  /// acceptor is asked to stop.
  AcceptorWatch(ServerLog& log, std::function<void(const Endpoint&)> when_listening,
                std::function<void()> when_stopping)
      : log_(&log), when_listening_(std::move(when_listening)), when_stopping_(std::move(when_stopping)) {}

  template <Instruction I>
  void saw(const typename I::Response& response) {
    if (!response) {
      report<I>(response.error());
    } else if constexpr (std::same_as<I, Listen>) {
      has_listened_ = true;
      when_listening_(*response);
    }
  }

 private:
  template <Instruction I>
  void report(Errno error) {
    if (error == Errno::STOPPING) {
      if constexpr (std::same_as<I, Accept>) when_stopping_();
    } else if (error != Errno::EXPIRED && has_listened_) {
      // A failure to start is the program's result, and is told as such.
      log_->failure(I::name, error);
    }
  }

  ServerLog* log_;
  std::function<void(const Endpoint&)> when_listening_;
  std::function<void()> when_stopping_;
  bool has_listened_ = false;
};

/// A handler whose acceptor is watched; changes nothing.
template <class Handler>
class Watched {
 public:
  Watched(Handler& handler, AcceptorWatch watch) : handler_(&handler), watch_(std::move(watch)) {}

  template <Instruction I>
    requires Handles<Handler, I>
  typename I::Response operator()(const I& instruction) {
    typename I::Response response = (*handler_)(instruction);
    if (in_session_) return response;
    watch_.template saw<I>(response);
    if constexpr (std::same_as<I, Fork>) in_session_ = response && std::holds_alternative<Child>(*response);
    return response;
  }

 private:
  Handler* handler_;
  AcceptorWatch watch_;
  bool in_session_ = false;
};

}  // namespace antiphon
