#include "verify/transcript.hpp"

#include <algorithm>
#include <string_view>

#include "core/result.hpp"
#include "verify/contract.hpp"

namespace antiphon::verify {

namespace {

/// So many clients are shown in full.
constexpr std::size_t most_clients = 5;
/// Longer content is cut to half of that.
constexpr std::uint64_t most_bytes = 48;
/// Where remarks begin.
constexpr std::size_t remark_column = 18;

/// Content of which only the beginning need be known.
std::string quoted(std::string_view beginning, std::uint64_t count) {
  if (count <= most_bytes && beginning.size() >= count) return in_quotes(beginning.substr(0, count));
  std::string text = in_quotes(beginning.substr(0, most_bytes / 2));
  text.insert(text.size() - 1, "…");
  return text + " (" + std::to_string(count) + " bytes)";
}

/// Goes through the script of a client as far as the client has come.
class OfClient {
 public:
  OfClient(const Endpoint& at, const Visit& visit, const ClientsRun& run, std::size_t client)
      : at_(at),
        script_(visit.clients[client]),
        view_(run.views[client]),
        number_(static_cast<std::uint32_t>(client)) {}

  std::vector<std::string> lines() {
    for (const script::Action& action : script_) {
      if (!std::visit([this](const auto& one) { return show(one); }, action)) break;
    }
    if (view_.connected) {
      show_received(view_.conversation.sent());
      show_outcome();
      if (lines_.back().starts_with("$")) lines_.emplace_back("< connected");
    }
    return std::move(lines_);
  }

 private:
  // Each answers whether the client went on with its script.

  bool show(const script::Connect&) {
    lines_.push_back("$ nc " + at_.host + " " + std::to_string(at_.port));
    if (view_.unconnected == Errno::EXPIRED || view_.unconnected == Errno::STOPPING) {
      lines_.emplace_back("< no connection");
    } else if (view_.unconnected) {
      lines_.push_back("< no connection (" + name_of(*view_.unconnected) + ")");
    }
    return view_.connected;
  }

  bool show(const script::Send& send) {
    if (ended_) return true;
    const std::uint64_t count = std::min<std::uint64_t>(send.count, view_.conversation.received() - sent_);
    if (count == 0) return send.count == 0;
    const std::string beginning = payload(number_, sent_, std::min(count, most_bytes));
    sent_ += count;
    const std::string rest = count < send.count ? " of " + std::to_string(send.count) : "";
    lines_.push_back("> " + quoted(beginning, count) + rest);
    return rest.empty();
  }
  bool show(const script::SendAny& any) { return show(script::Send{any.count}); }

  bool show(const script::Await& await) {
    awaited_ += await.count;
    const std::uint64_t due = std::min(awaited_, sent_);
    show_received(std::min(due, view_.conversation.sent()));
    return view_.conversation.sent() >= due;
  }

  bool show(const script::EndSide&) {
    ended_ = view_.ended_side;
    if (ended_) lines_.emplace_back("> end");
    return ended_;
  }

  bool show(const script::Reset&) {
    if (view_.failure || view_.met_end) return false;
    lines_.emplace_back("> reset");
    return false;
  }

  bool show(const script::Pause& pause) {
    lines_.push_back("… " + std::to_string(pause.wait_ms) + " ms");
    return true;
  }

  bool show(const script::StopReading&) {
    lines_.emplace_back("… reads no more");
    return true;
  }

  void show_received(std::uint64_t up_to) {
    if (up_to <= received_) return;
    const std::string_view known =
        std::string_view(view_.came_first).substr(std::min<std::size_t>(received_, view_.came_first.size()));
    lines_.push_back("< " + quoted(known, up_to - received_));
    received_ = up_to;
  }

  void show_outcome() {
    if (view_.failure) {
      lines_.push_back("< reset (" + name_of(*view_.failure) + ")");
    } else if (view_.met_end) {
      lines_.emplace_back("< end");
    } else if (view_.gave_up() && !resets(script_) && !view_.conversation.mismatch()) {
      lines_.emplace_back("< silence");
    }
  }

  const Endpoint& at_;
  const Script& script_;
  const ClientView& view_;
  std::uint32_t number_;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t awaited_ = 0;
  bool ended_ = false;
  std::vector<std::string> lines_;
};

/// The number of columns that a line takes: continuation bytes of UTF-8 take none.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char byte) { return (byte & 0xC0) != 0x80; }));
}

/// The clients that are shown: all of a few, or the one of the fault.
std::vector<std::size_t> shown_clients(std::size_t count, std::size_t of_fault) {
  std::vector<std::size_t> clients;
  for (std::size_t client = 0; client < count; ++client) {
    if (count <= most_clients || client == of_fault) clients.push_back(client);
  }
  return clients;
}

}  // namespace

std::vector<std::string> transcript(const Endpoint& at, const Visit& visit, const ClientsRun& run, const Fault& fault) {
  std::vector<std::string> lines;
  const std::vector<std::size_t> shown = shown_clients(run.views.size(), fault.client);
  for (const std::size_t client : shown) {
    if (run.views.size() > 1) lines.push_back("client " + std::to_string(client + 1));
    std::vector<std::string> of_client = OfClient(at, visit, run, client).lines();
    if (client == fault.client && !fault.where.empty() && !of_client.empty()) {
      std::string& last = of_client.back();
      const std::size_t columns = width(last);
      last.append(std::max(remark_column, columns + 2) - columns, ' ');
      last += fault.where;
    }
    for (std::string& line : of_client) lines.push_back((run.views.size() > 1 ? "  " : "") + std::move(line));
  }
  const std::size_t others = run.views.size() - shown.size();
  if (others == 0) return lines;
  const bool alike = std::ranges::count(visit.clients, visit.clients[fault.client]) ==
                     static_cast<std::ptrdiff_t>(visit.clients.size());
  lines.push_back("and " + std::to_string(others) + " other clients" + (alike ? ", which do the same" : "") +
                  (visit.in_turn ? ", one after the other" : ""));
  return lines;
}

}  // namespace antiphon::verify
