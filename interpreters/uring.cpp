#include "interpreters/uring.hpp"
namespace antiphon {
LoopReport run_on_uring(const Server&, const LoopOptions&) { return {}; }
std::optional<std::string> why_no_uring() { return "soon"; }
}  // namespace antiphon
