// An echo server on epoll, one thread, as one would write it by hand: one shared buffer; a recv and a send for each
// event; what the kernel has no room for is kept on the heap, and that client is not read until it is gone.
//
//   c-epoll PORT [--once] [--edge] [--spin US]
//
// --edge     edge triggered; the default is level triggered
// --spin US  polls for US microseconds before it sleeps

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/peers/listen.h"

enum { buffer_size = 65536, batch = 512, accepts_at_once = 64 };

struct connection {
  char* unsent;  // From malloc, or null.
  size_t size;
  size_t sent;
  bool answered;  // With --once: what still comes is discarded.
};

static struct options options;
static struct connection* connections;  // By descriptor.
static char buffer[buffer_size];
static int epoll;

static void watch(int operation, int fd, uint32_t events) {
  struct epoll_event event = {.events = events, .data.fd = fd};
  stop_if(epoll_ctl(epoll, operation, fd, &event) != 0, "epoll_ctl");
}

static uint32_t reading(void) { return options.edge ? EPOLLIN | EPOLLRDHUP | EPOLLET : EPOLLIN; }
static uint32_t writing(void) { return options.edge ? reading() | EPOLLOUT : EPOLLOUT; }

static void finish(int client) {
  free(connections[client].unsent);
  connections[client] = (struct connection){0};
  close(client);
}

static void message_is_out(int client) {
  if (!options.once) return;
  shutdown(client, SHUT_WR);
  connections[client].answered = true;
}

// Sends what was kept. True when nothing is left.
static bool flush_unsent(int client) {
  struct connection* c = &connections[client];
  ssize_t sent = send(client, c->unsent + c->sent, c->size - c->sent, MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno != EAGAIN && errno != EINTR) finish(client);
    return false;
  }
  c->sent += (size_t)sent;
  if (c->sent < c->size) return false;
  free(c->unsent);
  c->unsent = NULL;
  watch(EPOLL_CTL_MOD, client, reading());
  message_is_out(client);
  return true;
}

static void keep(int client, const char* bytes, size_t size) {
  struct connection* c = &connections[client];
  c->unsent = malloc(size);
  stop_if(c->unsent == NULL, "malloc");
  memcpy(c->unsent, bytes, size);
  c->size = size;
  c->sent = 0;
  watch(EPOLL_CTL_MOD, client, writing());
}

static void serve(int client, uint32_t events) {
  struct connection* c = &connections[client];
  if (c->unsent != NULL && !flush_unsent(client)) return;
  for (;;) {
    ssize_t got = recv(client, buffer, buffer_size, 0);
    if (got <= 0) {
      if (got == 0 || (errno != EAGAIN && errno != EINTR)) finish(client);
      return;
    }
    if (!c->answered) {
      ssize_t sent = send(client, buffer, (size_t)got, MSG_NOSIGNAL);
      if (sent < 0) {
        if (errno != EAGAIN && errno != EINTR) {
          finish(client);
          return;
        }
        sent = 0;
      }
      if (sent < got) {
        keep(client, buffer + sent, (size_t)(got - sent));
        return;
      }
      message_is_out(client);
    }
    // Level triggered: epoll tells again. Edge triggered: a short read emptied the socket, unless the end is there too.
    if (!options.edge || (got < buffer_size && (events & EPOLLRDHUP) == 0)) return;
  }
}

static void accept_clients(int listener) {
  for (int i = 0; i < accepts_at_once; ++i) {
    int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0) return;
    watch(EPOLL_CTL_ADD, client, reading());
  }
}

static int64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int await(struct epoll_event* events) {
  if (options.spin_us > 0) {
    int64_t until = 0;
    do {
      int count = epoll_wait(epoll, events, batch, 0);
      if (count != 0) return count;
      if (until == 0) until = now_ns() + options.spin_us * 1000;
    } while (now_ns() < until);
  }
  return epoll_wait(epoll, events, batch, -1);
}

int main(int count, char** values) {
  options = read_options(count, values);
  connections = calloc(raise_descriptor_limit(), sizeof *connections);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  stop_if(connections == NULL || epoll < 0, "start");
  int listener = listen_at(options.port, SOCK_NONBLOCK);
  watch(EPOLL_CTL_ADD, listener, EPOLLIN);
  announce(options.port);

  static struct epoll_event events[batch];
  for (;;) {
    int ready = await(events);
    for (int i = 0; i < ready; ++i) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        accept_clients(listener);
      } else {
        serve(fd, events[i].events);
      }
    }
  }
}
