#include "verify/transcript.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/programs/catalogue.hpp"
#include "tests/verify/simulated_clients.hpp"

namespace antiphon::verify {
namespace {

using script::Await;
using script::Connect;
using script::EndSide;
using script::Pause;
using script::Reset;
using script::Send;
using script::StopReading;

std::string shown(const std::string& program, std::vector<Script> clients, const Fault& fault) {
  Visit visit;
  visit.clients = std::move(clients);
  ProgramOptions options;
  options.session.until.wait_ms = forever_ms;
  const ClientsRun run = simulated_clients(*program_named(program, options))(visit, 0);
  std::string text;
  for (const std::string& line : transcript({"127.0.0.1", 8888}, visit, run, fault)) text += line + '\n';
  return text;
}

const Fault none{};

TEST(Transcript, ShowsWhatIsSentAndMetInTheOrderOfTheScript) {
  EXPECT_EQ(shown("seed", {{Connect{}, Send{2}, Pause{20}, Send{2}}},
                  {0, Failing::unanswered, "ends the connection", "where \"kk\" is owed"}),
            "$ nc 127.0.0.1 8888\n"
            "> \"av\"\n"
            "… 20 ms\n"
            "> \"kk\"\n"
            "< \"av\"\n"
            "< end             where \"kk\" is owed\n");
  EXPECT_EQ(shown("stream", {{Connect{}, Send{2}, Await{2}, Send{1}, EndSide{}}}, none),
            "$ nc 127.0.0.1 8888\n"
            "> \"av\"\n"
            "< \"av\"\n"
            "> \"k\"\n"
            "> end\n"
            "< \"k\"\n"
            "< end\n");
}

TEST(Transcript, EndsWhereTheClientDid) {
  EXPECT_EQ(shown("seed", {{Connect{}, Send{1}, Await{1}, Send{1}, Await{1}, Send{5}, EndSide{}}}, none),
            "$ nc 127.0.0.1 8888\n"
            "> \"a\"\n"
            "< \"a\"\n"
            "> \"v\"\n"
            "< end\n");
  EXPECT_EQ(shown("stream", {{Connect{}, Send{2}, Reset{}}}, none), "$ nc 127.0.0.1 8888\n> \"av\"\n> reset\n");
  EXPECT_EQ(shown("stream", {{Connect{}, StopReading{}, Send{1}}}, none),
            "$ nc 127.0.0.1 8888\n… reads no more\n> \"a\"\n");
}

TEST(Transcript, LeavesOutTheMiddleOfWhatIsLong) {
  EXPECT_EQ(shown("stream", {{Connect{}, Send{3000}, EndSide{}}}, none),
            "$ nc 127.0.0.1 8888\n"
            "> \"avkknjmhhfsnmpplcedmextl…\" (3000 bytes)\n"
            "> end\n"
            "< \"avkknjmhhfsnmpplcedmextl…\" (3000 bytes)\n"
            "< end\n");
}

TEST(Transcript, ShowsOneOfManyClients) {
  EXPECT_EQ(shown("stream", std::vector<Script>(9, {Connect{}, Send{1}, EndSide{}}), {3, Failing::unanswered, "", ""}),
            "client 4\n"
            "  $ nc 127.0.0.1 8888\n"
            "  > \"(\"\n"
            "  > end\n"
            "  < \"(\"\n"
            "  < end\n"
            "and 8 other clients, which do the same\n");
  EXPECT_EQ(shown("stream", {{Connect{}}, {Connect{}, EndSide{}}}, none),
            "client 1\n"
            "  $ nc 127.0.0.1 8888\n"
            "  < connected\n"
            "client 2\n"
            "  $ nc 127.0.0.1 8888\n"
            "  > end\n"
            "  < end\n");
}

}  // namespace
}  // namespace antiphon::verify
