#include "verify/foreign/findings.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace antiphon::verify::foreign {

void Findings::tell(Remarks& remarks, std::string_view kind, std::string remark) {
  Told& told = remarks[std::string(kind)];
  if (told.count++ == 0) told.first = std::move(remark);
}

void Findings::violation(const Clause& clause, std::string sentence) {
  const auto same = [&](const Violation& one) { return one.clause.name == clause.name; };
  if (std::ranges::any_of(violations_, same)) return;
  violations_.push_back({clause, Party::program, std::move(sentence), tally.events, std::nullopt});
}

void Findings::mismatch(const std::string& where, const Mismatch& mismatch, const std::vector<Stream>& others) {
  const Clause& clause = stranger(mismatch, others) != nullptr ? isolation : echo;
  violation(clause, where + ": " + explain(mismatch, others));
}

void Findings::doubt(std::string_view kind, std::string remark) { tell(doubts_, kind, std::move(remark)); }
void Findings::note(std::string_view kind, std::string remark) { tell(notes_, kind, std::move(remark)); }
void Findings::blind(std::string_view kind, std::string remark) {
  Told& told = blind_[std::string(kind)];
  told = {std::move(remark), 1};
}

void Findings::doubt_if_nothing_was_said() {
  if (tally.connections == 0) {
    doubt("nothing", "no client was accepted, so there is nothing to judge");
  } else if (tally.bytes_received == 0) {
    doubt("nothing", "no byte was received from any client, so there is nothing to judge");
  }
}

Verdict Findings::verdict() {
  Verdict verdict;
  verdict.tally = tally;
  for (const Remarks* const remarks : {&blind_, &doubts_, &notes_}) {
    for (const auto& [kind, told] : *remarks) {
      verdict.remarks.push_back(told.first + (told.count > 1 ? " (so " + std::to_string(told.count) + " times)" : ""));
    }
  }
  verdict.ruling = blind_.empty() && doubts_.empty() ? Ruling::holds : Ruling::incomplete;
  if (!blind_.empty()) {
    for (const Violation& one : violations_) {
      verdict.remarks.push_back("as far as it shows, " + std::string(one.clause.name) + " is broken: " + one.sentence);
    }
  } else if (!violations_.empty()) {
    verdict.ruling = Ruling::violated;
    verdict.violations = violations_;
  }
  return verdict;
}

}  // namespace antiphon::verify::foreign
