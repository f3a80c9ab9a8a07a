#include "verify/generate.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "interpreters/random.hpp"

namespace antiphon::verify {

namespace {

enum Class : std::size_t { short_io, interrupts, accepting, forking, memory, closing, resets, idlers, stops, limits };

class Source {
 public:
  explicit Source(std::uint64_t seed) : random_(seed) {}

  /// Below `bound`, which is at least 1.
  std::uint32_t below(std::uint32_t bound) { return random_.below(bound); }
  bool one_in(std::uint32_t count) { return below(count) == 0; }
  std::uint32_t between(std::uint32_t least, std::uint32_t most) { return least + below(most - least + 1); }

 private:
  Random random_;
};

/// Mostly a few bytes, sometimes more than one Recv of the original takes.
std::uint32_t message_size(Source& source) {
  const std::uint32_t kind = source.below(10);
  if (kind < 7) return source.between(1, 6);
  if (kind < 9) return source.between(1, 200);
  return source.between(200, 3000);
}

Script script(Source& source, const std::vector<bool>& active) {
  Script actions;
  if (source.one_in(4)) actions.emplace_back(script::Pause{source.between(1, 50)});
  actions.emplace_back(script::Connect{});
  const bool idler = active[idlers] && source.one_in(2);
  if (idler && source.one_in(3)) actions.emplace_back(script::StopReading{});
  const std::uint32_t messages = source.below(4);
  for (std::uint32_t message = 0; message < messages; ++message) {
    const std::uint32_t size = message_size(source);
    actions.emplace_back(script::Send{size});
    if (source.one_in(3)) actions.emplace_back(script::Await{source.between(1, size)});
    if (source.one_in(4)) actions.emplace_back(script::Pause{source.between(1, idler ? 70'000 : 100)});
  }
  if (active[resets] && source.one_in(3)) {
    actions.emplace_back(script::Reset{});
  } else if (!(idler && source.one_in(2))) {
    actions.emplace_back(script::EndSide{});
    if (active[resets] && source.one_in(6)) actions.emplace_back(script::Reset{});
  }
  return actions;
}

void add_faults(Source& source, std::vector<Fault>& faults, std::string_view instruction,
                std::initializer_list<Errno> errors, std::uint32_t latest) {
  if (source.one_in(2)) return;
  const std::uint32_t first = source.below(latest);
  const std::uint32_t burst = source.one_in(3) ? source.between(2, 4) : 1;
  for (std::uint32_t nth = first; nth < first + burst; ++nth) {
    const Errno error = errors.begin()[source.below(static_cast<std::uint32_t>(errors.size()))];
    faults.push_back({fault_place(instruction), nth, error});
  }
}

std::vector<Fault> fault_plan(Source& source, const std::vector<bool>& active) {
  std::vector<Fault> faults;
  if (active[interrupts]) {
    for (const std::string_view instruction : {Accept::name, Recv::name, Send::name, Sleep::name}) {
      add_faults(source, faults, instruction, {Errno::INTR}, 8);
    }
  }
  if (active[accepting]) {
    add_faults(source, faults, Accept::name,
               {Errno::CONNABORTED, Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::AGAIN, Errno::PROTO,
                Errno::PERM},
               5);
  }
  if (active[forking]) add_faults(source, faults, Fork::name, {Errno::AGAIN, Errno::NOMEM}, 4);
  if (active[memory]) {
    add_faults(source, faults, Recv::name, {Errno::NOMEM, Errno::NOBUFS, Errno::AGAIN}, 8);
    add_faults(source, faults, Send::name, {Errno::NOMEM, Errno::NOBUFS, Errno::AGAIN}, 8);
  }
  if (active[closing]) {
    add_faults(source, faults, Close::name, {Errno::INTR, Errno::IO}, 6);
    add_faults(source, faults, ShutdownSend::name, {Errno::NOTCONN}, 2);
  }
  return faults;
}

/// More than any Recv of ours takes, and buffers that hold it.
void add_large_message(Source& source, Scenario& scenario) {
  scenario.capacity = 65536;
  for (script::Action& action : scenario.clients.front()) {
    if (auto* const send = std::get_if<script::Send>(&action)) {
      send->count = source.between(16384, 40'000);
      return;
    }
  }
}

/// It sends more than buffers hold, and never reads.
void add_full_buffer(Source& source, Scenario& scenario) {
  scenario.capacity = source.between(1, 64);
  const std::uint32_t size = scenario.capacity + source.between(1, 64);
  scenario.clients.front() = {script::Connect{}, script::StopReading{}, script::Send{size}, script::Send{size}};
}

}  // namespace

const std::vector<FaultClass>& fault_classes() {
  static const std::vector<FaultClass> classes{
      {"short", "reads and writes carry less than they could"},
      {"interrupts", "EINTR on whatever waits"},
      {"accept", "ECONNABORTED, EMFILE, ENFILE, ENOBUFS, ENOMEM, EAGAIN, EPROTO, EPERM on Accept"},
      {"fork", "EAGAIN, ENOMEM on Fork"},
      {"memory", "ENOMEM, ENOBUFS, EAGAIN on Recv and Send"},
      {"close", "EINTR, EIO on Close; ENOTCONN on ShutdownSend"},
      {"reset", "clients reset"},
      {"idle", "clients that never end, that pause for a minute, that never read"},
      {"stop", "the operator stops the server"},
      {"limits", "few sockets for each process, few processes, small buffers"},
  };
  return classes;
}

std::expected<std::vector<bool>, std::string> faults_named(std::string_view list) {
  const auto& classes = fault_classes();
  if (list == "none") return std::vector<bool>(classes.size(), false);
  if (list == "all") return std::vector<bool>(classes.size(), true);
  std::vector<bool> wanted(classes.size(), false);
  for (std::size_t start = 0, end = 0; end != std::string_view::npos; start = end + 1) {
    end = list.find(',', start);
    const std::string_view word = list.substr(start, end - start);
    const auto found = std::ranges::find(classes, word, &FaultClass::name);
    if (found == classes.end()) {
      std::string known;
      for (const FaultClass& one : classes) known += ", " + std::string(one.name);
      return std::unexpected("no fault is called '" + std::string(word) + "' (there are" + known.substr(1) +
                             "; none and all stand alone)");
    }
    wanted[static_cast<std::size_t>(found - classes.begin())] = true;
  }
  return wanted;
}

Scenario draw(const Generation& generation, std::uint64_t seed) {
  Source source(seed);
  std::vector<bool> active(fault_classes().size(), false);
  for (std::size_t index = 0; index < generation.faults.size(); ++index) {
    active[index] = generation.faults[index] && source.one_in(2);  // a subset each time: faults hide each other
  }
  Scenario scenario(0);
  const std::uint32_t clients = source.between(1, std::max(generation.most_clients, 1U));
  for (std::uint32_t client = 0; client < clients; ++client) scenario.clients.push_back(script(source, active));
  scenario.faults = fault_plan(source, active);
  scenario.short_io = active[short_io];
  if (active[stops]) scenario.stop_after = source.below(60 * clients);
  if (active[limits]) {
    if (source.one_in(2)) scenario.capacity = source.between(1, 64);
    if (source.one_in(2)) scenario.max_sockets = source.between(2, 4);
    if (source.one_in(2)) scenario.max_processes = source.between(1, 4);
  }
  scenario.choices.resize(source.below(120 * clients));
  for (std::uint32_t& choice : scenario.choices) choice = source.below(64);
  if (source.one_in(25)) add_large_message(source, scenario);
  if (generation.most_addresses > 1) scenario.addresses = source.between(1, generation.most_addresses);
  if (generation.full_buffers && active[idlers] && source.one_in(3)) add_full_buffer(source, scenario);
  return scenario;
}

}  // namespace antiphon::verify
