// expect: two instructions of an effect set have one name
#include "core/instructions.hpp"
#include "core/program.hpp"

namespace mine {

struct Sleep {
  using Response = int;
  static constexpr std::string_view name = "Sleep";
  static constexpr std::tuple<> fields{};
  bool operator==(const Sleep&) const = default;
};

}  // namespace mine

using namespace antiphon;

auto program = antiphon::Sleep{10} >> [](const Result<Unit>&) { return mine::Sleep{}; };
