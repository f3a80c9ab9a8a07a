#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "interpreters/scenario.hpp"
#include "verify/generate.hpp"
#include "verify/judge.hpp"

/// What has to happen in some run of a campaign, lest the checks hold because nothing happened.

namespace antiphon::verify {

/// Something of that kind, and in how many runs it did.
struct Sometimes {
  std::string_view what;
  std::uint64_t runs = 0;
  bool needed = true;  ///< False: these campaigns cannot show it, and that is to be seen.
};

class SometimesTable {
 public:
  /// What campaigns with these faults and limits have to show.
  static SometimesTable of(const Generation& generation, const Expectations& expectations);
  /// Only what the limits are for: the progress limit, and that by address.
  static SometimesTable of_limits(const Generation& generation, const Expectations& expectations);

  /// Takes in what a run contained.
  void count(const Scenario& scenario, const Tally& tally);
  [[nodiscard]] const std::vector<Sometimes>& rows() const { return rows_; }

 private:
  using Test = std::function<bool(const Scenario&, const Tally&)>;

  void expect(std::string_view what, Test test, bool needed = true);
  void expect_tally(std::string_view what, std::function<bool(const Tally&)> test);
  void expect_excuse(std::string_view what, Excuse excuse);
  void expect_limits(const Generation& generation, const Expectations& expectations);

  std::vector<Sometimes> rows_;
  std::vector<Test> tests_;
};

/// What is needed and never happened, a sentence for each.
std::vector<std::string> never_happened(const std::vector<Sometimes>& rows);

}  // namespace antiphon::verify
