#include "interpreters/capture.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "tests/interpreters/captured.hpp"

namespace antiphon::wire {
namespace {

constexpr std::uint32_t ethernet = 1;
constexpr std::uint32_t raw = 101;

std::string text_of(const Segment& segment) {
  std::string text = std::to_string(segment.packet) + ": " + text_of(segment.from) + " > " + text_of(segment.to) + " " +
                     std::to_string(segment.sequence);
  if (segment.acknowledges) text += " ack " + std::to_string(*segment.acknowledges);
  if (segment.syn) text += " syn";
  if (segment.fin) text += " fin";
  if (segment.rst) text += " rst";
  return text + " '" + segment.payload + "'" + (segment.cut ? " cut" : "");
}

/// Each segment on a line, then what else there is to say.
std::string read(const std::string& path) {
  auto reader = Reader::open(path);
  if (!reader) return "bad: " + std::to_string(reader.error().line) + ": " + reader.error().what;
  std::string text;
  for (;;) {
    const auto segment = reader->next();
    if (!segment) return text + "bad: " + std::to_string(segment.error().line) + ": " + segment.error().what;
    if (!*segment) break;
    text += text_of(**segment) + "\n";
  }
  if (reader->cut()) text += "cut\n";
  if (reader->fragments() > 0) text += std::to_string(reader->fragments()) + " fragments\n";
  return text;
}

std::string read(std::uint32_t link, const std::vector<std::string>& packets) {
  Captured capture(link);
  for (const std::string& packet : packets) capture.add(packet);
  return read(capture.path());
}

const Packet hello{.from = 5001, .to = 80, .sequence = 7, .acknowledges = 9, .flags = ack, .payload = "hello"};
const std::string hello_text = "1: 1.1.1.1:5001 > 1.1.1.0:80 7 ack 9 'hello'\n";
const std::string macs(12, 'm');

TEST(Capture, KnowsTheLinks) {
  EXPECT_EQ(read(ethernet, {macs + network(0x0800, 2) + ipv4(hello)}), hello_text);
  EXPECT_EQ(read(ethernet, {macs + network(0x81000005, 4) + network(0x0800, 2) + ipv4(hello)}), hello_text);
  EXPECT_EQ(read(ethernet, {macs + network(0x88A80005, 4) + network(0x81000005, 4) + network(0x0800, 2) + ipv4(hello)}),
            hello_text);
  EXPECT_EQ(read(raw, {ipv4(hello)}), hello_text);
  EXPECT_EQ(read(0, {native(2, 4) + ipv4(hello)}), hello_text);
  EXPECT_EQ(read(0, {network(2, 4) + ipv4(hello)}), hello_text);
  EXPECT_EQ(read(108, {network(2, 4) + ipv4(hello)}), hello_text);
  EXPECT_EQ(read(113, {std::string(14, 'x') + network(0x0800, 2) + ipv4(hello)}), hello_text);
  EXPECT_EQ(read(276, {network(0x0800, 2) + std::string(18, 'x') + ipv4(hello)}), hello_text);
  EXPECT_EQ(read(105, {}), "bad: 0: a capture of links that are not understood: IEEE802_11");
}

TEST(Capture, ReadsIp) {
  EXPECT_EQ(read(raw, {ipv4(hello, "abcd")}), hello_text);
  EXPECT_EQ(read(ethernet, {macs + network(0x0800, 2) + ipv4(hello) + "padding"}), hello_text);
  EXPECT_EQ(read(raw, {ipv6(hello)}), "1: [::1.1.1.1]:5001 > [::1.1.1.0]:80 7 ack 9 'hello'\n");
  const std::string extensions = network(43, 1) + network(0, 1) + "123456" + network(6, 1) + network(0, 1) + "123456";
  EXPECT_EQ(read(raw, {ipv6(hello, extensions, 0)}), "1: [::1.1.1.1]:5001 > [::1.1.1.0]:80 7 ack 9 'hello'\n");
  EXPECT_EQ(read(raw, {ipv4(hello, "", 0x2000), ipv4(hello, "", 5), ipv6(hello, std::string(8, '\0'), 44)}),
            "3 fragments\n");
  std::string offloaded = ipv4(hello);
  offloaded.replace(2, 2, std::string(2, '\0'));
  EXPECT_EQ(read(raw, {offloaded}), hello_text) << "its length was not written yet";
}

TEST(Capture, ReadsTcp) {
  EXPECT_EQ(read(raw, {ipv4({5001, 80, 1, 0, syn, ""}), ipv4({80, 5001, 2, 2, syn | ack, ""}),
                       ipv4({5001, 80, 2, 3, fin | ack | push, "x"}), ipv4({80, 5001, 3, 0, rst, ""})}),
            "1: 1.1.1.1:5001 > 1.1.1.0:80 1 syn ''\n2: 1.1.1.0:80 > 1.1.1.1:5001 2 ack 2 syn ''\n"
            "3: 1.1.1.1:5001 > 1.1.1.0:80 2 ack 3 fin 'x'\n4: 1.1.1.0:80 > 1.1.1.1:5001 3 rst ''\n");
}

TEST(Capture, PassesOverWhatElseThereIs) {
  std::string udp = ipv4(hello);
  udp[9] = 17;
  EXPECT_EQ(read(raw, {udp, ipv4(hello)}), "2" + hello_text.substr(1));
  EXPECT_EQ(read(ethernet, {macs + network(0x0806, 2) + "arp", "x"}), "");
}

TEST(Capture, ReadsPcapng) {
  Captured capture(raw);
  capture.as_pcapng(raw);
  capture.add(ipv4(hello)).add(ipv4(hello));
  EXPECT_EQ(read(capture.path()), hello_text + "2" + hello_text.substr(1));
}

TEST(Capture, KnowsWhatItLacks) {
  Captured cut_payload(raw, 42);
  cut_payload.add(ipv4(hello));
  EXPECT_EQ(read(cut_payload.path()), "1: 1.1.1.1:5001 > 1.1.1.0:80 7 ack 9 'he' cut\n");
  Captured cut_header(raw, 30);
  cut_header.add(ipv4(hello));
  EXPECT_EQ(read(cut_header.path()), "bad: 1: not even its headers are whole: capture with a longer -s");
  Captured cut_file(raw);
  cut_file.add(ipv4(hello)).add(ipv4(hello));
  cut_file.cut(3);
  EXPECT_EQ(read(cut_file.path()), hello_text + "cut\n");
}

TEST(Capture, RefusesWhatIsNone) {
  Captured none(raw);
  none.cut(20);
  EXPECT_EQ(read(none.path()).substr(0, 22), "bad: 0: not a capture:");
  EXPECT_EQ(read(std::string("/no/such/file")).substr(0, 22), "bad: 0: not a capture:");
}

}  // namespace
}  // namespace antiphon::wire
