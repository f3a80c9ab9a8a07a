#include "interpreters/both_sinks.hpp"

#include <gtest/gtest.h>

#include <string>

namespace antiphon {
namespace {

/// Notes in one text for all what it is told.
class Noted final : public TraceSink {
 public:
  Noted(std::string& notes, char name) : notes_(&notes), name_(name) {}

  ProcessId next_process() override { return note("next"), 5; }
  void give_back(ProcessId) override { note("back"); }
  void write(const ProcessEvent&) override { note("write"); }
  void flush() override { note("flush"); }

 private:
  void note(const char* what) { *notes_ += std::string(1, name_) + " " + what + "; "; }

  std::string* notes_;
  char name_;
};

TEST(BothSinks, AreToldInTurnAndTheFirstGivesTheNumbers) {
  std::string notes;
  Noted first(notes, 'a');
  Noted second(notes, 'b');
  BothSinks both(first, second);
  EXPECT_EQ(both.next_process(), 5U);
  both.give_back(5);
  both.write({});
  both.flush();
  EXPECT_EQ(notes, "a next; a back; a write; b write; a flush; b flush; ");
}

}  // namespace
}  // namespace antiphon
