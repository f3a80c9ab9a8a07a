#pragma once

#include <gtest/gtest.h>  // rapidcheck's header does not compile before it
#include <rapidcheck/detail/TestListenerAdapter.h>
#include <rapidcheck/gtest.h>

#include <sstream>
#include <utility>

namespace antiphon {

/// Checks a property on so many generated cases. On failure it says which case is the counterexample and how
/// to come back to it.
///
///     EXPECT_TRUE(holds([](int x, int y) { RC_ASSERT(x + y == y + x); }));
template <class Property>
testing::AssertionResult holds(Property&& property, int cases = 1000) {
  const rc::detail::Configuration& configuration = rc::detail::configuration();
  const testing::TestInfo* const test = testing::UnitTest::GetInstance()->current_test_info();
  rc::detail::TestMetadata about;
  about.id = std::string(test->test_suite_name()) + "/" + test->name();
  about.description = test->name();
  rc::detail::TestParams params = configuration.testParams;
  params.maxSuccess = cases;
  rc::detail::TestListenerAdapter quiet;
  const rc::detail::TestResult result =
      rc::detail::checkTestable(std::forward<Property>(property), about, params, quiet, configuration.reproduce);
  if (result.template is<rc::detail::SuccessResult>()) return testing::AssertionSuccess();
  std::ostringstream message;
  rc::detail::printResultMessage(result, message);
  return testing::AssertionFailure() << message.str();
}

/// For canaries: true if the generators find a counterexample. Prints nothing.
template <class Property>
bool refuted(Property&& property, int cases = 1000) {
  rc::detail::TestParams params = rc::detail::configuration().testParams;
  params.maxSuccess = cases;
  params.disableShrinking = true;
  const rc::detail::TestResult result =
      rc::detail::checkTestable(std::forward<Property>(property), rc::detail::TestMetadata(), params);
  return result.template is<rc::detail::FailureResult>();
}

}  // namespace antiphon
