#include "verify/promises.hpp"

#include <utility>

namespace antiphon::verify {

namespace {

using script::Await;
using script::Connect;
using script::EndSide;
using script::Pause;
using script::Reset;
using script::Send;
using script::StopReading;

/// Between two segments: long enough for the first to be read before the second is there.
constexpr Pause between{30};
/// Until the other clients are where they are to be.
constexpr Pause meanwhile{60};

/// Between clients that are to be no burst.
constexpr std::uint32_t apart_ms = 3;

constexpr std::uint32_t mebibyte = 1U << 20U;

/// A client that says a word, hears it and ends.
Script word(std::uint32_t count) { return {Connect{}, Send{count}, Await{count}, EndSide{}}; }
Script word_later(Pause pause, std::uint32_t count) {
  Script script = word(count);
  script.insert(script.begin(), pause);
  return script;
}

/// Each comes a little after the one before it, so that they are no burst.
std::vector<Script> one_after_the_other(std::vector<Script> clients) {
  for (std::size_t client = 1; client < clients.size(); ++client) {
    clients[client].insert(clients[client].begin(), Pause{apart_ms * static_cast<std::uint32_t>(client)});
  }
  return clients;
}

/// A message of six bytes, cut at each place in turn.
std::vector<Script> in_two_segments() {
  std::vector<Script> clients;
  for (std::uint32_t first = 1; first < 6; ++first) {
    clients.push_back({Connect{}, Send{first}, between, Send{6 - first}, EndSide{}});
  }
  return one_after_the_other(std::move(clients));
}

Script byte_by_byte(std::uint32_t count) {
  Script script{Connect{}};
  for (std::uint32_t byte = 0; byte < count; ++byte) {
    if (byte > 0) script.emplace_back(between);
    script.emplace_back(Send{1});
  }
  script.emplace_back(EndSide{});
  return script;
}

/// Client 1 and 2 reset, client 3 vanishes; 4 is there all the time and speaks last, and 5 comes afterwards.
std::vector<Script> among_resets() {
  return one_after_the_other({{Connect{}, Send{2}, Reset{}},
                              {Connect{}, Send{3000}, Reset{}},
                              {Connect{}, Reset{}},
                              {Connect{}, meanwhile, Send{3}, Await{3}, EndSide{}},
                              word_later(meanwhile, 4)});
}

class Promises {
 public:
  explicit Promises(const PromiseOptions& options) : options_(options) {}

  std::vector<Promise> of_stream() {
    add("echo", "a message comes back as it was sent", {visit({word(1)}), visit({word(80)})});
    add("end", "once a client has ended its side and is answered, the server ends the connection (FIN)",
        {visit({{Connect{}, Send{5}, EndSide{}}}), visit({{Connect{}, EndSide{}}})});
    add("messages", "message after message is answered on one connection",
        {visit({{Connect{}, Send{2}, Await{2}, Send{3}, Await{3}, Send{1}, Await{1}, EndSide{}}})});
    add("segments", "a message in several segments is answered whole",
        {visit(in_two_segments()), visit({byte_by_byte(8)})});
    add("long", "a long message is answered whole, without a reset", long_messages());
    add("stream", "megabytes come back whole, while they are being sent",
        {visit({{Connect{}, Send{4 * mebibyte}, EndSide{}}})});
    add("slow", "a client that reads and sends slowly gets all of its bytes",
        {visit({{Connect{}, Send{mebibyte}, meanwhile, Await{mebibyte / 2}, meanwhile, Send{1}, between, Send{1},
                 EndSide{}}})});
    add_of_many(word(4));
    add("unread", "a client that sends and never reads keeps nobody waiting",
        {visit({{Connect{}, StopReading{}, Send{16 * mebibyte}}, word_later(meanwhile, 3)})});
    add_of_time();
    return std::move(promises_);
  }

  std::vector<Promise> of_one_message() {
    const Script said{Connect{}, Send{2}};
    add("echo", "a message comes back as it was sent", {visit({word(1)}), visit({word(80)})});
    add("end", "after its answer the server ends the connection (FIN); with nothing to answer, after its client",
        {visit({said}), visit({{Connect{}, Send{2}, EndSide{}}}), visit({{Connect{}, EndSide{}}})});
    add("more", "a client that sends more than is answered meets the end, and no reset",
        {visit({{Connect{}, Send{2}, between, Send{3}, EndSide{}}}), visit({byte_by_byte(6)}),
         visit({{Connect{}, Send{mebibyte}, EndSide{}}})});
    add("long", "of a long message 1024 bytes come back at least, without a reset", long_messages());
    add_of_many(word(4));
    add_of_time();
    return std::move(promises_);
  }

 private:
  void add(std::string_view name, std::string_view text, std::vector<Visit> visits) {
    promises_.push_back({name, text, std::move(visits)});
  }

  [[nodiscard]] Visit visit(std::vector<Script> clients) const { return visit_of(options_, std::move(clients)); }

  /// What fills buffers of 1 KiB, 16 KiB and 64 KiB, and a little more.
  [[nodiscard]] std::vector<Visit> long_messages() const {
    std::vector<Visit> visits;
    for (const std::uint32_t count : {1025U, 16'385U, 65'537U})
      visits.push_back(visit({{Connect{}, Send{count}, EndSide{}}}));
    return visits;
  }

  void add_of_many(const Script& client) {
    add("together", "clients at the same time get their own bytes back, and no others",
        {visit(
            one_after_the_other(std::vector<Script>(16, {Connect{}, meanwhile, Send{200}, Await{200}, EndSide{}})))});
    Visit burst = visit(std::vector<Script>(clients_of_burst, client));
    burst.patience.connect_ms = first_retry_ms;
    add("burst", "a hundred clients that come at once are accepted before they have to ask again", {burst});
    add("idle", "a client that says nothing keeps nobody waiting", {visit({{Connect{}}, word_later(meanwhile, 3)})});
    add("reset", "a client that resets or vanishes harms nobody else", {visit(among_resets())});
    Visit row = visit(std::vector<Script>(clients_in_a_row, word(1)));
    row.in_turn = true;
    add("lasting", "after two hundred connections it serves as before", {row});
  }

  void add_of_time() {
    if (!options_.idle_timeout_ms) return;
    const std::int64_t limit_ms = *options_.idle_timeout_ms;
    Visit silent = visit({{Connect{}}});
    if (options_.answers == Answers::everything) silent.clients.push_back({Connect{}, Send{2}, Await{2}});
    silent.patience.idle_ms = limit_ms + options_.patience_ms;
    silent.limit_ms = silent.patience.idle_ms + 2 * options_.patience_ms;
    Visit again = visit({{Connect{}, Pause{static_cast<std::uint32_t>(limit_ms / 2)}, Send{2}, Await{2}, EndSide{}}});
    again.limit_ms += limit_ms;
    add("idle-limit", "a client that is silent for the idle limit is let go of, and not one that is for half of it",
        {again, silent});
  }

  PromiseOptions options_;
  std::vector<Promise> promises_;
};

}  // namespace

std::vector<Promise> promises(const PromiseOptions& options) {
  return options.answers == Answers::everything ? Promises(options).of_stream() : Promises(options).of_one_message();
}

Visit visit_of(const PromiseOptions& options, std::vector<Script> clients) {
  Visit visit;
  visit.clients = std::move(clients);
  visit.answers = options.answers;
  visit.patience.connect_ms = visit.patience.answer_ms = options.patience_ms;
  visit.limit_ms = 5 * options.patience_ms;
  return visit;
}

}  // namespace antiphon::verify
