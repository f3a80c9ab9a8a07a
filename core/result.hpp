#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace antiphon {

/// Why an instruction failed. The numbers are those of Linux, so an interpreter converts by a cast; a number
/// that has no name here is a valid Errno too. The two last are not the kernel's: they are answers to a
/// `Deadline` (see core/instructions.hpp).
enum class Errno : int {
  PERM = 1,
  INTR = 4,
  IO = 5,
  BADF = 9,
  AGAIN = 11,
  NOMEM = 12,
  ACCES = 13,
  FAULT = 14,
  INVAL = 22,
  NFILE = 23,
  MFILE = 24,
  NOSPC = 28,
  PIPE = 32,
  NOSYS = 38,
  NOSR = 63,
  NONET = 64,
  PROTO = 71,
  NOTSOCK = 88,
  DESTADDRREQ = 89,
  MSGSIZE = 90,
  PROTOTYPE = 91,
  NOPROTOOPT = 92,
  PROTONOSUPPORT = 93,
  SOCKTNOSUPPORT = 94,
  OPNOTSUPP = 95,
  AFNOSUPPORT = 97,
  ADDRINUSE = 98,
  ADDRNOTAVAIL = 99,
  NETDOWN = 100,
  NETUNREACH = 101,
  CONNABORTED = 103,
  CONNRESET = 104,
  NOBUFS = 105,
  ISCONN = 106,
  NOTCONN = 107,
  TIMEDOUT = 110,
  CONNREFUSED = 111,
  HOSTDOWN = 112,
  HOSTUNREACH = 113,
  ALREADY = 114,
  INPROGRESS = 115,
  DQUOT = 122,
  EXPIRED = 1001,   ///< The instruction's own deadline passed while it waited.
  STOPPING = 1002,  ///< The server was asked to stop, and the time that the instruction grants after that is over.
};

/// The name as the manual pages write it ("ECONNRESET"), "Expired", "Stopping", or "errno 95" where there is none.
std::string name_of(Errno error);

/// The Errno of a name that `name_of` gives. Anything else is no Errno.
std::expected<Errno, std::string> errno_named(std::string_view name);

/// What an instruction that can fail answers: a value or the reason. Failures are values, never exceptions.
template <class T>
using Result = std::expected<T, Errno>;

/// A failed Result: `return failed(Errno::PIPE);`.
inline std::unexpected<Errno> failed(Errno error) { return std::unexpected(error); }

}  // namespace antiphon
