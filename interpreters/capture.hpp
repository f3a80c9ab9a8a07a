#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "interpreters/bad_input.hpp"

/// A capture of the wire, pcap or pcapng, as the TCP segments in it. libpcap reads the file; Ethernet, Linux cooked
/// (v1 and v2), loopback and raw IP are understood, with VLAN tags, IPv4 and IPv6.

namespace antiphon::wire {

/// An address and a port.
struct Endpoint {
  std::string host;  ///< As it is on the wire: 4 or 16 bytes.
  std::uint16_t port = 0;

  auto operator<=>(const Endpoint&) const = default;
};

/// "127.0.0.1:5000", "[::1]:5000"
std::string text_of(const Endpoint& endpoint);

struct Segment {
  std::size_t packet = 0;  ///< Its number in the capture, from 1.
  Endpoint from;
  Endpoint to;
  std::uint32_t sequence = 0;
  std::optional<std::uint32_t> acknowledges;  ///< The number that is expected next.
  bool syn = false;
  bool fin = false;
  bool rst = false;
  std::string payload;
  bool cut = false;  ///< The capture has only a part of the payload.
};

/// Reads a capture packet by packet. Of bad input the line is the packet's number, 0 for the file itself.
class Reader {
 public:
  static std::expected<Reader, BadInput> open(const std::string& path);
  ~Reader();
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;

  /// The next segment; none at the end. Packets of other protocols are passed over.
  std::expected<std::optional<Segment>, BadInput> next();

  /// How many packets there were so far.
  [[nodiscard]] std::size_t packets() const;
  /// The file ends in the middle of a packet.
  [[nodiscard]] bool cut() const;
  /// How many packets were parts of larger ones (IP fragments), which are not put together.
  [[nodiscard]] std::size_t fragments() const;

 private:
  struct State;
  explicit Reader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace antiphon::wire
