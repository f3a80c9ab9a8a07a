#include "interpreters/sandbox/report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>
#include <iterator>
#include <vector>

namespace antiphon::sandbox {

namespace {

class Page {
 public:
  void heading(std::string_view text) { fmt::format_to(std::back_inserter(text_), "{}\n", text); }
  void row(std::string_view who, std::string_view what, std::string_view why) {
    fmt::format_to(std::back_inserter(text_), "  {:<15} {:<32} {}\n", who, what, why);
  }
  /// Of consecutive needs of one party its name is shown once.
  void rows(const std::vector<Need>& needs) {
    std::string_view before;
    for (const Need& need : needs) {
      row(need.who == before ? "" : need.who, text_of(need.what), need.why);
      before = need.who;
    }
  }
  std::string text() && { return std::move(text_); }

 private:
  std::string text_;
};

template <class... Is>
std::vector<std::string_view> in_order(Effects<Is...>) {
  return {Is::name...};
}

void put_program(Page& page, const Reach& reach, Interpreter interpreter) {
  page.heading(reach.exact() ? "the program: every branch was walked, so this is exact"
                             : "the program: this is a bound, all that its effect set has; " + reach.why_not_exact);
  for (const std::string_view name : in_order(Net{})) {
    if (!reach.anywhere.contains(name)) {
      page.row(name, "", "never issued");
      continue;
    }
    if (!reach.listening.contains(name)) {
      page.row(name, "", "before it listens only");
      for (const Need& need : needs_of({name}, interpreter)) page.row("", "(" + text_of(need.what) + ")", need.why);
      continue;
    }
    std::vector<Need> needs = needs_of(reach, interpreter);
    std::erase_if(needs, [&](const Need& need) { return need.who != name; });
    if (needs.empty()) {
      page.row(name, "nothing", "the interpreter does it alone");
    } else {
      page.rows(needs);
    }
  }
}

void put_files(Page& page, const Profile& profile) {
  const Grounds& grounds = profile.grounds;
  page.heading("Landlock: files, ports and other processes");
  page.row("files", grounds.folder ? "write in " + *grounds.folder : "none",
           grounds.folder ? "the parts of the trace" : "what is open stays open");
  page.row("TCP",
           grounds.binds && grounds.connects ? "bind, connect"
           : grounds.binds                   ? "bind"
           : grounds.connects                ? "connect"
                                             : "none",
           "beside the sockets that there are");
  page.row("processes", grounds.signals ? "signals" : "none", "but its own children");
}

}  // namespace

std::string report(const Reach& reach, const Surroundings& surroundings) {
  const Profile profile = profile_of(reach, surroundings);
  Page page;
  put_program(page, reach, surroundings.interpreter);
  page.heading("the process, whatever its program is");
  page.rows(needs_of(surroundings));
  page.heading("refused with an error; any other call ends the process");
  for (const Refusal& refusal : profile.refusals) {
    page.row(strerrorname_np(refusal.error), text_of(refusal.what), refusal.why);
  }
  put_files(page, profile);
  page.heading("capabilities: all are dropped, and no_new_privs is set");
  for (const Capability& kept : profile.keeps) page.row("but for", kept.name, kept.why);
  page.heading("limits");
  for (const Limit& limit : profile.limits) page.row(limit.name, std::to_string(limit.most), limit.why);
  page.heading("what this kernel lacks");
  const std::vector<std::string> missing = missing_layers();
  for (const std::string& one : missing) page.row("", one, "");
  if (missing.empty()) page.row("", "nothing", "");
  return std::move(page).text();
}

}  // namespace antiphon::sandbox
