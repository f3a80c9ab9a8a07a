#include "interpreters/strace_text.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>
#include <vector>

#include "interpreters/strace_arguments.hpp"

namespace antiphon::strace {

namespace {

/// A read or a write of 16 MiB, each byte of which takes four, and little else.
constexpr std::size_t longest_line = std::size_t{80} << 20U;
/// Stands for the first process for as long as it is the only one: then its number is not in the log.
constexpr Pid unnumbered = 0;

constexpr std::string_view unfinished = "<unfinished ...>";
constexpr std::string_view detached = "<detached ...>";
constexpr std::string_view digits = "0123456789";

/// Takes what stands before the delimiter off the text; none if there is no such delimiter.
std::optional<std::string_view> taken(std::string_view& text, std::string_view delimiter) {
  const std::size_t at = text.find(delimiter);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view front = text.substr(0, at);
  text.remove_prefix(at + delimiter.size());
  return front;
}

/// Takes the digits off that the text begins with; "" if there are none.
std::string_view digits_of(std::string_view& text) {
  const std::string_view front = text.substr(0, std::min(text.find_first_not_of(digits), text.size()));
  text.remove_prefix(front.size());
  return front;
}

/// What -t, -tt, -ttt and -r put before a call: `12:00:00.123`, `1700000000.123456`, `(+     0.000012)`.
bool is_time(std::string_view word) {
  return !word.empty() && digits.contains(word[0]) && word.find_first_of(":.") != std::string_view::npos &&
         word.find_first_not_of("0123456789:.") == std::string_view::npos;
}

/// Takes off what -t, -r, -n and -i put before a call.
std::string_view without_times(std::string_view text) {
  for (;;) {
    text = without_spaces(text);
    std::string_view rest = text;
    if (text.starts_with("(+")) {
      taken(rest, ")");
    } else if (text.starts_with("[") && !text.starts_with("[pid") && !text.starts_with("[ Process")) {
      taken(rest, "]");
    } else if (const auto word = taken(rest, " "); !word || !is_time(*word)) {
      return text;
    }
    if (rest.size() == text.size()) return text;
    text = rest;
  }
}

/// `strace: Process 4243 attached`, which may stand in the middle of a line of another process, at its end.
struct Notice {
  std::size_t at;
  Pid pid;
  std::string_view what;  ///< "attached", "attached with 2 threads", "detached"
};
std::optional<Notice> notice_at_end(std::string_view text) {
  static constexpr std::string_view start = "strace: Process ";
  static constexpr std::size_t longest = 80;
  const std::size_t from = text.size() - std::min(text.size(), longest);
  const std::size_t in_end = text.substr(from).rfind(start);
  if (in_end == std::string_view::npos) return std::nullopt;
  const std::size_t at = from + in_end;
  std::string_view rest = text.substr(at + start.size());
  const auto pid = number(digits_of(rest));
  rest = without_spaces(rest);
  const bool has_threads = rest.starts_with("attached with ") && rest.ends_with(" threads");
  // Anything else may be what a client says.
  if (!pid || (rest != "attached" && rest != "detached" && !has_threads)) return std::nullopt;
  return Notice{at, *pid, rest};
}

/// The text without a mark at its end that says that the call goes on in another line.
std::optional<std::string_view> without_mark(std::string_view text) {
  for (const std::string_view mark : {unfinished, detached}) {
    if (text.ends_with(mark)) return text.substr(0, text.size() - mark.size());
  }
  return std::nullopt;
}

/// What -T puts at the end: ` <0.000012>`.
std::string_view without_duration(std::string_view text) {
  const std::size_t at = text.rfind(" <");
  if (at == std::string_view::npos || !text.ends_with('>')) return text;
  return is_time(text.substr(at + 2, text.size() - at - 3)) ? text.substr(0, at) : text;
}

std::optional<Result> result_of(std::string_view text) {
  Result result;
  text = without_duration(without_spaces(text));
  if (text.starts_with('?')) {
    result.detail = text.substr(1);
    return result;
  }
  const std::size_t end = std::min(text.find_first_not_of("-x0123456789abcdef"), text.size());
  result.value = number(text.substr(0, end));
  if (!result.value) return std::nullopt;
  text = without_spaces(text.substr(end));
  if (*result.value == -1 && text.starts_with('E')) {
    result.error = text.substr(0, text.find(' '));
    text.remove_prefix(result.error.size());
  }
  result.detail = without_spaces(text);
  return result;
}

}  // namespace

Reader::Reader(std::istream& in) : lines_(in, longest_line) {}

BadInput Reader::bad(std::string what) const { return bad_input(lines_.number(), std::move(what)); }

std::string Reader::name_of(Pid pid) const {
  if (pid != unnumbered) return "pid " + std::to_string(pid);
  return first_is_ ? "pid " + std::to_string(*first_is_) : "the first process";
}

std::expected<std::optional<Event>, BadInput> Reader::next() {
  for (;;) {
    const auto line = lines_.next();
    if (!line) return std::unexpected(bad(line.error()));
    if (!*line) return std::nullopt;
    auto event = read(**line);
    if (!event || *event) return event;
  }
}

/// None: the line tells of no event.
std::expected<std::optional<Event>, BadInput> Reader::read(std::string_view line) {
  const auto interrupted = std::exchange(interrupted_, std::nullopt);
  static constexpr std::array<std::string_view, 4> beside{" <unfinished", " <detached", " > ", " | "};
  if (std::ranges::any_of(beside, [&](std::string_view start) { return line.starts_with(start); })) return std::nullopt;
  if (line.starts_with("strace: ") || line.starts_with("[ Process PID=")) return read_notice(line);
  if (interrupted) return read_rest(*interrupted, line);
  const Prefix prefix = prefix_of(line);
  const auto pid = who(prefix);
  if (!pid) return std::unexpected(pid.error());
  if (prefix.rest.starts_with("+++ ")) return read_end(*pid, prefix.rest.substr(4));
  if (prefix.rest.starts_with("<... ")) {
    return read_resumed(*pid, prefix.rest.substr(5));
  }
  if (!prefix.rest.starts_with("--- ")) return read_call(*pid, prefix.rest);
  std::string_view text = prefix.rest.substr(4);
  Signal signal{std::string(text.substr(0, text.find(' '))), number(field(text, "si_pid"))};
  if (!signal.name.starts_with("SIG")) return std::nullopt;
  if (signal.sender && first_is_ == signal.sender) signal.sender = unnumbered;
  return Event{lines_.number(), *pid, std::move(signal)};
}

/// What strace itself has to say.
std::optional<Event> Reader::read_notice(std::string_view text) {
  const auto notice = notice_at_end(text);
  if (!notice) return std::nullopt;
  if (notice->what == "detached") {
    living_.erase(notice->pid);
    return std::nullopt;
  }
  announce(notice->pid);
  const std::size_t with = notice->what.find("with ");
  const auto threads = with == std::string_view::npos ? std::nullopt : number(notice->what.substr(with + 5));
  if (!threads) return std::nullopt;
  return Event{lines_.number(), notice->pid, Attached{*threads}};
}

void Reader::announce(Pid child) {
  if (child > 0 && !living_.contains(child)) announced_.insert(child);
}

/// `[pid  4242] `, `4242 `, or nothing; then the time, if it is told.
Reader::Prefix Reader::prefix_of(std::string_view line) {
  std::string_view rest = line;
  std::optional<Pid> pid;
  if (rest.starts_with("[pid ")) {
    const auto inside = taken(rest, "]");
    pid = inside ? number(without_spaces(inside->substr(5))) : std::nullopt;
  } else {
    const std::string_view written = digits_of(rest);
    // Its program's name follows with -Y.
    if (rest.starts_with('<')) rest.remove_prefix(std::min(rest.find("> "), rest.size() - 1) + 1);
    if (written.empty() || !rest.starts_with(' ')) {
      rest = line;
    } else {
      pid = number(written);
    }
  }
  return {pid, without_times(rest)};
}

std::expected<Pid, BadInput> Reader::who(const Prefix& prefix) {
  if (prefix.pid) return who_is(*prefix.pid, prefix.rest);
  if (living_.empty()) living_.insert(unnumbered);
  std::vector<Pid> could_be(living_.begin(), living_.end());
  if (could_be.size() > 1) std::erase_if(could_be, [&](Pid pid) { return leaving_.contains(pid); });
  if (could_be.size() == 1) return could_be.front();
  return std::unexpected(bad("the line does not say of which process it is"));
}

Pid Reader::who_is(Pid written, std::string_view rest) {
  if (living_.contains(written)) return written;
  if (written == first_is_) return unnumbered;
  // The number of the process that had none is told with its first line once there are two of them.
  const bool resumes = rest.starts_with("<... ");
  if (!first_is_ && living_.contains(unnumbered) && !announced_.contains(written) &&
      resumes == pending_.contains(unnumbered)) {
    first_is_ = written;
    return unnumbered;
  }
  announced_.erase(written);
  living_.insert(written);
  return written;
}

std::expected<Event, BadInput> Reader::read_end(Pid pid, std::string_view text) {
  living_.erase(pid);
  leaving_.erase(pid);
  pending_.erase(pid);
  if (text.starts_with("exited with ")) return Event{lines_.number(), pid, Gone{}};
  if (text.starts_with("killed by ")) {
    text = without_spaces(text.substr(10));
    return Event{lines_.number(), pid, Gone{std::string(text.substr(0, text.find(' ')))}};
  }
  static constexpr std::string_view superseded = "superseded by execve in pid ";
  const auto by = text.starts_with(superseded) ? number(text.substr(superseded.size())) : std::nullopt;
  if (!by) return std::unexpected(bad("not an end of a process: " + std::string(text)));
  living_.erase(*by);
  living_.insert(pid);
  if (auto call = pending_.extract(*by)) {
    call.key() = pid;
    pending_.insert(std::move(call));
  }
  return Event{lines_.number(), pid, Superseded{*by}};
}

/// Of a call that goes on in another line, what this one tells.
std::optional<std::string_view> Reader::told_so_far(Pid pid, std::string_view text) {
  if (const auto front = without_mark(text)) return front;
  const auto notice = notice_at_end(text);
  if (!notice) return std::nullopt;
  read_notice(text.substr(notice->at));
  interrupted_ = pid;
  return text.substr(0, notice->at);
}

std::expected<Event, BadInput> Reader::read_call(Pid pid, std::string_view text) {
  const std::size_t open = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_?");
  if (open == 0 || open == std::string_view::npos || text[open] != '(') {
    return std::unexpected(bad("not a line of strace: " + std::string(text)));
  }
  Pending call{std::string(text.substr(0, open)), "", lines_.number()};
  if (pending_.contains(pid)) return std::unexpected(bad("a call begins before the last one returned"));
  if (call.name == "exit" || call.name == "exit_group") leaving_.insert(pid);
  text.remove_prefix(open);
  const auto so_far = told_so_far(pid, text);
  if (!so_far) {
    call.text = text;
    return returned(pid, std::move(call), true);
  }
  call.text = without_spaces(*so_far);
  // What is let go of goes on, and nobody sees it.
  if (!text.ends_with(detached)) pending_.insert_or_assign(pid, call);
  return Event{lines_.number(), pid, Call{call.name, call.text.substr(1), true, call.line, std::nullopt}};
}

std::expected<std::optional<Event>, BadInput> Reader::read_resumed(Pid pid, std::string_view text) {
  const auto head = taken(text, " resumed>");
  const auto found = pending_.find(pid);
  if (!head || found == pending_.end() || found->second.name != *head) {
    return std::unexpected(bad("a call goes on that was not begun: <... " + std::string(head.value_or(text))));
  }
  return read_rest(pid, text);
}

/// None: the call goes on in yet another line.
std::expected<std::optional<Event>, BadInput> Reader::read_rest(Pid pid, std::string_view text) {
  const auto found = pending_.find(pid);
  if (const auto so_far = told_so_far(pid, text)) {
    found->second.text += without_spaces(*so_far);
    return std::nullopt;
  }
  Pending call = std::move(found->second);
  pending_.erase(found);
  call.text += text;
  return returned(pid, std::move(call), false);
}

/// `call.text` is all that there is of it.
std::expected<Event, BadInput> Reader::returned(Pid pid, Pending call, bool begins) {
  const std::string& whole = call.text;
  const auto close = closing(whole, 0);
  const std::size_t equals = close ? whole.find_first_not_of(' ', *close + 1) : std::string::npos;
  if (equals == std::string::npos || whole[equals] != '=') {
    return std::unexpected(bad("a call of " + call.name + " without its end"));
  }
  const std::string_view after = std::string_view(whole).substr(equals + 1);
  auto result = result_of(after);
  if (!result) {
    return std::unexpected(bad("a call of " + call.name + " with the result" + std::string(after)));
  }
  // A child's number is known, whoever of the two is heard of first.
  if (call.name.contains("fork") || call.name.starts_with("clone")) announce(result->value.value_or(-1));
  std::string_view arguments = std::string_view(whole).substr(1, *close - 1);
  // Of one that its process did not live to see.
  arguments = without_mark(arguments).value_or(arguments);
  return Event{
      lines_.number(), pid,
      Call{std::move(call.name), std::string(without_spaces(arguments)), begins, call.line, std::move(result)}};
}

}  // namespace antiphon::strace
