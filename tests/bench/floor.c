// What the kernel alone takes: the processor time of one send plus one recv of a message over loopback TCP. Both ends
// are in this process, and nothing waits: what is received was sent before. No server can take less for a round trip.
//
//   floor [BYTES [CONNECTIONS [SECONDS]]]
//
// Prints one line of JSON. With many connections the messages go round all of them, as a server's would.

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/peers/listen.h"

struct pair {
  int client;
  int server;
};

static double seconds_on(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

// One send and one recv of a whole message.
static void pass(int from, int to, char* message, size_t size) {
  size_t sent = 0;
  size_t got = 0;
  while (got < size) {
    if (sent < size) {
      ssize_t n = send(from, message + sent, size - sent, MSG_NOSIGNAL);
      stop_if(n < 0, "send");
      sent += (size_t)n;
    }
    ssize_t n = recv(to, message, size - got, 0);
    stop_if(n <= 0, "recv");
    got += (size_t)n;
  }
}

static struct pair connect_pair(int listener, const struct sockaddr_in* address) {
  struct pair pair = {.client = socket(AF_INET, SOCK_STREAM, 0), .server = -1};
  stop_if(pair.client < 0, "socket");
  stop_if(connect(pair.client, (const struct sockaddr*)address, sizeof *address) != 0, "connect");
  pair.server = accept(listener, NULL, NULL);
  stop_if(pair.server < 0, "accept");
  return pair;
}

int main(int count, char** values) {
  size_t size = count > 1 ? (size_t)atol(values[1]) : 64;
  size_t connections = count > 2 ? (size_t)atol(values[2]) : 1;
  double seconds = count > 3 ? atof(values[3]) : 1;
  raise_descriptor_limit();
  int listener = listen_at(0, 0);
  struct sockaddr_in address;
  socklen_t length = sizeof address;
  stop_if(getsockname(listener, (struct sockaddr*)&address, &length) != 0, "getsockname");
  struct pair* pairs = calloc(connections, sizeof *pairs);
  char* message = calloc(1, size);
  stop_if(pairs == NULL || message == NULL, "calloc");
  for (size_t i = 0; i < connections; ++i) pairs[i] = connect_pair(listener, &address);

  // The first turns warm up.
  double end = seconds_on(CLOCK_MONOTONIC) + seconds;
  double start = 0;
  long passes = 0;
  for (long turn = 0; turn <= 2 || seconds_on(CLOCK_MONOTONIC) < end; ++turn) {
    if (turn == 1) {
      passes = 0;
      start = seconds_on(CLOCK_PROCESS_CPUTIME_ID);
    }
    for (size_t i = 0; i < connections; ++i) pass(pairs[i].client, pairs[i].server, message, size);
    for (size_t i = 0; i < connections; ++i) pass(pairs[i].server, pairs[i].client, message, size);
    passes += 2 * (long)connections;
  }
  double used = seconds_on(CLOCK_PROCESS_CPUTIME_ID) - start;
  printf("{\"bytes\": %zu, \"connections\": %zu, \"cpu_us\": %.4f}\n", size, connections, used * 1e6 / (double)passes);
  return 0;
}
