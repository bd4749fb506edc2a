"""The viewer's files, and its page for every address that is not the API's."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient

from milepost_collector.web.problems import handle_http_exception
from milepost_collector.web.static import Viewer

PAGE = (
    '<!doctype html><html><head><title>Milepost</title></head><body><script src="./assets/a.js"></script></body></html>'
)
Get = Callable[..., httpx.Response]


@pytest.fixture
def build(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "icon.svg").write_text("<svg/>")
    (tmp_path / "assets" / "a-1b2c.js").write_text("1")
    (tmp_path.parent / "secret.txt").write_text("secret")
    return tmp_path


@pytest.fixture
def client(build: Path) -> Iterator[TestClient]:
    app = Starlette(exception_handlers={HTTPException: handle_http_exception})
    app.router.default = Viewer(build)
    with TestClient(app, base_url="http://127.0.0.1") as made:
        yield made


@pytest.mark.parametrize("path", ["/", "/index.html", "/runs/abc", "/runs/abc/spans/def", "/anything/at/all"])
def test_every_page_address_gets_the_page_with_its_base(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert '<head><base href="/">' in answer.text
    assert answer.headers["cache-control"] == "no-cache"


def test_assets_are_kept_for_ever_and_other_files_asked_for_again(client: TestClient) -> None:
    assert "immutable" in client.get("/assets/a-1b2c.js").headers["cache-control"]
    assert client.get("/icon.svg").headers["cache-control"] == "no-cache"


def test_files_are_compressed_for_whoever_can_read_that(client: TestClient, build: Path) -> None:
    (build / "assets" / "b-3d4e.js").write_text("const a = 1;\n" * 1000)
    plain = client.get("/assets/b-3d4e.js", headers={"accept-encoding": "identity"})
    packed = client.get("/assets/b-3d4e.js", headers={"accept-encoding": "br, gzip;q=0.5"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 10
    assert packed.text == plain.text
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


def test_file_that_changed_is_sent_anew_and_one_that_did_not_is_not_sent_again(client: TestClient, build: Path) -> None:
    first = client.get("/icon.svg")
    again = client.get("/icon.svg", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    os.utime(build / "icon.svg", ns=(0, 0))
    (build / "icon.svg").write_text("<svg></svg>")
    assert client.get("/icon.svg", headers={"if-none-match": first.headers["etag"]}).text == "<svg></svg>"


def test_scripts_and_fonts_say_what_they_are(client: TestClient, build: Path) -> None:
    (build / "assets" / "inter-1.woff2").write_bytes(b"wOF2")
    assert client.get("/assets/a-1b2c.js").headers["content-type"] == "text/javascript; charset=utf-8"
    assert client.get("/assets/inter-1.woff2").headers["content-type"] == "font/woff2"


@pytest.mark.parametrize("path", ["/assets/gone.js", "/x.png", "/api", "/api/runs/x.html", "/v1/events/more"])
def test_missing_files_and_api_addresses_are_not_pages(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "//etc/passwd.txt", "/a%00b.txt"]
)
def test_files_outside_the_build_are_out_of_reach(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "secret" not in answer.text.replace("secret.txt", "")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_pages_are_only_read(client: TestClient, method: str) -> None:
    assert client.request(method, "/runs/abc").status_code == 404


def test_collector_without_a_built_viewer_says_how_to_build_it(tmp_path: Path) -> None:
    app = Starlette()
    app.router.default = Viewer(tmp_path / "absent")
    answer = TestClient(app).get("/runs/abc")
    assert answer.status_code == 503
    assert "make viewer" in answer.text
