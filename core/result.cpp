#include "core/result.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace antiphon {

namespace {

struct Named {
  Errno error;
  std::string_view name;
};

constexpr std::array names{
    Named{Errno::PERM, "EPERM"},
    Named{Errno::INTR, "EINTR"},
    Named{Errno::IO, "EIO"},
    Named{Errno::BADF, "EBADF"},
    Named{Errno::AGAIN, "EAGAIN"},
    Named{Errno::NOMEM, "ENOMEM"},
    Named{Errno::ACCES, "EACCES"},
    Named{Errno::FAULT, "EFAULT"},
    Named{Errno::INVAL, "EINVAL"},
    Named{Errno::NFILE, "ENFILE"},
    Named{Errno::MFILE, "EMFILE"},
    Named{Errno::NOSPC, "ENOSPC"},
    Named{Errno::PIPE, "EPIPE"},
    Named{Errno::NOSYS, "ENOSYS"},
    Named{Errno::NOSR, "ENOSR"},
    Named{Errno::NONET, "ENONET"},
    Named{Errno::PROTO, "EPROTO"},
    Named{Errno::NOTSOCK, "ENOTSOCK"},
    Named{Errno::DESTADDRREQ, "EDESTADDRREQ"},
    Named{Errno::MSGSIZE, "EMSGSIZE"},
    Named{Errno::PROTOTYPE, "EPROTOTYPE"},
    Named{Errno::NOPROTOOPT, "ENOPROTOOPT"},
    Named{Errno::PROTONOSUPPORT, "EPROTONOSUPPORT"},
    Named{Errno::SOCKTNOSUPPORT, "ESOCKTNOSUPPORT"},
    Named{Errno::OPNOTSUPP, "EOPNOTSUPP"},
    Named{Errno::AFNOSUPPORT, "EAFNOSUPPORT"},
    Named{Errno::ADDRINUSE, "EADDRINUSE"},
    Named{Errno::ADDRNOTAVAIL, "EADDRNOTAVAIL"},
    Named{Errno::NETDOWN, "ENETDOWN"},
    Named{Errno::NETUNREACH, "ENETUNREACH"},
    Named{Errno::CONNABORTED, "ECONNABORTED"},
    Named{Errno::CONNRESET, "ECONNRESET"},
    Named{Errno::NOBUFS, "ENOBUFS"},
    Named{Errno::ISCONN, "EISCONN"},
    Named{Errno::NOTCONN, "ENOTCONN"},
    Named{Errno::TIMEDOUT, "ETIMEDOUT"},
    Named{Errno::CONNREFUSED, "ECONNREFUSED"},
    Named{Errno::HOSTDOWN, "EHOSTDOWN"},
    Named{Errno::HOSTUNREACH, "EHOSTUNREACH"},
    Named{Errno::ALREADY, "EALREADY"},
    Named{Errno::INPROGRESS, "EINPROGRESS"},
    Named{Errno::DQUOT, "EDQUOT"},
    Named{Errno::EXPIRED, "Expired"},
    Named{Errno::STOPPING, "Stopping"},
};

constexpr std::string_view unnamed = "errno ";

}  // namespace

std::string name_of(Errno error) {
  const auto* const found = std::ranges::find(names, error, &Named::error);
  if (found != names.end()) return std::string(found->name);
  return std::string(unnamed) + std::to_string(static_cast<int>(error));
}

std::expected<Errno, std::string> errno_named(std::string_view name) {
  const auto* const found = std::ranges::find(names, name, &Named::name);
  if (found != names.end()) return found->error;
  if (name.starts_with(unnamed)) {
    const std::string_view digits = name.substr(unnamed.size());
    int number = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (failure == std::errc{} && end == digits.data() + digits.size() && number > 0) return Errno{number};
  }
  return std::unexpected("no errno is called '" + std::string(name) + "'");
}

}  // namespace antiphon
