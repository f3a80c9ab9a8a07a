// An echo server on libevent, with plain events and a shared buffer. A bufferevent would copy every message twice
// and ask for its size first (FIONREAD); who wants speed takes plain events.
//
//   libevent PORT [--once]

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <unistd.h>

#include "tests/bench/peers/listen.h"

struct connection {
  struct event readable;
  struct event writable;
  char* unsent;
  size_t size;
  size_t sent;
  bool answered;
};

static struct options options;
static struct event_base* base;
static char buffer[65536];

static void finish(struct connection* c) {
  int client = event_get_fd(&c->readable);
  event_del(&c->readable);
  event_del(&c->writable);
  close(client);
  free(c->unsent);
  free(c);
}

static void message_is_out(struct connection* c) {
  if (!options.once) return;
  shutdown(event_get_fd(&c->readable), SHUT_WR);
  c->answered = true;
}

static void on_writable(evutil_socket_t client, short what, void* argument) {
  (void)what;
  struct connection* c = argument;
  ssize_t sent = send(client, c->unsent + c->sent, c->size - c->sent, MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno != EAGAIN && errno != EINTR) finish(c);
    return;
  }
  c->sent += (size_t)sent;
  if (c->sent < c->size) return;
  free(c->unsent);
  c->unsent = NULL;
  event_del(&c->writable);
  event_add(&c->readable, NULL);
  message_is_out(c);
}

static void keep(struct connection* c, const char* bytes, size_t size) {
  c->unsent = malloc(size);
  stop_if(c->unsent == NULL, "malloc");
  memcpy(c->unsent, bytes, size);
  c->size = size;
  c->sent = 0;
  event_del(&c->readable);
  event_add(&c->writable, NULL);
}

static void on_readable(evutil_socket_t client, short what, void* argument) {
  (void)what;
  struct connection* c = argument;
  ssize_t got = recv(client, buffer, sizeof buffer, 0);
  if (got <= 0) {
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) finish(c);
    return;
  }
  if (c->answered) return;
  ssize_t sent = send(client, buffer, (size_t)got, MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno != EAGAIN && errno != EINTR) {
      finish(c);
      return;
    }
    sent = 0;
  }
  if (sent < got) {
    keep(c, buffer + sent, (size_t)(got - sent));
    return;
  }
  message_is_out(c);
}

static void on_client(evutil_socket_t listener, short what, void* argument) {
  (void)what;
  (void)argument;
  for (int i = 0; i < 64; ++i) {
    int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0) return;
    struct connection* c = calloc(1, sizeof *c);
    stop_if(c == NULL, "calloc");
    event_assign(&c->readable, base, client, EV_READ | EV_PERSIST, on_readable, c);
    event_assign(&c->writable, base, client, EV_WRITE | EV_PERSIST, on_writable, c);
    event_add(&c->readable, NULL);
  }
}

int main(int count, char** values) {
  options = read_options(count, values);
  raise_descriptor_limit();
  struct event_config* config = event_config_new();
  // One thread: no locks. No descriptor is ever dup'ed: epoll's changes may be gathered.
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
  event_config_set_flag(config, EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
  base = event_base_new_with_config(config);
  stop_if(base == NULL, "event_base_new");
  int listener = listen_at(options.port, SOCK_NONBLOCK);
  struct event clients;
  event_assign(&clients, base, listener, EV_READ | EV_PERSIST, on_client, NULL);
  event_add(&clients, NULL);
  announce(options.port);
  return event_base_dispatch(base);
}
