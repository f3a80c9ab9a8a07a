#pragma once

#include <string>

namespace antiphon::verify {

/// The lines in which two dumps of a program as a tree differ, as `diff -u` shows them: with two lines around each
/// change. The numbers of nodes and of what they give make no difference, nor how deep a line stands: they move when a
/// node comes or goes. Empty: the texts say the same.
std::string difference(const std::string& before, const std::string& after);

}  // namespace antiphon::verify
