#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <limits>
#include <string>
#include <utility>

#include "core/bytes.hpp"
#include "core/endpoint.hpp"
#include "core/instructions.hpp"
#include "core/result.hpp"

/// The system calls that the interpreters on the Linux kernel share. Each is as bare as POSIX: it translates, and
/// repairs nothing. None of them waits: what is not ready answers EAGAIN.

namespace antiphon::kernel {

// -- Time: nanoseconds of CLOCK_MONOTONIC, which all processes share ---------------------------------------------

using Nanoseconds = std::int64_t;

inline constexpr Nanoseconds never = std::numeric_limits<Nanoseconds>::max();
inline constexpr Nanoseconds microsecond = 1'000;
inline constexpr Nanoseconds millisecond = 1'000'000;
inline constexpr Nanoseconds second = 1'000'000'000;

Nanoseconds now();

/// `wait_ms` after `start`, or never where that is beyond what can be counted. A wait below 0 is none.
Nanoseconds after(Nanoseconds start, std::int64_t wait_ms);

// -- Descriptors -------------------------------------------------------------------------------------------------

/// The reason that the last call gave.
std::unexpected<Errno> last_error();

/// A descriptor that is closed when it goes out of scope, unless it was handed on.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] bool valid() const { return number_ >= 0; }
  int hand_on() { return std::exchange(number_, -1); }

 private:
  int number_;
};

/// Throws std::system_error with the last error of a call that nothing goes on without.
Descriptor needed(int descriptor, const char* call);

/// An eventfd(2) that nobody has written to, and that does not block. Throws std::system_error.
Descriptor new_event();

/// What a loop has with the call that it waits by. Such a call fails for want of something, which passes; or for a
/// reason that does not pass, and then the loop must end.
class Patience {
 public:
  explicit Patience(const char* call) : call_(call) {}

  void succeeded() { failures_ = 0; }
  /// Rests for a millisecond. Throws std::system_error once the call has failed a thousand times in a row.
  void failed(int error);

 private:
  const char* call_;
  int failures_ = 0;
};

/// A millisecond, for what is short to come back.
void rest();

// -- The instructions on sockets ---------------------------------------------------------------------------------

/// Whether several listeners share one address, each with a queue of its own (SO_REUSEPORT).
enum class Sharing : std::uint8_t {
  alone,
  first,  ///< The first of those that share; it is refused where somebody listens already.
  joins,
};

Result<Descriptor> open_socket(const Endpoint& at, Sharing sharing = Sharing::alone);
Result<Endpoint> listen_at(int listener, int backlog);
/// Where a descriptor listens for streams over IP; or what it is instead, in words.
std::expected<Endpoint, std::string> listening_at(int descriptor);
/// Tells sockets apart, whatever descriptors they have.
std::uint64_t cookie_of(int socket);
/// Another descriptor for a listener that somebody else may have too. O_NONBLOCK is one for all who have it: an accept
/// of one of them that does without still ends after an instant.
Result<Descriptor> share_listener(int listener, bool blocks);
Result<Descriptor> accept_client(int listener);
/// Begins to connect; `connected` tells the outcome once the descriptor is ready to send. What is sent does not wait
/// for an earlier segment to be acknowledged (TCP_NODELAY).
Result<Descriptor> begin_connecting(const Endpoint& to);
/// From an address of this host, which is numeric, at any port.
Result<Descriptor> begin_connecting_from(const std::string& host, const Endpoint& to);
Result<Unit> connected(int descriptor);
/// Receives into memory; 0 bytes: the peer ended its side.
Result<std::size_t> receive(int descriptor, std::byte* into, std::size_t at_most);
/// Answers once there is something to receive, and leaves it there.
Result<Unit> peek(int descriptor);
Result<std::size_t> send(int descriptor, const Bytes& bytes);
/// Whether a send would not wait: there is room, or a failure to be told.
bool has_room(int descriptor);
/// Without O_NONBLOCK, which `open_socket` and `begin_connecting` set.
void make_blocking(int descriptor);
Result<Unit> end_side(int descriptor);
/// The number is free afterwards, whatever the answer is.
Result<Unit> close(int descriptor);
/// For an outcome that nobody is there to be told of.
inline void tell_nobody(const Result<Unit>&) {}
/// From here on closing resets the connection.
void reset_on_close(int descriptor);
/// Resets the connection now. The descriptor stays, with nobody at the other end.
Result<Unit> disconnect(int descriptor);

/// A Recv may answer less than was asked for, and so one buffer need not be larger than this.
inline constexpr std::size_t largest_recv = std::size_t{1} << 20U;

}  // namespace antiphon::kernel
