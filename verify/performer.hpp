#pragma once

#include <cstdint>
#include <optional>
#include <utility>

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

  /// From the first parting on everybody goes on as he can.
  [[nodiscard]] bool has_parted() const { return parted_->load(std::memory_order_acquire) != 0; }
  /// By no event of the server.
  void part() { part_by(elsewhere); }
  /// By the process's event of that number; `cut_short`: it is a Recv that answered less than there was.
  void part(ProcessId process, std::uint64_t event, bool cut_short) {
    part_by((process << 32U) + event + 1 + (cut_short ? cut : 0));
  }
  [[nodiscard]] bool is_cut_short() const {
    const std::uint64_t word = parted_->load(std::memory_order_acquire);
    return word != elsewhere && (word & cut) != 0;
  }
  /// The event of the server that parted first, if one did.
  [[nodiscard]] std::optional<std::pair<ProcessId, std::uint64_t>> parted_by() const {
    const std::uint64_t word = parted_->load(std::memory_order_acquire);
    if (word == 0 || word == elsewhere) return std::nullopt;
    const std::uint64_t place = (word & ~cut) - 1;
    return std::pair(place >> 32U, place & 0xFFFF'FFFFU);
  }

  /// A number for the next process.
  ProcessId next_process() { return ++*processes_; }
  void take_back() { --*processes_; }

 private:
  static constexpr std::uint64_t elsewhere = ~std::uint64_t{0};
  static constexpr std::uint64_t cut = std::uint64_t{1} << 63U;

  void part_by(std::uint64_t word) {
    std::uint64_t nobody = 0;
    parted_->compare_exchange_strong(nobody, word, std::memory_order_acq_rel);
  }

  SharedWord begun_;
  SharedWord due_;
  SharedWord parted_;
  SharedWord processes_;
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
  void rest();

  const Score* score_;
  Progress* progress_;
  int socket_;
  std::uint32_t waits_ = 0;  ///< How often it has waited in a row.
};

/// Whether the kernel's event is the simulated one; pids are names only.
bool alike(const ProcessEvent& simulated, const ProcessEvent& performed);
/// Whether it is a Recv that answered the beginning of what the simulated one answered.
bool is_beginning(const ProcessEvent& simulated, const ProcessEvent& performed);

}  // namespace antiphon::verify
