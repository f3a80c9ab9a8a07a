/* The question that `echo-verify explore` answers for tcp_server(stream_session), as a SPIN model: does every client get
 * back what it sent, whole and in order, whatever the schedule and however reads and writes are cut?
 *
 *   spin -a -DCLIENTS=2 echo.pml && gcc -O2 -DSAFETY -o pan pan.c && ./pan        tests/bench/run.sh explore does it
 *
 * One step is one system call. Clients connect, send their messages, end their side, and read whatever is there; the
 * acceptor accepts, forks and closes its own name of the connection; a session closes the listener, receives and sends
 * until the client's end, and closes. Each send and recv carries any number of bytes that it can. Between a client's
 * send and its arrival the bytes fly, and arrive in pieces of any size; to the client they fly until it reads them. Both
 * count against the capacity of the direction, as in our simulator.
 *
 * It is more abstract than our simulator:
 *   - a client lets go of its connection in the step in which it sees the end;
 *   - nothing fails, nobody resets or stops, no time passes, no deadline is kept;
 *   - sockets have no numbers and processes no tables: holders are counted;
 *   - the program is written here by hand, where our explorer runs the one that serves;
 *   - two properties only: what comes back is what was sent, and nobody waits for ever. Ours has 17 clauses.
 */

#ifndef CLIENTS
#define CLIENTS 2
#endif
#ifndef MESSAGES
#define MESSAGES 2
#endif
#ifndef SIZE
#define SIZE 2
#endif
#ifndef CAPACITY
#define CAPACITY 2
#endif
#ifndef BACKLOG
#define BACKLOG CLIENTS
#endif

/* With the canary each byte comes back wrong, and the assertion must say so. */
#ifdef CANARY
#define ECHOED(content) ((content) + 1)
#else
#define ECHOED(content) (content)
#endif

#define TOTAL (MESSAGES * SIZE)
/* Each byte tells whose it is, and its place. */
#define BYTE_OF(client, place) ((client) * TOTAL + (place))

chan waiting = [BACKLOG] of { byte };
chan flying[CLIENTS] = [CAPACITY] of { byte }; /* from a client, not yet arrived */
chan up[CLIENTS] = [CAPACITY] of { byte };     /* from a client, not yet received */
chan down[CLIENTS] = [CAPACITY] of { byte };   /* to a client */
bool end_sent[CLIENTS];
bool up_ended[CLIENTS];
bool down_ended[CLIENTS];
byte holders[CLIENTS]; /* server processes that have a name for the connection */
byte listener_holders = 1;

#define LESSER(a, b) ((a) < (b) -> (a) : (b))

/* `count` becomes any number from 1 to `limit`. */
#define CUT(limit) \
  most = limit; \
  count = 1; \
  do \
  :: count < most -> count++ \
  :: break \
  od; \
  most = 0

#define CLOSE(client) \
  assert(holders[client] > 0); \
  holders[client]--; \
  if \
  :: holders[client] == 0 -> down_ended[client] = true \
  :: else \
  fi

/* The loop of stream_session. Its first step is what tcp_server has a child do. */
proctype Session(byte client) {
  chan message = [CAPACITY] of { byte };
  byte most, count, content;

  listener_holders--;
  do
  :: atomic { /* Recv */
       nempty(up[client]) ->
       CUT(len(up[client]));
       do
       :: count > 0 -> up[client] ? content; message ! content; count--
       :: else -> break
       od;
       content = 0
     };
     do
     :: atomic { /* Send */
          nempty(message) && nfull(down[client]) ->
          CUT(LESSER(len(message), CAPACITY - len(down[client])));
          do
          :: count > 0 -> message ? content; down[client] ! ECHOED(content); count--
          :: else -> break
          od;
          content = 0
        }
     :: empty(message) -> break
     od
  :: atomic { empty(up[client]) && up_ended[client] -> break } /* Recv: the end */
  od;
  atomic { CLOSE(client) }
}

/* tcp_server */
active proctype Acceptor() {
  byte client;

end:
  do
  :: atomic { waiting ? client -> holders[client] = 1 };
     atomic { holders[client]++; listener_holders++; run Session(client) };
     atomic { CLOSE(client); client = 0 }
  od
}

/* One for each client; its first is process 1, after the acceptor. */
active [CLIENTS] proctype Network() {
  byte most, count, content;

#define OF (_pid - 1)
end:
  do
  :: atomic { /* bytes arrive */
       nempty(flying[OF]) ->
       CUT(len(flying[OF]));
       do
       :: count > 0 -> flying[OF] ? content; up[OF] ! content; count--
       :: else -> break
       od;
       content = 0
     }
  :: atomic { empty(flying[OF]) && end_sent[OF] && !up_ended[OF] -> up_ended[OF] = true }
  od
}

active [CLIENTS] proctype Client() {
  byte messages, left = SIZE, sent, received, most, count, content;

#define ME (_pid - 1 - CLIENTS)
#define ROOM (CAPACITY - len(flying[ME]) - len(up[ME]))
  waiting ! ME;
  do
  :: atomic { /* sends a part of a message */
       messages < MESSAGES && ROOM > 0 ->
       CUT(LESSER(left, ROOM));
       do
       :: count > 0 -> flying[ME] ! BYTE_OF(ME, sent); sent++; left--; count--
       :: else -> break
       od;
       if
       :: left == 0 -> left = SIZE; messages++
       :: else
       fi
     }
  :: atomic { messages == MESSAGES && !end_sent[ME] -> end_sent[ME] = true } /* half-close */
  :: atomic { /* reads */
       nempty(down[ME]) ->
       CUT(len(down[ME]));
       do
       :: count > 0 ->
          down[ME] ? content;
          assert(content == BYTE_OF(ME, received));
          received++; count--
       :: else -> break
       od;
       content = 0
     }
  :: atomic { down_ended[ME] && empty(down[ME]) -> break }
  od;
  assert(received == TOTAL)
}
