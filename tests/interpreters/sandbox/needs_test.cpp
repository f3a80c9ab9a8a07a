#include "interpreters/sandbox/needs.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "core/programs/catalogue.hpp"
#include "core/rewrite.hpp"
#include "interpreters/sandbox/filter.hpp"
#include "interpreters/sandbox/report.hpp"
#include "interpreters/sandbox/sandbox.hpp"

namespace antiphon::sandbox {
namespace {

using Texts = std::set<std::string>;

constexpr Interpreter interpreters[] = {Interpreter::fork, Interpreter::epoll, Interpreter::uring};

Surroundings on(Interpreter interpreter) {
  Surroundings surroundings;
  surroundings.interpreter = interpreter;
  return surroundings;
}

/// All that a server may ask of the kernel once it listens.
Texts granted(const Server& program, Interpreter interpreter) {
  Texts texts;
  for (const Need& need : profile_of(reach_of(program), on(interpreter)).needs) {
    texts.insert(text_of(need.what));
  }
  return texts;
}

const std::string any_send = "sendto";
const std::string send_on_connections = "sendto(no address)";

/// What is granted to the one and not to the other, which may do nothing that the one may not; but whoever can make
/// sockets may send on connections only.
Texts more(const Server& changed, const Server& before, Interpreter interpreter) {
  Texts had = granted(before, interpreter);
  Texts has = granted(changed, interpreter);
  if (has.contains(send_on_connections)) had.erase(any_send);
  for (const std::string& one : had) EXPECT_EQ(has.erase(one), 1U) << one;
  return has;
}

/// The server, whose sessions do one more thing before they let go of the client.
template <Instruction I>
Server also(const Server& server, const I& instruction) {
  return replace<Close>(server, [=](const Close& close) {
    return Program<Net, Result<Unit>>(instruction >>
                                      [=](const typename I::Response&) { return Program<Net, Result<Unit>>(close); });
  });
}

const Server stream = *program_named("stream");
const Server seed_server = *program_named("seed");

TEST(needs, who_connects_gets_what_that_takes) {
  const Server connects = also(stream, Connect{});
  const Texts common{"socket(AF_INET, SOCK_STREAM)", "socket(AF_INET6, SOCK_STREAM)", "connect",
                     "setsockopt(TCP_NODELAY)", "getsockopt(SO_ERROR)"};
  Texts by_call = common;
  by_call.insert(send_on_connections);
  EXPECT_EQ(more(connects, stream, Interpreter::fork), by_call);
  EXPECT_EQ(more(connects, stream, Interpreter::epoll), by_call);
  Texts blocking = common;
  blocking.insert({"fcntl(F_GETFL)", "fcntl(F_SETFL)"});
  EXPECT_EQ(more(connects, stream, Interpreter::uring), blocking);
}

TEST(needs, who_ends_its_side_gets_one_call) {
  for (const Interpreter interpreter : interpreters) {
    EXPECT_EQ(more(also(stream, ShutdownSend{Socket{0}}), stream, interpreter), Texts{"shutdown(SHUT_WR)"});
  }
}

TEST(needs, who_opens_a_listener_gets_a_bind_and_keeps_the_capability_for_it) {
  const Server opens = also(stream, OpenSocket{});
  EXPECT_EQ(more(opens, stream, Interpreter::fork),
            (Texts{"socket(AF_INET, SOCK_STREAM)", "bind", "socket(AF_INET6, SOCK_STREAM)", "setsockopt(SO_REUSEADDR)",
                   send_on_connections}));
  const Profile before = profile_of(reach_of(stream), on(Interpreter::fork));
  const Profile after = profile_of(reach_of(opens), on(Interpreter::fork));
  EXPECT_FALSE(before.grounds.binds);
  EXPECT_TRUE(before.keeps.empty());
  EXPECT_TRUE(after.grounds.binds);
  ASSERT_EQ(after.keeps.size(), 1U);
  EXPECT_EQ(after.keeps.front().name, "CAP_NET_BIND_SERVICE");
}

TEST(needs, who_sleeps_gets_nothing_more) {
  // Every interpreter waits by the call that it waits for clients by.
  for (const Interpreter interpreter : interpreters) {
    EXPECT_EQ(more(also(seed_server, Sleep{1}), seed_server, interpreter), Texts{});
  }
}

TEST(needs, only_fork_makes_processes) {
  EXPECT_TRUE(granted(stream, Interpreter::fork).contains("clone(as fork)"));
  for (const Interpreter interpreter : {Interpreter::epoll, Interpreter::uring}) {
    const Texts has = granted(stream, interpreter);
    for (const char* call : {"clone(as fork)", "clone", "clone3", "fork", "vfork"}) EXPECT_FALSE(has.contains(call));
  }
}

TEST(needs, a_program_that_does_not_fork_starts_no_process) {
  const auto limits_processes = [](const InstructionNames& instructions, Interpreter interpreter) {
    const Reach reach{.anywhere = {}, .listening = instructions, .why_not_exact = ""};
    return std::ranges::any_of(profile_of(reach, on(interpreter)).limits,
                               [](const Limit& limit) { return limit.name == "RLIMIT_NPROC"; });
  };
  EXPECT_FALSE(limits_processes({"Fork"}, Interpreter::fork));
  EXPECT_TRUE(limits_processes({"Accept"}, Interpreter::fork));
  EXPECT_TRUE(limits_processes({"Fork"}, Interpreter::epoll));
  // The kernel's own threads behind a ring count, too.
  EXPECT_FALSE(limits_processes({"Accept"}, Interpreter::uring));
}

TEST(needs, who_counts_addresses_may_ask_for_them) {
  for (const Interpreter interpreter : interpreters) {
    EXPECT_FALSE(granted(stream, interpreter).contains("getpeername"));
    const Server counts =
        replace<Fork>(stream, [](const Fork& fork) { return Fork{fork.at_most, 10, Socket{1}, fork.where}; });
    EXPECT_EQ(more(counts, stream, interpreter), Texts{"getpeername"});
  }
}

TEST(needs, of_a_ring_are_operations) {
  const Texts has = granted(stream, Interpreter::uring);
  Texts operations;
  for (const std::string& one : has) {
    if (one.starts_with("ring: ")) operations.insert(one.substr(6));
  }
  EXPECT_EQ(operations, (Texts{"ACCEPT", "RECV", "SEND", "ASYNC_CANCEL", "POLL_ADD"}));
  EXPECT_EQ(ring_operations(profile_of(reach_of(stream), on(Interpreter::uring)).needs).size(), 5U);
  EXPECT_TRUE(ring_operations(profile_of(reach_of(stream), on(Interpreter::epoll)).needs).empty());
  // What goes by the ring goes by no call.
  for (const std::string& call : {std::string("accept4"), any_send, send_on_connections}) {
    EXPECT_FALSE(has.contains(call)) << call;
  }
}

TEST(needs, an_address_is_looked_for_where_it_could_lead_elsewhere) {
  const auto sends = [](Surroundings surroundings) {
    Texts texts;
    for (const Need& need : profile_of(reach_of(stream), surroundings).needs) {
      if (need.what.name == any_send) texts.insert(text_of(need.what));
    }
    return texts;
  };
  Surroundings surroundings = on(Interpreter::epoll);
  EXPECT_EQ(sends(surroundings), Texts{any_send}) << "all are connections";
  surroundings.notices = true;
  EXPECT_EQ(sends(surroundings), Texts{send_on_connections}) << "notices are datagrams";
}

TEST(needs, every_instruction_says_what_it_needs_where_it_asks_the_kernel) {
  const InstructionNames without_kernel{"Fork", "DiscardChildren", "Sleep", "Alarm"};
  for (const std::string_view name : names_of(Net{})) {
    EXPECT_EQ(needs_of({name}, Interpreter::fork).empty(), name == "Sleep" || name == "Alarm") << name;
    for (const Interpreter interpreter : {Interpreter::epoll, Interpreter::uring}) {
      EXPECT_EQ(needs_of({name}, interpreter).empty(), without_kernel.contains(name)) << name;
    }
  }
}

/// The richest surroundings.
Surroundings everything(Interpreter interpreter) {
  Surroundings all = on(interpreter);
  all.threads = all.trace = all.folder_of_another = all.monitor = all.aborts = all.metrics = true;
  all.trace_bounded = all.notices = all.takes_over = true;
  all.trace_folder = "/";
  return all;
}

TEST(needs, every_call_is_one_that_the_kernel_knows) {
  for (const Interpreter interpreter : interpreters) {
    const Reach whole{.anywhere = {}, .listening = all_of(Net{}), .counts_addresses = true, .why_not_exact = ""};
    const Profile profile = profile_of(whole, everything(interpreter));
    EXPECT_NO_THROW(Filter(profile.needs, profile.refusals));
  }
  EXPECT_THROW(Filter({{"", call("no_such_call"), ""}}, {}), std::system_error);
}

TEST(report, tells_the_program_from_its_process) {
  const std::string text = report(reach_of(stream), on(Interpreter::epoll));
  EXPECT_NE(text.find("every branch was walked, so this is exact"), std::string::npos);
  EXPECT_NE(text.find("  Accept          accept4 "), std::string::npos) << text;
  EXPECT_NE(text.find("  Listen                                           before it listens only\n"),
            std::string::npos);
  EXPECT_NE(text.find("  Connect                                          never issued\n"), std::string::npos);
  EXPECT_NE(text.find("  files           none "), std::string::npos);
  EXPECT_NE(text.find("  RLIMIT_CORE     0 "), std::string::npos);
}

TEST(report, says_why_it_is_only_a_bound) {
  Reach reach = reach_of(stream);
  reach.why_not_exact = "it looks at content";
  const std::string text = report(reach, everything(Interpreter::fork));
  EXPECT_NE(text.find("this is a bound, all that its effect set has; it looks at content"), std::string::npos) << text;
  EXPECT_NE(text.find("  files           write in / "), std::string::npos) << text;
}

}  // namespace
}  // namespace antiphon::sandbox
