#!/usr/bin/env python3
"""Echo servers that are not ours, for judging by what they do: `foreign_server.py KIND [DEFECT]`.

They print the port that they listen on. A KIND is a way to serve, a DEFECT something that one of threads does wrong, or
`waits`: that is none, it is slow to answer.
"""

import asyncio
import os
import select
import socket
import socketserver
import sys
import threading
import time

said_last = b""
leaked = []


def answer(data, defect):
    global said_last
    middle = len(data) // 2
    if defect == "drops":
        return data[:middle] + data[middle + 1 :]
    if defect == "repeats":
        return data + data
    if defect == "reorders":
        return data[middle:] + data[:middle]
    if defect == "mixes":
        other, said_last = said_last, data
        return other or data
    if defect == "truncates":
        return data[:-1]
    if defect == "alters":
        return data.swapcase()
    if defect == "invents":
        return data + b"goodbye"
    if defect == "waits" and data.startswith(b"second"):
        time.sleep(0.5)
    if defect == "lets-go" and data.startswith(b"second"):
        return None
    if defect == "crashes" and data.startswith(b"second"):
        os.abort()
    return data


def serve(connection, defect):
    with connection:
        while data := connection.recv(65536):
            reply = answer(data, defect)
            if reply is None:
                return
            connection.sendall(reply)
        if defect == "leaks":
            connection.shutdown(socket.SHUT_WR)
            leaked.append(connection.dup())
        if defect == "uses-closed":
            descriptor = connection.fileno()
            os.close(descriptor)
            try:
                os.write(descriptor, b"late")
            except OSError:
                connection.detach()


def listener():
    made = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(made.getsockname()[1], flush=True)
    return made


def by_threads(defect=None):
    listening = listener()
    while True:
        connection, _ = listening.accept()
        threading.Thread(target=serve, args=(connection, defect), daemon=True).start()


def by_forks():
    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            serve(self.request, None)

    server = socketserver.ForkingTCPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
    server.request_queue_size = 64
    server.server_bind()
    server.server_activate()
    print(server.server_address[1], flush=True)
    server.serve_forever()


def by_asyncio():
    async def converse(reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def main():
        server = await asyncio.start_server(converse, sock=listener())
        await server.serve_forever()

    asyncio.run(main())


def by_splice():
    """One thread for each connection; the bytes never leave the kernel."""

    def move(connection):
        with connection:
            source, target = os.pipe()
            while count := os.splice(connection.fileno(), target, 65536):
                while count > 0:
                    count -= os.splice(source, connection.fileno(), count)
            os.close(source)
            os.close(target)

    listening = listener()
    while True:
        connection, _ = listening.accept()
        threading.Thread(target=move, args=(connection,), daemon=True).start()


def by_passing():
    """One process accepts, and another serves: the descriptors go there in messages."""
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        ours.close()
        while True:
            _, descriptors, _, _ = socket.recv_fds(theirs, 1, 1)
            if not descriptors:
                return
            serve(socket.socket(fileno=descriptors[0]), None)
    theirs.close()
    listening = listener()
    while True:
        connection, _ = listening.accept()
        socket.send_fds(ours, [b"x"], [connection.fileno()])
        connection.close()


def by_relay():
    """A process for each connection, which talks to it over a pair of sockets; the parent keeps the connection."""
    listening = listener()
    while True:
        connection, _ = listening.accept()
        threading.Thread(target=relay, args=(connection,), daemon=True).start()


def relay(connection):
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        ours.close()
        connection.close()
        serve(theirs, None)
        os._exit(0)
    theirs.close()
    with connection, ours:
        going = [connection, ours]
        while going:
            for readable in select.select(going, [], [])[0]:
                other = ours if readable is connection else connection
                if data := readable.recv(4096):
                    other.sendall(data)
                else:
                    other.shutdown(socket.SHUT_WR)
                    going.remove(readable)
    os.wait()


KINDS = {
    "threads": by_threads,
    "forks": by_forks,
    "asyncio": by_asyncio,
    "splice": by_splice,
    "passing": by_passing,
    "relay": by_relay,
}

if __name__ == "__main__":
    KINDS[sys.argv[1]](*sys.argv[2:])
