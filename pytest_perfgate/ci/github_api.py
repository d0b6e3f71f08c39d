"""GitHub's REST API as far as a comment needs it: lists, one object; nothing about what they mean.

The token goes to the host of the API and nowhere else, neither along a redirection nor into a message.
"""

from __future__ import annotations

import http.client
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from pytest_perfgate.errors import PerfgateError

#: Of a list, the most that GitHub gives at once.
_PER_PAGE = 100
#: A pull request with more than ten thousand comments has other problems.
_MOST_PAGES = 100
#: A hundred comments of the largest size take 26 MB.
_MOST_BYTES = 64 * 1024 * 1024
_MOST_SAID = 300

_NEXT = re.compile(r'<([^<>]+)>\s*;[^,]*\brel="?next"?')


class ApiError(PerfgateError):
    """GitHub refused, could not be reached, or said something else than it should.

    Args:
        message: What happened.
        status: Of the answer; None without one.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        self.status = status
        super().__init__(message)


class GitHub:
    """A connection to the API.

    Args:
        url: Of the API, such as ``https://api.github.com``.
        token: Who asks.
        timeout_s: Of every single request.

    Raises:
        ApiError: The address or the token cannot be one.
    """

    def __init__(self, url: str, token: str, *, timeout_s: float = 20.0) -> None:
        if urlsplit(url).scheme not in ("https", "http") or not urlsplit(url).hostname:
            raise ApiError(f"{url!r} is not the address of GitHub's API; set GITHUB_API_URL to one")
        if not (token.isascii() and token.isprintable() and token and " " not in token):
            raise ApiError("the token holds characters that no token has; check where it comes from")
        self._url, self._token, self._timeout_s = url.rstrip("/"), token, timeout_s
        self._opener = urllib.request.build_opener(_SameHost())

    def listed(self, path: str, **query: str) -> Iterator[Mapping[str, Any]]:
        """Get every element of a list, page by page.

        Args:
            path: Such as ``/repos/owner/name/pulls``.
            query: What to ask for.

        Raises:
            ApiError: A page could not be had.
        """
        asked = {**query, "per_page": str(_PER_PAGE)}
        url: str | None = f"{self._url}{path}?{urlencode(asked)}"
        for number in range(2, _MOST_PAGES + 2):
            if url is None:
                return
            page, link = self._call("GET", url)
            if not isinstance(page, list):
                raise ApiError(f"GET {path}: the answer is no list")
            yield from (element for element in page if isinstance(element, dict))
            following = _NEXT.search(link)
            url = following[1] if following else None
            if not link and len(page) == _PER_PAGE:
                url = f"{self._url}{path}?{urlencode({**asked, 'page': str(number)})}"

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Create or change something.

        Args:
            method: ``POST`` or ``PATCH``.
            path: Such as ``/repos/owner/name/issues/1/comments``.
            body: What it shall be.

        Returns:
            What it is now.

        Raises:
            ApiError: It could not be done.
        """
        answer, _ = self._call(method, f"{self._url}{path}", json.dumps(body).encode())
        return answer if isinstance(answer, dict) else {}

    def _call(self, method: str, url: str, content: bytes | None = None) -> tuple[object, str]:
        """Do one request; return the answer and its ``Link``."""
        what = f"{method} {urlsplit(url).path}"
        if _origin(url) != _origin(self._url):
            raise ApiError(f"{what}: the next page is said to be on another host; not followed")
        # A checked scheme; the token is not among the headers that a redirection repeats.
        request = urllib.request.Request(url, data=content, method=method, headers=_HEADERS)  # noqa: S310
        request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                text, link = answer.read(_MOST_BYTES + 1), answer.headers.get("Link", "")
            if len(text) > _MOST_BYTES:
                raise ApiError(f"{what}: the answer is larger than {_MOST_BYTES // 1024**2} MiB")
            return json.loads(text), link
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise ApiError(f"{what}: HTTP {refusal.code}{self._said(refusal)}", refusal.code) from None
        except (OSError, http.client.HTTPException) as problem:
            reason = getattr(problem, "reason", None) or problem
            raise ApiError(f"{what}: {type(problem).__name__}: {self._hidden(str(reason))}") from None
        except (ValueError, RecursionError):
            raise ApiError(f"{what}: the answer is not JSON") from None

    def _said(self, refusal: urllib.error.HTTPError) -> str:
        """Take the message out of a refusal."""
        try:
            answer = json.loads(refusal.read(_MOST_BYTES))
        except (OSError, ValueError, RecursionError, http.client.HTTPException):
            return ""
        message = answer.get("message") if isinstance(answer, dict) else None
        return f": {self._hidden(message)}" if isinstance(message, str) else ""

    def _hidden(self, text: str) -> str:
        """Make *text* fit for a log, whatever the other side repeats of what it was sent."""
        return text.replace(self._token, "***")[:_MOST_SAID]


_HEADERS = {
    "Accept": "application/vnd.github+json",
    "Content-Type": "application/json",
    "User-Agent": "pytest-perfgate",
    "X-GitHub-Api-Version": "2022-11-28",
}


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follows to the same host only, as after the renaming of a repository, and only to read."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """Make the request that follows a redirection."""
        if req.get_method() != "GET" or _origin(newurl) != _origin(req.full_url):
            raise urllib.error.HTTPError(req.full_url, code, msg, headers, fp)
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following is not None:
            following.add_unredirected_header("Authorization", req.unredirected_hdrs["Authorization"])
        return following


def _origin(url: str) -> tuple[str, str | None, int | None]:
    """Say who would get the token."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port
