#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "interpreters/process_numbers.hpp"
#include "interpreters/shared_lock.hpp"
#include "interpreters/shared_word.hpp"
#include "interpreters/trace_text.hpp"

namespace antiphon {

/// The smallest bound of a trace: it has room for a header and for the longest event that a session of 16 KiB writes.
inline constexpr std::uint64_t least_trace_bytes = 65'536;
inline constexpr std::uint64_t most_trace_bytes = std::uint64_t{1} << 50U;

/// Why a trace ends that there is no room for in memory.
inline constexpr const char* want_of_memory = "there is no memory for it";

/// The file that the threads and processes of one run append their trace to, through a `TraceWriter` each. Who writes
/// holds a lock that all share, so lines never mix.
///
/// **Bounded.** Once FILE has grown to half of its bound it is renamed to FILE.1, which replaces an older one, and a
/// new FILE begins with a header of the next part. So both together never pass the bound. No process writes to an older
/// part after a newer one.
///
/// **Reopened.** Who moved FILE away asks for a new one: the trace goes on there as the next part. A process that finds
/// FILE moved away where it is to join a part begins the next one by itself. A FILE that has content is not ours to
/// take: the trace goes on where it was, and a line says so.
///
/// **When something dies.** What was written stays readable if any or all of the processes are killed. A process that
/// is killed while it writes loses what that call wrote: the next writer takes it back, so that no half of a line is
/// left before others. Only the last line of a file can be cut. What the kernel has not written to the disk is lost
/// with the machine.
///
/// **When it cannot be written** (a full disk), or there is no memory for it, one of the processes says so on standard
/// error, all stop writing, and serving goes on: the trace is cut.
class TraceFile {
 public:
  /// Is told, in a line, that the trace cannot go on as it should.
  using Complain = std::function<void(const std::string&)>;

  /// Opens the file or makes it, and leaves its content alone until `start`. One that another process has opened so,
  /// and has not gone on from, is an error. `most_bytes`: its bound, from `least_trace_bytes` on, or `unlimited`.
  /// `complain`: to standard error if there is none. Error: one line that names the path and the reason.
  static std::expected<std::unique_ptr<TraceFile>, std::string> open(const std::string& path,
                                                                     std::uint64_t most_bytes = unlimited,
                                                                     Complain complain = {});

  /// A file that was made here and not started is removed.
  ~TraceFile();
  TraceFile(const TraceFile&) = delete;
  TraceFile& operator=(const TraceFile&) = delete;

  /// Empties the file and begins it with the header; removes the FILE.1 of an earlier run if it is bounded. To be
  /// called once, before other processes and threads append.
  void start(const TraceHeader& header);
  [[nodiscard]] bool has_started() const { return started_.load(std::memory_order_acquire); }

  /// Appends whole lines. Only once it has started.
  void append(std::string_view lines);
  /// Goes on in a new FILE if this one was moved away. Any process and thread may ask.
  void reopen();
  /// Makes them the file's owner. False: the kernel refused.
  [[nodiscard]] bool give_to(std::uint32_t user, std::uint32_t group) const;
  /// Ends the trace, for all who write to it, and says why; serving goes on. It is cut then.
  void give_up(const char* reason);
  /// True: nothing will be written any more.
  [[nodiscard]] bool has_given_up() const { return given_up_->load(std::memory_order_relaxed) != 0; }

  ProcessNumbers& processes() { return processes_; }

 private:
  TraceFile(std::string path, int descriptor, bool made_here, std::uint64_t most_bytes, Complain complain)
      : path_(std::move(path)),
        older_path_(path_ + ".1"),
        most_bytes_(most_bytes),
        made_here_(made_here),
        complain_(std::move(complain)),
        descriptor_(descriptor) {}

  [[nodiscard]] bool is_bounded() const { return most_bytes_ != std::uint64_t{unlimited}; }
  template <class Work>
  void while_locked(const Work& work);
  void join_part();
  [[nodiscard]] bool is_in_place() const;
  void begin_next_part();
  std::optional<std::string> go_on_in_new_file();
  void begin_part_in(int descriptor, std::uint64_t inode);
  void repair();
  std::string_view next_piece(std::string_view lines);
  void put(std::string_view piece);
  bool write_whole(std::string_view piece);

  std::string path_;
  std::string older_path_;
  std::uint64_t most_bytes_;
  bool made_here_;
  Complain complain_;
  std::atomic<bool> started_ = false;
  TraceHeader header_;
  int descriptor_;              ///< This and what follows is touched by who holds the lock.
  std::uint64_t own_part_ = 0;  ///< Which part the descriptor of this process is.
  SharedLock lock_;
  SharedWord part_;      ///< Of FILE.
  SharedWord size_;      ///< Of FILE, in bytes that were written whole.
  SharedWord inode_;     ///< Of FILE.
  SharedWord given_up_;  ///< Not 0 once a write failed.
  ProcessNumbers processes_;
};

}  // namespace antiphon
