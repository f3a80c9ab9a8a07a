// The clients: one thread, plain epoll. Every byte that comes back is compared with the one that was sent.
//
//   load echo PORT     --connections N  --bytes S  --seconds T  [--warmup T] [--wait] [--spin]
//   load connect PORT  --connections N  --bytes S  --seconds T  [--warmup T] [--wait] [--spin] [--once]
//   load hold PORT     --connections N  --bytes S  [--never-read]
//
// echo     N connections; each has one message under way at any time.
// connect  N at a time: connect, echo one message, close. With --once it is the server that ends the connection.
// hold     Opens N connections, echoes one message on each (none with --bytes 0), stays idle until its input ends.
//          With --never-read each sends S bytes and reads nothing.
//
// --wait   Prints `ready` after the warm-up and measures once a line comes in; so does hold, which then ends.
// --spin   Polls, so that waking up costs the clients nothing.
//
// Prints one line of JSON. Exits 1 when a byte was lost or wrong or a connection failed, 2 when it could not start.
//
// Sources are spread over 127.0.0.0/8, so that ports do not run out. connect closes in the ordinary way. echo and hold,
// when all is measured, reset their connections (SO_LINGER 0), so that thousands of them leave no TIME_WAIT behind.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count();
}

[[noreturn]] void stop(const std::string& text) {
  std::fprintf(stderr, "load: %s\n", text.c_str());
  std::exit(2);
}

[[noreturn]] void stop_with_errno(const std::string& what) {
  stop(what + ": " + std::generic_category().message(errno));
}

// ---- Arguments ----

struct Arguments {
  std::string mode;
  std::uint16_t port = 0;
  std::size_t connections = 1;
  std::size_t bytes = 64;
  double seconds = 1;
  double warmup = 0.2;
  bool once = false;
  bool spin = false;
  bool wait = false;
  bool never_read = false;
};

Arguments read_arguments(int count, char** values) {
  if (count < 3) stop("usage: load echo|connect|hold PORT [options]; see the head of load.cpp");
  Arguments arguments;
  arguments.mode = values[1];
  if (!std::set<std::string>{"echo", "connect", "hold"}.contains(arguments.mode)) stop("no mode " + arguments.mode);
  arguments.port = static_cast<std::uint16_t>(std::atoi(values[2]));
  const std::map<std::string, bool*> flags{{"--once", &arguments.once},
                                           {"--spin", &arguments.spin},
                                           {"--wait", &arguments.wait},
                                           {"--never-read", &arguments.never_read}};
  for (int i = 3; i < count; ++i) {
    const std::string name = values[i];
    if (const auto flag = flags.find(name); flag != flags.end()) {
      *flag->second = true;
      continue;
    }
    if (i + 1 == count) stop(name + " is unknown or wants a value");
    const double value = std::atof(values[++i]);
    if (name == "--connections") {
      arguments.connections = static_cast<std::size_t>(value);
    } else if (name == "--bytes") {
      arguments.bytes = static_cast<std::size_t>(value);
    } else if (name == "--seconds") {
      arguments.seconds = value;
    } else if (name == "--warmup") {
      arguments.warmup = value;
    } else {
      stop("no option " + name);
    }
  }
  return arguments;
}

// ---- Content ----

std::uint64_t mixed(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

/// Messages are slices of one random text. Where a slice starts depends on the connection and on the message's number,
/// so that what belongs elsewhere, or came before, does not pass for right.
class Messages {
 public:
  explicit Messages(std::size_t size) : text_(starts + size + 8) {
    for (std::size_t i = 0; i + 8 <= text_.size(); i += 8) {
      const std::uint64_t word = mixed(i);
      std::memcpy(&text_[i], &word, 8);
    }
  }

  [[nodiscard]] const char* message(std::uint64_t connection, std::uint64_t number) const {
    return &text_[mixed(connection << 40 ^ number) % starts];
  }

 private:
  static constexpr std::size_t starts = 1 << 18;
  std::vector<char> text_;
};

// ---- Latencies ----

/// Counts in buckets that are at most 1/64 wide of what they hold.
class Histogram {
 public:
  void add(std::int64_t ns) {
    const std::uint64_t value = std::max<std::int64_t>(ns, 0) + 64;
    const int shift = static_cast<int>(std::bit_width(value)) - 7;
    ++counts_[static_cast<std::size_t>(shift) * 64 + (value >> shift) - 64];
    ++count_;
    most_ = std::max(most_, ns);
  }

  /// The upper end of the bucket that the quantile is in, in microseconds.
  [[nodiscard]] double quantile_us(double quantile) const {
    const auto rank = static_cast<std::uint64_t>(quantile * static_cast<double>(count_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > rank) {
        const std::uint64_t upper = ((i % 64 + 65) << (i / 64)) - 64;
        return std::min(static_cast<double>(upper), static_cast<double>(most_)) / 1000;
      }
    }
    return static_cast<double>(most_) / 1000;
  }
  [[nodiscard]] double most_us() const { return static_cast<double>(most_) / 1000; }
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  std::array<std::uint64_t, 58 * 64> counts_{};
  std::uint64_t count_ = 0;
  std::int64_t most_ = 0;
};

// ---- Sockets ----

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

sockaddr_in loopback(std::uint32_t host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(0x7f000000U | host);
  return address;
}

const sockaddr* generic(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }

/// Begins to connect. Each source address is used for a few thousand connections, and two runs share none soon.
int begin_connect(std::uint16_t port, bool small) {
  static std::uint64_t opened = 0;
  static const std::uint64_t first_host = mixed(static_cast<std::uint64_t>(now_ns()));
  const auto host = static_cast<std::uint32_t>(2 + (first_host + opened++ / 4096) % 0xfffff0);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) stop_with_errno("socket");
  const int yes = 1;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
  if (small) {
    // Little room at our end, and small segments, so that the kernel grants the server little room too.
    const int room = 4096;
    const int segment = 1448;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
  }
  const sockaddr_in source = loopback(host, 0);
  if (bind(fd, generic(source), sizeof source) != 0) stop_with_errno("bind");
  const sockaddr_in server = loopback(1, port);
  if (connect(fd, generic(server), sizeof server) != 0 && errno != EINPROGRESS) stop_with_errno("connect");
  return fd;
}

void reset(int fd) {
  const linger at_once{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(fd);
}

// ---- Clients ----

struct Client {
  int fd = -1;
  bool connected = false;
  bool writes_watched = false;
  bool busy = false;      ///< A message is under way.
  bool answered = false;  ///< With --once: waits for the server's end.
  std::uint64_t number = 0;
  const char* message = nullptr;
  std::size_t sent = 0;
  std::size_t received = 0;
  std::int64_t since_ns = 0;
};

class Load {
 public:
  explicit Load(const Arguments& arguments)
      : arguments_(arguments), messages_(arguments.bytes), clients_(arguments.connections), incoming_(65536) {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ < 0) stop_with_errno("epoll_create1");
  }

  int run() {
    const bool holds = arguments_.mode == "hold";
    if (!connects()) {
      // A few at a time, so that no SYN is dropped.
      constexpr std::size_t at_once = 256;
      for (std::size_t i = 0; i < clients_.size(); i += at_once) {
        const std::size_t end = std::min(i + at_once, clients_.size());
        for (std::size_t j = i; j < end; ++j) open(j);
        wait_until([&] { return connected_ == end || errors_ > 0; }, 30);
        if (connected_ != end) stop("only " + std::to_string(connected_) + " connected");
      }
    }
    if (holds) {
      hold();
    } else {
      drive(arguments_.warmup);
      if (arguments_.wait) rendezvous();
      if (errors_ + lost_ == 0) {
        histogram_ = {};
        drive(arguments_.seconds);
      }
    }
    report();
    for (const Client& client : clients_) {
      if (client.fd >= 0) reset(client.fd);
    }
    return errors_ + wrong_ + lost_ > 0 ? 1 : 0;
  }

 private:
  [[nodiscard]] bool connects() const { return arguments_.mode == "connect"; }

  static void rendezvous() {
    std::puts("ready");
    std::fflush(stdout);
    char byte = 0;
    while (read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n') {
    }
  }

  // -- Phases --

  /// Keeps one message under way on each connection for the time, then waits for those that still are.
  void drive(double seconds) {
    const std::int64_t start = now_ns();
    const std::int64_t end = start + static_cast<std::int64_t>(seconds * 1e9);
    going_ = true;
    if (seconds > 0) {
      for (std::size_t i = 0; i < clients_.size(); ++i) {
        if (connects()) {
          open(i);
        } else {
          send_next(i);
        }
      }
    }
    while (now_ns() < end && errors_ == 0) turn(10);
    going_ = false;
    wait_until([&] { return busy_ == 0; }, 10);
    if (busy_ > 0) {
      for (const Client& client : clients_) {
        if (client.busy) lost_ += arguments_.bytes - client.received;
      }
    }
    seconds_ = static_cast<double>(now_ns() - start) / 1e9;
  }

  void hold() {
    const std::int64_t start = now_ns();
    if (arguments_.bytes > 0) {
      for (std::size_t i = 0; i < clients_.size(); ++i) {
        send_next(i);
        if (i % 256 == 255) turn(0);
      }
    }
    if (arguments_.never_read) {
      // Whoever could send nothing for a while has filled all there is between the two programs.
      std::uint64_t before = ~sent_bytes_;
      for (int i = 0; i < 100 && before != sent_bytes_; ++i) {
        before = sent_bytes_;
        const std::int64_t until = now_ns() + 500'000'000;
        while (now_ns() < until) turn(50);
      }
    } else {
      wait_until([&] { return busy_ == 0; }, 30);
      lost_ += busy_ * arguments_.bytes;
    }
    seconds_ = static_cast<double>(now_ns() - start) / 1e9;
    rendezvous();
    // Whoever lost its connection meanwhile is told now.
    for (std::size_t i = 0; i <= clients_.size() / 256 && !arguments_.never_read; ++i) turn(0);
  }

  template <class Condition>
  void wait_until(Condition condition, double seconds) {
    const std::int64_t end = now_ns() + static_cast<std::int64_t>(seconds * 1e9);
    while (!condition() && now_ns() < end) turn(10);
  }

  // -- Events --

  void turn(int wait_ms) {
    std::array<epoll_event, 256> events{};
    const int count = epoll_wait(epoll_, events.data(), events.size(), arguments_.spin ? 0 : wait_ms);
    for (int i = 0; i < count; ++i) on_event(events[i].data.u64, events[i].events);
  }

  void on_event(std::size_t index, std::uint32_t events) {
    Client& client = clients_[index];
    if (client.fd < 0) return;
    if (!client.connected) {
      if ((events & (EPOLLERR | EPOLLHUP)) != 0) return fail(index, "a connection was refused or reset");
      client.connected = true;
      ++connected_;
      watch_writes(index, false);
      if (connects()) send_next(index);
      return;
    }
    if ((events & EPOLLOUT) != 0) send_rest(index);
    if ((events & ~std::uint32_t{EPOLLOUT}) != 0 && !arguments_.never_read) receive(index);
  }

  void open(std::size_t index) {
    Client& client = clients_[index];
    const std::uint64_t number = client.number;
    client = Client{};
    client.number = number;
    client.fd = begin_connect(arguments_.port, arguments_.never_read);
    client.writes_watched = true;
    if (connects()) {
      client.busy = true;
      ++busy_;
      client.since_ns = now_ns();
    }
    epoll_event event{};
    event.events = EPOLLOUT;
    event.data.u64 = index;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, client.fd, &event) != 0) stop_with_errno("epoll_ctl");
  }

  void watch_writes(std::size_t index, bool writes) {
    Client& client = clients_[index];
    if (client.writes_watched == writes) return;
    client.writes_watched = writes;
    epoll_event event{};
    event.events = arguments_.never_read ? 0U : std::uint32_t{EPOLLIN};
    if (writes) event.events |= EPOLLOUT;
    event.data.u64 = index;
    epoll_ctl(epoll_, EPOLL_CTL_MOD, client.fd, &event);
  }

  void send_next(std::size_t index) {
    Client& client = clients_[index];
    client.message = messages_.message(index, ++client.number);
    client.sent = client.received = 0;
    if (!client.busy) {
      client.busy = true;
      ++busy_;
      client.since_ns = now_ns();
    }
    send_rest(index);
  }

  void send_rest(std::size_t index) {
    Client& client = clients_[index];
    while (client.sent < arguments_.bytes) {
      const ssize_t sent = send(client.fd, client.message + client.sent, arguments_.bytes - client.sent, MSG_NOSIGNAL);
      if (sent < 0 && errno == EAGAIN) return watch_writes(index, true);
      if (sent < 0) return fail(index, "send: " + std::generic_category().message(errno));
      client.sent += static_cast<std::size_t>(sent);
      sent_bytes_ += static_cast<std::uint64_t>(sent);
    }
    watch_writes(index, false);
  }

  void receive(std::size_t index) {
    Client& client = clients_[index];
    const ssize_t got = recv(client.fd, incoming_.data(), incoming_.size(), 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got < 0) return fail(index, "recv: " + std::generic_category().message(errno));
    if (got == 0) {
      if (!client.answered) return fail(index, "the server ended a connection");
      return end_connection(index);
    }
    const auto size = static_cast<std::size_t>(got);
    if (!client.busy || client.answered || client.received + size > client.sent) {
      wrong_ += size;
      return fail(index, "bytes that were not sent");
    }
    if (std::memcmp(client.message + client.received, incoming_.data(), size) != 0) {
      wrong_ += size;
      return fail(index, "wrong bytes");
    }
    client.received += size;
    if (client.received < arguments_.bytes) return;
    if (arguments_.once) {
      client.answered = true;
    } else if (connects()) {
      end_connection(index);
    } else {
      finish_message(index);
      if (going_) send_next(index);
    }
  }

  void finish_message(std::size_t index) {
    Client& client = clients_[index];
    histogram_.add(now_ns() - client.since_ns);
    client.busy = false;
    --busy_;
  }

  void end_connection(std::size_t index) {
    finish_message(index);
    close(clients_[index].fd);
    clients_[index].fd = -1;
    if (going_) open(index);
  }

  void fail(std::size_t index, const std::string& why) {
    if (errors_++ == 0) first_error_ = why;
    Client& client = clients_[index];
    if (client.busy) {
      lost_ += arguments_.bytes - client.received;
      client.busy = false;
      --busy_;
    }
    close(client.fd);
    client.fd = -1;
  }

  void report() const {
    std::printf(
        "{\"mode\": \"%s\", \"connections\": %zu, \"bytes\": %zu, \"count\": %llu, \"seconds\": %.6f, "
        "\"p50_us\": %.2f, \"p99_us\": %.2f, \"p999_us\": %.2f, \"max_us\": %.2f, \"sent_bytes\": %llu, "
        "\"errors\": %llu, \"lost_bytes\": %llu, \"wrong_bytes\": %llu, \"first_error\": \"%s\", \"spin\": %s}\n",
        arguments_.mode.c_str(), arguments_.connections, arguments_.bytes, histogram_.count() + 0ULL, seconds_,
        histogram_.quantile_us(0.5), histogram_.quantile_us(0.99), histogram_.quantile_us(0.999), histogram_.most_us(),
        sent_bytes_ + 0ULL, errors_ + 0ULL, lost_ + 0ULL, wrong_ + 0ULL, first_error_.c_str(),
        arguments_.spin ? "true" : "false");
    std::fflush(stdout);
  }

  Arguments arguments_;
  Messages messages_;
  std::vector<Client> clients_;
  std::vector<char> incoming_;
  Histogram histogram_;
  int epoll_ = -1;
  bool going_ = false;
  std::size_t connected_ = 0;
  std::size_t busy_ = 0;
  double seconds_ = 0;
  std::uint64_t sent_bytes_ = 0;
  std::uint64_t errors_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t wrong_ = 0;
  std::string first_error_;
};

}  // namespace

int main(int count, char** values) {
  const Arguments arguments = read_arguments(count, values);
  if (arguments.connections + 16 > raise_descriptor_limit()) stop("more connections than descriptors are allowed");
  return Load(arguments).run();
}
