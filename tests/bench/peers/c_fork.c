// An echo server with a process for each connection and blocking calls: the shape of the textbook's server.
//
//   c-fork PORT [--once]

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "tests/bench/peers/listen.h"

static bool send_all(int client, const char* bytes, size_t size) {
  while (size > 0) {
    ssize_t sent = send(client, bytes, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    bytes += sent;
    size -= (size_t)sent;
  }
  return true;
}

static void serve(int client, bool once) {
  static char buffer[65536];
  bool answered = false;
  for (;;) {
    ssize_t got = recv(client, buffer, sizeof buffer, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    if (answered) continue;
    if (!send_all(client, buffer, (size_t)got)) return;
    if (once) {
      shutdown(client, SHUT_WR);
      answered = true;
    }
  }
}

int main(int count, char** values) {
  struct options options = read_options(count, values);
  signal(SIGCHLD, SIG_IGN);  // Children leave no zombies.
  int listener = listen_at(options.port, 0);
  announce(options.port);
  for (;;) {
    int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0) continue;
    pid_t child = fork();
    while (child < 0) {
      usleep(1000);
      child = fork();
    }
    if (child == 0) {
      close(listener);
      serve(client, options.once);
      _exit(0);
    }
    close(client);
  }
}
