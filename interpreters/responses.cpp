#include "interpreters/responses.hpp"

#include <array>
#include <cstring>

#include "core/instructions.hpp"

namespace antiphon {

namespace {

using enum Errno;

/// socket(2), setsockopt(2), bind(2).
constexpr std::array open_socket{PERM,           BADF,        NOMEM,     ACCES,        FAULT,
                                 INVAL,          NFILE,       MFILE,     NOTSOCK,      NOPROTOOPT,
                                 PROTONOSUPPORT, AFNOSUPPORT, ADDRINUSE, ADDRNOTAVAIL, NOBUFS};

/// listen(2), and getsockname(2) for the address that it answers.
constexpr std::array listen{BADF, ACCES, FAULT, INVAL, NOTSOCK, OPNOTSUPP, ADDRINUSE, NOBUFS};

/// accept(2), with the errors of the network that Linux passes on from the new connection, and
/// poll(2).
constexpr std::array accept{PERM,       INTR,        BADF,           AGAIN,          NOMEM,     FAULT,
                            INVAL,      NFILE,       MFILE,          NOSR,           NONET,     PROTO,
                            NOTSOCK,    NOPROTOOPT,  PROTONOSUPPORT, SOCKTNOSUPPORT, OPNOTSUPP, NETDOWN,
                            NETUNREACH, CONNABORTED, NOBUFS,         TIMEDOUT,       HOSTDOWN,  HOSTUNREACH};

/// socket(2), connect(2), poll(2).
constexpr std::array connect{PERM,      INTR,         BADF,        AGAIN,      NOMEM,     ACCES,          FAULT,
                             INVAL,     NFILE,        MFILE,       NOTSOCK,    PROTOTYPE, PROTONOSUPPORT, AFNOSUPPORT,
                             ADDRINUSE, ADDRNOTAVAIL, NETDOWN,     NETUNREACH, CONNRESET, NOBUFS,         ISCONN,
                             TIMEDOUT,  CONNREFUSED,  HOSTUNREACH, ALREADY,    INPROGRESS};

/// recv(2), tcp(7), ip(7), poll(2).
constexpr std::array recv{INTR,    BADF,       AGAIN,     NOMEM,  FAULT,   INVAL,    PIPE,        NOTSOCK,    OPNOTSUPP,
                          NETDOWN, NETUNREACH, CONNRESET, NOBUFS, NOTCONN, TIMEDOUT, CONNREFUSED, HOSTUNREACH};

/// send(2), tcp(7), ip(7), poll(2).
constexpr std::array send{INTR,      BADF,    AGAIN,       NOMEM,   ACCES,     FAULT,       INVAL,
                          PIPE,      NOTSOCK, DESTADDRREQ, MSGSIZE, OPNOTSUPP, NETDOWN,     NETUNREACH,
                          CONNRESET, NOBUFS,  ISCONN,      NOTCONN, TIMEDOUT,  HOSTUNREACH, ALREADY};

/// shutdown(2).
constexpr std::array shutdown_send{BADF, INVAL, NOTSOCK, NOTCONN};

/// close(2).
constexpr std::array close{INTR, IO, BADF, NOSPC, DQUOT};

/// fork(2).
constexpr std::array fork{AGAIN, NOMEM, NOSYS};

/// sigaction(2).
constexpr std::array discard_children{FAULT, INVAL};

/// clock_nanosleep(2), poll(2).
constexpr std::array sleep{INTR, NOMEM, FAULT, INVAL, OPNOTSUPP};

}  // namespace

std::span<const Errno> errors_of(std::uint32_t instruction) {
  switch (instruction) {
    case code_of(OpenSocket::name):
      return open_socket;
    case code_of(Listen::name):
      return listen;
    case code_of(Accept::name):
      return accept;
    case code_of(Connect::name):
      return connect;
    case code_of(Recv::name):
      return recv;
    case code_of(Send::name):
      return send;
    case code_of(ShutdownSend::name):
      return shutdown_send;
    case code_of(Close::name):
      return close;
    case code_of(Fork::name):
      return fork;
    case code_of(DiscardChildren::name):
      return discard_children;
    case code_of(Sleep::name):
      return sleep;
    default:
      return {};
  }
}

Bytes message_of_any_content(std::uint32_t name, std::size_t size) {
  Buffer* const buffer = Buffer::make(size);
  std::memset(buffer->data, 0, size);
  buffer->marked = true;
  buffer->name = name;
  return {buffer, size};
}

}  // namespace antiphon
