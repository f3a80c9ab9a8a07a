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

antiphon::Program<antiphon::Effects<antiphon::Sleep, mine::Sleep>, int> program = mine::Sleep{};
