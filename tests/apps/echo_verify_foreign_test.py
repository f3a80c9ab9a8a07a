#!/usr/bin/env python3
"""echo-verify judges echo servers that are not ours, by what strace records of them or what goes over the wire."""

import sys

sys.dont_write_bytecode = True

import contextlib
import json
import pathlib
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest

from foreign import WHOLE_STRINGS, Recording, need_ptrace, verify
from serving import PATIENCE_S, Server, converse, eventually


@contextlib.contextmanager
def attached(server, log):
    """strace watches a server that runs already."""
    command = ["strace", "-f", *WHOLE_STRINGS, "-p", str(server.pid)]
    process = subprocess.Popen(command, stderr=log.fileno(), stdin=subprocess.DEVNULL)
    try:
        eventually("strace has attached", lambda: "attached" in pathlib.Path(log.name).read_text())
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_S)


def hexadecimal(data):
    """As strace writes it with -xx."""
    return "".join(f"\\x{byte:02x}" for byte in data)


class Right(unittest.TestCase):
    def check(self, kind, *options, sizes=(1, 300, 70_000), to_file=True):
        with Recording(kind, *options, to_file=to_file) as server:
            server.clients(sizes)
            server.stop()
            status, output, errors = verify(server.log)
            self.assertEqual((status, errors), (0, ""), output)
            self.assertTrue(output.startswith("holds: "), output)
            self.assertIn("; 3 connections, ", output)
            self.assertIn(f"; {3 * sum(sizes)} bytes received, {3 * sum(sizes)} sent back\n", output)
            self.assertIn("by excuse: none 3, ", output)

    def test_servers(self):
        for kind in "threads", "forks", "asyncio", "splice", "passing", "relay", "socat-cat", "socat-pipe", "ncat":
            with self.subTest(kind):
                self.check(kind)

    def test_large_messages(self):
        for kind in "asyncio", "socat-cat":
            with self.subTest(kind):
                self.check(kind, sizes=(1, 1 << 20))

    def test_our_own(self):
        for kind in "antiphon-fork", "antiphon-epoll":
            with self.subTest(kind):
                self.check(kind)

    def test_options_of_strace(self):
        whole = ("-s", "100000")
        for options in [
            (*whole, "-xx", "-y"), (*whole, "-xx", "-yy", "-T", "-ttt"), (*whole, "-r"), (*whole, "-x", "-t"),
            (*whole, "-tt", "-n", "-i"), (*whole, "-xx", "-e", "trace=%desc,%network,%process"),
        ]:
            with self.subTest(options):
                self.check("forks", *options, sizes=(1, 300))

    def test_logs_on_standard_error(self):
        for kind in "threads", "forks":
            for quiet in (), ("-q",), ("-qq",):
                with self.subTest(kind, quiet=quiet):
                    self.check(kind, *WHOLE_STRINGS, *quiet, sizes=(1, 300), to_file=False)

    def test_a_process_that_strace_comes_to_later(self):
        need_ptrace()
        with Server(interpreter="epoll") as server, tempfile.NamedTemporaryFile("r") as log:
            with attached(server, log):
                for _ in range(3):
                    self.assertEqual(server.echo(b"hello"), b"hello")
            status, output, errors = verify(log.name)
            self.assertEqual((status, errors), (0, ""), output)
            self.assertIn("; 3 connections, ", output)


class Wrong(unittest.TestCase):
    def record(self, defect):
        """What echo-verify says of a server of threads that has two clients at once."""
        with Recording(f"threads {defect}") as server:
            for first, second in (b"first of one", b"second of one"), (b"first of two", b"second of two"):
                with server.connect() as connection:
                    connection.settimeout(PATIENCE_S)
                    for message in first, second:
                        connection.sendall(message)
                        time.sleep(0.05)
                    connection.shutdown(socket.SHUT_WR)
                    heard = b""
                    try:
                        while more := connection.recv(1000):
                            heard += more
                    except ConnectionResetError:
                        pass
                    server.process.poll()
                if server.process.poll() is not None:
                    break
            server.stop()
            return verify(server.log, "--format", "json")

    def test_defects(self):
        where = r"line \d+, pid \d+, "
        client = r"client \d \(127\.0\.0\.1:\d+\)"
        for defect, clause, sentence in [
            ("drops", "echo", rf'sendto\(\d+\) to {client}: leaves out 1 byte at byte 6: sends "f one'),
            ("repeats", "echo", rf"sendto\(\d+\) to {client}: repeats 12 bytes at byte 12: "),
            ("reorders", "echo", rf"sendto\(\d+\) to {client}: sends bytes out of order at byte 0: "),
            ("mixes", "isolation", rf"sendto\(\d+\) to {client}: sends what {client} had sent at byte \d+: "),
            ("alters", "echo", rf'sendto\(\d+\) to {client}: alters what it received at byte 0: sends "FIRST OF ONE'),
            ("invents", "echo", rf"sendto\(\d+\) to {client}: sends what it never received at byte 12: "),
            ("truncates", "echo", rf'sendto\(\d+\) to {client}: leaves out 1 byte at byte 11: sends "second '),
            ("lets-go", "answered", rf'close\(\d+\): lets go of {client} and owes it 13 bytes: "second of one"'),
            ("crashes", "answered", rf'descriptor \d+: lets go of {client} and owes it 13 bytes: "second of one"'),
            ("uses-closed", "descriptors",
             rf"write\(\d+\): uses a descriptor that is closed \(EBADF\): \d+ was that of {client}"),
            ("leaks", "descriptors", rf"descriptor \d+: still holds {client}, whose end it had read by line \d+; "),
        ]:
            with self.subTest(defect):
                status, output, errors = self.record(defect)
                report = json.loads(output)
                self.assertEqual((status, errors, report["verdict"]), (1, "", "violated"), report)
                found = {one["clause"]: one["what"] for one in report["violations"]}
                self.assertIn(clause, found)
                self.assertRegex(found[clause], "^" + where + sentence)
                self.assertEqual(found[clause], found[clause].strip())


class Met(unittest.TestCase):
    def test_the_verdict_is_what_the_client_met(self):
        """ncat loses what its command has to say once the client has ended its side; socat does not."""
        for kind in "ncat", "socat-cat":
            with self.subTest(kind), Recording(kind) as server:
                with server.connect() as connection:
                    connection.sendall(b"hello")
                    connection.shutdown(socket.SHUT_WR)
                    connection.settimeout(PATIENCE_S)
                    heard = b""
                    while more := connection.recv(100):
                        heard += more
                eventually("the server has let go", lambda: server.count("exited with") + server.count("killed by") > 1)
                server.stop()
                status, output, _ = verify(server.log)
                if heard == b"hello":
                    self.assertEqual(status, 0, output)
                else:
                    self.assertEqual(status, 1, output)
                    self.assertRegex(output, rf"lets go of client 1 \(.*\) and owes it {5 - len(heard)} bytes: ")


class Excused(unittest.TestCase):
    def test_a_client_that_resets(self):
        with Recording("threads waits") as server:
            with server.connect() as connection:
                converse(connection, b"first", close_side=False)
                connection.sendall(b"second")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            eventually("the server is reset", lambda: server.count("= -1 EPIPE") + server.count("= -1 ECONNRESET"))
            server.clients((1,), number=1)
            server.stop()
            status, output, _ = verify(server.log)
            self.assertEqual(status, 0, output)
            self.assertIn("by excuse: none 1, reset 1, ", output)

    def test_a_server_that_is_killed_while_it_serves(self):
        for by in signal.SIGKILL, signal.SIGTERM:
            with self.subTest(by), Recording("threads waits") as server, server.connect() as connection:
                converse(connection, b"first", close_side=False)
                connection.sendall(b"second")
                eventually("the server has read it", lambda: server.count(hexadecimal(b"second")))
                server.stop(by)
                status, output, _ = verify(server.log)
                self.assertEqual(status, 0, output)
                self.assertIn(", drain 1, ", output)
                self.assertRegex(output, r"a signal ends the server while client 1 \(.*\) is owed 6 bytes: \"second\"")


class Incomplete(unittest.TestCase):
    def check(self, log, words, *options):
        status, output, errors = verify(log, *options)
        self.assertEqual((status, errors), (3, ""), output)
        self.assertTrue(output.startswith("incomplete: "), output)
        self.assertIn(words, output)

    def test_what_a_ring_moves(self):
        with Recording("antiphon-uring") as server:
            server.clients((1, 300))
            server.stop()
            self.check(server.log, "io_uring_enter: what a ring sends and receives is not in the log")

    def test_chosen_calls(self):
        chosen = ("-e", "trace=accept4,recvfrom,sendto,close,clone,clone3")
        with Recording("threads drops", *WHOLE_STRINGS, *chosen) as server:
            with server.connect() as connection:
                self.assertEqual(converse(connection, b"hello"), b"helo")
            server.stop()
            self.check(server.log, "the log shows chosen calls only")
            self.check(server.log, "as far as it shows, echo is broken: ")

    def test_nobody_came(self):
        with Recording("threads") as server:
            server.stop()
            self.check(server.log, "no client was accepted")

    def test_another_port(self):
        with Recording("threads") as server:
            server.clients((1,))
            server.stop()
            self.check(server.log, "no client was accepted", "--port", str(server.port - 1))
            self.assertEqual(verify(server.log, "--port", str(server.port))[0], 0)

    def test_logs_that_are_cut(self):
        with Recording("threads") as server:
            server.clients((300,), number=1)
            server.stop()
            text = pathlib.Path(server.log).read_text()
            end = text.index("sendto(") + 50
            pathlib.Path(server.log).write_text(text[:end])
            self.check(server.log, "the log is cut off in its last line")
            self.check(server.log, "is still owed 300 bytes")

    def test_a_connection_that_was_there_before(self):
        need_ptrace()
        with Server(interpreter="epoll") as server, server.connect() as early, tempfile.NamedTemporaryFile("r") as log:
            converse(early, b"early", close_side=False)
            with attached(server, log):
                converse(early, b"late", close_side=False)
            self.check(log.name, "where the descriptor comes from is not in the log, and it may be a client's")


class Refused(unittest.TestCase):
    def check(self, text, complaint):
        with tempfile.NamedTemporaryFile("w") as log:
            log.write(text)
            log.flush()
            status, output, errors = verify(log.name)
            self.assertEqual((status, output), (2, ""))
            self.assertEqual(errors, f"echo-verify: {log.name}:{complaint}\n")

    def test_strings_that_are_cut_short(self):
        with Recording("threads", "-xx", "-s", "32") as server:
            server.clients((1, 33), number=1)
            server.stop()
            status, output, errors = verify(server.log)
            self.assertEqual((status, output), (2, ""))
            number = int(errors.split(":")[2])
            self.assertRegex(pathlib.Path(server.log).read_text().splitlines()[number - 1], r'recvfrom.*"\.\.\., ')
            self.assertIn("the bytes of a client are cut short here: record with a longer -s", errors)

    def test_what_is_no_log(self):
        self.check("1 getpid() = 1\nhello\n1 getpid() = 1\n", "2: not a line of strace: hello")
        self.check("1 getpid() = 1\n1 read(3, \"\n", "2: a call of read without its end")
        self.check("1 getpid() = 1\n\0\n", "2: not a line of strace: ?")
        self.check("1 getpid() = x\n", "1: a call of getpid with the result x")
        self.check("1 <... read resumed>\"\", 1) = 0\n", "1: a call goes on that was not begun: <... read")


CLIENT, SERVER = 5000, 80
FIN, SYN, ACK = 1, 2, 16


def packet(source, target, sequence, acknowledged, flags, payload=b""):
    """An IPv4 packet with a TCP segment."""
    segment = struct.pack("!HHIIBBHHH", source, target, sequence, acknowledged, 5 << 4, flags, 65535, 0, 0) + payload
    addresses = bytes([10, 0, 0, source % 251, 10, 0, 0, target % 251])
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0, 64, 6, 0) + addresses + segment


def capture(answer, snaplen=65535):
    """A client says hello and ends its side; the server answers and ends its own. As pcap, links without a header."""
    packets = [
        packet(CLIENT, SERVER, 99, 0, SYN),
        packet(SERVER, CLIENT, 499, 100, SYN | ACK),
        packet(CLIENT, SERVER, 100, 500, ACK, b"hello"),
        packet(CLIENT, SERVER, 105, 500, FIN | ACK),
        packet(SERVER, CLIENT, 500, 106, ACK, answer),
        packet(SERVER, CLIENT, 500 + len(answer), 106, FIN | ACK),
    ]
    records = [struct.pack("=IIII", 0, 0, min(len(one), snaplen), len(one)) + one[:snaplen] for one in packets]
    return struct.pack("=IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, snaplen, 101) + b"".join(records)


class Wire(unittest.TestCase):
    def verify(self, content, *options):
        with tempfile.NamedTemporaryFile("wb", suffix=".pcap") as file:
            file.write(content)
            file.flush()
            status, output, errors = verify(file.name, *options, how="pcap")
            return status, output.replace(file.name, "FILE"), errors.replace(file.name, "FILE")

    def test_an_echo_holds(self):
        status, output, _ = self.verify(capture(b"hello"))
        self.assertEqual(status, 0, output)
        self.assertTrue(output.startswith("holds: the server of FILE\n  6 packets; 1 connections, "), output)
        self.assertIn("; 5 bytes received, 5 sent back\n", output)

    def test_what_is_no_echo_is_violated(self):
        for answer, clause, what in [
            (b"HELLO", "echo", "packet 5, to client 1 (10.0.0.231:5000): alters what it received at byte 0: "),
            (b"hel", "answered", "packet 6: ends its side of client 1 (10.0.0.231:5000) and owes it 2 bytes: "),
        ]:
            status, output, _ = self.verify(capture(answer), "--format", "json")
            report = json.loads(output)
            self.assertEqual((status, report["verdict"], report["input"]), (1, "violated", "pcap"))
            self.assertEqual(report["violations"][0]["clause"], clause)
            self.assertTrue(report["violations"][0]["what"].startswith(what), report)

    def test_the_port_says_who_the_server_is(self):
        self.assertEqual(self.verify(capture(b"hello"), "--port", "80")[0], 0)
        self.assertEqual(self.verify(capture(b"hello"), "--port", "81")[0], 3)

    def test_what_does_not_read_is_refused(self):
        for content, complaint in [
            (b"no capture", "FILE: not a capture: "),
            (capture(b"hello", snaplen=42), "FILE: packet 3: its payload is cut short: "),
        ]:
            status, output, errors = self.verify(content)
            self.assertEqual((status, output, errors.count("\n")), (2, "", 1))
            self.assertTrue(errors.startswith("echo-verify: " + complaint), errors)


if __name__ == "__main__":
    unittest.main()
