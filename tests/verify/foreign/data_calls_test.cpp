#include "verify/foreign/data_calls.hpp"

#include <gtest/gtest.h>

#include "interpreters/strace_arguments.hpp"

namespace antiphon::verify::foreign {
namespace {

std::string text_of(const Moved& moved) {
  return moved.bytes + " of " + std::to_string(moved.count) + (moved.cut ? ", cut" : "");
}

/// What a call with this result has moved.
std::string moved_by(const std::string& name, const std::string& arguments, std::uint64_t result) {
  return text_of(moved(*data_call(name), strace::items(arguments), result));
}

std::string offered_by(const std::string& name, const std::string& arguments) {
  return text_of(offered(*data_call(name), strace::items(arguments)));
}

TEST(DataCalls, ShowTheirBytes) {
  EXPECT_EQ(moved_by("read", R"(3, "abc", 100)", 3), "abc of 3");
  EXPECT_EQ(moved_by("write", R"(3, "abcdef", 6)", 4), "abcd of 4");
  EXPECT_EQ(moved_by("sendto", R"(3, "abc"..., 6, 0, NULL, 0)", 6), "abc of 6, cut");
  EXPECT_EQ(moved_by("sendto", R"(3, "abc"..., 6, 0, NULL, 0)", 2), "ab of 2");
  EXPECT_EQ(moved_by("read", "3, 0x7ffe, 100", 3), " of 3, cut");
  EXPECT_EQ(moved_by("read", R"(3, "", 100)", 0), " of 0");
  EXPECT_EQ(moved_by("readv", R"(3, [{iov_base="ab", iov_len=2}, {iov_base="c", iov_len=9}], 2)", 3), "abc of 3");
  EXPECT_EQ(moved_by("writev", R"(3, [{iov_base="ab", iov_len=2}, {iov_base=NULL, iov_len=0}], 2)", 1), "a of 1");
  EXPECT_EQ(moved_by("writev", R"(3, [{iov_base="ab"..., iov_len=4}, {iov_base="c", iov_len=1}], 2)", 5),
            "ab of 5, cut");
  EXPECT_EQ(moved_by("writev", R"(3, [{iov_base="ab", iov_len=2}, ...], 2)", 3), "ab of 3, cut");
  EXPECT_EQ(moved_by("recvmsg",
                     R"(3, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base="ab", iov_len=9}], msg_iovlen=1}, 0)", 2),
            "ab of 2");
}

TEST(DataCalls, ShowSeveralMessages) {
  const std::string messages = R"(3, [{msg_hdr={msg_iov=[{iov_base="abcd", iov_len=4}], msg_iovlen=1}, msg_len=2}, )"
                               R"({msg_hdr={msg_iov=[{iov_base="xy", iov_len=2}], msg_iovlen=1}, msg_len=2}], 2, 0)";
  EXPECT_EQ(moved_by("sendmmsg", messages, 2), "abxy of 4");
  EXPECT_EQ(moved_by("sendmmsg", messages, 1), "ab of 2");
  EXPECT_EQ(moved_by("recvmmsg", messages + ", NULL", 2), "abxy of 4");
}

TEST(DataCalls, OfferAllWhenTheyBegin) {
  EXPECT_EQ(offered_by("write", R"(3, "abc", 3)"), "abc of 3");
  EXPECT_EQ(offered_by("sendmsg", R"(3, {msg_iov=[{iov_base="abc", iov_len=3}]}, 0)"), "abc of 3");
  EXPECT_EQ(offered_by("write", R"(3, "abc"..., 9)"), "abc of 3, cut");
  EXPECT_EQ(offered_by("read", "3,"), " of 0, cut");
}

TEST(DataCalls, AreThoseThatShowBytes) {
  EXPECT_TRUE(data_call("recv")->receives);
  EXPECT_FALSE(data_call("vmsplice")->receives);
  EXPECT_EQ(data_call("splice"), std::nullopt);
  EXPECT_EQ(route("splice"), (Route{"splice", 0, 2}));
  EXPECT_EQ(route("sendfile64"), (Route{"sendfile64", 1, 0}));
  EXPECT_EQ(route("read"), std::nullopt);
  EXPECT_EQ(data_call("pread64"), std::nullopt);
}

}  // namespace
}  // namespace antiphon::verify::foreign
