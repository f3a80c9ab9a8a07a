#include "verify/table.hpp"

#include <gtest/gtest.h>

#include "tests/verify/history.hpp"

namespace antiphon::verify {
namespace {

using Kind = ClientEvent::Kind;

TEST(Table, HasAColumnForEachClientAndProcess) {
  const History history = opening()
                              .by(1, Kind::connecting)
                              .by(1, Kind::turned_away)
                              .on(0, Accept{listener}, client)
                              .forks(0, 1)
                              .by(1, Kind::sent, "a\n")
                              .stop()
                              .on(1, read(), bytes("a\n"))
                              .on(1, write("a\n"), failed(Errno::PIPE))
                              .on(1, read(), bytes(""))
                              .ends(1, failed(Errno::PIPE))
                              .waits(0, Accept{listener});
  EXPECT_EQ(table_of(history.events, 9),
            "        operator           client 1     process 0                            process 1\n"
            "   1                                    DiscardChildren → ok\n"
            "   2                                    OpenSocket 127.0.0.1:8888 → 0\n"
            "   3                                    Listen 0 backlog 8 → 127.0.0.1:8888\n"
            "   4                       connecting\n"
            "   5                       turned away\n"
            "   6                                    Accept 0 → 1\n"
            "   7                                    Fork → process 1\n"
            "   8                                                                         Fork → child\n"
            "   9                       sent \"a\\n\"\n"
            "  10 ▶  stop is asked for\n"
            "  11                                                                         Recv 1 → \"a\\n\"\n"
            "  12                                                                         Send 1 \"a\\n\" → EPIPE\n"
            "  13                                                                         Recv 1 → end\n"
            "  14                                                                         ends: EPIPE\n"
            "  15                                    Accept 0 … waits\n");
}

TEST(Table, ACellStandsByItself) {
  const History history = opening().by(2, Kind::sent, "a").stop();
  EXPECT_EQ(cell_of(history.events[0]), "process 0: DiscardChildren → ok");
  EXPECT_EQ(cell_of(history.events[3]), "client 2: sent \"a\"");
  EXPECT_EQ(cell_of(history.events[4]), "operator: stop is asked for");
  EXPECT_TRUE(same_column(history.events[0], history.events[1]));
  EXPECT_FALSE(same_column(history.events[2], history.events[3]));
}

TEST(Table, OfNothingIsAnEmptyHeading) { EXPECT_EQ(table_of({}, 0), "\n"); }

}  // namespace
}  // namespace antiphon::verify
