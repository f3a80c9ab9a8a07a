#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "verify/conversation.hpp"
#include "verify/judge.hpp"

namespace antiphon::verify::foreign {

/// What every echo server owes, whoever wrote it.
inline constexpr Clause echo{"echo", "what is sent was received on the same connection, once and in order"};
inline constexpr Clause isolation{"isolation", "no client is sent a byte of another"};
inline constexpr Clause answered{"answered", "every byte received is sent back"};
inline constexpr Clause descriptors{"descriptors",
                                    "a client's descriptor is used only while it is open, and let go of"};

/// Collects what is wrong, what cannot be told, and what was counted.
class Findings {
 public:
  /// The first of each clause is kept.
  void violation(const Clause& clause, std::string sentence);
  /// What was sent there is not what is owed: it strayed from one of the others, or is no echo.
  void mismatch(const std::string& where, const Mismatch& mismatch, const std::vector<Stream>& others);
  /// Something that is needed for a verdict is not there. Of each kind the first is told, and how many there were.
  void doubt(std::string_view kind, std::string remark);
  /// So much is not there that what seems wrong may be right. Told once of each kind.
  void blind(std::string_view kind, std::string remark);
  /// What is worth knowing beside the verdict.
  void note(std::string_view kind, std::string remark);

  /// Where no client came, or none said anything, nothing can be wrong.
  void doubt_if_nothing_was_said();

  Tally tally;

  /// Violated, if something is wrong that nothing missing can explain; else incomplete, if something is missing.
  Verdict verdict();

 private:
  struct Told {
    std::string first;
    std::uint64_t count = 0;
  };
  using Remarks = std::map<std::string, Told, std::less<>>;
  static void tell(Remarks& remarks, std::string_view kind, std::string remark);

  std::vector<Violation> violations_;
  Remarks doubts_;
  Remarks blind_;
  Remarks notes_;
};

}  // namespace antiphon::verify::foreign
