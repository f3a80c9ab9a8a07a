#include "interpreters/exchange_observer.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/program.hpp"
#include "interpreters/epoll.hpp"

namespace antiphon {
namespace {

/// Notes what it sees, in words.
class Notes final : public ExchangeObserver {
 public:
  void saw(ProcessId process, const ExchangeView& exchange, kernel::Nanoseconds known) override {
    std::visit(
        [&]<class I>(const ExchangeRef<I>& seen) {
          const std::string answer = seen.response ? "ok" : name_of(seen.response.error());
          words.push_back(std::to_string(process) + " " + std::string(I::name) + " " + answer);
        },
        exchange);
    times.push_back(known);
  }
  void forked(ProcessId parent, std::optional<ProcessId> child) override {
    words.push_back(std::to_string(parent) + " forks " + (child ? std::to_string(*child) : "elsewhere"));
  }
  void ended(ProcessId process, const Result<Unit>& result, kernel::Nanoseconds) override {
    words.push_back(std::to_string(process) + (result ? " ends" : " ends by " + name_of(result.error())));
  }

  std::vector<std::string> words;
  std::vector<kernel::Nanoseconds> times;
};

using Words = std::vector<std::string>;

struct Scripted {
  Result<Forked> fork;

  Result<Socket> operator()(const Accept&) { return failed(Errno::CONNABORTED); }
  Result<Forked> operator()(const Fork&) { return fork; }
};

Words words_of(const Result<Forked>& answer) {
  Scripted handler{answer};
  Notes notes;
  Observed observed(handler, &notes);
  const auto program = Accept{Socket{0}} >> [](const Result<Socket>&) {
    return Fork{} >> [](const Result<Forked>&) { return ret(Unit{}); };
  };
  run(program, observed);
  observed.finish(Unit{});
  return notes.words;
}

TEST(Observed, ShowsEachExchangeAndTheEnd) {
  EXPECT_EQ(words_of(failed(Errno::AGAIN)), (Words{"0 Accept ECONNABORTED", "0 Fork EAGAIN", "0 ends"}));
}

TEST(Observed, TellsTheParentThatTheChildIsElsewhere) {
  EXPECT_EQ(words_of(Forked(Parent{Pid{7}})),
            (Words{"0 Accept ECONNABORTED", "0 Fork ok", "0 forks elsewhere", "0 ends"}));
  EXPECT_EQ(words_of(Forked(Child{})), (Words{"0 Accept ECONNABORTED", "0 Fork ok", "0 ends"}));
}

TEST(Observed, NobodyNeedsToLook) {
  Scripted handler{Forked(Child{})};
  Observed observed(handler, nullptr);
  EXPECT_EQ(observed(Accept{Socket{0}}), failed(Errno::CONNABORTED));
  observed.finish(Unit{});
}

TEST(ExchangeObserver, SeesWhatALoopsProcessesDo) {
  Notes notes;
  LoopOptions options;
  options.observer = &notes;
  const Server program = Fork{} >> [](const Result<Forked>& forked) -> Server {
    if (std::holds_alternative<Child>(*forked)) return ret(Result<Unit>(failed(Errno::IO)));
    return Close{Socket{5}} >> [](const Result<Unit>&) -> Server { return ret(Result<Unit>()); };
  };
  run_on_epoll(program, options);
  EXPECT_EQ(notes.words, (Words{"0 Fork ok", "0 forks 1", "1 Fork ok", "0 Close EBADF", "0 ends", "1 ends by EIO"}));
  for (const kernel::Nanoseconds time : notes.times) EXPECT_GT(time, 0);
}

}  // namespace
}  // namespace antiphon
