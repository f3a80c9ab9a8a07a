// An echo server on libuv. uv_try_write sends at once from the shared buffer; only what is left over costs a
// uv_write, and that client is not read until it is out. libuv sets SO_REUSEADDR itself.
//
//   libuv PORT [--once]

#include <uv.h>

#include "tests/bench/peers/listen.h"

struct connection {
  uv_tcp_t tcp;
  uv_write_t write;
  uv_shutdown_t shutdown;
  char* unsent;
  bool answered;
};

static struct options options;
static char buffer[65536];

static void check(int status, const char* what) {
  if (status == 0) return;
  fprintf(stderr, "%s: %s\n", what, uv_strerror(status));
  exit(2);
}

static void on_closed(uv_handle_t* handle) {
  struct connection* c = handle->data;
  free(c->unsent);
  free(c);
}

static void finish(struct connection* c) {
  uv_handle_t* handle = (uv_handle_t*)&c->tcp;
  if (!uv_is_closing(handle)) uv_close(handle, on_closed);
}

static void lend_buffer(uv_handle_t* handle, size_t suggested, uv_buf_t* lent) {
  (void)handle;
  (void)suggested;
  *lent = uv_buf_init(buffer, sizeof buffer);
}

static void message_is_out(struct connection* c) {
  if (!options.once) return;
  uv_shutdown(&c->shutdown, (uv_stream_t*)&c->tcp, NULL);
  c->answered = true;
}

static void on_read(uv_stream_t* stream, ssize_t got, const uv_buf_t* lent);

static void on_written(uv_write_t* write, int status) {
  struct connection* c = write->data;
  free(c->unsent);
  c->unsent = NULL;
  if (status < 0) {
    finish(c);
    return;
  }
  message_is_out(c);
  uv_read_start((uv_stream_t*)&c->tcp, lend_buffer, on_read);
}

static void on_read(uv_stream_t* stream, ssize_t got, const uv_buf_t* lent) {
  struct connection* c = stream->data;
  if (got < 0) {
    finish(c);
    return;
  }
  if (got == 0 || c->answered) return;
  uv_buf_t message = uv_buf_init(lent->base, (unsigned)got);
  int sent = uv_try_write(stream, &message, 1);
  if (sent == UV_EAGAIN) sent = 0;
  if (sent < 0) {
    finish(c);
    return;
  }
  if (sent == got) {
    message_is_out(c);
    return;
  }
  size_t left = (size_t)(got - sent);
  c->unsent = malloc(left);
  stop_if(c->unsent == NULL, "malloc");
  memcpy(c->unsent, lent->base + sent, left);
  uv_buf_t rest = uv_buf_init(c->unsent, (unsigned)left);
  c->write.data = c;
  uv_read_stop(stream);
  if (uv_write(&c->write, stream, &rest, 1, on_written) < 0) finish(c);
}

static void on_client(uv_stream_t* listener, int status) {
  if (status < 0) return;
  struct connection* c = calloc(1, sizeof *c);
  stop_if(c == NULL, "calloc");
  uv_tcp_init(listener->loop, &c->tcp);
  c->tcp.data = c;
  if (uv_accept(listener, (uv_stream_t*)&c->tcp) < 0) {
    finish(c);
    return;
  }
  uv_read_start((uv_stream_t*)&c->tcp, lend_buffer, on_read);
}

int main(int count, char** values) {
  options = read_options(count, values);
  raise_descriptor_limit();
  uv_loop_t* loop = uv_default_loop();
  uv_tcp_t listener;
  struct sockaddr_in address = address_of(options.port);
  check(uv_tcp_init(loop, &listener), "uv_tcp_init");
  check(uv_tcp_bind(&listener, (const struct sockaddr*)&address, 0), "uv_tcp_bind");
  check(uv_listen((uv_stream_t*)&listener, backlog, on_client), "uv_listen");
  announce(options.port);
  return uv_run(loop, UV_RUN_DEFAULT);
}
