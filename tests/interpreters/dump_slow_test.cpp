#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/interpreters/texts_of_servers.hpp"

namespace antiphon {
namespace {

#ifdef __clang__
const std::string other_compiler = "g++";
#else
const std::string other_compiler = "clang++-19";
#endif

/// A folder of its own, gone at the end.
struct Scratch {
  std::filesystem::path path;

  Scratch() {
    std::string name = testing::TempDir() + "/antiphon_dump_XXXXXX";
    if (mkdtemp(name.data()) != nullptr) path = name;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    if (!path.empty()) std::filesystem::remove_all(path);
  }
};

std::string output_of(const std::string& command) {
  FILE* const process = popen(command.c_str(), "r");
  if (process == nullptr) return "cannot start";
  std::string text;
  std::array<char, 4096> block;
  while (const std::size_t size = std::fread(block.data(), 1, block.size(), process)) text.append(block.data(), size);
  return pclose(process) == 0 ? text : "failed: " + text;
}

TEST(dump, another_compiler_makes_the_same_texts) {
  if (std::system((other_compiler + " --version >/dev/null 2>&1").c_str()) != 0) {
    GTEST_SKIP() << "there is no " << other_compiler << " here";
  }
  const Scratch scratch;
  ASSERT_FALSE(scratch.path.empty());
  const std::string main = scratch.path / "main.cpp";
  const std::string program = scratch.path / "main";
  std::ofstream(main) << "#include <cstdio>\n"
                         "#include \"tests/interpreters/texts_of_servers.hpp\"\n"
                         "int main() { std::fputs(antiphon::texts_of_servers().c_str(), stdout); }\n";
  const std::string build = "cd '" ANTIPHON_SOURCE_DIR "' && " + other_compiler + " -std=c++23 -w -I. -o '" + program +
                            "' '" + main +
                            "' core/*.cpp core/*/*.cpp interpreters/dump*.cpp interpreters/program_*.cpp"
                            " interpreters/responses.cpp -lfmt 2>&1";
  ASSERT_EQ(output_of(build), "");
  EXPECT_EQ(output_of("'" + program + "'"), texts_of_servers());
}

}  // namespace
}  // namespace antiphon
