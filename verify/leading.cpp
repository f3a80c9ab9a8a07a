#include "verify/leading.hpp"

#include <variant>

namespace antiphon::verify {

namespace {

using Side = SteeredWorld::Side;
using Amount = std::optional<std::size_t>;

class Lead {
 public:
  Lead(SteeredWorld& world, Index process, const ToCome& to_come)
      : world_(world), process_(process), to_come_(to_come) {}

  /// Whatever needs nobody else.
  template <Instruction I>
  Amount operator()(const Exchange<I>&) {
    return std::nullopt;
  }

  Amount operator()(const Exchange<Accept>& accept) {
    if (*accept.response && !world_.world().can_answer(process_)) world_.connect_client();
    return std::nullopt;
  }

  Amount operator()(const Exchange<Connect>& connect) {
    if (!*connect.response && connect.response->error() == Errno::MFILE) world_.limit_sockets(process_);
    return std::nullopt;
  }

  Amount operator()(const Exchange<Recv>& recv) {
    const auto side = world_.side_of(process_, recv.instruction.from);
    if (!side) return std::nullopt;
    const Result<Bytes>& response = *recv.response;
    if (!response) {
      if (response.error() == Errno::CONNRESET) reset(*side);
      return std::nullopt;
    }
    if (!response->empty()) {
      world_.bring(*side, response->size());
    } else if (recv.instruction.at_most == 0 && to_come_.bytes(*side) > 0) {
      world_.bring(*side, 1);  // it asked for none: it was told that there is something
    } else if (!ours(*side).reset) {
      world_.bring_end(*side);
    }
    return response->size();
  }

  Amount operator()(const Exchange<Send>& send) {
    const auto side = world_.side_of(process_, send.instruction.to);
    if (!side) return std::nullopt;
    const Result<std::size_t>& response = *send.response;
    if (response) {
      world_.make_room(*side, *response);
      return *response;
    }
    if (response.error() == Errno::CONNRESET) reset(*side);
    if (response.error() == Errno::PIPE && !ours(*side).shut) reset_behind_the_end(*side);
    return std::nullopt;
  }

  Amount operator()(const Exchange<ShutdownSend>& shutdown) {
    const auto side = world_.side_of(process_, shutdown.instruction.socket);
    if (!side || *shutdown.response || shutdown.response->error() != Errno::NOTCONN) return std::nullopt;
    if (to_come_.reset(shutdown.instruction.socket)) {
      reset(*side);
    } else if (ours(*side).shut) {
      world_.bring(*side, to_come_.bytes(*side));
      world_.bring_end(*side);
      world_.deliver_end(*side);
    } else {
      reset_behind_the_end(*side);
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] const world::End& ours(Side side) const { return world_.at(side).ends[side.end]; }

  /// What has not arrived by then never will.
  void reset(Side side) {
    if (ours(side).reset) return;
    world_.bring(side, to_come_.bytes(side));
    world_.bring_reset(side);
  }

  /// So nobody is told of it.
  void reset_behind_the_end(Side side) {
    if (ours(side).reset) return;
    world_.bring(side, to_come_.bytes(side));
    world_.bring_end(side);
    world_.bring_reset(side);
  }

  SteeredWorld& world_;
  Index process_;
  const ToCome& to_come_;
};

}  // namespace

std::optional<std::size_t> lead(SteeredWorld& world, Index process, const AnyExchange<Net>& exchange,
                                const ToCome& to_come) {
  return std::visit(Lead(world, process, to_come), exchange);
}

}  // namespace antiphon::verify
