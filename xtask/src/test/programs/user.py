"""What a user's first program does, and the Python lines of the README, but for the address that they call."""

import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import flask
import onward
from onward import OnwardError, Propagator, get_forward_headers

INBOUND = {"X-Request-Id": "7f6c", "Accept": "*/*", "cookie": "user=jane"}

headers = get_forward_headers(INBOUND)
assert dict(headers) == {"x-request-id": "7f6c", "cookie": "user=jane"}, headers
assert dict(get_forward_headers(INBOUND, "https://api.example.com/")) == {"x-request-id": "7f6c"}
assert dict(get_forward_headers({})) == {}
try:
    Propagator.from_env({"ONWARD_HEADERS": "+host"})
except OnwardError as error:
    assert (error.code, error.token) == ("refused_header", "host"), error
else:
    sys.exit("a refused header was taken")


class Reviews(BaseHTTPRequestHandler):
    """Answers with the user that it was told."""

    def do_GET(self) -> None:
        body = (self.headers.get("cookie") or "nobody").encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


block = re.search(r"```python\n(.*?)```", Path(sys.argv[1]).read_text(), re.DOTALL)
assert block, "the README has no Python"
assert "http://reviews:9080" in block[1], "the README's Python calls no http://reviews:9080"
with HTTPServer(("127.0.0.1", 0), Reviews) as server:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    app = flask.Flask(__name__)
    names: dict[str, Any] = {"app": app}
    try:
        exec(block[1].replace("http://reviews:9080", f"http://127.0.0.1:{server.server_port}"), names)
        seen = app.test_client(use_cookies=False).get("/productpage", headers=INBOUND).text
    finally:
        server.shutdown()
        thread.join()
        onward.uninstrument()
assert seen == "user=jane", f"the README's lines forwarded no cookie: {seen}"

command = [str(Path(sys.executable).with_name("onward-run")), "--explain", sys.executable, "-c", "print('runs')"]
ran = subprocess.run(command, capture_output=True, text=True, check=True)
assert ran.stdout == "runs\n", ran
assert "forwards x-request-id, " in ran.stderr, ran
