#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/programs/server.hpp"
#include "core/trace.hpp"
#include "interpreters/scenario.hpp"
#include "interpreters/world.hpp"
#include "verify/way.hpp"

namespace antiphon::verify {

/// A simulated world that is led, step by step, to where a process can be answered as it is wanted. Its clients'
/// scripts are written as it goes: a client does what is needed, and when it is needed.
class SteeredWorld {
 public:
  /// Up to so many clients at so many addresses; one direction of a connection holds `capacity` bytes.
  SteeredWorld(const Server& server, std::uint32_t most_clients, std::uint32_t capacity, std::uint32_t addresses);
  SteeredWorld(const SteeredWorld&) = delete;
  SteeredWorld& operator=(const SteeredWorld&) = delete;
  ~SteeredWorld() = default;

  /// A side of a connection.
  struct Side {
    Index connection = no_index;
    Index end = 0;

    bool operator==(const Side&) const = default;
    [[nodiscard]] Side other() const { return {connection, 1 - end}; }
  };

  [[nodiscard]] const World& world() const { return *world_; }
  /// What the process's socket stands for, if that is a connection.
  [[nodiscard]] std::optional<Side> side_of(Index process, Socket socket) const;
  /// The connection of a side that somebody holds.
  [[nodiscard]] const world::Connection& at(Side side) const { return world_->connections()[side.connection]; }
  /// Bytes that the side has sent and that were not read.
  [[nodiscard]] std::size_t held(Side side) const;
  [[nodiscard]] std::uint32_t capacity() const { return scenario_.capacity; }

  // Each leads the world somewhere, as far as that can be.
  /// So many bytes have arrived at the side and wait to be read.
  void bring(Side side, std::size_t count);
  /// The peer's end has arrived.
  void bring_end(Side side);
  /// The peer's reset has arrived.
  void bring_reset(Side side);
  /// Our end has arrived at the peer.
  void deliver_end(Side side);
  /// The side has room for so many bytes more.
  void make_room(Side side, std::size_t count);
  /// The next client has asked for a connection. False: there is none any more.
  bool connect_client();
  void stop() { make({Move::Kind::stop}); }
  /// A process holds as many sockets as it may. Not if there was one that held more.
  void limit_sockets(Index process);

  /// Answers the process by this move; an amount, if there is one, is to be so many bytes.
  void answer(const Move& move, std::optional<std::size_t> amount) { make(move, amount); }

  /// What processes did since this was called before.
  std::vector<ProcessEvent> take_events();

  /// Where the world stands, to go back to. Costs a pointer for each part of it.
  class Mark {
    friend SteeredWorld;
    explicit Mark(const SteeredWorld& from);

    World world_;
    std::size_t steps_;
    std::uint32_t clients_;
    std::uint32_t max_sockets_;
    int highest_socket_;
  };
  [[nodiscard]] Mark mark();
  void back_to(Mark mark);

  /// All steps so far.
  [[nodiscard]] const std::vector<Taken>& way() const { return way_; }
  /// The clients that were needed, with their scripts, and the limits.
  [[nodiscard]] Scenario scope() const;

 private:
  /// Lets an amount be what is wanted, as near as can be.
  class Amounts : public Shortfalls {
   public:
    void begin(std::optional<std::size_t> wanted) {
      wanted_ = wanted;
      said_.clear();
    }
    std::uint32_t shortfall(std::uint32_t count) override;
    [[nodiscard]] const std::vector<std::uint32_t>& said() const { return said_; }

   private:
    std::optional<std::size_t> wanted_;
    std::vector<std::uint32_t> said_;
  };

  void make(const Move& move, std::optional<std::size_t> amount = {});
  /// False: nothing can arrive there.
  bool arrive(Side side, std::optional<std::size_t> amount = {});
  /// The client behind the side does this next, or as much of it as it can. False: it cannot, or there is no client.
  bool perform(Side side, const script::Action& action);
  /// Everything that flies to the side has arrived.
  void exhaust(Side side);
  void note(const Event& event);

  Scenario scenario_;
  Amounts amounts_;
  std::vector<ProcessEvent> events_;
  std::vector<Taken> way_;
  std::uint32_t clients_ = 0;  ///< So many were needed.
  struct Written {
    Index client;
    std::size_t before;  ///< So many actions its script had.
  };
  std::vector<Written> written_;  ///< Since the last mark.
  int highest_socket_ = -1;       ///< That any process was given.
  std::optional<World> world_;
};

}  // namespace antiphon::verify
