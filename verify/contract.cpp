#include "verify/contract.hpp"

#include <algorithm>

namespace antiphon::verify {

Seen::Seen(const Event& the_event, const Family& family) : event(the_event), before(family) {
  const auto let_go = [&](const Held& held) {
    if (!held.listener && before.holders(held.connection).size() == 1) last_releases.push_back(held.connection);
  };
  if (ended() != nullptr) {
    const ProcessState* const one = before.process(process());
    if (one == nullptr) return;
    for (const auto& [name, held] : one->table) let_go(held);
  } else if (const auto* close = issued<Close>(); close != nullptr && close->response) {
    if (const auto what = held(close->instruction.socket)) let_go(*what);
  }
}

Excuse Seen::excuse(const ConnectionState& connection, std::int64_t max_connections) const {
  if (connection.excuse != Excuse::none || connection.served) return connection.excuse;
  const std::optional<std::int64_t> refuses_above = before.process(process())->refuses_above;
  return refuses_above && *refuses_above >= max_connections ? Excuse::refused : Excuse::none;
}

bool Report::knows(const Clause& clause) const {
  return std::ranges::any_of(breaches_, [&](const Breach& breach) { return breach.clause.name == clause.name; });
}

void Report::breach(const Clause& clause, Party party, std::string sentence) {
  if (!knows(clause)) breaches_.push_back({clause, party, std::move(sentence)});
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
