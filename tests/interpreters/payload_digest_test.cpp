#include "interpreters/payload_digest.hpp"

#include <array>
#include <span>
#include <string>

#include "core/bytes.hpp"
#include "tests/rapidcheck.hpp"

namespace antiphon {
namespace {

TEST(PayloadDigest, IsTheKnownCrc) {
  EXPECT_EQ(digest_of(""), (StreamDigest{0, 0}));
  // CRC-64/XZ of "123456789" is 995dc9bbdf1939fa. It complements the first eight bytes, and the result.
  std::string text = "123456789";
  for (char& byte : std::span(text).first(8)) byte = static_cast<char>(~byte);
  EXPECT_EQ(~digest_of(text).crc, 0x995DC9BBDF1939FAULL);
}

RC_GTEST_PROP(PayloadDigest, Composes, (const std::string& front, const std::string& rest)) {
  const StreamDigest whole = digest_of(front + rest);
  RC_ASSERT(digest_of(front) + digest_of(rest) == whole);
  RC_ASSERT(without_front(whole, digest_of(front)) == digest_of(rest));
}

RC_GTEST_PROP(PayloadDigest, BytesAreKnownWhereTheirStretchesEnd, (const std::string& front, const std::string& rest)) {
  RC_PRE(!front.empty() && !rest.empty());
  const Bytes bytes = Bytes::of_digests(std::array{digest_of(front), digest_of(rest)});
  RC_ASSERT(!bytes.is_kept());
  RC_ASSERT(bytes.size() == front.size() + rest.size());
  RC_ASSERT(bytes.digest() == digest_of(front + rest));
  RC_ASSERT(bytes.take(front.size()).digest() == digest_of(front));
  RC_ASSERT(bytes.drop(front.size()).digest() == digest_of(rest));
  if (front.size() > 1) RC_ASSERT(!bytes.take(front.size() - 1).digest());
  if (front.size() > 1) RC_ASSERT(!bytes.drop(1).digest());
  RC_ASSERT(bytes.drop(bytes.size()).digest() == StreamDigest{});
}

TEST(PayloadDigest, BytesThatAreNotKeptAreEqualByDigests) {
  const auto known = [](const char* text) { return Bytes::of_digests(std::array{digest_of(text)}); };
  EXPECT_EQ(known("abc"), known("abc"));
  EXPECT_NE(known("abc"), known("abd"));
  EXPECT_NE(known("abc"), known("abcd"));
  EXPECT_NE(known("abc").take(1), known("abc").take(1)) << "nothing is known of them";
  EXPECT_EQ(known("abc").content(), "");
}

}  // namespace
}  // namespace antiphon
