#pragma once

#include <string>

namespace antiphon {

/// What `echo-verify --help` prints.
std::string verify_manual();

}  // namespace antiphon
