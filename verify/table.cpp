#include "verify/table.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

#include <range/v3/algorithm/max.hpp>
#include <range/v3/view/enumerate.hpp>
#include <range/v3/view/transform.hpp>

#include "verify/contract.hpp"

namespace antiphon::verify {

namespace {

/// Clients first, then processes.
using Column = std::pair<int, std::uint64_t>;

struct Row {
  Column column;
  std::string text;
};

std::string text_of(const Unit&) { return "ok"; }
std::string text_of(Socket socket) { return std::to_string(socket.number); }
std::string text_of(std::size_t count) { return std::to_string(count); }
std::string text_of(const Bytes& bytes) { return bytes.empty() ? "end" : quoted(bytes); }
std::string text_of(const Forked& forked) { return std::holds_alternative<Parent>(forked) ? "parent" : "child"; }

std::string operands(const OpenSocket& open) { return " " + text_of(open.at); }
std::string operands(const Listen& listen) {
  return " " + text_of(listen.listener) + " backlog " + std::to_string(listen.backlog);
}
std::string operands(const Accept& accept) { return " " + text_of(accept.listener); }
std::string operands(const Connect& connect) { return " " + text_of(connect.to); }
std::string operands(const Recv& recv) { return " " + text_of(recv.from); }
std::string operands(const Send& send) { return " " + text_of(send.to) + " " + quoted(send.bytes); }
std::string operands(const ShutdownSend& shutdown) { return " " + text_of(shutdown.socket); }
std::string operands(const Close& close) { return " " + text_of(close.socket); }
std::string operands(const Fork&) { return ""; }
std::string operands(const DiscardChildren&) { return ""; }
std::string operands(const Sleep& sleep) { return " " + std::to_string(sleep.wait_ms) + " ms"; }

std::string operands(const Alarm& alarm) {
  return alarm.wait_ms == forever_ms ? " none" : " " + std::to_string(alarm.wait_ms) + " ms";
}

std::string text_of(const Issued& issued) {
  return std::visit(
      [&]<class I>(const Exchange<I>& exchange) {
        std::string text = std::string(I::name) + operands(exchange.instruction);
        if (!exchange.response) return text + " \u2026 waits";
        if (!*exchange.response) return text + " \u2192 " + antiphon::name_of(exchange.response->error());
        if (issued.child) return text + " \u2192 process " + std::to_string(*issued.child);
        return text + " \u2192 " + text_of(**exchange.response);
      },
      issued.exchange);
}

Column column_of(const Event& event) {
  if (const auto* const of_process = std::get_if<ProcessEvent>(&event)) return {1, of_process->process};
  if (const auto* const of_client = std::get_if<ClientEvent>(&event)) return {0, of_client->client};
  return {-1, 0};
}

Row row_of(const Event& event) {
  const Column column = column_of(event);
  if (const auto* const of_process = std::get_if<ProcessEvent>(&event)) {
    if (const auto* const issued = std::get_if<Issued>(&of_process->what)) return {column, text_of(*issued)};
    const Result<Unit>& result = std::get<Ended>(of_process->what).result;
    return {column, "ends: " + (result ? "ok" : antiphon::name_of(result.error()))};
  }
  if (const auto* const of_client = std::get_if<ClientEvent>(&event)) {
    std::string text(antiphon::name_of(of_client->kind));
    std::ranges::replace(text, '_', ' ');
    if (!of_client->bytes.empty()) text += " " + quoted(of_client->bytes);
    return {column, text};
  }
  return {column, "stop is asked for"};
}

std::string heading(const Column& column) {
  if (column.first < 0) return "operator";
  return (column.first == 0 ? "client " : "process ") + std::to_string(column.second);
}

/// Characters as a reader counts them, not bytes.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }));
}

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(width - std::min(width, width_of(text)), ' ');
}

}  // namespace

std::string table_of(const std::vector<Event>& trace, std::size_t mark, std::optional<std::uint64_t> lap_from) {
  std::vector<Row> rows;
  std::map<Column, std::size_t> widths;
  for (const Event& event : trace) {
    rows.push_back(row_of(event));
    std::size_t& width = widths[rows.back().column];
    width = ranges::max({width, width_of(rows.back().text), width_of(heading(rows.back().column))});
  }
  const auto line = [&](const std::string& first, auto&& cell) {
    std::string text = first;
    for (const auto& [column, width] : widths) text += "  " + padded(cell(column), width);
    text.erase(text.find_last_not_of(' ') + 1);
    return text + '\n';
  };
  std::string text = line("      ", heading);
  for (const auto& [index, row] : rows | ranges::views::enumerate) {
    if (index == lap_from) text += "        again and again:\n";
    std::string number = std::to_string(index + 1);
    number.insert(0, 4 - std::min<std::size_t>(4, number.size()), ' ');
    text += line(number + (index == mark ? " \u25b6" : "  "),
                 [&](const Column& column) { return column == row.column ? row.text : std::string(); });
  }
  return text;
}

std::string cell_of(const Event& event) {
  const Row row = row_of(event);
  return heading(row.column) + ": " + row.text;
}

bool same_column(const Event& one, const Event& other) { return column_of(one) == column_of(other); }

}  // namespace antiphon::verify
