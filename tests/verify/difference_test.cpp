#include "verify/difference.hpp"

#include <gtest/gtest.h>

namespace antiphon::verify {
namespace {

TEST(Difference, EqualTextsHaveNone) { EXPECT_EQ(difference("#1 Close\n└─ ok\n", "#1 Close\n└─ ok\n"), ""); }

TEST(Difference, NumbersAndDepthMakeNone) {
  EXPECT_EQ(difference("├─ ok\n│  #2 Send to client₁\n", "└─ ok\n   #13 Send to client₂\n"), "");
}

TEST(Difference, TwoLinesStandAroundAChange) {
  EXPECT_EQ(difference("a\nb\nc\nold\nd\ne\nf\n", "a\nb\nc\nnew\nd\ne\nf\n"), "@@\n b\n c\n-old\n+new\n d\n e\n");
}

TEST(Difference, ChangesFarApartStandApart) {
  EXPECT_EQ(difference("x\na\nb\nc\nd\ne\n", "a\nb\nc\nd\ne\ny\n"), "-x\n a\n b\n@@\n d\n e\n+y\n");
}

TEST(Difference, OneTextMayBeEmpty) {
  EXPECT_EQ(difference("", "a\n"), "+a\n");
  EXPECT_EQ(difference("a\n", ""), "-a\n");
}

}  // namespace
}  // namespace antiphon::verify
