#include "verify/foreign/strace_judge.hpp"

#include "interpreters/strace_text.hpp"
#include "verify/foreign/log_judge.hpp"

namespace antiphon::verify {

std::expected<Verdict, BadInput> judge_strace(std::istream& log, std::optional<std::int64_t> port) {
  const bool has_some = log.peek() != std::istream::traits_type::eof();
  if (!has_some && !log.bad()) return std::unexpected(BadInput{1, "there is nothing"});
  strace::Reader reader(log);
  foreign::LogJudge judge(reader, port);
  for (;;) {
    const auto event = reader.next();
    if (!event) return std::unexpected(event.error());
    if (!*event) return judge.finish(reader.cut());
    judge.see(**event);
    if (const auto& refusal = judge.refusal()) return std::unexpected(*refusal);
  }
}

}  // namespace antiphon::verify
