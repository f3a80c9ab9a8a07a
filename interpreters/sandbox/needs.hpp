#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "interpreters/reach.hpp"

/// What a server needs of the kernel, each need with its reason. A sandbox is computed from these and grants no more.

namespace antiphon::sandbox {

/// Holds for a call if the bits of `mask` in its argument of this number, from 0 on, are those of `value`.
struct Condition {
  unsigned argument;
  std::uint64_t mask;
  std::uint64_t value;
};

/// Something that the kernel is asked to do: a system call, perhaps with some arguments only, or an operation of an
/// io_uring, which is no call.
struct Permission {
  enum class Kind : std::uint8_t { call, ring };

  Kind kind;
  std::string_view name;        ///< "accept4"; of a ring "RECV".
  std::string_view only;        ///< The arguments, for people: "AF_INET"; "": any.
  std::vector<Condition> when;  ///< All of them.
  std::uint8_t operation = 0;   ///< Of a ring: IORING_OP_RECV.
};

/// "accept4", "socket(AF_INET)", "ring: RECV".
std::string text_of(const Permission& permission);

struct Need {
  std::string_view who;  ///< An instruction, or a part of the process: "memory", "trace".
  Permission what;
  std::string_view why;
};

enum class Interpreter : std::uint8_t { fork, epoll, uring };

/// What the instructions need on an interpreter, in the order of `Net`. Nothing is there for those that ask nothing of
/// the kernel: in an event loop Fork is a copy of a pointer. `counts_addresses`: see `Reach`.
std::vector<Need> needs_of(const InstructionNames& instructions, Interpreter interpreter,
                           bool counts_addresses = false);

/// What the program needs once it listens.
std::vector<Need> needs_of(const Reach& reach, Interpreter interpreter);

/// What a process does beside its program, once it listens, and where.
struct Surroundings {
  Interpreter interpreter = Interpreter::fork;
  bool threads = false;                     ///< It has more than one.
  bool trace = false;                       ///< It writes a trace,
  std::optional<std::string> trace_folder;  ///< which may begin anew in a file of this folder,
  bool trace_bounded = false;               ///< and of which parts are renamed and removed.
  bool folder_of_another = false;           ///< The folder belongs to another user.
  bool monitor = false;                     ///< It sends its events to a process that judges them,
  bool aborts = false;                      ///< and ends when that does.
  bool metrics = false;                     ///< Another process shows what it counts, and ends with it.
  bool notices = false;                     ///< A service manager is told how it stands.
  bool takes_over = false;                  ///< It follows another server, which a child asks to stop.
  bool logs_to_file = false;                ///< Standard output or error is a file that grows.
};

/// What the process needs whatever its program is.
std::vector<Need> needs_of(const Surroundings& surroundings);

/// What any process needs that allocates memory, writes lines to standard output and error, and ends. For processes
/// that run no program, with what else they need.
std::vector<Need> needs_of_any_process();

/// The operations among the needs, for `LoopOptions::ring_operations`. A ring is restricted before the program starts,
/// so they are those of all that it can ever issue.
std::vector<std::uint8_t> ring_operations(const std::vector<Need>& needs);

/// What a library tries and can do without: it is refused with an error instead of ending the process.
struct Refusal {
  Permission what;
  int error;
  std::string_view why;
};

std::vector<Refusal> refusals_for(const InstructionNames& instructions, const Surroundings& surroundings);

/// Of the thread that has made the workers, and waits for their end.
std::vector<Need> needs_of_main_thread(const Surroundings& surroundings);

/// Of threads that do what a worker does, or nothing.
std::vector<Need> needs_of_threads();

/// Permissions to build needs from. `call` takes the name of a system call.
Permission call(std::string_view name);
Permission call(std::string_view name, std::string_view only, std::vector<Condition> when);

/// The two halves of a way to connect without connect(2), past Landlock. A send to an address connects a socket that is
/// not connected (MSG_FASTOPEN of tcp(7)), and shutdown(SHUT_RD) makes a listener such a socket. A connection never
/// becomes one. On a ring, and where no socket can be made, the second half alone closes the way.
Permission send_on_connection();  ///< sendto without an address; nor does a datagram go to whom it is not meant for.
Permission shutdown_write();      ///< shutdown(SHUT_WR).

}  // namespace antiphon::sandbox
