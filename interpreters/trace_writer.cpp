#include "interpreters/trace_writer.hpp"

#include <new>
#include <variant>

namespace antiphon {

bool is_due_at_once(const ProcessEvent& event) {
  return std::holds_alternative<Ended>(event.what) || exchange_of<Accept>(event) != nullptr ||
         exchange_of<Close>(event) != nullptr;
}

ProcessEvent TraceWriter::renamed(const ProcessEvent& event) const {
  ProcessEvent here = event;
  here.process = event.process * workers_ + worker_;
  auto* const issued = std::get_if<Issued>(&here.what);
  if (issued != nullptr && issued->child) issued->child = *issued->child * workers_ + worker_;
  return here;
}

void TraceWriter::write(const ProcessEvent& event) {
  if (file_->has_given_up()) return;
  const std::size_t whole = held_back_.size();
  try {
    if (workers_ == 1) {
      append_line(held_back_, event, payload_);
    } else {
      append_line(held_back_, renamed(event), payload_);
    }
  } catch (const std::bad_alloc&) {
    // A trace with a gap would be none, so it ends with what there is.
    held_back_.resize(whole);
    flush();
    return file_->give_up(want_of_memory);
  }
  if (held_back_.size() >= most_held_back || is_due_at_once(event)) flush();
}

void TraceWriter::flush() {
  if (!file_->has_started() || held_back_.empty()) return;
  file_->append(held_back_);
  held_back_.clear();
}

}  // namespace antiphon
