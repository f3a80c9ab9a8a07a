// What metrics cost an event loop: a Recv and a Send of each of many connections, shown to the meter in turn.
//
//   meter [ROUND_TRIPS [ROUNDS]]
//
// Prints a line of JSON for each number of connections: nanoseconds of processor time for each round trip, and for one
// look at the clock, which is a part of it. The fastest of the rounds counts: whatever disturbs only adds.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <string>

#include "apps/meter.hpp"

namespace antiphon {

namespace {

double processor_ns() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

/// Of one of `count` of them.
template <class Work>
double fastest_ns(int rounds, std::uint64_t count, Work work) {
  double fastest = std::numeric_limits<double>::max();
  for (int round = 0; round < rounds; ++round) {
    const double start = processor_ns();
    for (std::uint64_t number = 0; number < count; ++number) work(number);
    fastest = std::min(fastest, (processor_ns() - start) / static_cast<double>(count));
  }
  return fastest;
}

/// False: the meter has miscounted.
bool measure(std::uint64_t connections, std::uint64_t round_trips, int rounds) {
  const MetricsBoard board(1);
  Meter meter(board.slot(0), Meter::Writers::one);
  ExchangeObserver& observer = meter;
  const Result<Socket> client = Socket{1};
  for (ProcessId process = 1; process <= connections; ++process) {
    observer.saw(process, ExchangeRef<Accept>{Accept{Socket{0}}, client}, kernel::now());
  }
  const Result<Bytes> message = Bytes::copy_of(std::string(64, 'x'));
  const Recv recv{Socket{1}, 16'384, {}};
  const Send send{Socket{1}, *message, {}};
  const Result<std::size_t> sent = message->size();
  const auto round_trip = [&](std::uint64_t number) {
    const ProcessId process = 1 + number % connections;
    observer.saw(process, ExchangeRef<Recv>{recv, message}, 1);
    observer.saw(process, ExchangeRef<Send>{send, sent}, 1);
  };
  const double trip_ns = fastest_ns(rounds, round_trips, round_trip);
  kernel::Nanoseconds times = 0;
  const double clock_ns = fastest_ns(rounds, round_trips, [&](std::uint64_t) { times ^= kernel::now(); });
  std::printf("{\"connections\": %llu, \"round_trip_ns\": %.1f, \"clock_ns\": %.1f}\n",
              static_cast<unsigned long long>(connections), trip_ns, clock_ns);
  const std::uint64_t all = round_trips * static_cast<std::uint64_t>(rounds);
  return times != 0 && board.slot(0).sent_bytes == all * message->size();
}

}  // namespace

}  // namespace antiphon

int main(int count, char** values) {
  const std::uint64_t round_trips = count > 1 ? std::strtoull(values[1], nullptr, 10) : 200'000;
  const int rounds = count > 2 ? std::atoi(values[2]) : 20;
  if (round_trips == 0 || rounds < 1) return 2;
  for (const std::uint64_t connections : {1U, 64U, 1000U, 9000U}) {
    if (!antiphon::measure(connections, round_trips, rounds)) return 1;
  }
  return 0;
}
