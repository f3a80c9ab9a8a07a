#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

/// Captures that tests write, byte by byte.

namespace antiphon::wire {

/// A number as it is on the wire: the most significant byte first.
inline std::string network(std::uint64_t value, std::size_t bytes) {
  std::string text;
  for (std::size_t index = bytes; index-- > 0;) text += static_cast<char>(value >> (8 * index));
  return text;
}

/// A number as the headers of a capture have it here.
inline std::string native(std::uint64_t value, std::size_t bytes) {
  std::string text;
  for (std::size_t index = 0; index < bytes; ++index) text += static_cast<char>(value >> (8 * index));
  return text;
}

enum Flags : std::uint8_t { fin = 1, syn = 2, rst = 4, push = 8, ack = 16 };

struct Packet {
  std::uint16_t from = 5000;
  std::uint16_t to = 80;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledges = 0;
  unsigned flags = ack;
  std::string payload;
};

inline std::string tcp(const Packet& packet, const std::string& options = "") {
  return network(packet.from, 2) + network(packet.to, 2) + network(packet.sequence, 4) +
         network(packet.acknowledges, 4) + network((5 + options.size() / 4) << 4U, 1) + network(packet.flags, 1) +
         network(0xFFFF, 2) + network(0, 4) + options + packet.payload;
}

/// 1.1.1.N, N the port's last digit.
inline std::string host(std::uint16_t port) { return std::string("\1\1\1", 3) + static_cast<char>(port % 10); }

inline std::string ipv4(const Packet& packet, const std::string& options = "", std::uint16_t fragment = 0) {
  const std::string inside = tcp(packet);
  return network(0x45 + options.size() / 4, 1) + network(0, 1) + network(20 + options.size() + inside.size(), 2) +
         network(0, 2) + network(fragment, 2) + network(64, 1) + network(6, 1) + network(0, 2) + host(packet.from) +
         host(packet.to) + options + inside;
}

inline std::string ipv6(const Packet& packet, const std::string& extensions = "", std::uint8_t next = 6) {
  const std::string inside = extensions + tcp(packet);
  const std::string zeros(12, '\0');
  return network(0x60000000, 4) + network(inside.size(), 2) + network(next, 1) + network(64, 1) + zeros +
         host(packet.from) + zeros + host(packet.to) + inside;
}

/// A capture file, for as long as it lives.
class Captured {
 public:
  explicit Captured(std::uint32_t link, std::size_t snaplen = 262144) : snaplen_(snaplen) {
    text_ = native(0xA1B2C3D4, 4) + native(2, 2) + native(4, 2) + native(0, 8) + native(snaplen, 4) + native(link, 4);
  }
  ~Captured() { std::filesystem::remove(path_); }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;

  /// pcapng in place of pcap.
  static std::string block(std::uint32_t type, const std::string& body) {
    const std::string padded = body + std::string((4 - body.size() % 4) % 4, '\0');
    const std::string length = native(12 + padded.size(), 4);
    return native(type, 4) + length + padded + length;
  }
  void as_pcapng(std::uint32_t link) {
    next_generation_ = true;
    text_ = block(0x0A0D0D0A, native(0x1A2B3C4D, 4) + native(1, 2) + native(0, 2) + native(~std::uint64_t{0}, 8)) +
            block(1, native(link, 2) + native(0, 2) + native(snaplen_, 4));
  }

  Captured& add(const std::string& packet) {
    const std::string kept = packet.substr(0, snaplen_);
    const std::string sizes = native(kept.size(), 4) + native(packet.size(), 4);
    text_ += next_generation_ ? block(6, native(0, 4) + native(0, 8) + sizes + kept) : native(0, 8) + sizes + kept;
    return *this;
  }
  /// The last so many bytes are lost.
  void cut(std::size_t bytes) { text_.resize(text_.size() - bytes); }

  /// Written anew at each call.
  const std::string& path() {
    std::ofstream(path_, std::ios::binary) << text_;
    return path_;
  }

 private:
  static std::string fresh_path() {
    static int count = 0;
    const auto* const test = testing::UnitTest::GetInstance()->current_test_info();
    return (std::filesystem::temp_directory_path() / (std::string("antiphon-") + test->test_suite_name() + "-" +
                                                      test->name() + "-" + std::to_string(count++) + ".pcap"))
        .string();
  }

  std::size_t snaplen_;
  bool next_generation_ = false;
  std::string text_;
  std::string path_ = fresh_path();
};

}  // namespace antiphon::wire
