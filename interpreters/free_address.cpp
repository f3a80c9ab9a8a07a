#include "interpreters/free_address.hpp"

#include <cstdint>
#include <random>
#include <stdexcept>

#include "interpreters/kernel.hpp"

namespace antiphon {

Result<Unit> try_to_listen(const Endpoint& at) {
  const auto opened = kernel::open_socket(at);
  if (!opened) return failed(opened.error());
  const auto listens = kernel::listen_at(opened->number(), 1);
  return listens ? Result<Unit>() : failed(listens.error());
}

Endpoint free_address() {
  // Below the ports that connections take theirs from.
  constexpr std::uint32_t first = 12'000;
  constexpr std::uint32_t ports = 20'000;
  constexpr int most_tries = 1'000;
  std::random_device random;
  Errno error{};
  for (int tries = 0; tries < most_tries; ++tries) {
    const Endpoint at{"127.0.0.1", static_cast<std::uint16_t>(first + random() % ports)};
    const auto listens = try_to_listen(at);
    if (listens) return at;
    error = listens.error();
    if (error != Errno::ADDRINUSE) break;
  }
  throw std::runtime_error("no port to listen at: " + name_of(error));
}

}  // namespace antiphon
