#include "verify/scope.hpp"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <string_view>

#include "verify/generate.hpp"

namespace antiphon::verify {

namespace {

void add(Adversity& adversity, std::initializer_list<std::string_view> instructions,
         std::initializer_list<Errno> errors) {
  for (const std::string_view instruction : instructions) {
    for (const Errno error : errors) adversity.faults.push_back({fault_place(instruction), error});
  }
}

void add_class(Scope& scope, std::string_view name) {
  Adversity& adversity = scope.adversity;
  if (name == "interrupts") add(adversity, {Accept::name, Recv::name, Send::name, Sleep::name}, {Errno::INTR});
  if (name == "accept") {
    add(adversity, {Accept::name},
        {Errno::CONNABORTED, Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::AGAIN, Errno::PROTO,
         Errno::PERM});
  }
  if (name == "fork") add(adversity, {Fork::name}, {Errno::AGAIN, Errno::NOMEM});
  if (name == "memory") {
    const std::size_t before = adversity.faults.size();
    add(adversity, {Recv::name, Send::name}, {Errno::NOMEM, Errno::NOBUFS, Errno::AGAIN});
    for (std::size_t fault = before; fault < adversity.faults.size(); ++fault) adversity.faults[fault].counted = true;
    adversity.most_counted = most_memory_faults;
  }
  if (name == "close") {
    add(adversity, {Close::name}, {Errno::INTR, Errno::IO});
    add(adversity, {ShutdownSend::name}, {Errno::NOTCONN});
  }
  if (name == "reset") adversity.resets = true;
  if (name == "idle") adversity.impatience = true;
  if (name == "stop") adversity.stops = true;
  if (name == "limits") {
    scope.scenario.max_sockets = 2;
    scope.scenario.max_processes = 2;
  }
}

}  // namespace

Scenario left_open(const Scenario& scenario) {
  Scenario open = scenario;
  open.seed = 0;
  open.choices.clear();
  open.faults.clear();
  open.stop_after.reset();
  open.free_time = true;
  return open;
}

std::expected<Scope, std::string> scope_of(const ScopeRequest& request) {
  // What is on its way, to the server and back, and what the server holds of it.
  const std::uint64_t most_outstanding = 3 * std::uint64_t{request.capacity};
  if (request.any_messages && most_outstanding >= script::any_period) {
    return std::unexpected("any number of messages needs buffers of at most " +
                           std::to_string((script::any_period - 1) / 3) + " bytes, not " +
                           std::to_string(request.capacity));
  }
  Scope scope;
  scope.scenario.free_time = true;
  scope.scenario.short_io = true;
  scope.scenario.capacity = request.capacity;
  scope.scenario.addresses = request.addresses;
  Script script{script::Connect{}};
  if (request.any_messages) {
    script.emplace_back(script::SendAny{request.size});
  } else {
    script.insert(script.end(), request.messages, script::Send{request.size});
  }
  script.emplace_back(script::EndSide{});
  scope.scenario.clients.assign(request.clients, script);
  const auto& classes = fault_classes();
  for (std::size_t index = 0; index < std::min(classes.size(), request.faults.size()); ++index) {
    if (request.faults[index]) add_class(scope, classes[index].name);
  }
  return scope;
}

}  // namespace antiphon::verify
