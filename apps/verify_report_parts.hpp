#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/verify_report.hpp"

/// What the reports of echo-verify share. For their sources: it brings the JSON library with it.

namespace antiphon {

using Json = nlohmann::ordered_json;

std::string printed(const Json& json);

/// The text with each of its lines indented.
std::string indented(const std::string& text);

/// A line for each, indented.
std::string lines_of(const std::vector<std::string>& remarks);

/// "none 5, reset 1, …": how connections ended, by what excuses them.
std::string excuses(const verify::Tally& tally);
std::string tally_text(const verify::Tally& tally);
Json tally_json(const verify::Tally& tally);

/// Shares of what was reached, in a line; and, line by line, what was not.
std::string coverage_text(const verify::Coverage& coverage);
std::string never_reached(const verify::Coverage& coverage);
Json coverage_json(const verify::Coverage& coverage);

/// What has to happen in some run, and in how many it did.
std::string sometimes_text(const std::vector<verify::Sometimes>& rows);
Json sometimes_json(const std::vector<verify::Sometimes>& rows);

/// The clause, who broke it, and how.
std::string violation_text(const verify::Violation& violation);
Json violation_json(const verify::Violation& violation);
Json violations_json(const std::vector<verify::Violation>& violations);

/// What a verdict of exploration is about, in words.
std::string scope_text(const VerifyArguments& arguments);
Json scope_json(const VerifyArguments& arguments);

/// A run again: its scenario, its table, and what it broke.
std::string replayed_text(const Scenario& scenario, const verify::Judged& judged);
Json replayed_json(const Subject& subject, const Scenario& scenario, const verify::Judged& judged);

/// A violation with its counterexample. `effort` says how it was found.
std::string finding_text(const Subject& subject, const verify::Finding& finding, const std::string& effort);
Json finding_json(const Subject& subject, const verify::Finding& finding);

}  // namespace antiphon
