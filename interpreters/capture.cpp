#include "interpreters/capture.hpp"

#include <arpa/inet.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace antiphon::wire {

namespace {

/// What is left of a packet, read from the front. Where it is too short, zeros are read, and `failed` says so.
class Bytes {
 public:
  explicit Bytes(std::string_view content) : content_(content) {}

  std::string_view take(std::size_t count) {
    failed_ = failed_ || count > content_.size();
    const std::string_view front = content_.substr(0, count);
    content_.remove_prefix(front.size());
    return front;
  }
  std::uint32_t number(std::size_t bytes) {
    std::uint32_t value = 0;
    for (const char byte : take(bytes)) value = value << 8U | static_cast<unsigned char>(byte);
    return value;
  }
  void skip(std::size_t count) { take(count); }
  /// What is behind this many bytes does not belong to the packet.
  void limit(std::size_t count) { content_ = content_.substr(0, count); }

  [[nodiscard]] std::string_view rest() const { return content_; }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  std::string_view content_;
  bool failed_ = false;
};

constexpr std::uint32_t ipv4_type = 0x0800;
constexpr std::uint32_t ipv6_type = 0x86DD;
constexpr std::uint32_t tcp_protocol = 6;

/// A type of Ethernet, behind the tags of VLANs.
std::uint32_t untagged_type(Bytes& bytes) {
  std::uint32_t type = bytes.number(2);
  while (type == 0x8100 || type == 0x88A8) {
    bytes.skip(2);
    type = bytes.number(2);
  }
  return type;
}

/// The type of what a link carries, with its header taken off; 0: something else. None: the link is not known.
std::optional<std::uint32_t> link_type(int link, Bytes& bytes) {
  switch (link) {
    case DLT_EN10MB:
      bytes.skip(12);
      return untagged_type(bytes);
    case DLT_LINUX_SLL:
      bytes.skip(14);
      return untagged_type(bytes);
    case DLT_LINUX_SLL2: {
      const std::uint32_t type = bytes.number(2);
      bytes.skip(18);
      return type;
    }
    case DLT_NULL:
    case DLT_LOOP: {
      // A family in the byte order of whoever captured it: only one end of it is not 0.
      const std::uint32_t family = bytes.number(4);
      return (family & 0xFFFF) == 2 || family == 0x02000000 ? ipv4_type : ipv6_type;
    }
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6: {
      const auto first = bytes.rest().empty() ? '\0' : bytes.rest().front();
      return static_cast<unsigned char>(first) >> 4U == 4 ? ipv4_type : ipv6_type;
    }
    default:
      return std::nullopt;
  }
}

/// What was found in a packet.
enum class Found : std::uint8_t { segment, other, fragment, cut };

Found read_tcp(Bytes bytes, Segment& segment, std::optional<std::size_t> length) {
  const std::size_t captured = bytes.rest().size();
  segment.from.port = static_cast<std::uint16_t>(bytes.number(2));
  segment.to.port = static_cast<std::uint16_t>(bytes.number(2));
  segment.sequence = bytes.number(4);
  const std::uint32_t acknowledges = bytes.number(4);
  const std::size_t header = std::size_t{4} * (bytes.number(1) >> 4U);
  const std::uint32_t flags = bytes.number(1);
  bytes.skip(std::max<std::size_t>(header, 20) - 14);
  if (bytes.failed()) return Found::cut;
  if (header < 20 || (length && *length < header)) return Found::other;
  segment.fin = (flags & 1U) != 0;
  segment.syn = (flags & 2U) != 0;
  segment.rst = (flags & 4U) != 0;
  if ((flags & 16U) != 0) segment.acknowledges = acknowledges;
  const std::size_t payload = length.value_or(captured) - header;
  segment.payload = bytes.rest().substr(0, payload);
  segment.cut = segment.payload.size() < payload;
  return Found::segment;
}

Found read_ipv4(Bytes bytes, Segment& segment, std::size_t missing) {
  const std::size_t captured = bytes.rest().size();
  const std::size_t header = std::size_t{4} * (bytes.number(1) & 15U);
  bytes.skip(1);
  std::size_t total = bytes.number(2);
  // Of a packet that the network card is to split, the length may not be written yet.
  if (total == 0) total = captured + missing;
  bytes.skip(2);
  const std::uint32_t fragment = bytes.number(2) & 0x3FFFU;
  bytes.skip(1);
  const std::uint32_t protocol = bytes.number(1);
  bytes.skip(2);
  segment.from.host = bytes.take(4);
  segment.to.host = bytes.take(4);
  bytes.skip(std::max<std::size_t>(header, 20) - 20);
  if (bytes.failed()) return Found::cut;
  if (protocol != tcp_protocol || header < 20 || total < header) return Found::other;
  if (fragment != 0) return Found::fragment;
  bytes.limit(total - header);
  return read_tcp(bytes, segment, total - header);
}

Found read_ipv6(Bytes bytes, Segment& segment, std::size_t missing) {
  bytes.skip(4);
  std::size_t length = bytes.number(2);
  std::uint32_t next = bytes.number(1);
  bytes.skip(1);
  segment.from.host = bytes.take(16);
  segment.to.host = bytes.take(16);
  if (bytes.failed()) return Found::cut;
  if (length == 0) length = bytes.rest().size() + missing;
  bytes.limit(length);
  while (next == 0 || next == 43 || next == 60) {
    next = bytes.number(1);
    const std::size_t size = 8 + std::size_t{8} * bytes.number(1);
    bytes.skip(size - 2);
    if (bytes.failed() || length < size) return Found::cut;
    length -= size;
  }
  if (next == 44) return Found::fragment;
  return next == tcp_protocol ? read_tcp(bytes, segment, length) : Found::other;
}

}  // namespace

std::string text_of(const Endpoint& endpoint) {
  const bool is_ipv6 = endpoint.host.size() == 16;
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(is_ipv6 ? AF_INET6 : AF_INET, endpoint.host.data(), text.data(), text.size());
  const std::string host = text.data();
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port);
}

struct Reader::State {
  struct Close {
    void operator()(pcap_t* open) const { pcap_close(open); }
  };
  std::unique_ptr<pcap_t, Close> file;
  int link = 0;
  std::size_t packets = 0;
  std::size_t fragments = 0;
  bool cut = false;
};

Reader::Reader(std::unique_ptr<State> state) : state_(std::move(state)) {}
Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;

std::size_t Reader::packets() const { return state_->packets; }
bool Reader::cut() const { return state_->cut; }
std::size_t Reader::fragments() const { return state_->fragments; }

std::expected<Reader, BadInput> Reader::open(const std::string& path) {
  std::array<char, PCAP_ERRBUF_SIZE> complaint{};
  auto state = std::make_unique<State>();
  state->file.reset(pcap_open_offline(path.c_str(), complaint.data()));
  if (!state->file) return std::unexpected(BadInput{0, "not a capture: " + std::string(complaint.data())});
  state->link = pcap_datalink(state->file.get());
  Bytes none("");
  if (!link_type(state->link, none)) {
    const char* const name = pcap_datalink_val_to_name(state->link);
    return std::unexpected(
        BadInput{0, "a capture of links that are not understood: " + std::string(name == nullptr ? "?" : name)});
  }
  return Reader(std::move(state));
}

std::expected<std::optional<Segment>, BadInput> Reader::next() {
  for (;;) {
    pcap_pkthdr* header = nullptr;
    const u_char* data = nullptr;
    const int got = pcap_next_ex(state_->file.get(), &header, &data);
    if (got == PCAP_ERROR_BREAK) return std::nullopt;
    if (got != 1) {
      const std::string complaint = pcap_geterr(state_->file.get());
      // A capture that goes on, or was cut off, ends so.
      state_->cut = complaint.starts_with("truncated");
      if (state_->cut) return std::nullopt;
      return std::unexpected(BadInput{state_->packets + 1, complaint});
    }
    ++state_->packets;
    Segment segment;
    segment.packet = state_->packets;
    Bytes bytes(std::string_view(reinterpret_cast<const char*>(data), header->caplen));
    const std::uint32_t type = *link_type(state_->link, bytes);
    const std::size_t missing = header->len - std::min(header->len, header->caplen);
    Found found = Found::other;
    if (type == ipv4_type) found = read_ipv4(bytes, segment, missing);
    if (type == ipv6_type) found = read_ipv6(bytes, segment, missing);
    if (bytes.failed()) found = Found::cut;
    if (found == Found::segment) return segment;
    if (found == Found::fragment) ++state_->fragments;
    if (found == Found::cut && missing > 0) {
      return std::unexpected(BadInput{state_->packets, "not even its headers are whole: capture with a longer -s"});
    }
  }
}

}  // namespace antiphon::wire
