#pragma once

// What every peer does alike: reads its arguments, listens on 127.0.0.1, says so. The rest of a peer is its library.
//
//   PEER PORT [--once] [--edge] [--spin US]

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

struct options {
  int port;
  bool once;     // Answer one message, then end our side, then wait for the client's end.
  bool edge;     // Edge triggered; for peers that can do both.
  long spin_us;  // Poll so long before sleeping; for peers that can.
};

static inline void stop_if(bool failed, const char* what) {
  if (!failed) return;
  perror(what);
  exit(2);
}

static inline struct options read_options(int count, char** values) {
  struct options options = {0, false, false, 0};
  for (int i = 1; i < count; ++i) {
    if (strcmp(values[i], "--once") == 0) {
      options.once = true;
    } else if (strcmp(values[i], "--edge") == 0) {
      options.edge = true;
    } else if (strcmp(values[i], "--spin") == 0 && i + 1 < count) {
      options.spin_us = atol(values[++i]);
    } else if (options.port == 0 && atoi(values[i]) > 0) {
      options.port = atoi(values[i]);
    } else {
      options.port = 0;
      break;
    }
  }
  if (options.port == 0) {
    fprintf(stderr, "usage: %s PORT [--once] [--edge] [--spin US]\n", values[0]);
    exit(2);
  }
  return options;
}

// As many descriptors as the hard limit allows. Answers how many.
static inline unsigned raise_descriptor_limit(void) {
  struct rlimit limit;
  stop_if(getrlimit(RLIMIT_NOFILE, &limit) != 0, "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  stop_if(setrlimit(RLIMIT_NOFILE, &limit) != 0, "setrlimit");
  return (unsigned)limit.rlim_cur;
}

static inline void announce(int port) {
  printf("listening on 127.0.0.1:%d\n", port);
  fflush(stdout);
}

static inline struct sockaddr_in address_of(int port) {
  struct sockaddr_in address;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_port = htons((unsigned short)port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

enum { backlog = 4096 };

// A listening socket; `flags` are those of socket(2), such as SOCK_NONBLOCK.
static inline int listen_at(int port, int flags) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  stop_if(listener < 0, "socket");
  int yes = 1;
  stop_if(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0, "SO_REUSEADDR");
  struct sockaddr_in address = address_of(port);
  stop_if(bind(listener, (struct sockaddr*)&address, sizeof address) != 0, "bind");
  stop_if(listen(listener, backlog) != 0, "listen");
  return listener;
}
