"""The HTTP API, as the commands beside this file ask it: with a key, by https."""

import getpass
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

# The API itself answers or gives up within 30 s.
PATIENCE_S = 40
# Exit codes: some of what was asked for is not done, and nothing is done (any more).
NOT_ALL, NOTHING = 1, 2


def add_url(parser):
    parser.add_argument("--url", default=os.environ.get("WAYBILL_URL") or "http://127.0.0.1:8080", help="where the API is")


def read_key():
    """The key comes from where no list of processes shows it."""
    key = os.environ.get("WAYBILL_KEY", "")
    if not key and (path := os.environ.get("WAYBILL_KEY_FILE")):
        try:
            with open(path) as file:
                key = file.read()
        except OSError as error:
            fail(f"{path}: {error.strerror}")
    if not key and sys.stdin.isatty():
        key = getpass.getpass("Operator's key: ")
    if not key.strip():
        fail("put an operator's key into WAYBILL_KEY, or the name of its file into WAYBILL_KEY_FILE")
    return key.strip()


class Api:
    """The HTTP API, asked with a key."""

    def __init__(self, url, key):
        parts = urllib.parse.urlsplit(url)
        local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if parts.scheme != "https" and not (parts.scheme == "http" and local):
            fail(f"{url}: a key is sent by https alone, but to this machine itself")
        self.url = url.rstrip("/")
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def call(self, method, path, body=None):
        """What is answered; ends the command if that is no success."""
        body = None if body is None else json.dumps(body).encode()
        try:
            status, answer = self.send(method, path, body)
        except Unanswered as error:
            fail(str(error))
        if not 200 <= status < 300:
            fail("; ".join(problems(status, answer)))
        return answer

    def send(self, method, path, body=None, headers=None):
        """The status and the document of an answer, whatever it says."""
        request = urllib.request.Request(self.url + path, body, {**self.headers, **(headers or {})}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            try:
                return error.code, json.load(error)
            except (OSError, ValueError):
                return error.code, {}
        except (OSError, ValueError) as error:
            raise Unanswered(f"{self.url} does not answer as it should: {getattr(error, 'reason', error)}") from error


class Unanswered(Exception):
    """There was no answer, or none that can be read."""


def problems(status, answer):
    """What an answer says is wrong."""
    try:
        details = [f"{e['pointer']}: {e['detail']}".removeprefix(": ") for e in answer.get("errors", [])]
        return details or [answer.get("detail") or answer["message"]]
    except (KeyError, AttributeError, TypeError):
        return [f"the API answered {status}"]


def say(text):
    print(f"{os.path.basename(sys.argv[0])}: {text}", file=sys.stderr)


def fail(text):
    say(text)
    sys.exit(NOTHING)
