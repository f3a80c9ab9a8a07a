#include "apps/addresses.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <memory>

#include "apps/arguments.hpp"

namespace antiphon {

std::vector<std::string> addresses_of(const std::string& option, const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const auto cannot = [&](int failure) {
    refuse(option, fmt::format("'{}' does not resolve: {}", host, gai_strerror(failure)));
  };
  if (const int failure = host.empty() ? EAI_NONAME : getaddrinfo(host.c_str(), nullptr, &hints, &found))
    cannot(failure);
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> all(found, &freeaddrinfo);
  std::vector<std::string> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    std::array<char, NI_MAXHOST> numeric{};
    const int failure =
        getnameinfo(one->ai_addr, one->ai_addrlen, numeric.data(), numeric.size(), nullptr, 0, NI_NUMERICHOST);
    if (failure != 0) cannot(failure);
    if (std::ranges::find(addresses, numeric.data()) == addresses.end()) addresses.emplace_back(numeric.data());
  }
  return addresses;
}

bool is_loopback(const std::string& address) { return address == "::1" || address.starts_with("127."); }

Endpoint host_and_port(const std::string& option, const std::string& text, std::int64_t least_port) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) refuse(option, fmt::format("'{}' has no port: HOST:PORT, or [ADDRESS]:PORT", text));
  std::string host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    refuse(option, fmt::format("'{}': an IPv6 address stands in brackets: [::1]:8888", text));
  }
  if (host.empty()) refuse(option, fmt::format("'{}' has no host: HOST:PORT, or [ADDRESS]:PORT", text));
  return {host, static_cast<std::uint16_t>(whole_number(option, text.substr(colon + 1), least_port, 65535))};
}

}  // namespace antiphon
