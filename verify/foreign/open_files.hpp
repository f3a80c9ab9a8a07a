#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "verify/foreign/half_seen.hpp"

/// What the kernel keeps of a foreign server, as far as its log tells: open files, tables of descriptors, bytes in
/// pipes.

namespace antiphon::verify::foreign {

struct Table;
struct OpenFile;
using File = std::shared_ptr<OpenFile>;

/// Who moved bytes last in one direction of a connection.
struct Mover {
  std::int64_t pid = 0;
  std::size_t line = 0;  ///< In which the call returned.
};

/// A client's connection.
struct Client {
  std::uint64_t number = 0;
  std::string address;  ///< "" while it is not known.
  HalfSeen bytes;
  std::size_t accepted_at = 0;  ///< The line.
  std::weak_ptr<Table> accepted_by;
  std::size_t end_read_at = 0;  ///< The line; 0: its end was not read.
  std::size_t settled_at = 0;   ///< The line from which on nothing keeps it open; 0: something does.
  bool failed = false;          ///< The client reset it, or the network failed.
  bool side_ended = false;      ///< The server ended its own side.
  bool lost = false;            ///< It was let go of, and the log does not show where.
  bool may_have_sent = false;   ///< A call that sends never returned.
  std::string mismatch_at;      ///< The call that sent what was not owed; "" if there was none, or it was told.
  Mover received_by;
  Mover sent_by;

  /// "client 3 (127.0.0.1:5000)"
  [[nodiscard]] std::string name() const;
};

/// Bytes in a pipe: known ones, or so many of a client's that went in unseen.
struct Segment {
  std::string bytes;               ///< Known ones; "" of a client's.
  std::shared_ptr<Client> client;  ///< Null: they are known.
  std::uint64_t position = 0;      ///< Of the first one, in what the client had sent, or in `bytes`.
  std::uint64_t count = 0;
};

/// A pipe, or one direction of a pair of sockets. What goes in is put in when the call begins, since it may be read
/// before the call returns.
class Channel {
 public:
  void put(Segment segment);
  /// Takes back what was put in last, where the call took less.
  void take_back(std::uint64_t count);
  /// The first so many bytes. None: it is not known what they are.
  std::optional<std::vector<Segment>> take(std::uint64_t count);
  std::optional<std::vector<Segment>> look(std::uint64_t count) const;
  /// So many were read that it is not known any more what is in it.
  void lose();
  [[nodiscard]] std::uint64_t put_so_far() const { return put_so_far_; }

  std::deque<std::vector<File>> passing;  ///< Descriptors that were sent and not received yet.

 private:
  std::deque<Segment> segments_;
  std::uint64_t held_ = 0;
  std::uint64_t put_so_far_ = 0;
  bool lost_ = false;
};

/// An open file description.
struct OpenFile {
  enum class Kind : std::uint8_t { other, standard, socket, listener, client, channel, epoll };
  Kind kind = Kind::other;
  std::shared_ptr<Client> client;
  std::shared_ptr<Channel> in;   ///< What is read from it,
  std::shared_ptr<Channel> out;  ///< and where what is written goes; null: that way is closed.
  std::optional<std::int64_t> port;
  std::map<std::string, std::weak_ptr<OpenFile>> watched;  ///< Of an epoll: by the data that events carry.
};

struct Slot {
  File file;
  bool close_on_exec = false;
};

/// A table of descriptors, which threads share.
struct Table {
  std::map<int, Slot> slots;
  std::map<int, std::string> closed;  ///< Descriptors that were a client's and are not in use: whose, and where closed.
  std::size_t served_through = 0;     ///< The line of the last accept here whose client has settled since.

  [[nodiscard]] File file(int descriptor) const;
  /// The descriptor is closed in this line. What it led to; null if it led nowhere.
  File take(int descriptor, std::size_t line);
};

/// The descriptor in an argument of a call; -1 if there is none.
int descriptor_in(std::string_view argument);

}  // namespace antiphon::verify::foreign
