#include "verify/leading.hpp"

#include <variant>

namespace antiphon::verify {

namespace {

using Side = SteeredWorld::Side;
using Amount = std::optional<std::size_t>;

class Lead {
 public:
  Lead(SteeredWorld& world, Index process, const Future& future) : world_(world), process_(process), future_(future) {}

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
    } else if (recv.instruction.at_most == 0 && future_.of_all(*side).bytes > 0) {
      world_.bring(*side, 1);  // it asked for none: it was told that there is something
    } else if (!ours(*side).reset && !others_are_first(*side)) {
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
    if (response.error() == Errno::PIPE && !ours(*side).shut && !future_.of_others(*side).reset) {
      reset_behind_the_end(*side);
    }
    return std::nullopt;
  }

  Amount operator()(const Exchange<ShutdownSend>& shutdown) {
    const auto side = world_.side_of(process_, shutdown.instruction.socket);
    if (!side || *shutdown.response || shutdown.response->error() != Errno::NOTCONN) return std::nullopt;
    if (future_.of_all(*side).reset) {
      reset(*side);
    } else if (ours(*side).shut) {
      world_.bring(*side, future_.of_all(*side).bytes);
      world_.bring_end(*side);
      world_.deliver_end(*side);
    } else {
      reset_behind_the_end(*side);
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] const world::End& ours(Side side) const { return world_.at(side).ends[side.end]; }

  /// Once the peer has ended its side, others who hold the connection get nothing more, and are not told of a reset.
  [[nodiscard]] bool others_are_first(Side side) const {
    const ToCome others = future_.of_others(side);
    return others.bytes > 0 || others.reset;
  }

  /// What has not arrived by then never will.
  void reset(Side side) {
    if (ours(side).reset) return;
    world_.bring(side, future_.of_all(side).bytes);
    world_.bring_reset(side);
  }

  /// So nobody is told of it.
  void reset_behind_the_end(Side side) {
    if (ours(side).reset) return;
    world_.bring(side, future_.of_all(side).bytes);
    world_.bring_end(side);
    world_.bring_reset(side);
  }

  SteeredWorld& world_;
  Index process_;
  const Future& future_;
};

}  // namespace

std::optional<std::size_t> lead(SteeredWorld& world, Index process, const AnyExchange<Net>& exchange,
                                const Future& future) {
  return std::visit(Lead(world, process, future), exchange);
}

}  // namespace antiphon::verify
