#include "verify/contracts/owed.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "interpreters/payload_digest.hpp"
#include "interpreters/trace_scan.hpp"
#include "interpreters/trace_text.hpp"
#include "tests/rapidcheck.hpp"
#include "tests/verify/history.hpp"
#include "verify/campaign.hpp"
#include "verify/planted.hpp"

namespace antiphon::verify {
namespace {

Bytes known(std::string_view text) { return Bytes::of_digests(std::array{digest_of(text)}); }
Bytes known(std::string_view sent, std::string_view left) {
  return Bytes::of_digests(std::array{digest_of(sent), digest_of(left)});
}

// -- By content -------------------------------------------------------------------------------------------------------

TEST(Owed, IsMatchedHoweverItWasCut) {
  Owed owed;
  owed.add(Bytes::copy_of("abc"));
  owed.add(Bytes::copy_of("def"));
  EXPECT_EQ(owed.match(Bytes::copy_of("abcd")), Match::yes);
  EXPECT_EQ(owed.match(Bytes::copy_of("abd")), Match::no);
  EXPECT_EQ(owed.match(Bytes::copy_of("abcdefg")), Match::no);
  owed.pay(Bytes::copy_of("abcd"), 4);
  EXPECT_EQ(owed.text(), "ef");
  EXPECT_EQ(owed.bytes(), 2U);
}

// -- By digests -------------------------------------------------------------------------------------------------------

TEST(Owed, DigestsDecideWhereStretchesEndTogether) {
  Owed owed;
  owed.add(known("abc"));
  owed.add(known("def"));
  EXPECT_EQ(owed.match(known("abc")), Match::yes);
  EXPECT_EQ(owed.match(known("abd")), Match::no);
  EXPECT_EQ(owed.match(known("abcdef")), Match::yes);
  EXPECT_EQ(owed.match(known("abcd")), Match::unknown);
  EXPECT_EQ(owed.match(known("abcdefg")), Match::no);
}

TEST(Owed, AShortSendSplitsWhatIsOwed) {
  Owed owed;
  owed.add(known("abcdef"));
  const Bytes offered = known("ab", "cdef");
  EXPECT_EQ(owed.match(offered), Match::yes);
  owed.pay(offered, 2);
  EXPECT_EQ(owed.match(known("cdef")), Match::yes);
  EXPECT_EQ(owed.match(known("abcd")), Match::no);
}

TEST(Owed, WhatWasTakenOnTrustShowsLater) {
  for (const std::string_view first : {"ab", "xy"}) {
    Owed owed;
    owed.add(known("abcdef"));
    EXPECT_EQ(owed.match(known(first)), Match::unknown);
    owed.pay(known(first), 2);
    EXPECT_TRUE(owed.is_open());
    const Bytes rest = known("cdef");
    EXPECT_EQ(owed.match(rest), first == "ab" ? Match::yes : Match::no);
    owed.pay(rest, 4);
    EXPECT_EQ(owed.bytes(), 0U);
  }
}

// -- Whole runs -------------------------------------------------------------------------------------------------------

/// The event as a trace of digests has it.
Event as_digests(const ProcessEvent& event) {
  std::string line;
  append_line(line, event, Payload::digest);
  line.pop_back();
  Event read;
  return scan_event(line, read) ? read : Event(event);  // what is not answered is read otherwise
}

std::vector<Event> as_recorded(const std::vector<Event>& trace, Payload payload) {
  std::vector<Event> recorded;
  for (const Event& event : trace) {
    const auto* const of_process = std::get_if<ProcessEvent>(&event);
    if (of_process != nullptr) recorded.push_back(payload == Payload::full ? event : as_digests(*of_process));
  }
  return recorded;
}

/// 'violated echo answered'
std::string summary(const Verdict& verdict) {
  std::string text(name_of(verdict.ruling));
  for (const Violation& violation : verdict.violations) text += ' ' + std::string(violation.clause.name);
  return text;
}

TEST(Digests, DecideWhatContentDecides) {
  std::vector<Server> servers{*program_named("stream"), *program_named("seed")};
  for (const Planted& planted : planted_violations()) servers.push_back(planted.server);
  const Generation generation{4, std::vector<bool>(fault_classes().size(), true)};
  std::uint64_t violated = 0;
  std::uint64_t open = 0;
  for (std::uint64_t run = 0; run < 3000; ++run) {
    const std::vector<Event> trace = simulate(servers[run % servers.size()], draw(generation, run)).trace;
    const Verdict full = judge(as_recorded(trace, Payload::full), expectations());
    const Verdict digests = judge(as_recorded(trace, Payload::digest), expectations());
    violated += violation_of(full, "echo") == nullptr ? 0 : 1;
    if (!digests.remarks.empty() && full.remarks.empty()) {
      // Some send a part of what they hold, and their client resets before the rest shows what it was.
      EXPECT_GT(run % servers.size(), 1U) << "our servers offer all that they owe";
      EXPECT_NE(digests.ruling, Ruling::holds);
      ++open;
      continue;
    }
    EXPECT_EQ(summary(digests), summary(full)) << run;
  }
  EXPECT_GT(violated, 100U);
  EXPECT_GT(open, 0U);
}

}  // namespace
}  // namespace antiphon::verify
