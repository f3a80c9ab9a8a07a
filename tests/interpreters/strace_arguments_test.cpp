#include "interpreters/strace_arguments.hpp"

#include <gtest/gtest.h>

namespace antiphon::strace {
namespace {

using Texts = std::vector<std::string_view>;

TEST(StraceArguments, AreSplitAtCommasOutsideOfBracketsAndStrings) {
  EXPECT_EQ(items(""), Texts{});
  EXPECT_EQ(items("3"), Texts{"3"});
  EXPECT_EQ(items("3, NULL, [16]"), (Texts{"3", "NULL", "[16]"}));
  EXPECT_EQ(items(R"(3, "a, b", 4)"), (Texts{"3", R"("a, b")", "4"}));
  EXPECT_EQ(items(R"("say \"a, b\"", 4)"), (Texts{R"("say \"a, b\"")", "4"}));
  EXPECT_EQ(items("4, [{fd=3, events=POLLIN}, {fd=5}], 2"), (Texts{"4", "[{fd=3, events=POLLIN}, {fd=5}]", "2"}));
  EXPECT_EQ(items("0x7ffc /* 24 vars, or so */, 1<<3, A|B"), (Texts{"0x7ffc /* 24 vars, or so */", "1<<3", "A|B"}));
  EXPECT_EQ(items("3</tmp/a, b>, 7<TCP:[1.2.3.4:80->5.6.7.8:90]>, 1"),
            (Texts{"3</tmp/a, b>", "7<TCP:[1.2.3.4:80->5.6.7.8:90]>", "1"}));
  EXPECT_EQ(items("1</dev/pts/0<char 136:0>>, AT_FDCWD</home/x>"),
            (Texts{"1</dev/pts/0<char 136:0>>", "AT_FDCWD</home/x>"}));
  EXPECT_EQ(items(R"(5<UNIX-STREAM:[12->34,"/run/a"]>, 1)"), (Texts{R"(5<UNIX-STREAM:[12->34,"/run/a"]>)", "1"}));
  EXPECT_EQ(items(R"(3<\x2f\x74>, 1)"), (Texts{R"(3<\x2f\x74>)", "1"}));
}

TEST(StraceArguments, HaveItemsInside) {
  EXPECT_EQ(items_inside("[3, 4]"), (Texts{"3", "4"}));
  EXPECT_EQ(items_inside("[3<pipe:[5]>, 4]"), (Texts{"3<pipe:[5]>", "4"}));
  EXPECT_EQ(items_inside("[]"), Texts{});
  EXPECT_EQ(items_inside("NULL"), Texts{});
  EXPECT_EQ(items_inside("[3, 4"), Texts{});
}

TEST(StraceArguments, AreNumbers) {
  EXPECT_EQ(number("12<socket:[3]>"), 12);
  EXPECT_EQ(number("-1"), -1);
  EXPECT_EQ(number("0x10"), 16);
  EXPECT_EQ(number("0xffffffffffffffff"), -1);
  EXPECT_EQ(number("NULL"), std::nullopt);
  EXPECT_EQ(number(""), std::nullopt);
}

TEST(StraceArguments, SayWhatADescriptorIs) {
  EXPECT_EQ(decoration("7<TCP:[1.2.3.4:80->5.6.7.8:90]>"), "TCP:[1.2.3.4:80->5.6.7.8:90]");
  EXPECT_EQ(decoration("7<socket:[3]>"), "socket:[3]");
  EXPECT_EQ(decoration("1</dev/pts/0<char 136:0>>"), "/dev/pts/0<char 136:0>");
  EXPECT_EQ(decoration("<socket:[3]>"), "socket:[3]");
  EXPECT_EQ(decoration("7"), "");
}

std::string bytes_of(std::string_view text) {
  const auto found = shown(text);
  return found ? found->bytes + (found->cut ? " (cut)" : "") : "unreadable";
}

TEST(StraceArguments, AreStrings) {
  EXPECT_EQ(bytes_of(R"("")"), "");
  EXPECT_EQ(bytes_of(R"("abc")"), "abc");
  EXPECT_EQ(bytes_of(R"("abc"...)"), "abc (cut)");
  EXPECT_EQ(bytes_of(R"("\x61\x62\x0a")"), "ab\n");
  EXPECT_EQ(bytes_of(R"("a\n\t\r\v\f\\\"")"), "a\n\t\r\v\f\\\"");
  EXPECT_EQ(bytes_of(R"("\0\1\0017\377")"), std::string("\0\1\0017\377", 5));
  EXPECT_EQ(bytes_of(R"("\q")"), "unreadable");
  EXPECT_EQ(bytes_of(R"("\xg1")"), "unreadable");
  EXPECT_EQ(bytes_of(R"("\777")"), "unreadable");
  EXPECT_EQ(bytes_of(R"("abc)"), "unreadable");
  EXPECT_EQ(bytes_of("0x7ffe"), "unreadable");
}

TEST(StraceArguments, HaveFieldsHoweverDeep) {
  constexpr std::string_view message =
      R"({msg_name=NULL, msg_iov=[{iov_base="a=1, iov_base=2", iov_len=3}, {iov_base="b", iov_len=1}], msg_flags=0})";
  EXPECT_EQ(fields(message, "iov_base"), (Texts{R"("a=1, iov_base=2")", R"("b")"}));
  EXPECT_EQ(field(message, "msg_flags"), "0");
  EXPECT_EQ(field(message, "flags"), "");
  EXPECT_EQ(field("{events=EPOLLIN, data={u32=7, u64=7}}", "data"), "{u32=7, u64=7}");
}

TEST(StraceArguments, AreAddresses) {
  const auto text = [](std::string_view of) {
    const auto found = address(of);
    return found ? found->text + "|" + std::to_string(found->port.value_or(0)) : "none";
  };
  EXPECT_EQ(text(R"({sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("1.2.3.4")})"), "1.2.3.4:80|80");
  EXPECT_EQ(text(R"({sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("\x31\x2e\x32")})"), "1.2:80|80");
  EXPECT_EQ(text(R"({sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), )"
                 R"(inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=0})"),
            "[::1]:80|80");
  EXPECT_EQ(text(R"({sa_family=AF_UNIX, sun_path="/run/echo"})"), "/run/echo|0");
  EXPECT_EQ(text(R"({sa_family=AF_UNIX, sun_path=@"echo"})"), "echo|0");
  EXPECT_EQ(text("{sa_family=AF_UNIX}"), "none");
  EXPECT_EQ(text("NULL"), "none");
  EXPECT_EQ(text("0x7ffe"), "none");
}

TEST(StraceArguments, HaveFlags) {
  EXPECT_TRUE(has_flag("SOCK_STREAM|SOCK_CLOEXEC", "SOCK_CLOEXEC"));
  EXPECT_TRUE(has_flag("{flags=CLONE_VM|CLONE_FILES, x=1}", "CLONE_FILES"));
  EXPECT_FALSE(has_flag(R"("CLONE_FILES")", "CLONE_FILES"));
  EXPECT_FALSE(has_flag("MY_CLONE_FILES_TOO", "CLONE_FILES"));
}

}  // namespace
}  // namespace antiphon::strace
