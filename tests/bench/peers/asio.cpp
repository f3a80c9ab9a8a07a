// An echo server on standalone Asio, one thread, without locks (the concurrency hint says that one thread runs it).
// A message is sent at once with write_some; only what is left over costs an asynchronous write.
//
//   asio PORT [--once]

#include <array>
#include <asio.hpp>
#include <cstddef>
#include <memory>
#include <utility>

#include "tests/bench/peers/listen.h"

namespace {

using asio::ip::tcp;

class Session {
 public:
  Session(tcp::socket socket, bool once) : socket_(std::move(socket)), once_(once) {}

  /// A session owns itself while an operation is under way.
  static void read(std::unique_ptr<Session> session) {
    Session& self = *session;
    self.socket_.async_read_some(asio::buffer(self.buffer_),
                                 [session = std::move(session)](std::error_code error, std::size_t size) mutable {
                                   if (!error) write(std::move(session), size);
                                 });
  }

 private:
  static void write(std::unique_ptr<Session> session, std::size_t size) {
    Session& self = *session;
    if (self.answered_) return read(std::move(session));
    std::error_code error;
    const std::size_t sent = self.socket_.write_some(asio::buffer(self.buffer_, size), error);
    if (error && error != asio::error::would_block) return;
    if (sent == size) return message_is_out(std::move(session));
    asio::async_write(self.socket_, asio::buffer(self.buffer_.data() + sent, size - sent),
                      [session = std::move(session)](std::error_code failure, std::size_t) mutable {
                        if (!failure) message_is_out(std::move(session));
                      });
  }

  static void message_is_out(std::unique_ptr<Session> session) {
    if (session->once_) {
      std::error_code ignored;
      session->socket_.shutdown(tcp::socket::shutdown_send, ignored);
      session->answered_ = true;
    }
    read(std::move(session));
  }

  tcp::socket socket_;
  bool once_;
  bool answered_ = false;
  std::array<char, 16384> buffer_;  // Not touched before it is used.
};

void accept_clients(tcp::acceptor& acceptor, bool once) {
  acceptor.async_accept([&acceptor, once](std::error_code error, tcp::socket socket) {
    if (!error) {
      socket.non_blocking(true, error);
      Session::read(std::make_unique<Session>(std::move(socket), once));
    }
    accept_clients(acceptor, once);
  });
}

}  // namespace

int main(int count, char** values) {
  const options options = read_options(count, values);
  raise_descriptor_limit();
  asio::io_context context(ASIO_CONCURRENCY_HINT_UNSAFE);
  tcp::acceptor acceptor(context);
  acceptor.assign(tcp::v4(), listen_at(options.port, 0));
  accept_clients(acceptor, options.once);
  announce(options.port);
  context.run();
}
