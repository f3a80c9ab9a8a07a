#include "interpreters/kernel.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <optional>
#include <string>
#include <system_error>

namespace antiphon::kernel {

Nanoseconds now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * second + time.tv_nsec;
}

Nanoseconds after(Nanoseconds start, std::int64_t wait_ms) {
  const std::int64_t wait = std::max<std::int64_t>(wait_ms, 0);
  return wait > (never - start) / millisecond ? never : start + wait * millisecond;
}

std::unexpected<Errno> last_error() { return failed(Errno{errno}); }

Descriptor::~Descriptor() {
  if (number_ < 0) return;
  // What the caller is about to answer is still in errno.
  const int kept = errno;
  ::close(number_);
  errno = kept;
}

Descriptor needed(int descriptor, const char* call) {
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), call);
  return Descriptor(descriptor);
}

Descriptor new_event() { return needed(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd"); }

void rest() {
  constexpr timespec time{.tv_sec = 0, .tv_nsec = millisecond};
  nanosleep(&time, nullptr);
}

void Patience::failed(int error) {
  constexpr int most_failures = 1000;
  if (++failures_ > most_failures) throw std::system_error(error, std::generic_category(), call_);
  rest();
}

namespace {

struct Address {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);

  [[nodiscard]] int family() const { return storage.ss_family; }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

/// The address of a numeric endpoint; none where the host is not numeric.
std::optional<Address> address_of(const Endpoint& endpoint) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(endpoint.port);
  if (getaddrinfo(endpoint.host.c_str(), port.c_str(), &hints, &found) != 0) return std::nullopt;
  Address address;
  std::copy_n(reinterpret_cast<const std::byte*>(found->ai_addr), found->ai_addrlen,
              reinterpret_cast<std::byte*>(&address.storage));
  address.size = found->ai_addrlen;
  freeaddrinfo(found);
  return address;
}

std::optional<Endpoint> endpoint_of(Address& address) {
  std::array<char, NI_MAXHOST> host{};
  if (getnameinfo(address.get(), address.size, host.data(), host.size(), nullptr, 0, NI_NUMERICHOST) != 0) {
    return std::nullopt;
  }
  const in_port_t port = address.family() == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_port
                                                      : reinterpret_cast<const sockaddr_in&>(address.storage).sin_port;
  return Endpoint{host.data(), ntohs(port)};
}

/// A socket that does not hold its process in a call: a client can vanish between the wait and accept4, and a
/// connection takes its time.
Descriptor stream_socket(int family) {
  return Descriptor(socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

/// Bound, and with SO_REUSEADDR.
Result<Descriptor> bound_socket(Address& address, bool shares) {
  Descriptor opened = stream_socket(address.family());
  if (!opened.valid()) return last_error();
  const int on = 1;
  if (setsockopt(opened.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0) return last_error();
  if (shares && setsockopt(opened.number(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0) return last_error();
  if (bind(opened.number(), address.get(), address.size) < 0) return last_error();
  return opened;
}

}  // namespace

Result<Descriptor> open_socket(const Endpoint& at, Sharing sharing) {
  std::optional<Address> address = address_of(at);
  if (!address) return failed(Errno::INVAL);
  if (sharing == Sharing::first) {
    // SO_REUSEPORT would let us in beside another server of the same user. A socket without it is refused there.
    const Result<Descriptor> alone = bound_socket(*address, false);
    if (!alone) return failed(alone.error());
    if (getsockname(alone->number(), address->get(), &address->size) < 0) return last_error();
  }
  return bound_socket(*address, sharing != Sharing::alone);
}

Result<Endpoint> listen_at(int listener, int backlog) {
  if (listen(listener, backlog) < 0) return last_error();
  Address bound;
  if (getsockname(listener, bound.get(), &bound.size) < 0) return last_error();
  std::optional<Endpoint> endpoint = endpoint_of(bound);
  if (!endpoint) return failed(Errno::AFNOSUPPORT);
  return *std::move(endpoint);
}

std::expected<Endpoint, std::string> listening_at(int descriptor) {
  int type = 0;
  socklen_t size = sizeof(type);
  if (getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) < 0) {
    return std::unexpected(errno == EBADF ? "it is not open" : "it is no socket");
  }
  int listens = 0;
  size = sizeof(listens);
  if (type != SOCK_STREAM || getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0 || listens == 0) {
    return std::unexpected("it is no listening stream socket");
  }
  Address bound;
  if (getsockname(descriptor, bound.get(), &bound.size) < 0) return std::unexpected("it has no address");
  std::optional<Endpoint> endpoint;
  if (bound.family() == AF_INET || bound.family() == AF_INET6) endpoint = endpoint_of(bound);
  if (!endpoint) return std::unexpected("it does not listen at an address of IP");
  return *std::move(endpoint);
}

std::uint64_t cookie_of(int socket) {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof(cookie);
  return getsockopt(socket, SOL_SOCKET, SO_COOKIE, &cookie, &size) < 0 ? 0 : cookie;
}

Result<Descriptor> share_listener(int listener, bool blocks) {
  Descriptor own(fcntl(listener, F_DUPFD_CLOEXEC, 0));
  if (!own.valid()) return last_error();
  // In this order: a server that has it still, and that lost a client to us, must not be held in its accept.
  constexpr timeval instant{.tv_sec = 0, .tv_usec = 1};
  if (setsockopt(own.number(), SOL_SOCKET, SO_RCVTIMEO, &instant, sizeof(instant)) < 0) return last_error();
  const int flags = fcntl(own.number(), F_GETFL);
  if (flags < 0) return last_error();
  const int wanted = blocks ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
  if (fcntl(own.number(), F_SETFL, wanted) < 0) return last_error();
  return own;
}

Result<Descriptor> accept_client(int listener) {
  Descriptor client(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  if (!client.valid()) return last_error();
  return client;
}

namespace {

Result<Descriptor> begin_connecting(const Endpoint& to, std::optional<Address> from) {
  std::optional<Address> address = address_of(to);
  if (!address) return failed(Errno::INVAL);
  Descriptor opened = stream_socket(address->family());
  if (!opened.valid()) return last_error();
  if (from && bind(opened.number(), from->get(), from->size) < 0) return last_error();
  // As in the simulation, each Send leaves when it is made.
  const int on = 1;
  if (setsockopt(opened.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0) return last_error();
  const bool connected = connect(opened.number(), address->get(), address->size) == 0;
  if (!connected && errno != EINPROGRESS) return last_error();
  return opened;
}

}  // namespace

Result<Descriptor> begin_connecting(const Endpoint& to) { return begin_connecting(to, std::nullopt); }

Result<Descriptor> begin_connecting_from(const std::string& host, const Endpoint& to) {
  auto from = address_of({host, 0});
  if (!from) return failed(Errno::INVAL);
  return begin_connecting(to, from);
}

Result<Unit> connected(int descriptor) {
  int error = 0;
  socklen_t size = sizeof(error);
  if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) < 0) return last_error();
  if (error != 0) return failed(Errno{error});
  return Unit{};
}

Result<std::size_t> receive(int descriptor, std::byte* into, std::size_t at_most) {
  const ssize_t size = recv(descriptor, into, at_most, MSG_DONTWAIT);
  if (size < 0) return last_error();
  return static_cast<std::size_t>(size);
}

Result<Unit> peek(int descriptor) {
  std::byte one{};
  if (recv(descriptor, &one, 1, MSG_DONTWAIT | MSG_PEEK) < 0) return last_error();
  return Unit{};
}

Result<std::size_t> send(int descriptor, const Bytes& bytes) {
  const std::string_view content = bytes.content();
  const ssize_t size = ::send(descriptor, content.data(), content.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (size < 0) return last_error();
  return static_cast<std::size_t>(size);
}

bool has_room(int descriptor) {
  pollfd watched{descriptor, POLLOUT, 0};
  return poll(&watched, 1, 0) == 1;
}

void make_blocking(int descriptor) { fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK); }

Result<Unit> end_side(int descriptor) {
  if (shutdown(descriptor, SHUT_WR) < 0) return last_error();
  return Unit{};
}

Result<Unit> close(int descriptor) {
  if (::close(descriptor) < 0) return last_error();
  return Unit{};
}

void reset_on_close(int descriptor) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

Result<Unit> disconnect(int descriptor) {
  const sockaddr nobody{.sa_family = AF_UNSPEC, .sa_data = {}};
  if (::connect(descriptor, &nobody, sizeof(nobody)) < 0) return last_error();
  return Unit{};
}

}  // namespace antiphon::kernel
