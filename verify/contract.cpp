#include "verify/contract.hpp"

#include <algorithm>

namespace antiphon::verify {

Seen::Seen(const Event& the_event, const Family& family) : event(the_event), before(family) {
  const ProcessEvent* const of_process = process_event();
  if (of_process == nullptr) return;
  actor_ = before.process(of_process->process);
  if (const auto* const issued = std::get_if<Issued>(&of_process->what)) {
    exchange_ = &issued->exchange;
    if (actor_ == nullptr) return;
    std::visit(
        [&]<class I>(const Exchange<I>& one) {
          if constexpr (OnSocket<I>) held_ = actor_->held(socket_of(one.instruction));
        },
        *exchange_);
  }
  note_releases();
}

void Seen::note_releases() {
  const auto let_go = [&](const Held& held) {
    if (!held.listener && before.holders(held.connection).size() == 1) last_releases.push_back(held.connection);
  };
  if (ended() != nullptr && actor_ != nullptr) {
    for (const auto& [name, held] : actor_->table) let_go(held);
  } else if (const auto* close = issued<Close>(); close != nullptr && close->response && held_) {
    let_go(*held_);
  }
}

Excuse Seen::excuse(const ConnectionState& connection, const Places& places) const {
  if (connection.excuse != Excuse::none || connection.served) return connection.excuse;
  const std::optional<RefusesAbove> above = actor().refuses_above;
  const bool had_places = above && above->children >= places.max_connections && above->alike >= places.max_per_address;
  return had_places ? Excuse::refused : Excuse::none;
}

bool Report::knows(const Clause& clause) const {
  return std::ranges::any_of(breaches_, [&](const Breach& breach) { return breach.clause.name == clause.name; });
}

void Report::breach(const Clause& clause, Party party, std::string sentence) {
  if (!knows(clause)) breaches_.push_back({clause, party, std::move(sentence)});
}

void Report::leave_open(std::string remark) {
  if (std::ranges::find(open_, remark) == open_.end()) open_.push_back(std::move(remark));
}

std::string quoted(const Bytes& bytes) {
  if (bytes.is_kept()) return in_quotes(bytes.content());
  return std::to_string(bytes.size()) + (bytes.size() == 1 ? " other byte" : " other bytes");
}

std::string in_quotes(std::string_view content) {
  static constexpr std::size_t longest = 48;
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "\"";
  for (std::size_t index = 0; index < content.size(); ++index) {
    if (content.size() > longest && index == longest / 2) {
      text += "\u2026";
      index = content.size() - longest / 2;
    }
    const auto byte = static_cast<unsigned char>(content[index]);
    if (byte == '\n') {
      text += "\\n";
    } else if (byte == '"' || byte == '\\') {
      text += {'\\', content[index]};
    } else if (byte >= 0x20 && byte < 0x7F) {
      text += content[index];
    } else {
      text += {'\\', 'x', digits[byte / 16], digits[byte % 16]};
    }
  }
  text += '"';
  if (content.size() > longest) text += " (" + std::to_string(content.size()) + " bytes)";
  return text;
}

}  // namespace antiphon::verify
