#pragma once

#include <cstdint>
#include <string>

#include "verify/contract.hpp"

namespace antiphon::verify {

/// A process's last OpenSocket, Accept, Recv or Send failed for want of something, and it has done nothing else since.
struct Lacking {
  static constexpr About about = About::process;

  std::uint32_t instruction = 0;  ///< The `code_of` its name.

  static constexpr std::tuple fields{Field{"instruction", &Lacking::instruction}};
};

/// Who lacks something (descriptors, memory, an address) rests before it tries the same again, so that it does not
/// spin, and rests briefly, so that clients do not wait for nothing. To give up is no trying again, nor is to do
/// something else first.
struct Rests {
  using Witness = Parts<Lacking>;
  static constexpr Clause clause{"rests", "who lacks something rests before it tries again, not for long"};
  static constexpr std::int64_t longest_ms = 10'000;

  void caller(const Witness& lacking, const Seen& seen, Report& report) const {
    if (seen.process_event() == nullptr) return;
    const Lacking* const last = lacking.find(seen.process());
    if (last == nullptr) return;
    check<OpenSocket>(*last, seen, report);
    check<Accept>(*last, seen, report);
    check<Recv>(*last, seen, report);
    check<Send>(*last, seen, report);
    if (const auto* const sleep = seen.issued<Sleep>(); sleep != nullptr && sleep->instruction.wait_ms > longest_ms) {
      report.breach(clause, Party::program, "rests for " + std::to_string(sleep->instruction.wait_ms) + " ms");
    }
  }

  void move(Witness& lacking, const Seen& seen) const {
    if (seen.process_event() == nullptr) return;
    const std::uint32_t lacked =
        wanting<OpenSocket>(seen) + wanting<Accept>(seen) + wanting<Recv>(seen) + wanting<Send>(seen);
    if (lacked != 0) {
      lacking.edit(seen.process()).instruction = lacked;
    } else if (lacking.contains(seen.process())) {
      lacking.erase(seen.process());
    }
  }

 private:
  static bool is_want(Errno error) {
    return error == Errno::MFILE || error == Errno::NFILE || error == Errno::NOBUFS || error == Errno::NOMEM ||
           error == Errno::ADDRINUSE;
  }
  /// The code of I if that failed for want of something; 0 if not.
  template <Instruction I>
  static std::uint32_t wanting(const Seen& seen) {
    const auto* const exchange = seen.issued<I>();
    const bool wants =
        exchange != nullptr && exchange->response && !*exchange->response && is_want(exchange->response->error());
    return wants ? code_of(I::name) : 0;
  }
  template <Instruction I>
  static void check(const Lacking& last, const Seen& seen, Report& report) {
    if (last.instruction != code_of(I::name) || seen.issued<I>() == nullptr) return;
    report.breach(clause, Party::program,
                  std::string("tries again at once after ") + (I::name[0] == 'O' || I::name[0] == 'A' ? "an " : "a ") +
                      std::string(I::name) + " that failed for want of something");
  }
};

}  // namespace antiphon::verify
