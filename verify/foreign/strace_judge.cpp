#include "verify/foreign/strace_judge.hpp"

#include "interpreters/strace_text.hpp"
#include "verify/foreign/log_judge.hpp"

namespace antiphon::verify {

std::expected<Verdict, BadInput> judge_strace(std::istream& log, std::optional<std::int64_t> port) {
  strace::Reader reader(log);
  foreign::LogJudge judge(reader, port);
  for (bool none = true;; none = false) {
    const auto event = reader.next();
    if (!event) return std::unexpected(event.error());
    if (!*event && none) return std::unexpected(BadInput{1, "there is no whole line of strace"});
    if (!*event) return judge.finish(reader.cut());
    judge.see(**event);
    if (const auto& refusal = judge.refusal()) return std::unexpected(*refusal);
  }
}

}  // namespace antiphon::verify
