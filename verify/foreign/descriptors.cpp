#include <algorithm>
#include <limits>
#include <utility>

#include "interpreters/strace_arguments.hpp"
#include "verify/foreign/log_judge.hpp"

namespace antiphon::verify::foreign {

namespace {

using Kind = OpenFile::Kind;

/// "TCP:[127.0.0.1:8888->127.0.0.1:5000]", as -yy writes it.
struct Ends {
  std::string local;
  std::string peer;
};
std::optional<Ends> ends_of(std::string_view decoration) {
  const std::size_t start = decoration.find(":[");
  const std::size_t arrow = decoration.find("->");
  if (!decoration.starts_with("TCP") || start == std::string_view::npos) return std::nullopt;
  const std::string_view inside = decoration.substr(start + 2, decoration.size() - start - 3);
  if (arrow == std::string_view::npos) return Ends{std::string(inside), ""};
  return Ends{std::string(inside.substr(0, arrow - start - 2)), std::string(inside.substr(arrow - start))};
}

std::optional<std::int64_t> port_of(const std::string& end) {
  return strace::number(std::string_view(end).substr(end.rfind(':') + 1));
}

bool is_descriptor(std::int64_t number) { return number >= 0 && std::in_range<int>(number); }

bool closes_on_exec(std::string_view flags) { return flags.contains("CLOEXEC"); }

/// The numbers in `[3 5]`.
std::vector<int> numbers_in(std::string_view text) {
  std::vector<int> found;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool is_start = at > 0 && (text[at - 1] == ' ' || text[at - 1] == '[');
    if (const auto number = is_start ? strace::number(text.substr(at)) : std::nullopt) {
      found.push_back(static_cast<int>(*number));
    }
  }
  return found;
}

}  // namespace

File LogJudge::make(Kind kind) const {
  auto file = std::make_shared<OpenFile>();
  file->kind = kind;
  return file;
}

// -- Holding and letting go --------------------------------------------------------------------------------------

void LogJudge::release(File& file, const Moment& moment, bool stopped) {
  if (file && file.use_count() == 1) {
    if (file->client) traffic_.let_go(moment, *file->client, stopped);
    if (file->in) {
      for (std::vector<File>& files : file->in->passing) {
        for (File& one : files) release(one, moment, stopped);
      }
      file->in->passing.clear();
    }
  }
  file.reset();
}

void LogJudge::drop(Table& table, int descriptor, const Moment& moment, bool stopped) {
  File file = table.take(descriptor, moment.line);
  release(file, moment, stopped);
}

/// Of a process that ends.
void LogJudge::release_all(Table& table, const Moment& moment, bool stopped) {
  for (auto& [descriptor, slot] : table.slots) {
    Moment here = moment;
    here.descriptor = descriptor;
    if (slot.file->client) traffic_.held(here, *slot.file->client, table);
    release(slot.file, here, stopped);
  }
  table.slots.clear();
}

void LogJudge::install(const Returned& returned, std::int64_t descriptor, File file, bool close_on_exec) {
  if (!is_descriptor(descriptor)) return;
  Table& table = *returned.task.table;
  Slot& slot = table.slots[static_cast<int>(descriptor)];
  if (slot.file && slot.file->client) {
    slot.file->client->lost = true;
    findings_.doubt("closed", returned.moment.text() + ": gives descriptor " + std::to_string(descriptor) +
                                  " anew, and the log does not show how " + slot.file->client->name() + " lost it");
  }
  release(slot.file, returned.moment, returned.task.process->stopped);
  slot = {std::move(file), close_on_exec};
  table.closed.erase(static_cast<int>(descriptor));
}

/// EBADF: the descriptor is not open. If it was a client's, somebody goes on with what is closed; if it still is one in
/// the log, something is not there.
void LogJudge::misused(const Returned& returned) {
  Table& table = *returned.task.table;
  std::vector<int> used{returned.descriptor(returned.call.name == "epoll_ctl" ? 2 : 0)};
  if (returned.call.name.contains("select")) {
    used.clear();
    for (std::size_t set = 1; set <= 3; ++set) {
      const auto numbers = numbers_in(returned.argument(set));
      used.insert(used.end(), numbers.begin(), numbers.end());
    }
  }
  for (const int descriptor : used) {
    // What is closed was taken from the table when the call began.
    const File file = returned.call.name == "close" ? returned.task.call->file : table.file(descriptor);
    if (file && file->client) {
      file->client->lost = true;
      findings_.doubt("closed", returned.moment.text() + ": answers EBADF, and the log does not show how " +
                                    file->client->name() + " lost its descriptor");
    } else if (const auto closed = table.closed.find(descriptor); closed != table.closed.end()) {
      findings_.violation(descriptors, returned.moment.text() + ": uses a descriptor that is closed (EBADF): " +
                                           std::to_string(descriptor) + " was that of " + closed->second);
    }
  }
}

// -- Calls that make descriptors ---------------------------------------------------------------------------------

void LogJudge::on_accept(const Returned& returned) {
  if (!returned.result().succeeded() || !is_descriptor(returned.value())) return;
  const File listener = returned.file(0);
  const auto ends = ends_of(strace::decoration(returned.result().detail));
  const auto at_listener = ends_of(strace::decoration(returned.argument(0)));
  std::optional<std::int64_t> port = listener ? listener->port : std::nullopt;
  if (!port && ends) port = port_of(ends->local);
  if (!port && at_listener) port = port_of(at_listener->local);
  // What is known to listen without a port is none of the one that is asked for.
  const bool is_judged = !port_ || (port ? *port == *port_ : !listener);
  File file = make(is_judged ? Kind::client : Kind::other);
  if (is_judged) {
    file->client = traffic_.accept(returned.moment, returned.task.table);
    const auto peer = strace::address(returned.argument(1));
    file->client->address = peer ? peer->text : ends ? ends->peer : "";
  }
  install(returned, returned.value(), std::move(file), closes_on_exec(returned.argument(3)));
}

void LogJudge::on_socket(const Returned& returned) {
  if (!returned.result().succeeded()) return;
  install(returned, returned.value(), make(Kind::socket), closes_on_exec(returned.argument(1)));
}

/// bind, getsockname, getpeername: an address becomes known.
void LogJudge::on_address(const Returned& returned) {
  const File file = returned.file(0);
  if (!file) return;
  if (returned.result().error == "ENOTCONN" && file->client) return on_error(returned, file);
  const auto address = strace::address(returned.argument(1));
  if (!returned.result().succeeded() || !address) return;
  if (returned.call.name == "getpeername") {
    if (file->client) file->client->address = address->text;
  } else if (address->port.value_or(0) != 0) {
    file->port = address->port;
  }
}

void LogJudge::on_listen(const Returned& returned) {
  const File file = returned.file(0);
  if (file && returned.result().succeeded()) file->kind = Kind::listener;
}

void LogJudge::on_pair(const Returned& returned) {
  const auto numbers = strace::items_inside(returned.argument(3));
  if (!returned.result().succeeded() || numbers.size() != 2) return;
  const auto one_way = std::make_shared<Channel>();
  const auto other_way = std::make_shared<Channel>();
  for (const std::size_t side : {0U, 1U}) {
    File file = make(Kind::channel);
    file->in = side == 0 ? one_way : other_way;
    file->out = side == 0 ? other_way : one_way;
    install(returned, descriptor_in(numbers[side]), std::move(file), closes_on_exec(returned.argument(1)));
  }
}

void LogJudge::on_pipe(const Returned& returned) {
  const auto numbers = strace::items_inside(returned.argument(0));
  if (!returned.result().succeeded() || numbers.size() != 2) return;
  const auto channel = std::make_shared<Channel>();
  for (const std::size_t side : {0U, 1U}) {
    File file = make(Kind::channel);
    (side == 0 ? file->in : file->out) = channel;
    install(returned, descriptor_in(numbers[side]), std::move(file), closes_on_exec(returned.argument(1)));
  }
}

/// Any other call that makes a descriptor.
void LogJudge::on_open(const Returned& returned) {
  if (!returned.result().succeeded()) return;
  install(returned, returned.value(), make(Kind::other),
          strace::has_flag(returned.call.arguments, "O_CLOEXEC") ||
              closes_on_exec(returned.arguments.empty() ? std::string_view() : returned.arguments.back()));
}

void LogJudge::on_epoll_create(const Returned& returned) {
  if (!returned.result().succeeded()) return;
  install(returned, returned.value(), make(Kind::epoll), closes_on_exec(returned.argument(0)));
}

void LogJudge::on_dup(const Returned& returned) {
  if (!returned.result().succeeded() || returned.value() == returned.descriptor(0)) return;
  Table& table = *returned.task.table;
  const File file = returned.file(0);
  const auto made = static_cast<int>(returned.value());
  // dup2 and dup3 close what was there.
  drop(table, made, returned.moment, returned.task.process->stopped);
  if (file) install(returned, made, file, closes_on_exec(returned.argument(2)));
}

void LogJudge::on_fcntl(const Returned& returned) {
  if (!returned.result().succeeded()) return;
  const std::string_view command = returned.argument(1);
  if (command.starts_with("F_DUPFD")) {
    if (const File file = returned.file(0)) install(returned, returned.value(), file, closes_on_exec(command));
  } else if (command == "F_SETFD") {
    const auto slot = returned.task.table->slots.find(returned.descriptor(0));
    if (slot != returned.task.table->slots.end()) slot->second.close_on_exec = closes_on_exec(returned.argument(2));
  }
}

void LogJudge::on_ioctl(const Returned& returned) {
  const auto slot = returned.task.table->slots.find(returned.descriptor(0));
  if (!returned.result().succeeded() || slot == returned.task.table->slots.end()) return;
  if (returned.argument(1) == "FIOCLEX") slot->second.close_on_exec = true;
  if (returned.argument(1) == "FIONCLEX") slot->second.close_on_exec = false;
}

// -- Calls that close or copy them -------------------------------------------------------------------------------

void LogJudge::on_close_range(const Returned& returned) {
  if (!returned.result().succeeded()) return;
  if (returned.argument(2).contains("CLOSE_RANGE_UNSHARE")) on_unshare(returned);
  Table& table = *returned.task.table;
  const std::int64_t first = strace::number(returned.argument(0)).value_or(0);
  // ~0U, or a number, which may be larger than any descriptor.
  const std::int64_t last = strace::number(returned.argument(1)).value_or(std::numeric_limits<std::int64_t>::max());
  const bool later = returned.argument(2).contains("CLOSE_RANGE_CLOEXEC");
  std::vector<int> chosen;
  for (auto& [descriptor, slot] : table.slots) {
    if (descriptor < first || descriptor > last) continue;
    if (later) slot.close_on_exec = true;
    if (!later) chosen.push_back(descriptor);
  }
  for (const int descriptor : chosen) drop(table, descriptor, returned.moment, returned.task.process->stopped);
}

/// The table is not shared any more.
void LogJudge::on_unshare(const Returned& returned) {
  const bool of_files = returned.call.name != "unshare" || returned.argument(0).contains("CLONE_FILES");
  if (!returned.result().succeeded() || !of_files || returned.task.table.use_count() == 1) return;
  auto own = std::make_shared<Table>();
  own->slots = returned.task.table->slots;
  returned.task.table = std::move(own);
}

void LogJudge::on_clone(const Returned& returned) {
  if (!returned.result().succeeded() || returned.value() == 0) return;
  const Pid child = returned.value();
  if (child == returned.task.pid) {
    refusal_ = BadInput{returned.moment.line, "a process makes itself: this log is not of one run"};
    return;
  }
  if (returned.task.call->child == 0) {
    // Whoever had the number before has ended, and the log does not say so (-qq).
    end(child, {}, returned.moment.line);
    processes_.bear(returned.task, child, returned.call.arguments);
  } else if (returned.task.call->child != child) {
    findings_.doubt("unborn", returned.moment.text() + ": makes " + reader_->name_of(child) +
                                  ", and another process was taken for its child");
  }
  auto held_back = unborn_.extract(child);
  if (!held_back) return;
  for (const strace::Event& event : held_back.mapped()) see(event);
}

void LogJudge::on_exec(const Returned& returned) {
  if (!returned.result().succeeded()) return;
  on_unshare(returned);
  Table& table = *returned.task.table;
  std::vector<int> chosen;
  for (const auto& [descriptor, slot] : table.slots) {
    if (slot.close_on_exec) chosen.push_back(descriptor);
  }
  for (const int descriptor : chosen) drop(table, descriptor, returned.moment, returned.task.process->stopped);
  // What is closed before the program begins was never its own.
  table.closed.clear();
}

}  // namespace antiphon::verify::foreign
