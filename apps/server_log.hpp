#pragma once

#include <atomic>
#include <compare>
#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "apps/log_entry.hpp"
#include "core/handler.hpp"
#include "core/instructions.hpp"
#include "interpreters/shared_word.hpp"

namespace antiphon {

/// Does what can be left undone where there is no memory for it: a line that is lost is not worth a server.
template <class Work>
void if_memory_allows(const Work& work) {
  try {
    work();
  } catch (const std::bad_alloc&) {
    return;  // left undone
  }
}

/// What an operator reads of a server: where it listens, on standard output; what goes wrong, on standard error. Of
/// failures of one kind the first is told at once, further ones at most once a second with their count, and how many
/// there were at the end.
class ServerLog {
 public:
  explicit ServerLog(std::string interpreter, LogFormat format = LogFormat::text)
      : interpreter_(std::move(interpreter)), format_(format) {}

  void listening(const Endpoint& bound);
  /// The server cannot start.
  void not_started(std::string_view why) const;
  [[nodiscard]] bool has_listened() const { return has_listened_; }

  /// Several threads may call this and what follows. What there is no memory for is not said.
  void tell(const LogEntry& entry) const;
  /// A line about the server as a whole.
  void note(std::string_view text) const;
  /// The same; something is not as it was asked for.
  void warn(std::string_view text) const;
  /// The acceptor was answered with a failure.
  void failure(std::string_view instruction, Errno error);
  /// A session ended by a failure that it does not handle. Any process that the first one forked may call it.
  void session_failure(Errno error);
  /// What was counted and not told.
  void totals() const;
  /// The failures of which there were that many at least, with their counts.
  void tell_failures(std::uint64_t least, std::string_view event) const;

 private:
  struct Kind {
    std::string_view instruction;
    Errno error;
    auto operator<=>(const Kind&) const = default;
  };
  struct Failures {
    std::uint64_t count = 0;
    std::atomic<std::uint64_t> told_at = 0;
    std::atomic<std::uint64_t> untold = 0;
  };
  static std::vector<std::pair<std::string_view, LogValue>> fields_of(const Kind& kind, std::uint64_t count);
  void count_failure(const Kind& kind);

  std::string interpreter_;
  LogFormat format_;
  bool has_listened_ = false;
  SharedWord sessions_failed_;
  SharedWord session_told_at_;
  SharedWord sessions_untold_;
  mutable std::mutex mutex_;  ///< Of what follows.
  std::map<Kind, Failures> failures_;
};

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

  /// Adds to it with each client.
  void count_accepted(std::int64_t& accepted) { accepted_ = &accepted; }
  /// Is called in each process that was forked.
  void when_in_session(std::function<void()> call) { when_in_session_ = std::move(call); }
  void in_session() const {
    if (when_in_session_) when_in_session_();
  }

  template <Instruction I>
  void saw(const typename I::Response& response) {
    if (!response) {
      report<I>(response.error());
    } else if constexpr (std::same_as<I, Listen>) {
      has_listened_ = true;
      when_listening_(*response);
    } else if constexpr (std::same_as<I, Accept>) {
      if (accepted_ != nullptr) ++*accepted_;
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
  std::function<void()> when_in_session_;
  std::int64_t* accepted_ = nullptr;
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
    if constexpr (std::same_as<I, Fork>) {
      in_session_ = response && std::holds_alternative<Child>(*response);
      if (in_session_) watch_.in_session();
    }
    return response;
  }

 private:
  Handler* handler_;
  AcceptorWatch watch_;
  bool in_session_ = false;
};

}  // namespace antiphon
