#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "interpreters/strace_arguments.hpp"
#include "verify/foreign/log_judge.hpp"

namespace antiphon::verify::foreign {

namespace {

using Kind = OpenFile::Kind;

/// After these a connection is no more, and the server could not help it.
constexpr std::array<std::string_view, 9> fatal{"ECONNRESET",  "EPIPE",    "ETIMEDOUT", "ECONNABORTED", "EHOSTUNREACH",
                                                "ENETUNREACH", "ENETDOWN", "EHOSTDOWN", "ENOTCONN"};

std::string_view flags_of(const DataCall& kind, const std::vector<std::string_view>& arguments) {
  return kind.flags && *kind.flags < arguments.size() ? arguments[*kind.flags] : std::string_view();
}

}  // namespace

// -- Bytes that are read and written -----------------------------------------------------------------------------

/// What goes into a pipe may be read before the call returns, so it is there at once.
void LogJudge::offer(Task& task, const DataCall& kind, const strace::Call& call) {
  OpenCall& open = *task.call;
  open.file = task.table->file(descriptor_in(call.arguments));
  open.may_send = !kind.receives;
  if (kind.receives || !open.file || open.file->kind != Kind::channel || !open.file->out) return;
  Moved bytes = offered(kind, strace::items(call.arguments));
  if (bytes.cut) return open.file->out->lose();
  open.offered = bytes.count;
  open.file->out->put({std::move(bytes.bytes), nullptr, 0, bytes.count});
  open.offered_through = open.file->out->put_so_far();
}

void LogJudge::on_data(const Returned& returned, const DataCall& kind) {
  OpenCall& open = *returned.task.call;
  // Of a call in whose middle the descriptor became known.
  if (!open.file) open.file = returned.file(0);
  const File& file = open.file;
  if (file && file->kind == Kind::channel) on_data_of_channel(returned, kind, file);
  if (!returned.result().succeeded()) return on_error(returned, file);
  if (!file || file->kind == Kind::standard) return on_data_from_nowhere(returned, kind);
  if (file->client) on_data_of_client(returned, kind, file);
  const bool is_message = kind.shape == DataCall::Shape::message || kind.shape == DataCall::Shape::messages;
  if (is_message && returned.call.arguments.contains("SCM_RIGHTS")) on_passed_descriptors(returned, file);
}

void LogJudge::on_data_of_client(const Returned& returned, const DataCall& kind, const File& file) {
  Client& client = *file->client;
  const std::string_view flags = flags_of(kind, returned.arguments);
  if (flags.contains("MSG_PEEK") || flags.contains("MSG_ERRQUEUE")) return;
  if (flags.contains("MSG_OOB")) {
    return findings_.doubt("urgent", returned.moment.text() + ": urgent data of " + client.name() + " is not followed");
  }
  if (returned.value() == 0) {
    const bool asks_for_none = kind.shape == DataCall::Shape::bytes && returned.argument(2) == "0";
    if (kind.receives && !asks_for_none) traffic_.end_read(returned.moment, client);
    return;
  }
  const Moved bytes = moved(kind, returned.arguments, returned.count());
  if (kind.receives && flags.contains("MSG_TRUNC") && bytes.cut) {
    // The server has thrown them away.
    traffic_.receive_unseen(returned.moment, file->client, bytes.count);
    return;
  }
  if (bytes.cut) {
    if (!refusal_) {
      refusal_ = BadInput{returned.moment.line, "the bytes of a client are cut short here: record with a longer -s"};
    }
    return;
  }
  if (kind.receives) {
    traffic_.receive(returned.moment, client, bytes);
  } else {
    traffic_.send(returned.moment, client, bytes);
  }
}

void LogJudge::on_data_of_channel(const Returned& returned, const DataCall& kind, const File& file) {
  const OpenCall& open = *returned.task.call;
  const std::uint64_t count = returned.count();
  if (!kind.receives) {
    if (open.offered == 0 || !file->out) return;
    const std::uint64_t taken = kind.shape == DataCall::Shape::messages ? open.offered : count;
    if (taken >= open.offered) return;
    // Others have put theirs behind it by now.
    if (file->out->put_so_far() != open.offered_through) return file->out->lose();
    return file->out->take_back(open.offered - taken);
  }
  if (count == 0 || !file->in || flags_of(kind, returned.arguments).contains("MSG_PEEK")) return;
  const Moved bytes = moved(kind, returned.arguments, count);
  const auto segments = file->in->take(bytes.count);
  if (!segments || bytes.cut) return file->in->lose();
  std::string_view rest = bytes.bytes;
  for (const Segment& segment : *segments) {
    const std::string_view part = rest.substr(0, segment.count);
    rest.remove_prefix(part.size());
    if (segment.client) {
      segment.client->bytes.tell(segment.position, part);
    } else if (segment.bytes != part) {
      file->in->lose();
    }
  }
}

/// A descriptor whose origin is not in the log may be a client's.
void LogJudge::on_data_from_nowhere(const Returned& returned, const DataCall& kind) {
  const std::string_view about = strace::decoration(returned.argument(0));
  const bool is_socket = about.starts_with("socket:") || about.starts_with("TCP") || about.starts_with("UNIX-STREAM");
  if (!about.empty() && !is_socket) return;
  const bool is_standard = returned.task.call->file != nullptr;
  // What is written to the standard streams is what the server has to say to its operator.
  const bool only_says = is_standard && !kind.receives && !kind.flags && !is_socket;
  if (returned.value() <= 0 || only_says) return;
  findings_.doubt("origin", returned.moment.text() +
                                ": where the descriptor comes from is not in the log, and it may "
                                "be a client's" +
                                (about.empty() ? " (with -yy the log says what it is)" : ""));
}

void LogJudge::on_error(const Returned& returned, const File& file) {
  const std::string& error = returned.result().error;
  if (!file || !file->client || std::ranges::find(fatal, error) == fatal.end()) return;
  ++findings_.tally.errors;
  // Whoever has ended its own side is answered so as well.
  if (file->client->side_ended && (error == "EPIPE" || error == "ENOTCONN")) return;
  traffic_.fail(returned.moment, *file->client);
}

/// Descriptors that go to another process in a message (SCM_RIGHTS).
void LogJudge::on_passed_descriptors(const Returned& returned, const File& file) {
  Table& table = *returned.task.table;
  const bool sends = returned.call.name.starts_with("send");
  std::deque<std::vector<File>>* queue = &passing_;
  if (file->kind == Kind::channel && (sends ? file->out : file->in)) {
    queue = &(sends ? file->out : file->in)->passing;
  }
  for (const std::string_view list : strace::fields(returned.call.arguments, "cmsg_data")) {
    // Credentials and times come so too, `{pid=…}`, and nobody needs to send them.
    if (!list.starts_with('[')) continue;
    std::vector<File> files;
    const auto numbers = strace::items_inside(list);
    if (sends) {
      for (const std::string_view number : numbers) {
        files.push_back(table.file(descriptor_in(number)));
      }
      queue->push_back(std::move(files));
    } else if (!queue->empty()) {
      files = std::move(queue->front());
      queue->pop_front();
      const bool on_exec = returned.call.arguments.contains("MSG_CMSG_CLOEXEC");
      for (std::size_t index = 0; index < std::min(files.size(), numbers.size()); ++index) {
        if (files[index]) install(returned, descriptor_in(numbers[index]), files[index], on_exec);
      }
      for (File& one : files) release(one, returned.moment, returned.task.process->stopped);
    }
  }
}

// -- Bytes that are moved inside the kernel ----------------------------------------------------------------------

/// None: it is not known what they are.
std::optional<std::vector<Segment>> LogJudge::taken_from(const Returned& returned, const File& from,
                                                         std::uint64_t count) {
  if (from && from->client) return std::vector{traffic_.receive_unseen(returned.moment, from->client, count)};
  if (!from || from->kind != Kind::channel || !from->in) return std::nullopt;
  return returned.call.name == "tee" ? from->in->look(count) : from->in->take(count);
}

void LogJudge::hold(Task& task, const Route& route, const strace::Call& call) {
  const auto arguments = strace::items(call.arguments);
  const auto file = [&](std::size_t index) {
    return index < arguments.size() ? task.table->file(descriptor_in(arguments[index])) : nullptr;
  };
  task.call->from = file(route.from);
  task.call->file = file(route.to);
  task.call->may_send = true;
}

void LogJudge::on_splice(const Returned& returned, const Route& route) {
  File& from = returned.task.call->from;
  File& to = returned.task.call->file;
  // Of a call in whose middle the descriptors became known.
  if (!from) from = returned.file(route.from);
  if (!to) to = returned.file(route.to);
  if (!returned.result().succeeded()) {
    on_error(returned, from);
    return on_error(returned, to);
  }
  if (returned.value() == 0) {
    if (from && from->client) traffic_.end_read(returned.moment, *from->client);
    return;
  }
  const auto segments = taken_from(returned, from, returned.count());
  if (to && to->kind == Kind::channel && to->out) {
    if (!segments) return to->out->lose();
    for (const Segment& segment : *segments) to->out->put(segment);
  }
  if (!to || !to->client) return;
  if (segments) return traffic_.send_unseen(returned.moment, *to->client, *segments);
  to->client->lost = true;
  findings_.doubt("unseen", returned.moment.text() + ": what " + to->client->name() + " is sent is not in the log");
}

// -- What becomes of a connection --------------------------------------------------------------------------------

void LogJudge::on_shutdown(const Returned& returned) {
  const File file = returned.file(0);
  if (!file || !file->client) return;
  if (!returned.result().succeeded()) return on_error(returned, file);
  if (returned.argument(1) != "SHUT_RD") traffic_.end_side(returned.moment, *file->client);
}

void LogJudge::on_getsockopt(const Returned& returned) {
  const File file = returned.file(0);
  if (!returned.result().succeeded() || !file || !file->client || returned.argument(2) != "SO_ERROR") return;
  if (returned.argument(3) != "[0]") traffic_.fail(returned.moment, *file->client);
}

void LogJudge::on_epoll_ctl(const Returned& returned) {
  const File watched = returned.file(2);
  const std::string_view data = strace::field(returned.argument(3), "data");
  if (!returned.result().succeeded() || returned.argument(1) == "EPOLL_CTL_DEL" || !watched || data.empty()) return;
  File epoll = returned.file(0);
  if (!epoll) {
    epoll = make(Kind::epoll);
    install(returned, returned.descriptor(0), epoll, false);
  }
  auto& all = epoll->watched;
  const bool is_new = all.insert_or_assign(std::string(data), watched).second;
  // What is closed goes by and by.
  if (is_new && std::has_single_bit(all.size()))
    std::erase_if(all, [](const auto& one) { return one.second.expired(); });
}

/// A connection that was reset may be told by its event alone.
void LogJudge::on_epoll_wait(const Returned& returned) {
  const File epoll = returned.file(0);
  if (!returned.result().succeeded() || !epoll || !returned.argument(1).contains("EPOLLERR")) return;
  for (const std::string_view event : strace::items_inside(returned.argument(1))) {
    if (!strace::field(event, "events").contains("EPOLLERR")) continue;
    const auto found = epoll->watched.find(std::string(strace::field(event, "data")));
    const File file = found == epoll->watched.end() ? nullptr : found->second.lock();
    if (file && file->client) traffic_.fail(returned.moment, *file->client);
  }
}

void LogJudge::on_poll(const Returned& returned) {
  const std::string_view detail = returned.result().detail;
  if (!detail.contains("POLLERR") || !detail.starts_with("(")) return;
  for (const std::string_view event : strace::items_inside(detail.substr(1))) {
    if (!strace::field(event, "revents").contains("POLLERR")) continue;
    const File file = returned.task.table->file(descriptor_in(strace::field(event, "fd")));
    if (file && file->client) traffic_.fail(returned.moment, *file->client);
  }
}

/// Rings move bytes without a call. One that is only made moves none.
void LogJudge::on_io_uring(const Returned& returned) {
  const bool polls = returned.argument(1).contains("IORING_SETUP_SQPOLL");
  if (returned.call.name == "io_uring_setup") on_open(returned);
  if (!returned.result().succeeded()) return;
  if (returned.call.name == "io_uring_setup" ? !polls : returned.value() == 0) return;
  findings_.blind("ring", "line " + std::to_string(returned.moment.line) + ", " + returned.moment.who + ", " +
                              returned.call.name + ": what a ring sends and receives is not in the log");
}

// -- All of them -------------------------------------------------------------------------------------------------

const std::map<std::string_view, LogJudge::Handler>& LogJudge::handlers() {
  static const std::map<std::string_view, Handler> all = [] {
    std::map<std::string_view, Handler> made;
    const auto on = [&](Handler handler, std::initializer_list<std::string_view> names) {
      for (const std::string_view name : names) made.emplace(name, handler);
    };
    on(&LogJudge::on_accept, {"accept", "accept4"});
    on(&LogJudge::on_socket, {"socket"});
    on(&LogJudge::on_address, {"bind", "getsockname", "getpeername"});
    on(&LogJudge::on_listen, {"listen"});
    on(&LogJudge::on_pair, {"socketpair"});
    on(&LogJudge::on_pipe, {"pipe", "pipe2"});
    on(&LogJudge::on_open,
       {"open",          "openat",          "openat2",           "creat",          "eventfd",
        "eventfd2",      "signalfd",        "signalfd4",         "timerfd_create", "inotify_init",
        "inotify_init1", "fanotify_init",   "memfd_create",      "memfd_secret",   "userfaultfd",
        "pidfd_open",    "perf_event_open", "open_by_handle_at", "fsopen",         "fsmount",
        "fspick",        "open_tree",       "mq_open",           "pidfd_getfd",    "landlock_create_ruleset"});
    on(&LogJudge::on_dup, {"dup", "dup2", "dup3"});
    on(&LogJudge::on_fcntl, {"fcntl", "fcntl64"});
    on(&LogJudge::on_ioctl, {"ioctl"});
    on(&LogJudge::on_close_range, {"close_range"});
    on(&LogJudge::on_clone, {"clone", "clone3", "fork", "vfork"});
    on(&LogJudge::on_exec, {"execve", "execveat"});
    on(&LogJudge::on_unshare, {"unshare"});
    on(&LogJudge::on_shutdown, {"shutdown"});
    on(&LogJudge::on_getsockopt, {"getsockopt"});
    on(&LogJudge::on_epoll_create, {"epoll_create", "epoll_create1"});
    on(&LogJudge::on_epoll_ctl, {"epoll_ctl"});
    on(&LogJudge::on_epoll_wait, {"epoll_wait", "epoll_pwait", "epoll_pwait2"});
    on(&LogJudge::on_poll, {"poll", "ppoll"});
    on(&LogJudge::on_io_uring, {"io_uring_setup", "io_uring_enter", "io_submit"});
    return made;
  }();
  return all;
}

}  // namespace antiphon::verify::foreign
