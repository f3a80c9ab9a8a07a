#include "tests/fuzz/harness.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace antiphon::fuzz {

void give_up(std::string_view what) {
  std::fprintf(stderr, "fuzz: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

void demand(bool condition, std::string_view what) {
  if (!condition) give_up(what);
}

void demand_one_line(std::string_view complaint) {
  constexpr std::size_t longest = 1000;
  demand(!complaint.empty() && complaint.size() <= longest, "a complaint is empty, or too long to be read");
  demand(std::ranges::none_of(complaint, [](char byte) { return static_cast<unsigned char>(byte) < ' '; }),
         "a complaint has control characters in it");
}

void demand_place_in(std::string_view text, const BadInput& bad) {
  demand_one_line(bad.what);
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  demand(bad.line >= 1 && bad.line <= lines, "bad input is said to be on a line that is not there");
}

void demand_sound(const verify::Verdict& verdict) {
  demand((verdict.ruling == verify::Ruling::violated) == !verdict.violations.empty(),
         "violated without a violation, or a violation that is passed over");
  demand(verdict.ruling != verify::Ruling::incomplete || !verdict.remarks.empty(), "incomplete without a reason");
  for (const verify::Violation& violation : verdict.violations) demand_one_line(violation.clause.name);
}

void demand_same(const verify::Verdict& one, const verify::Verdict& other) {
  demand(one.ruling == other.ruling && one.remarks == other.remarks, "two rulings on one run");
  demand(std::ranges::equal(one.violations, other.violations, {}, &verify::Violation::sentence,
                            &verify::Violation::sentence),
         "two sets of violations of one run");
}

const std::string& file_of(std::string_view content) {
  static const int memory = memfd_create("fuzz", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(memory);
  demand(ftruncate(memory, 0) == 0 && pwrite(memory, content.data(), content.size(), 0) >= 0, "no memory for a file");
  return path;
}

}  // namespace antiphon::fuzz

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  antiphon::fuzz::try_input({reinterpret_cast<const char*>(data), size});
  return 0;
}
