#include "apps/metrics_board.hpp"

#include <sys/mman.h>

#include <new>
#include <vector>

#include "verify/judge.hpp"

namespace antiphon {

namespace {

constexpr std::size_t expired = highest_errno + 1;
constexpr std::size_t stopping = highest_errno + 2;
constexpr std::size_t other = highest_errno + 3;

}  // namespace

std::size_t result_kind(Errno error) {
  if (error == Errno::EXPIRED) return expired;
  if (error == Errno::STOPPING) return stopping;
  const int number = static_cast<int>(error);
  return number > 0 && number <= static_cast<int>(highest_errno) ? static_cast<std::size_t>(number) : other;
}

std::string result_name(std::size_t kind) {
  if (kind == 0) return "ok";
  if (kind == expired) return name_of(Errno::EXPIRED);
  if (kind == stopping) return name_of(Errno::STOPPING);
  return kind == other ? "other" : name_of(Errno{static_cast<int>(kind)});
}

void MetricsSlot::note_violation(std::string_view clause) {
  const std::vector<verify::Clause> clauses = verify::all_clauses();
  const auto found = std::ranges::find(clauses, clause, &verify::Clause::name);
  violations.at(static_cast<std::size_t>(found - clauses.begin())).fetch_add(1, std::memory_order_relaxed);
}

MetricsBoard::MetricsBoard(std::size_t slots) {
  void* const pages =
      mmap(nullptr, slots * sizeof(MetricsSlot), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  auto* const first = static_cast<MetricsSlot*>(pages);
  for (std::size_t number = 0; number < slots; ++number) new (first + number) MetricsSlot();
  slots_ = {first, slots};
}

MetricsBoard::~MetricsBoard() { munmap(slots_.data(), slots_.size_bytes()); }

}  // namespace antiphon
