// The command lines of the three programs: a word a line, the first one names the program. They are read, and nothing
// else is done; hosts must be numbers.

#include <netdb.h>

#include <string>
#include <vector>

#include "apps/dump_arguments.hpp"
#include "apps/server_arguments.hpp"
#include "apps/verify_arguments.hpp"
#include "tests/fuzz/harness.hpp"

// The linker puts these in the place of getaddrinfo (--wrap): no name server is asked.
// NOLINTBEGIN(readability-identifier-naming, bugprone-reserved-identifier)
extern "C" {
int __real_getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** found);
int __wrap_getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** found) {
  addrinfo numeric = *hints;
  numeric.ai_flags |= AI_NUMERICHOST;
  return __real_getaddrinfo(host, service, &numeric, found);
}
}
// NOLINTEND(readability-identifier-naming, bugprone-reserved-identifier)

namespace antiphon::fuzz {

namespace {

/// The words, each with the NUL behind it that `main` finds there.
std::vector<std::string> words_of(std::string_view input) {
  std::vector<std::string> words;
  for (std::size_t from = 0, end = 0; end != std::string_view::npos && words.size() < 64; from = end + 1) {
    end = input.find('\n', from);
    words.emplace_back(std::string(input.substr(from, end - from)).c_str());
  }
  return words;
}

/// A manual or a version; or one line that begins with the program's name.
void demand_polite(const std::string& program, const Farewell& farewell) {
  demand(farewell.text.starts_with(program), "a farewell does not begin with the program's name");
  demand(farewell.text.ends_with('\n'), "a farewell is no line");
  if (farewell.code == ExitCode::holds) return;
  demand(farewell.code == ExitCode::bad_input, "a command line that does not read ends with another status");
  demand(farewell.text.starts_with(program + ": "), "a complaint does not say who complains");
  demand_one_line(std::string_view(farewell.text).substr(0, farewell.text.size() - 1));
}

}  // namespace

void try_input(std::string_view input) {
  // Messages grow with the words that they show.
  if (input.size() > 500) return;
  const std::vector<std::string> words = words_of(input);
  std::vector<const char*> values;
  values.reserve(words.size());
  for (const std::string& word : words) values.push_back(word.c_str());
  const auto count = static_cast<int>(values.size());
  if (words.front() == "echo-server") {
    const auto read = read_server_arguments(count, values.data());
    if (!read) return demand_polite(words.front(), read.error());
    demand(read->workers >= 1 && read->spin_us >= adaptive_spin_us, "a number out of its range is taken");
  } else if (words.front() == "echo-verify") {
    const auto read = read_verify_arguments(count, values.data());
    if (!read) return demand_polite(words.front(), read.error());
    demand(read->clients >= 1 && read->clients <= 16 && read->runs >= 1, "a number out of its range is taken");
  } else if (words.front() == "echo-dump") {
    const auto read = read_dump_arguments(count, values.data());
    if (!read) return demand_polite(words.front(), read.error());
  }
}

}  // namespace antiphon::fuzz
