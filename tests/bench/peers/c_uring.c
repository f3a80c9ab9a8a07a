// An echo server on io_uring (liburing 2.3, Linux 6.1 or later): one multishot accept, one multishot receive for each
// connection into a ring of provided buffers, sends from those buffers, direct descriptors, one system call a batch.
//
//   c-uring PORT [--once] [--spin US]
//
// A send must not wait while it holds a provided buffer, or a few clients that do not read would starve all others. So
// sends are MSG_DONTWAIT and complete as they are submitted; what the kernel has no room for goes to the heap, the
// buffers go back, and that client's receive is cancelled until the heap is sent.

#include <errno.h>
#include <liburing.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/peers/listen.h"

enum {
  sq_entries = 2048,
  cq_entries = 32768,
  buffers = 512,
  buffer_size = 16384,
  most_wanted = buffers / 4,
  none = -1
};
enum operation { op_other, op_accept, op_receive, op_send, op_send_heap };

struct heap {
  char* bytes;
  uint32_t size;
  uint32_t sent;
};

struct connection {
  int16_t first, last;  // The chain of provided buffers that wait to be sent, in order.
  bool receiving;       // The multishot receive is armed.
  bool sending;         // One send is under way: of `first`, or of `now`.
  bool ended;           // The client's end was read, or the connection failed.
  bool answered;        // With --once, or after a failure: what still comes is discarded.
  struct heap now;      // Being sent.
  struct heap later;    // Received since.
};

static struct options options;
static struct io_uring ring;
static struct io_uring_buf_ring* provided;
static char* buffer_memory;
static struct {
  int16_t next;
  uint32_t size;
} lent[buffers];
static struct connection* connections;  // By direct descriptor.
static unsigned returned;               // Buffers put back since the last batch.
static unsigned sends_under_way;        // Those that complete as they are submitted.
static bool more_than_buffers;          // Something but a buffer waits for one of those.

static char* buffer_at(int id) { return buffer_memory + (size_t)id * buffer_size; }

static void give_back(int id) {
  io_uring_buf_ring_add(provided, buffer_at(id), buffer_size, (unsigned short)id, io_uring_buf_ring_mask(buffers),
                        (int)returned++);
}

static struct io_uring_sqe* next_entry(void) {
  struct io_uring_sqe* entry = io_uring_get_sqe(&ring);
  while (entry == NULL) {
    io_uring_submit(&ring);
    entry = io_uring_get_sqe(&ring);
  }
  return entry;
}

static void mark(struct io_uring_sqe* entry, enum operation operation, int client, unsigned flags) {
  io_uring_sqe_set_data64(entry, (uint64_t)operation << 32 | (uint32_t)client);
  io_uring_sqe_set_flags(entry, flags);
}

static void accept_clients(int listener) {
  struct io_uring_sqe* entry = next_entry();
  io_uring_prep_multishot_accept_direct(entry, listener, NULL, NULL, 0);
  mark(entry, op_accept, listener, 0);
}

static void receive(int client) {
  struct io_uring_sqe* entry = next_entry();
  io_uring_prep_recv_multishot(entry, client, NULL, 0, 0);
  entry->buf_group = 0;
  mark(entry, op_receive, client, IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT);
  connections[client].receiving = true;
}

static void pause_receiving(int client) {
  struct io_uring_sqe* entry = next_entry();
  io_uring_prep_cancel64(entry, (uint64_t)op_receive << 32 | (uint32_t)client, 0);
  mark(entry, op_other, client, 0);
}

static void end_side(int client, int how) {
  struct io_uring_sqe* entry = next_entry();
  io_uring_prep_shutdown(entry, client, how);
  mark(entry, op_other, client, IOSQE_FIXED_FILE);
  connections[client].answered = true;
}

// Unless a send's completion only gives a buffer back, the next wait must not wait for anything beside it.
static void note_what_waits(const struct connection* c) {
  if (c->first != c->last || !c->receiving || options.once) more_than_buffers = true;
}

static void send_first(int client) {
  struct connection* c = &connections[client];
  struct io_uring_sqe* entry = next_entry();
  io_uring_prep_send(entry, client, buffer_at(c->first), lent[c->first].size, MSG_NOSIGNAL | MSG_DONTWAIT);
  mark(entry, op_send, client, IOSQE_FIXED_FILE);
  c->sending = true;
  ++sends_under_way;
  note_what_waits(c);
}

static void send_heap(int client) {
  struct connection* c = &connections[client];
  struct io_uring_sqe* entry = next_entry();
  io_uring_prep_send(entry, client, c->now.bytes + c->now.sent, c->now.size - c->now.sent, MSG_NOSIGNAL | MSG_WAITALL);
  mark(entry, op_send_heap, client, IOSQE_FIXED_FILE);
  c->sending = true;
}

static int take_first(struct connection* c) {
  int id = c->first;
  c->first = lent[id].next;
  return id;
}

static void append(struct heap* heap, const char* bytes, uint32_t size) {
  heap->bytes = realloc(heap->bytes, heap->size + size);
  stop_if(heap->bytes == NULL, "realloc");
  memcpy(heap->bytes + heap->size, bytes, size);
  heap->size += size;
}

static void discard(struct connection* c) {
  while (c->first != none) give_back(take_first(c));
  free(c->now.bytes);
  free(c->later.bytes);
  c->now = c->later = (struct heap){0};
}

// The connection is of no more use: the shutdown makes its receive end.
static void fail(int client) {
  struct connection* c = &connections[client];
  discard(c);
  end_side(client, SHUT_RDWR);
  if (!c->receiving) c->ended = true;
}

// What is to be done when nothing is being sent.
static void go_on(int client) {
  struct connection* c = &connections[client];
  if (c->sending) {
    note_what_waits(c);
    return;
  }
  if (c->now.bytes != NULL) {
    send_heap(client);
    return;
  }
  if (c->first != none) {
    send_first(client);
    return;
  }
  if (c->ended) {
    struct io_uring_sqe* entry = next_entry();
    io_uring_prep_close_direct(entry, (unsigned)client);
    mark(entry, op_other, client, IOSQE_CQE_SKIP_SUCCESS);
  } else if (!c->receiving) {
    receive(client);
  }
}

static void on_client(int listener, const struct io_uring_cqe* event) {
  if ((event->flags & IORING_CQE_F_MORE) == 0) accept_clients(listener);
  if (event->res < 0) return;
  connections[event->res] = (struct connection){.first = none, .last = none};
  receive(event->res);
}

static void on_received(int client, const struct io_uring_cqe* event) {
  struct connection* c = &connections[client];
  if ((event->flags & IORING_CQE_F_MORE) == 0) c->receiving = false;
  if (event->res > 0) {
    int id = (int)(event->flags >> IORING_CQE_BUFFER_SHIFT);
    lent[id].size = (uint32_t)event->res;
    lent[id].next = none;
    if (c->answered) {
      give_back(id);
    } else if (c->now.bytes != NULL) {
      append(&c->later, buffer_at(id), lent[id].size);
      give_back(id);
    } else if (c->first == none) {
      c->first = c->last = (int16_t)id;
    } else {
      lent[c->last].next = (int16_t)id;
      c->last = (int16_t)id;
    }
  } else if (event->res != -ENOBUFS && event->res != -ECANCELED) {
    c->ended = true;
  }
  go_on(client);
}

static void on_sent(int client, int result) {
  struct connection* c = &connections[client];
  c->sending = false;
  --sends_under_way;
  uint32_t sent = result > 0 ? (uint32_t)result : 0;
  if (result < 0 && result != -EAGAIN && result != -EINTR) {
    fail(client);
  } else if (sent == lent[c->first].size) {
    give_back(take_first(c));
    if (options.once) {
      discard(c);
      end_side(client, SHUT_WR);
    }
  } else {
    for (; c->first != none; sent = 0) {
      int id = take_first(c);
      append(&c->now, buffer_at(id) + sent, lent[id].size - sent);
      give_back(id);
    }
    if (c->receiving) pause_receiving(client);
  }
  go_on(client);
}

static void on_heap_sent(int client, int result) {
  struct connection* c = &connections[client];
  c->sending = false;
  if (result < 0 && result != -EAGAIN && result != -EINTR) {
    fail(client);
  } else {
    c->now.sent += result > 0 ? (uint32_t)result : 0;
    if (c->now.sent == c->now.size) {
      free(c->now.bytes);
      c->now = c->later;
      c->later = (struct heap){0};
      if (options.once) {
        discard(c);
        end_side(client, SHUT_WR);
      }
    }
  }
  go_on(client);
}

static void on_event(const struct io_uring_cqe* event) {
  uint64_t data = io_uring_cqe_get_data64(event);
  int fd = (int)(uint32_t)data;
  switch ((enum operation)(data >> 32)) {
    case op_other:
      return;
    case op_accept:
      on_client(fd, event);
      return;
    case op_receive:
      on_received(fd, event);
      return;
    case op_send:
      on_sent(fd, event->res);
      return;
    case op_send_heap:
      on_heap_sent(fd, event->res);
      return;
  }
}

static int64_t now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000LL + time.tv_nsec / 1000;
}

// Submits, and waits for all sends that complete at once and for one event more: one system call a batch. The kernel
// receives about as much at a time as is waited for, so waiting for more than a part of the buffers would use them up.
static void await(void) {
  unsigned wanted = more_than_buffers ? 1 : (sends_under_way < most_wanted ? sends_under_way : most_wanted) + 1;
  more_than_buffers = false;
  if (options.spin_us > 0) {
    int64_t until = now_us() + options.spin_us;
    do {
      io_uring_submit_and_get_events(&ring);
      if (io_uring_cq_ready(&ring) >= wanted) return;
    } while (now_us() < until);
  }
  io_uring_submit_and_wait(&ring, wanted);
}

static void provide_buffers(void) {
  size_t ring_size = buffers * sizeof(struct io_uring_buf);
  size_t size = ring_size + (size_t)buffers * buffer_size;
  char* memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  stop_if(memory == MAP_FAILED, "mmap");
  provided = (struct io_uring_buf_ring*)memory;
  buffer_memory = memory + ring_size;
  struct io_uring_buf_reg where = {.ring_addr = (uintptr_t)provided, .ring_entries = buffers, .bgid = 0};
  stop_if(io_uring_register_buf_ring(&ring, &where, 0) != 0, "io_uring_register_buf_ring");
  io_uring_buf_ring_init(provided);
  for (int id = 0; id < buffers; ++id) give_back(id);
}

int main(int count, char** values) {
  options = read_options(count, values);
  unsigned most = raise_descriptor_limit();
  connections = calloc(most, sizeof *connections);
  stop_if(connections == NULL, "calloc");
  struct io_uring_params parameters = {
      .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE | IORING_SETUP_SUBMIT_ALL,
      .cq_entries = cq_entries};
  int failure = io_uring_queue_init_params(sq_entries, &ring, &parameters);
  if (failure == 0) failure = io_uring_register_files_sparse(&ring, most);
  if (failure == 0) failure = io_uring_register_ring_fd(&ring) < 0 ? -EINVAL : 0;
  if (failure != 0) {
    fprintf(stderr, "io_uring: %s\n", strerror(-failure));
    return 2;
  }
  provide_buffers();
  accept_clients(listen_at(options.port, 0));
  announce(options.port);
  for (;;) {
    io_uring_buf_ring_advance(provided, (int)returned);
    returned = 0;
    await();
    unsigned head;
    unsigned seen = 0;
    const struct io_uring_cqe* event;
    io_uring_for_each_cqe(&ring, head, event) {
      on_event(event);
      ++seen;
    }
    io_uring_cq_advance(&ring, seen);
  }
}
