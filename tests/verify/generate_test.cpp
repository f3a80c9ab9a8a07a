#include "verify/generate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace antiphon::verify {
namespace {

TEST(FaultsNamed, ReadsLists) {
  EXPECT_EQ(*faults_named("none"), std::vector<bool>(10, false));
  EXPECT_EQ(*faults_named("all"), std::vector<bool>(10, true));
  EXPECT_EQ(*faults_named("short,stop"),
            (std::vector<bool>{true, false, false, false, false, false, false, false, true, false}));
  EXPECT_EQ(*faults_named("stop,short,stop"), *faults_named("short,stop"));
  EXPECT_EQ(fault_classes().size(), 10U);
}

TEST(FaultsNamed, NamesTheWordThatIsWrong) {
  const std::string known =
      " (there are short, interrupts, accept, fork, memory, close, reset, idle, stop, limits; none and all stand "
      "alone)";
  EXPECT_EQ(faults_named("short,shrt").error(), "no fault is called 'shrt'" + known);
  EXPECT_EQ(faults_named("").error(), "no fault is called ''" + known);
  EXPECT_EQ(faults_named("short,").error(), "no fault is called ''" + known);
  EXPECT_EQ(faults_named("Short").error(), "no fault is called 'Short'" + known);
  EXPECT_EQ(faults_named("all,short").error(), "no fault is called 'all'" + known);
}

TEST(Draw, TheSameSeedGivesTheSameScenario) {
  const Generation generation{4, *faults_named("all")};
  for (std::uint64_t seed = 0; seed < 100; ++seed) EXPECT_EQ(draw(generation, seed), draw(generation, seed));
  EXPECT_NE(draw(generation, 1), draw(generation, 2));
}

TEST(Draw, HasUpToSoManyClients) {
  std::map<std::size_t, int> sizes;
  for (std::uint64_t seed = 0; seed < 200; ++seed) ++sizes[draw({3, {}}, seed).clients.size()];
  EXPECT_EQ(sizes.size(), 3U);
  EXPECT_EQ(sizes.begin()->first, 1U);
  EXPECT_EQ(draw({0, {}}, 1).clients.size(), 1U);
}

// -- Each class of faults does what it says ----------------------------------------------------------------------

bool has_fault(const Scenario& scenario, std::string_view instruction, Errno error) {
  return std::ranges::any_of(scenario.faults,
                             [&](const Fault& fault) { return fault.name() == instruction && fault.error == error; });
}
template <class A>
bool has_action(const Scenario& scenario) {
  return std::ranges::any_of(scenario.clients, [](const Script& script) {
    return std::ranges::any_of(script, [](const auto& action) { return std::holds_alternative<A>(action); });
  });
}
bool someone_never_ends(const Scenario& scenario) {
  return std::ranges::any_of(scenario.clients, [](const Script& script) {
    return std::ranges::none_of(script, [](const auto& action) {
      return std::holds_alternative<script::EndSide>(action) || std::holds_alternative<script::Reset>(action);
    });
  });
}
bool someone_pauses_long(const Scenario& scenario) {
  return std::ranges::any_of(scenario.clients, [](const Script& script) {
    return std::ranges::any_of(script, [](const auto& action) {
      const auto* const pause = std::get_if<script::Pause>(&action);
      return pause != nullptr && pause->wait_ms > 60'000;
    });
  });
}

struct Mark {
  std::string_view fault_class;
  std::string_view what;
  std::function<bool(const Scenario&)> shows;
};

std::vector<Mark> marks() {
  std::vector<Mark> all{
      {"short", "short", [](const Scenario& one) { return one.short_io; }},
      {"reset", "reset", has_action<script::Reset>},
      {"idle", "stop reading", has_action<script::StopReading>},
      {"idle", "no end", someone_never_ends},
      {"idle", "long pause", someone_pauses_long},
      {"stop", "stop", [](const Scenario& one) { return one.stop_after.has_value(); }},
      {"limits", "capacity", [](const Scenario& one) { return one.capacity < 4096; }},
      {"limits", "sockets", [](const Scenario& one) { return one.max_sockets < 1024; }},
      {"limits", "processes", [](const Scenario& one) { return one.max_processes < 1024; }},
  };
  const auto faults = [&](std::string_view fault_class, std::string_view instruction, std::vector<Errno> errors) {
    for (const Errno error : errors) {
      all.push_back(
          {fault_class, instruction, [=](const Scenario& one) { return has_fault(one, instruction, error); }});
    }
  };
  for (const std::string_view waits : {Accept::name, Recv::name, Send::name, Sleep::name}) {
    faults("interrupts", waits, {Errno::INTR});
  }
  faults("accept", Accept::name,
         {Errno::CONNABORTED, Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::AGAIN, Errno::PROTO,
          Errno::PERM});
  faults("fork", Fork::name, {Errno::AGAIN, Errno::NOMEM});
  faults("memory", Recv::name, {Errno::NOMEM, Errno::NOBUFS, Errno::AGAIN});
  faults("memory", Send::name, {Errno::NOMEM, Errno::NOBUFS, Errno::AGAIN});
  faults("close", Close::name, {Errno::INTR, Errno::IO});
  faults("close", ShutdownSend::name, {Errno::NOTCONN});
  return all;
}

TEST(Draw, EachClassOfFaultsShowsWhenItIsAskedForAndNotElse) {
  for (const FaultClass& fault_class : fault_classes()) {
    std::vector<Scenario> with;
    with.reserve(400);
    for (std::uint64_t seed = 0; seed < 400; ++seed) {
      with.push_back(draw({4, *faults_named(fault_class.name)}, seed));
    }
    for (const Mark& mark : marks()) {
      EXPECT_EQ(std::ranges::any_of(with, mark.shows), mark.fault_class == fault_class.name)
          << "faults " << fault_class.name << ", " << mark.what;
    }
  }
}

TEST(Draw, WithoutFaultsThereAreNone) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const Scenario scenario = draw({4, {}}, seed);
    EXPECT_TRUE(scenario.faults.empty());
    for (const Mark& mark : marks()) EXPECT_FALSE(mark.shows(scenario)) << mark.what;
    EXPECT_EQ(draw({4, *faults_named("none")}, seed), scenario);
  }
}

TEST(Draw, ClientsLetTheirBuffersFillWhereThatIsAskedFor) {
  const auto is_full = [](const Scenario& scenario) {
    const Script& script = scenario.clients.front();
    if (script.size() < 3 || !std::holds_alternative<script::StopReading>(script[1])) return false;
    const auto* const send = std::get_if<script::Send>(&script[2]);
    return send != nullptr && send->count > scenario.capacity;
  };
  std::uint64_t full = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Generation generation{4, *faults_named("none")};
    const Scenario plain = draw(generation, seed);
    generation.full_buffers = true;
    EXPECT_EQ(draw(generation, seed), plain) << "without the fault idle there is nothing to fill";
    generation.faults = *faults_named("idle");
    if (is_full(draw(generation, seed))) ++full;
    generation.full_buffers = false;
    EXPECT_FALSE(is_full(draw(generation, seed)));
  }
  EXPECT_GT(full, 30U);
}

}  // namespace
}  // namespace antiphon::verify
