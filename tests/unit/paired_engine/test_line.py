"""The line: whole messages in order, silence, hang-ups, forks, and callers who do not know the token."""

from __future__ import annotations

import contextlib
import os
import socket
import threading

import pytest

from pytest_perfgate.paired.line import Line, LineClosedError, LineSilentError, Switchboard, call_in


@pytest.fixture
def ends():
    """Both ends, and the raw socket behind the second."""
    ours, theirs = socket.socketpair()
    first, second = Line(ours), Line(theirs)
    yield first, second, theirs
    first.close()
    second.close()


@pytest.fixture
def board():
    board = Switchboard()
    yield board
    board.close()


def test_messages_arrive_whole_and_in_order(ends):
    first, second, _ = ends
    said = [{"n": n, "text": "line\nbreak µ \u2028", "values": [0.1, None, True]} for n in range(3)]
    for message in said:
        first.say(**message)
    assert [second.hear(1.0) for _ in said] == said
    second.say(back=1)
    assert first.hear(1.0) == {"back": 1}


def test_a_message_in_pieces_is_put_together(ends):
    first, _, raw = ends
    for piece in (b'{"a"', b": 1}", b'\n{"b": 2', b"}\n"):
        raw.sendall(piece)
    assert first.hear(1.0) == {"a": 1}
    assert first.hear(1.0) == {"b": 2}


def test_a_message_larger_than_any_buffer_arrives(ends):
    first, second, _ = ends
    text = "x" * 3_000_000
    sender = threading.Thread(target=first.say, kwargs={"text": text})
    sender.start()
    assert second.hear(10.0)["text"] == text
    sender.join()


def test_silence_ends_the_patience_and_loses_nothing(ends):
    first, _, raw = ends
    raw.sendall(b'{"half"')
    with pytest.raises(LineSilentError):
        first.hear(0.01)
    raw.sendall(b": 1}\n")
    assert first.hear(1.0) == {"half": 1}


def test_an_end_that_is_gone_is_noticed_by_listening_and_by_talking(ends):
    first, second, _ = ends
    first.say(last="words")
    first.close()
    first.close()
    assert second.hear(1.0) == {"last": "words"}
    with pytest.raises(LineClosedError):
        second.hear(1.0)
    with pytest.raises(LineClosedError):
        second.say(text="x" * 10_000_000)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_has_no_line(ends):
    first, second, _ = ends
    child = os.fork()
    if child == 0:  # nothing of pytest may go on here
        status = 1
        try:
            first.say(forged=True)
        except LineClosedError:
            try:
                first.hear(0.0)
            except LineClosedError:
                status = 0
        os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    first.say(genuine=True)
    assert second.hear(1.0) == {"genuine": True}


def test_workers_call_in_by_name_in_any_order(board):
    with contextlib.ExitStack() as stack:
        callers = {name: stack.enter_context(contextlib.closing(call_in(board.address, name))) for name in "ba"}
        for name in "ab":
            line = board.line_of(name, is_alive=lambda: True, timeout_s=5.0)
            stack.callback(line.close)
            callers[name].say(i_am=name)
            assert line.hear(1.0) == {"i_am": name}


STRANGERS = {
    "another token": b'{"token": "0123", "name": "base"}\n',
    "no ASCII": b'{"token": "\\u00b5\\ud800", "name": "base"}\n',
    "no token": b'{"name": "base"}\n',
    "no object": b'["token"]\n',
    "no JSON": b"GET / HTTP/1.1\n",
    "no text": b"\xff\xfe\n",
    "hangs up": b"",
}


@pytest.mark.parametrize("greeting", list(STRANGERS.values()), ids=list(STRANGERS))
def test_a_stranger_is_turned_away_and_the_worker_gets_through(board, greeting):
    port = int(board.address.partition(":")[0])
    with contextlib.ExitStack() as stack:
        stranger = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        stranger.sendall(greeting)
        stranger.shutdown(socket.SHUT_WR)
        worker = stack.enter_context(contextlib.closing(call_in(board.address, "base")))
        line = stack.enter_context(contextlib.closing(board.line_of("base", is_alive=lambda: True, timeout_s=5.0)))
        line.say(do="bye")
        assert worker.hear(1.0) == {"do": "bye"}
        stranger.settimeout(1.0)
        try:
            heard = stranger.recv(100)
        except ConnectionResetError:
            heard = b""
        assert heard == b""


def test_who_called_and_was_never_asked_for_is_hung_up_on(board):
    with contextlib.closing(call_in(board.address, "control")) as forgotten:
        with contextlib.closing(call_in(board.address, "base")):
            board.line_of("base", is_alive=lambda: True, timeout_s=5.0).close()
        board.close()
        with pytest.raises(LineClosedError):
            forgotten.hear(5.0)


def test_a_worker_that_dies_before_it_calls_is_not_waited_for(board):
    with pytest.raises(LineClosedError, match="before it was ready"):
        board.line_of("base", is_alive=lambda: False)


def test_a_worker_that_never_calls_is_given_up(board):
    with pytest.raises(LineSilentError, match="did not start within 0 s"):
        board.line_of("base", is_alive=lambda: True, timeout_s=0.0)


def test_nobody_answers_after_the_end(board):
    address = board.address
    board.close()
    with pytest.raises(LineClosedError, match="does not answer"):
        call_in(address, "base")
