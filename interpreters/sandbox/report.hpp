#pragma once

#include <string>

#include "interpreters/reach.hpp"
#include "interpreters/sandbox/sandbox.hpp"

namespace antiphon::sandbox {

/// What a program needs of the kernel and why, for people: instruction by instruction, then what its process needs
/// whatever the program is, then what is left of files, ports, capabilities and limits. Ends with a newline.
std::string report(const Reach& reach, const Surroundings& surroundings);

}  // namespace antiphon::sandbox
