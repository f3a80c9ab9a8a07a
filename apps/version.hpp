#pragma once

#include <string_view>

namespace antiphon {

/// The version that programs print. CMakeLists.txt reads it here.
inline constexpr std::string_view version = "0.1.0";

}  // namespace antiphon
