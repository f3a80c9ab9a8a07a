#pragma once

#include <cstdint>
#include <optional>

#include "interpreters/conductor.hpp"
#include "interpreters/recording.hpp"
#include "interpreters/shared_word.hpp"
#include "verify/score.hpp"

namespace antiphon::verify {

/// How far the performance is. Shared by all that take part, in whatever processes they are.
class Progress {
 public:
  /// The server stands before its first instruction.
  [[nodiscard]] bool has_begun() const { return begun_->load(std::memory_order_acquire) != 0; }
  void begin() { begun_->store(1, std::memory_order_release); }

  /// The step that is due.
  [[nodiscard]] std::uint64_t due() const { return due_->load(std::memory_order_acquire); }
  void done(std::uint64_t step) { due_->store(step + 1, std::memory_order_release); }

  /// From the first parting on everybody goes on as he can, and no step is due any more.
  enum class Parting : std::uint8_t {
    none,
    here,       ///< Another event of the server came.
    cut_short,  ///< It was a Recv that answered less than there was.
    elsewhere,  ///< What a client met was another thing, or nothing came in time.
  };
  [[nodiscard]] Parting parting() const { return static_cast<Parting>(parting_->load(std::memory_order_acquire)); }
  [[nodiscard]] bool has_parted() const { return parting() != Parting::none; }
  /// The first counts.
  void part(Parting how) {
    std::uint64_t none = 0;
    parting_->compare_exchange_strong(none, static_cast<std::uint64_t>(how), std::memory_order_acq_rel);
  }

  /// A number for the next process.
  ProcessId next_process() { return ++*processes_; }
  void take_back() { --*processes_; }

 private:
  SharedWord begun_;
  SharedWord due_;
  SharedWord parting_;
  SharedWord processes_;
};

/// Waits for somebody else, who may need the same processor: the first times it gives way, then it sleeps.
class Backoff {
 public:
  /// Whether it slept.
  bool wait();
  void begin_again() { times_ = 0; }

 private:
  std::uint32_t times_ = 0;
};

/// The server's side of a performance: lets each process go on when its step is due, and compares what comes of it with
/// what the score says. Each event goes to whoever conducts, by a socket that keeps messages apart.
class Performer final : public TraceSink, public Conductor {
 public:
  Performer(const Score& score, Progress& progress, int socket)
      : score_(&score), progress_(&progress), socket_(socket) {}

  std::optional<Cue> cue(ProcessId process, std::uint64_t event) override;

  ProcessId next_process() override { return progress_->next_process(); }
  void give_back(ProcessId) override { progress_->take_back(); }
  void flush() override {}
  void write(const ProcessEvent& event) override;

 private:
  void wait();

  const Score* score_;
  Progress* progress_;
  int socket_;
  Backoff backoff_;
};

/// Whether the kernel's event is the simulated one; pids are names only.
bool alike(const ProcessEvent& simulated, const ProcessEvent& performed);
/// Whether it is a Recv that answered the beginning of what the simulated one answered.
bool is_beginning(const ProcessEvent& simulated, const ProcessEvent& performed);

}  // namespace antiphon::verify
