#include "verify/foreign/capture_judge.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "tests/interpreters/captured.hpp"

namespace antiphon::verify {
namespace {

using wire::ack;
using wire::fin;
using wire::Packet;
using wire::rst;
using wire::syn;

constexpr std::uint32_t raw = 101;

/// What a client and the server on port 80 send each other. Numbers begin at 100 and 500.
class Talk {
 public:
  explicit Talk(std::uint16_t client = 5001) : client_(client) {}

  Talk& opens() {
    add(true, syn, "");
    ++client_next_;
    add(false, syn | ack, "");
    ++server_next_;
    return *this;
  }
  Talk& says(const std::string& text) { return moves(true, ack, text); }
  Talk& answers(const std::string& text) { return moves(false, ack, text); }
  Talk& ends() { return moves(true, ack | fin, ""); }
  Talk& server_ends(const std::string& text = "") { return moves(false, ack | fin, text); }
  Talk& resets() { return moves(true, rst, ""); }
  Talk& server_resets() { return moves(false, rst | ack, ""); }
  /// The last packet is not in the capture.
  Talk& lost() {
    packets.pop_back();
    return *this;
  }
  Talk& swapped() {
    std::swap(packets[packets.size() - 1], packets[packets.size() - 2]);
    return *this;
  }

  std::vector<Packet> packets;

 private:
  void add(bool by_client, unsigned flags, const std::string& text) {
    packets.push_back(by_client
                          ? Packet{client_, 80, client_next_, (flags & ack) != 0 ? server_next_ : 0, flags, text}
                          : Packet{80, client_, server_next_, (flags & ack) != 0 ? client_next_ : 0, flags, text});
  }
  Talk& moves(bool by_client, unsigned flags, const std::string& text) {
    add(by_client, flags, text);
    (by_client ? client_next_ : server_next_) += static_cast<std::uint32_t>(text.size() + ((flags & fin) != 0 ? 1 : 0));
    return *this;
  }

  std::uint16_t client_;
  std::uint32_t client_next_ = 100;
  std::uint32_t server_next_ = 500;
};

/// "holds", "echo: SENTENCE", "incomplete: REMARK" or "bad input: PACKET: WHAT".
std::string judged(wire::Captured& capture, std::optional<std::int64_t> port = std::nullopt) {
  const auto verdict = judge_capture(capture.path(), port);
  if (!verdict) return "bad input: " + std::to_string(verdict.error().line) + ": " + verdict.error().what;
  std::string text;
  for (const Violation& one : verdict->violations) text += std::string(one.clause.name) + ": " + one.sentence + "\n";
  if (verdict->ruling == Ruling::violated) return text;
  text = name_of(verdict->ruling);
  for (const std::string& remark : verdict->remarks) text += "; " + remark;
  return text;
}
std::string judged(const std::vector<Talk>& talks, std::optional<std::int64_t> port = std::nullopt,
                   std::size_t snaplen = 1000) {
  wire::Captured capture(raw, snaplen);
  for (const Talk& talk : talks) {
    for (const Packet& packet : talk.packets) capture.add(wire::ipv4(packet));
  }
  return judged(capture, port);
}
std::string judged(const Talk& talk) { return judged(std::vector{talk}); }

Talk open() { return Talk().opens(); }

TEST(CaptureJudge, AnEchoHolds) {
  EXPECT_EQ(judged(open().says("hello").answers("hel").answers("lo").ends().server_ends()), "holds");
  EXPECT_EQ(judged(open().says("hello").answers("hello").server_ends().ends()), "holds");
  EXPECT_EQ(judged(open().says("hello").ends().server_ends("hello")), "holds");
  EXPECT_EQ(judged(open().says("hello").answers("hello")), "holds") << "nothing is owed at the end";
  EXPECT_EQ(judged({Talk(5001).opens().says("a").answers("a").ends().server_ends(),
                    Talk(5002).opens().says("b").answers("b").ends().server_ends(),
                    Talk(5001).opens().says("c").answers("c").ends().server_ends()}),
            "holds")
      << "ports come again";
}

TEST(CaptureJudge, WhatTheServerSendsTheClientHadSent) {
  EXPECT_EQ(
      judged(open().says("hello").answers("help").ends().server_ends()),
      "echo: packet 4, to client 1 (1.1.1.1:5001): alters what it received at byte 3: sends \"p\" where \"lo\" is "
      "owed\n");
  EXPECT_EQ(judged(open().answers("welcome").says("hello").answers("hello").ends().server_ends()).substr(0, 45),
            "echo: packet 4, to client 1 (1.1.1.1:5001): a");
  EXPECT_EQ(judged(open().says("hello").answers("hello").answers("bye").ends().server_ends()),
            "echo: packet 7, to client 1 (1.1.1.1:5001): sends what it never received at byte 5: sends \"bye\" where "
            "nothing is owed\n");
  EXPECT_EQ(
      judged({Talk(5001).opens().says("hello"), Talk(5002).opens().says("x").answers("hello")}).substr(0, 110),
      "isolation: packet 7, to client 2 (1.1.1.2:5002): sends what client 1 (1.1.1.1:5001) had sent at byte 0: sends ");
}

TEST(CaptureJudge, AllIsAnsweredWhenTheServerEndsItsSide) {
  const std::string owes = R"(client 1 (1.1.1.1:5001) and owes it 2 bytes: "lo")"
                           "\n";
  EXPECT_EQ(judged(open().says("hello").answers("hel").ends().server_ends()),
            "answered: packet 6: ends its side of " + owes);
  EXPECT_EQ(judged(open().says("hello").answers("hel").ends().server_resets()), "answered: packet 6: resets " + owes);
  EXPECT_EQ(judged(open().says("hello").answers("hel").resets().server_ends()), "holds") << "the client resets before";
  EXPECT_EQ(judged(open().says("hello").answers("hel").server_ends().resets()),
            "answered: packet 5: ends its side of " + owes);
  EXPECT_EQ(judged(open().says("hello").answers("hello").server_ends().says("more").swapped().ends()), "holds")
      << "what was on its way then needs no answer";
  EXPECT_EQ(judged(open().says("hello").answers("hel")),
            "incomplete; the capture ends, and the server of client 1 (1.1.1.1:5001) owes it 2 bytes: \"lo\"");
}

TEST(CaptureJudge, ThePortSaysWhoTheServerIs) {
  const Talk talk = open().says("hello").answers("hello").answers("bye").ends().server_ends();
  EXPECT_EQ(judged({talk}, 80).substr(0, 5), "echo:");
  EXPECT_EQ(judged({talk}, 81), "incomplete; no client was accepted, so there is nothing to judge");
  EXPECT_EQ(judged({open().answers("hello").says("hel").server_ends().ends()}, 5001).substr(0, 9), "answered:")
      << "the one that connects may be the server";
}

TEST(CaptureJudge, OrderAndRepeatsOfPacketsDoNotMatter) {
  EXPECT_EQ(judged(open().says("hel").says("lo").swapped().answers("hello").ends().server_ends()), "holds");
  EXPECT_EQ(judged(open().says("hello").answers("hello").swapped().ends().server_ends()), "holds")
      << "the capture may have the answer first";
  Talk twice = open().says("hello").answers("hello").ends().server_ends();
  std::vector<Packet> all;
  for (const Packet& packet : twice.packets) all.insert(all.end(), {packet, packet});
  twice.packets = all;
  EXPECT_EQ(judged(twice), "holds");
}

TEST(CaptureJudge, WhatIsNotThereIsSaid) {
  const std::string holes = "incomplete; client 1 (1.1.1.1:5001): packets of its connection are not in the capture";
  EXPECT_EQ(judged(open().says("x").answers("x").says("hel").lost().says("lo").answers("hello").ends().server_ends()),
            holes);
  EXPECT_EQ(judged(open().says("hello").lost().answers("hello")),
            holes + "; no byte was received from any client, so there is nothing to judge");
  EXPECT_EQ(judged(open().says("hello").answers("hel").lost().answers("lo").ends().server_ends()), holes);
  EXPECT_EQ(judged(open().says("a").answers("b").says("c").lost().answers("d").ends().server_ends()).substr(0, 5),
            "echo:")
      << "what is there is wrong already";
  Talk late = open().says("hello").answers("hello").ends().server_ends();
  late.packets.erase(late.packets.begin(), late.packets.begin() + 2);
  EXPECT_EQ(judged(late).substr(0, 90),
            "incomplete; packet 1: the connection of 1.1.1.1:5001 and 1.1.1.0:80 was there before the c");
  Talk half = open().says("hello").answers("hello").ends().server_ends();
  half.packets.erase(half.packets.begin() + 1);
  EXPECT_EQ(judged(half).substr(0, 91),
            "incomplete; packet 3: the capture lacks how the connection of client 1 (1.1.1.1:5001) began");
  EXPECT_EQ(judged(open()), "incomplete; no byte was received from any client, so there is nothing to judge");
  wire::Captured pieces(raw);
  const Talk talk = open().says("a").answers("a");
  for (const Packet& packet : talk.packets) pieces.add(wire::ipv4(packet));
  pieces.add(wire::ipv4({5001, 80, 9, 0, ack, "x"}, "", 0x2000));
  EXPECT_EQ(judged(pieces), "incomplete; packets that came in pieces (IP fragments) are not put together");
  wire::Captured cut(raw);
  for (const Packet& packet : talk.packets) cut.add(wire::ipv4(packet));
  cut.add(wire::ipv4({5001, 80, 102, 502, ack, "x"}));
  cut.cut(1);
  EXPECT_EQ(judged(cut), "incomplete; the capture is cut off in its last packet");
}

TEST(CaptureJudge, PayloadsThatAreCutAreRefused) {
  EXPECT_EQ(judged({open().says("hello").answers("hello")}, std::nullopt, 42),
            "bad input: 3: its payload is cut short: capture with a longer -s (snaplen)");
  EXPECT_EQ(judged({open().says("hello").answers("hello")}, 81, 42),
            "incomplete; no client was accepted, so there is nothing to judge")
      << "of others it does not matter";
}

TEST(CaptureJudge, AConnectionThatIsRefusedIsNone) {
  EXPECT_EQ(judged(Talk().opens().lost().server_resets()),
            "incomplete; no client was accepted, so there is nothing to judge");
}

}  // namespace
}  // namespace antiphon::verify
