#include "verify/conversation.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/rapidcheck.hpp"

namespace antiphon::verify {
namespace {

std::string explained(std::string_view received, std::string_view sent, const std::vector<Stream>& others = {}) {
  Conversation conversation;
  conversation.receive(received);
  conversation.send(sent);
  return conversation.mismatch() ? explain(*conversation.mismatch(), others) : "";
}

TEST(Conversation, SaysWhatWentWrong) {
  EXPECT_EQ(explained("abcdef", "abcdef"), "");
  EXPECT_EQ(explained("abcdef", "abc"), "");
  EXPECT_EQ(explained("abcdef", "abdef"), R"(leaves out 1 byte at byte 2: sends "def" where "cdef" is owed)");
  EXPECT_EQ(explained("abcdef", "abdefc"), R"(sends bytes out of order at byte 2: sends "defc" where "cdef" is owed)");
  EXPECT_EQ(explained("abcdefabcdef", "defabcdefabc"),
            R"(sends bytes out of order at byte 0: sends "defabcdefabc" where "abcdefabcdef" is owed)");
  EXPECT_EQ(explained("one of two", "on of two"),
            R"(leaves out 1 byte at byte 2: sends " of two" where "e of two" is owed)");
  EXPECT_EQ(explained("of one of", "f one of"),
            R"(leaves out 1 byte at byte 0: sends "f one of" where "of one of" is owed)");
  EXPECT_EQ(explained("abcdef", "abcabcdef"), R"(repeats 3 bytes at byte 3: sends "abcdef" where "def" is owed)");
  EXPECT_EQ(explained("abc", "abcabc"), R"(repeats 3 bytes at byte 3: sends "abc" where nothing is owed)");
  EXPECT_EQ(explained("abc", "aXc"), R"(alters what it received at byte 1: sends "Xc" where "bc" is owed)");
  EXPECT_EQ(explained("", "hello"), R"(sends what it never received at byte 0: sends "hello" where nothing is owed)");
  EXPECT_EQ(explained("abc", "abc2345", {{"client 2", "12345"}}),
            R"(sends what client 2 had sent at byte 3: sends "2345" where nothing is owed)");
}

TEST(Conversation, KnowsBytesThatComeAfterTheMismatch) {
  Conversation conversation;
  conversation.receive("abc");
  conversation.send("b");
  conversation.receive("def");
  conversation.send("ca");
  EXPECT_EQ(explain(*conversation.mismatch(), {}),
            R"(sends bytes out of order at byte 0: sends "bca" where "abcdef" is owed)");
  EXPECT_EQ(conversation.received(), 6U);
  EXPECT_EQ(conversation.sent(), 3U);
}

TEST(Conversation, KnowsThatNothingWasOwed) {
  Conversation conversation;
  conversation.send("hello");
  conversation.receive("abc");
  EXPECT_EQ(explain(*conversation.mismatch(), {}),
            R"(sends what it never received at byte 0: sends "hello" where nothing is owed)");
}

TEST(Conversation, TellsAStrangerFromASkip) {
  const std::vector<Stream> others{{"client 2", "0123456789abcdefghij"}};
  Conversation mixed;
  mixed.receive("zz01zz");
  mixed.send("zz0123456789abcdefghij");
  // Two bytes of its own look the same by chance.
  EXPECT_EQ(mixed.mismatch()->position, 4U);
  EXPECT_EQ(stranger(*mixed.mismatch(), others), others.data());
  Conversation skips;
  skips.receive("x0123456789abcdefghij");
  skips.send("0123456789abcdefghij");
  EXPECT_EQ(stranger(*skips.mismatch(), others), nullptr);
  EXPECT_EQ(explain(*skips.mismatch(), others).substr(0, 17), "leaves out 1 byte");
}

TEST(Conversation, LetsUnseenBytesPass) {
  Conversation conversation;
  conversation.receive("ab");
  conversation.send("ab");
  conversation.pass(1000);
  conversation.receive("cd");
  conversation.send("d");
  EXPECT_EQ(conversation.mismatch()->position, 1002U);
  EXPECT_EQ(conversation.received(), 1004U);
}

TEST(Conversation, ForgetsWhatIsAnswered) {
  Conversation conversation;
  const std::string block(1000, 'x');
  for (int round = 0; round < 100; ++round) {
    conversation.receive(block);
    conversation.send(block);
  }
  conversation.receive("end");
  EXPECT_EQ(conversation.owed(), "end");
  conversation.send("End");
  EXPECT_EQ(conversation.mismatch()->position, 100'000U);
  EXPECT_EQ(conversation.mismatch()->before.size(), Mismatch::most_kept);
}

RC_GTEST_PROP(Conversation, AgreesHoweverTheStreamIsCut, (const std::vector<std::string>& pieces, std::size_t cut)) {
  Conversation conversation;
  std::string stream;
  for (const std::string& piece : pieces) {
    conversation.receive(piece);
    stream += piece;
    const std::string_view left = std::string_view(stream).substr(conversation.sent());
    conversation.send(left.substr(0, left.empty() ? 0 : cut % (left.size() + 1)));
  }
  RC_ASSERT(!conversation.mismatch());
  RC_ASSERT(conversation.received() == stream.size());
  RC_ASSERT(conversation.owed() == std::string_view(stream).substr(conversation.sent()));
}

}  // namespace
}  // namespace antiphon::verify
