#include "verify/shrink.hpp"

#include <utility>

namespace antiphon::verify {

namespace {

/// The scenarios that come of shrinking one member by `shrinks`.
template <class Member>
rc::Seq<Scenario> with(const Scenario& scenario, Member Scenario::* member, rc::Seq<Member> shrinks) {
  return rc::seq::map(std::move(shrinks), [=](Member simpler_member) {
    Scenario simpler_scenario = scenario;
    simpler_scenario.*member = std::move(simpler_member);
    return simpler_scenario;
  });
}

template <class Number>
rc::Seq<Scenario> number(const Scenario& scenario, Number Scenario::* member, Number target) {
  return with(scenario, member, rc::shrink::towards(scenario.*member, target));
}

rc::Seq<script::Action> simpler_action(const script::Action& action) {
  return std::visit(
      []<class A>(const A& one) -> rc::Seq<script::Action> {
        if constexpr (std::tuple_size_v<std::remove_cvref_t<decltype(A::fields)>> == 1) {
          constexpr auto member = std::get<0>(A::fields).member;
          return rc::seq::map(rc::shrink::towards(one.*member, 1U), [=](std::uint32_t value) {
            A smaller = one;
            smaller.*member = value;
            return script::Action(smaller);
          });
        } else {
          return {};
        }
      },
      action);
}

rc::Seq<Fault> simpler_fault(const Fault& fault) {
  return rc::seq::map(rc::shrink::towards(fault.nth, 0U),
                      [=](std::uint32_t nth) { return Fault{fault.instruction, nth, fault.error}; });
}

rc::Seq<Scenario> without_stop(const Scenario& scenario) {
  if (!scenario.stop_after) return {};
  using Stop = std::optional<std::uint32_t>;
  const auto earlier =
      rc::seq::map(rc::shrink::towards(*scenario.stop_after, 0U), [](std::uint32_t step) { return Stop(step); });
  return with(scenario, &Scenario::stop_after, rc::seq::concat(rc::seq::just(Stop()), earlier));
}

rc::Seq<Scenario> with_plain_io(const Scenario& scenario) {
  if (!scenario.short_io) return {};
  return with(scenario, &Scenario::short_io, rc::seq::just(false));
}

}  // namespace

rc::Seq<Script> simpler(const Script& script) {
  return rc::seq::concat(rc::shrink::removeChunks(script), rc::shrink::eachElement(script, simpler_action));
}

rc::Seq<Scenario> simpler(const Scenario& scenario) {
  const Scenario plain(0);
  return rc::seq::concat(
      with(scenario, &Scenario::clients, rc::shrink::removeChunks(scenario.clients)),
      with(scenario, &Scenario::choices, rc::shrink::removeChunks(scenario.choices)),
      with(scenario, &Scenario::faults, rc::shrink::removeChunks(scenario.faults)), without_stop(scenario),
      with_plain_io(scenario), number(scenario, &Scenario::seed, plain.seed),
      number(scenario, &Scenario::comes_round, plain.comes_round),
      number(scenario, &Scenario::capacity, plain.capacity),
      number(scenario, &Scenario::max_backlog, plain.max_backlog),
      number(scenario, &Scenario::max_sockets, plain.max_sockets),
      number(scenario, &Scenario::max_processes, plain.max_processes),
      number(scenario, &Scenario::addresses, plain.addresses),
      with(scenario, &Scenario::clients,
           rc::shrink::eachElement(scenario.clients, [](const Script& script) { return simpler(script); })),
      with(scenario, &Scenario::faults, rc::shrink::eachElement(scenario.faults, simpler_fault)),
      with(scenario, &Scenario::choices, rc::shrink::eachElement(scenario.choices, [](std::uint32_t choice) {
             return rc::shrink::towards(choice, 0U);
           })));
}

rc::Gen<Scenario> scenarios(const Generation& generation) {
  return [=](const rc::Random& random, int) {
    rc::Random source = random;
    return rc::shrinkable::shrinkRecur(draw(generation, source.next()),
                                       [](const Scenario& scenario) { return simpler(scenario); });
  };
}

}  // namespace antiphon::verify
