#pragma once

#include <string_view>

namespace antiphon {

/// What `echo-server --help` prints.
extern const std::string_view server_manual;

}  // namespace antiphon
