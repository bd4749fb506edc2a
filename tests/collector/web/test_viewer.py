"""The viewer's files, and its page for every address that is not the API's."""

from __future__ import annotations

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


@pytest.mark.parametrize("path", ["/assets/gone.js", "/x.png", "/api", "/api/runs/x.html", "/v1/events/more"])
def test_missing_files_and_api_addresses_are_not_pages(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "path", ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "//etc/passwd.txt"]
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
