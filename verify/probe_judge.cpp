#include "verify/probe_judge.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "core/result.hpp"
#include "verify/contract.hpp"

namespace antiphon::verify {

namespace {

/// Errors that say that this machine lacks something, and nothing of the server.
bool is_local(Errno error) {
  constexpr std::array local{Errno::NFILE,        Errno::MFILE,     Errno::NOMEM, Errno::NOBUFS, Errno::AGAIN,
                             Errno::ADDRNOTAVAIL, Errno::ADDRINUSE, Errno::PERM,  Errno::ACCES};
  return std::ranges::find(local, error) != local.end();
}

/// Judges one client.
class OfClient {
 public:
  OfClient(const Visit& visit, const ClientsRun& run, std::size_t client)
      : visit_(visit),
        run_(run),
        script_(visit.clients[client]),
        view_(run.views[client]),
        client_(client),
        once_(visit.answers == Answers::first_message) {}

  void judge(ProbeVerdict& verdict) const {
    if (const auto why = unjudged()) {
      if (std::ranges::find(verdict.unjudged, *why) == verdict.unjudged.end()) verdict.unjudged.push_back(*why);
      return;
    }
    if (auto fault = find()) verdict.faults.push_back(*std::move(fault));
  }

 private:
  [[nodiscard]] std::optional<std::string> unjudged() const {
    const auto error = view_.unconnected ? view_.unconnected : view_.failure;
    if (error && is_local(*error)) return "this machine lacks something: " + name_of(*error);
    if (view_.conversation.mismatch()) return std::nullopt;
    const bool cut = view_.stopped && !run_.had_its_time && !holds(visit_, client_, view_);
    if (cut || (!view_.begun && (view_.stopped || !view_.over))) return "the time was up";
    return std::nullopt;
  }

  [[nodiscard]] std::optional<Fault> find() const {
    if (!view_.begun) return std::nullopt;  // it had no Connect in its script
    if (!view_.connected) return connection_fault();
    if (view_.conversation.mismatch()) return fault(Failing::altered, what_is_wrong());
    if (resets(script_) || stops_reading(script_)) return std::nullopt;
    const std::string owed = still_owed();
    if (!owed.empty()) return lacking(Failing::unanswered, owed);
    return ending();
  }

  [[nodiscard]] Fault fault(Failing failing, std::string what, std::string where = "") const {
    return {client_, failing, std::move(what), std::move(where)};
  }

  [[nodiscard]] Fault connection_fault() const {
    const Errno error = *view_.unconnected;
    const bool too_late = error == Errno::EXPIRED || error == Errno::STOPPING;
    return fault(Failing::not_accepted,
                 too_late ? "does not accept the connection in time" : "refuses the connection: " + name_of(error));
  }

  /// What has still to come, in quotes; or nothing.
  [[nodiscard]] std::string still_owed() const {
    const Conversation& conversation = view_.conversation;
    std::string_view owed = conversation.owed();
    if (once_) {
      const std::uint64_t surely = std::min({first_message(), surely_one_message, conversation.received()});
      owed = owed.substr(0, surely - std::min(surely, conversation.sent()));
    }
    return owed.empty() ? "" : in_quotes(owed);
  }

  [[nodiscard]] std::uint64_t first_message() const {
    const auto found =
        std::ranges::find_if(script_, [](const auto& action) { return std::holds_alternative<script::Send>(action); });
    return found == script_.end() ? 0 : std::get<script::Send>(*found).count;
  }

  /// Something did not come; what came in its place.
  [[nodiscard]] std::optional<Fault> lacking(Failing failing, const std::string& what) const {
    const std::string where = "where " + what + " is owed";
    if (view_.failure) return fault(failing, "resets the connection (" + name_of(*view_.failure) + ")", where);
    if (view_.met_end) return fault(failing, "ends the connection", where);
    if (view_.gave_up()) return fault(failing, "is silent", where);
    if (view_.stopped) return fault(failing, "is too slow", where);
    return std::nullopt;
  }

  /// All was answered.
  [[nodiscard]] std::optional<Fault> ending() const {
    const bool once_is_over = once_ && view_.conversation.received() > 0;
    if (!view_.ended_side && !once_is_over) return ending_of_one_who_holds();
    if (view_.met_end) return std::nullopt;
    return lacking(view_.failure ? Failing::reset_at_end : Failing::not_ended, "the end");
  }

  [[nodiscard]] std::optional<Fault> ending_of_one_who_holds() const {
    if (visit_.patience.idle_ms != forever_ms) {
      if (view_.is_let_go()) return std::nullopt;
      return fault(Failing::held, "does not let go of an idle client");
    }
    if (!view_.is_let_go()) return std::nullopt;
    return fault(Failing::ended_early, view_.failure ? "resets the connection" : "ends the connection",
                 "before its client has ended it");
  }

  [[nodiscard]] std::string what_is_wrong() const {
    std::vector<std::string> texts(run_.views.size());
    std::vector<Stream> others;
    for (std::size_t other = 0; other < texts.size(); ++other) {
      if (other == client_) continue;
      texts[other] = text_of(other);
      others.push_back({"client " + std::to_string(other + 1), texts[other]});
    }
    return explain(*view_.conversation.mismatch(), others);
  }

  /// What a client sent, its beginning.
  [[nodiscard]] std::string text_of(std::size_t client) const {
    const std::uint64_t sent = run_.views[client].conversation.received();
    return payload(static_cast<std::uint32_t>(client), 0, std::min<std::uint64_t>(sent, Mismatch::most_kept));
  }

  const Visit& visit_;
  const ClientsRun& run_;
  const Script& script_;
  const ClientView& view_;
  std::size_t client_;
  bool once_;
};

}  // namespace

std::string sentence(const Fault& fault) { return fault.where.empty() ? fault.what : fault.what + " " + fault.where; }

ProbeVerdict judge_clients(const Visit& visit, const ClientsRun& run) {
  ProbeVerdict verdict;
  for (std::size_t client = 0; client < run.views.size(); ++client) OfClient(visit, run, client).judge(verdict);
  return verdict;
}

}  // namespace antiphon::verify
