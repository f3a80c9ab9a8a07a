#include "interpreters/responses.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "core/instructions.hpp"

namespace antiphon {
namespace {

template <class... Is>
void check_lists(Effects<Is...>) {
  for (const auto& [name, errors] : {std::pair(Is::name, errors_of<Is>())...}) {
    EXPECT_EQ(errors.empty(), name == Alarm::name) << name;
    if (errors.empty()) continue;
    EXPECT_TRUE(std::ranges::is_sorted(errors, std::less_equal<>{})) << name << ": ascending, each once";
    EXPECT_EQ(std::ranges::find(errors, unlisted_error), errors.end()) << name;
    EXPECT_LT(errors.back(), Errno::EXPIRED) << name;
  }
}

TEST(responses, each_instruction_but_the_alarm_has_its_errors) { check_lists(Net{}); }

TEST(responses, the_errors_that_the_server_has_a_case_for_are_there) {
  const auto has = [](auto errors, Errno error) { return std::ranges::find(errors, error) != errors.end(); };
  for (const Errno error : {Errno::INTR, Errno::CONNABORTED, Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM,
                            Errno::AGAIN, Errno::PROTO, Errno::PERM}) {
    EXPECT_TRUE(has(errors_of<Accept>(), error)) << name_of(error);
  }
  EXPECT_TRUE(has(errors_of<Fork>(), Errno::AGAIN));
  EXPECT_TRUE(has(errors_of<Recv>(), Errno::CONNRESET));
  EXPECT_TRUE(has(errors_of<Send>(), Errno::PIPE));
  EXPECT_TRUE(has(errors_of<OpenSocket>(), Errno::ADDRINUSE));
  EXPECT_TRUE(has(errors_of<Connect>(), Errno::CONNREFUSED));
}

TEST(responses, what_is_no_instruction_has_no_errors) { EXPECT_TRUE(errors_of(code_of("Unheard")).empty()); }

}  // namespace
}  // namespace antiphon
