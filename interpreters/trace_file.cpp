#include "interpreters/trace_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <optional>

namespace antiphon {

namespace {

// A pipe without a reader must not hold us; on files O_NONBLOCK does nothing.
constexpr int how_to_open = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

/// How long a writer may hold the others up (it was stopped in its write) before they go on without a trace.
constexpr std::int64_t patience_ms = 10'000;

/// What the path leads to, or nothing.
std::optional<struct stat> about(const std::string& path) {
  struct stat found{};
  return stat(path.c_str(), &found) == 0 ? std::optional(found) : std::nullopt;
}

std::optional<struct stat> about(int descriptor) {
  struct stat found{};
  return fstat(descriptor, &found) == 0 ? std::optional(found) : std::nullopt;
}

bool is_regular(const std::optional<struct stat>& found) { return found && S_ISREG(found->st_mode); }

/// A file that is about to lose its name. Processes that still have it open must not keep its room on the disk.
class LosesItsName {
 public:
  explicit LosesItsName(const std::string& path) : descriptor_(::open(path.c_str(), O_WRONLY | O_CLOEXEC)) {}
  ~LosesItsName() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  LosesItsName(const LosesItsName&) = delete;
  LosesItsName& operator=(const LosesItsName&) = delete;

  /// To be called once it has lost it: before that, who dies here would leave an empty file. Where it has another name
  /// somebody keeps it.
  void give_room_back() const {
    const auto found = about(descriptor_);
    // Where it fails the room comes back later, when those processes end.
    if (found && found->st_nlink == 0) static_cast<void>(!ftruncate(descriptor_, 0));
  }

 private:
  int descriptor_;
};

/// Why the open file cannot hold a trace, or nothing.
std::optional<std::string> unfit(const std::string& path, int descriptor, bool bounded) {
  const auto found = about(descriptor);
  if (found && (S_ISFIFO(found->st_mode) || S_ISSOCK(found->st_mode))) {
    return fmt::format("cannot write the trace '{}': lines of several processes mix in a pipe", path);
  }
  if (bounded && !is_regular(found)) {
    return fmt::format("cannot bound the trace '{}': it is not a regular file", path);
  }
  const auto older = about(path + ".1");
  if (bounded && older && !is_regular(older)) {
    return fmt::format("cannot bound the trace '{}': '{}.1' is not a regular file", path, path);
  }
  return std::nullopt;
}

/// Locks the file for this process, as long as it has it open. (What it forks and leaves behind holds no lock.) True:
/// another process has done so.
bool is_taken(int descriptor) {
  struct flock lock{};
  lock.l_type = F_WRLCK;
  return is_regular(about(descriptor)) && fcntl(descriptor, F_SETLK, &lock) < 0 && (errno == EACCES || errno == EAGAIN);
}

}  // namespace

std::expected<std::unique_ptr<TraceFile>, std::string> TraceFile::open(const std::string& path,
                                                                       std::uint64_t most_bytes, Complain complain) {
  int descriptor = ::open(path.c_str(), how_to_open | O_CREAT | O_EXCL, 0600);
  const bool made_here = descriptor >= 0;
  if (!made_here && errno == EEXIST) descriptor = ::open(path.c_str(), how_to_open | O_CREAT, 0600);
  if (descriptor < 0) {
    return std::unexpected(fmt::format("cannot write the trace '{}': {}", path, std::strerror(errno)));
  }
  if (!complain) complain = [](const std::string& line) { std::fputs((line + '\n').c_str(), stderr); };
  std::unique_ptr<TraceFile> file(new TraceFile(path, descriptor, made_here, most_bytes, std::move(complain)));
  if (auto why = unfit(path, descriptor, file->is_bounded())) return std::unexpected(*std::move(why));
  if (is_taken(descriptor)) {
    return std::unexpected(fmt::format("cannot write the trace '{}': another server writes there", path));
  }
  return file;
}

TraceFile::~TraceFile() {
  if (made_here_ && !has_started()) unlink(path_.c_str());
  close(descriptor_);
}

void TraceFile::start(const TraceHeader& header) {
  header_ = header;
  const auto found = about(descriptor_);
  if (is_regular(found) && ftruncate(descriptor_, 0) < 0) return give_up(std::strerror(errno));
  if (is_bounded()) unlink(older_path_.c_str());
  if (found) inode_->store(found->st_ino);
  put(header_line(header_) + '\n');
  started_.store(true, std::memory_order_release);
}

void TraceFile::append(std::string_view lines) {
  if (has_given_up()) return;
  while_locked([&] {
    while (!lines.empty() && !has_given_up()) {
      const std::string_view piece = next_piece(lines);
      put(piece);
      lines.remove_prefix(piece.size());
    }
  });
}

void TraceFile::reopen() {
  if (!has_started() || has_given_up()) return;
  while_locked([&] {
    if (has_given_up() || !is_regular(about(descriptor_)) || is_in_place()) return;
    if (const auto why = go_on_in_new_file()) {
      complain_(fmt::format("the trace does not go on in '{}', but where it was: {}", path_, *why));
    }
  });
}

bool TraceFile::give_to(std::uint32_t user, std::uint32_t group) const {
  return !is_regular(about(descriptor_)) || fchown(descriptor_, user, group) == 0;
}

/// Works while it is ours and the descriptor is the newest part.
template <class Work>
void TraceFile::while_locked(const Work& work) {
  const SharedLock::Taken taken = lock_.take(patience_ms);
  if (taken == SharedLock::Taken::no) return give_up("another process does not come to the end of its write");
  try {
    taken == SharedLock::Taken::from_the_dead ? repair() : join_part();
    work();
  } catch (const std::bad_alloc&) {
    give_up(want_of_memory);
  }
  lock_.give_back();
}

/// What goes into the part that is written now: whole lines, at least one. Begins the next part if there is no room.
std::string_view TraceFile::next_piece(std::string_view lines) {
  if (!is_bounded() || has_given_up()) return lines;
  const std::uint64_t half = most_bytes_ / 2;
  const std::size_t first_line = lines.find('\n') + 1;
  if (size_->load() + first_line > half && size_->load() > header_line(header_).size() + 1) begin_next_part();
  const std::uint64_t size = size_->load();
  // A line that is longer than half takes the room of the older part.
  const auto older = about(older_path_);
  if (older && static_cast<std::uint64_t>(older->st_size) + size + first_line > most_bytes_) {
    const LosesItsName oldest(older_path_);
    unlink(older_path_.c_str());
    oldest.give_room_back();
  }
  const std::uint64_t room = size < half ? half - size : 0;
  if (lines.size() <= room) return lines;
  const std::size_t last_end = room == 0 ? std::string_view::npos : lines.rfind('\n', room - 1);
  return lines.substr(0, last_end == std::string_view::npos ? first_line : last_end + 1);
}

/// Another process may have begun a part since.
void TraceFile::join_part() {
  if (own_part_ == part_->load()) return;
  if (!is_in_place()) {
    const auto why = go_on_in_new_file();
    return why ? give_up(why->c_str()) : void();
  }
  close(descriptor_);
  descriptor_ = ::open(path_.c_str(), how_to_open);
  own_part_ = part_->load();
  header_.part = static_cast<std::uint32_t>(own_part_);
  if (descriptor_ < 0) give_up(std::strerror(errno));
}

/// FILE is the newest part: nobody moved it away.
bool TraceFile::is_in_place() const {
  const auto found = about(path_);
  return found && found->st_ino == inode_->load();
}

/// Begins the next part in a FILE that nobody has written to. Answers why it cannot.
std::optional<std::string> TraceFile::go_on_in_new_file() {
  const int descriptor = ::open(path_.c_str(), how_to_open | O_CREAT, 0600);
  if (descriptor < 0) return std::strerror(errno);
  const auto made = about(descriptor);
  if (!is_regular(made) || made->st_size != 0) {
    close(descriptor);
    return "it is there already, and is not overwritten";
  }
  close(descriptor_);
  begin_part_in(descriptor, made->st_ino);
  return std::nullopt;
}

/// Until its header is written nobody knows of it: who dies here leaves the part before as it was.
void TraceFile::begin_part_in(int descriptor, std::uint64_t inode) {
  descriptor_ = descriptor;
  own_part_ = part_->load() + 1;
  header_.part = static_cast<std::uint32_t>(own_part_);
  const std::string header = header_line(header_) + '\n';
  if (!write_whole(header)) return;
  inode_->store(inode);
  part_->store(own_part_);
  size_->store(header.size());
}

/// May be repeated after a process that died in the middle of it: FILE is still the part that is full, or it is not.
void TraceFile::begin_next_part() {
  if (is_in_place()) {
    const LosesItsName oldest(older_path_);
    if (rename(path_.c_str(), older_path_.c_str()) < 0) return give_up(std::strerror(errno));
    oldest.give_room_back();
  }
  // In this order, so that it goes well at the limit of descriptors too.
  close(descriptor_);
  descriptor_ = ::open(path_.c_str(), how_to_open | O_CREAT | O_TRUNC, 0600);
  const auto made = about(descriptor_);
  if (!made) return give_up(std::strerror(errno));
  begin_part_in(descriptor_, made->st_ino);
}

/// A process died while it wrote: it may have left half a line, or half a part.
void TraceFile::repair() {
  if (is_bounded() && !is_in_place()) return begin_next_part();
  join_part();
  const auto own = about(descriptor_);
  const auto size = static_cast<off_t>(size_->load());
  if (is_regular(own) && own->st_size > size && ftruncate(descriptor_, size) < 0) give_up(std::strerror(errno));
}

void TraceFile::put(std::string_view piece) {
  if (write_whole(piece)) size_->fetch_add(piece.size());
}

/// False: it cannot be written, and the trace ends.
bool TraceFile::write_whole(std::string_view piece) {
  std::size_t written = 0;
  while (written < piece.size()) {
    const ssize_t size = ::write(descriptor_, piece.data() + written, piece.size() - written);
    if (size >= 0) {
      written += static_cast<std::size_t>(size);
    } else if (errno != EINTR) {
      give_up(std::strerror(errno));
      return false;
    }
  }
  return true;
}

void TraceFile::give_up(const char* reason) {
  if (given_up_->exchange(1) != 0) return;
  try {
    complain_(fmt::format("the trace '{}' ends here: {}; serving goes on", path_, reason));
  } catch (const std::bad_alloc&) {
    return;  // The line is lost. Who reads the trace finds it cut.
  }
}

}  // namespace antiphon
