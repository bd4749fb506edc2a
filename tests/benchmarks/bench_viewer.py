"""The viewer in Chromium, on runs of 10,000, 100,000 and 300,000 spans and a list of 10,000 runs.

    python -m tests.benchmarks.bench_viewer [--quick] [--json FILE] [--spans N]

A real collector holds the runs, a real Chromium shows them, without a graphics card. Floors are measured in the same
page: frames in which nothing happens, the spans fetched and thrown away. Times of a busy machine mean little beside
their bars; beside their floors they still do.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from tests.benchmarks.bench_viewer_runs import MS, Sender, Span, agent_run, many_runs
from tests.benchmarks.bundle import measure
from tests.benchmarks.figures import Figure, Options, Result, median, percentile, progress, run_alone
from tests.benchmarks.servers import collector

SIZES = (10_000, 100_000, 300_000)
QUICK_SIZES = (2_000, 10_000)
LIST_RUNS = 10_000
QUICK_LIST_RUNS = 500
FRAMES = 120
QUICK_FRAMES = 30
OPENINGS = 5
LIVE_S = 8.0
LIVE_EVENTS_PER_S = 1_000
IDLE_S = 3.0
KB = 1000
PROBE = Path(__file__).with_name("viewer_probe.js").read_text("utf-8")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
ROW = "[role=treegrid] [role=row]"

# What is done in each frame; keys as a reader presses them.
ACTS = {
    "pan": "i => probe.key(i % 60 < 30 ? 'd' : 'a')",
    "zoom": "i => probe.key(i % 24 < 12 ? 'w' : 's')",
    "key move": "() => probe.key('j')",
    "scroll": f"() => (document.querySelector('{ROW}').closest('[class*=scroller]').scrollTop += 660)",
}
# Zooming in a little and back: every second time the whole run is drawn.
DRAW = "i => probe.key(i % 2 ? '0' : 'w')"


@dataclass(slots=True)
class Bench:
    """What is measured with. url: of the collector; frames: in each measurement."""

    browser: Browser
    url: str
    frames: int
    openings: int
    figures: list[Figure] = field(default_factory=list)
    details: list[dict[str, Any]] = field(default_factory=list)

    def add(self, name: str, value: float, unit: str, **more: Any) -> None:
        """Note a figure."""
        self.figures.append(Figure(name=name, value=value, unit=unit, **more))


def run(options: Options) -> Result:
    """Send the runs, then look at them."""
    sizes = QUICK_SIZES if options.quick else (options.spans,) if options.spans else SIZES
    with (
        _served(sizes, QUICK_LIST_RUNS if options.quick else LIST_RUNS) as (url, run_ids),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=_chromium(), args=ARGUMENTS)
        bench = Bench(browser, url, QUICK_FRAMES if options.quick else FRAMES, 2 if options.quick else OPENINGS)
        for size in sizes:
            progress(f"a run of {size:,} spans")
            measure_run(bench, run_ids[size], size)
            measure_lanes(bench, run_ids[size], size)
        progress("draw at twice the pixels, a live run, the list")
        measure_draw(bench, run_ids[sizes[-1]], sizes[-1], scale=2)
        measure_live(bench, sizes[min(1, len(sizes) - 1)])
        measure_list(bench)
        measure_sizes(bench)
        browser.close()
    return Result(benchmark="viewer", figures=bench.figures, details=bench.details)


@contextmanager
def _served(sizes: tuple[int, ...], list_runs: int) -> Iterator[tuple[str, dict[int, str]]]:
    with tempfile.TemporaryDirectory(prefix="milepost-bench-") as folder, collector(Path(folder)) as server:
        sender = Sender(server.url)
        run_ids = {size: uuid.uuid4().hex for size in sizes}
        progress(f"sending {sum(sizes) + list_runs:,} spans")
        for size, run_id in run_ids.items():
            sender.send_all(agent_run(run_id, size))
        sender.send_all(many_runs(list_runs))
        yield server.url, run_ids


def _chromium() -> str:
    named = os.environ.get("MILEPOST_TEST_CHROMIUM")
    found = next(filter(None, map(shutil.which, filter(None, (named, "chromium", "google-chrome")))), None)
    if found is None:
        raise RuntimeError("no Chromium found; run: sudo apt-get install chromium, or set MILEPOST_TEST_CHROMIUM")
    return found


@contextmanager
def opened(bench: Bench, path: str, ready: dict[str, str], scale: float = 1) -> Iterator[Page]:
    """Open a page of its own browser profile. ready: scripts that tell when something is there, by its name."""
    context = bench.browser.new_context(viewport={"width": 1440, "height": 900}, device_scale_factor=scale)
    page = context.new_page()
    awaited = "".join(f"milepostProbe.await({json.dumps(name)}, () => {test});" for name, test in ready.items())
    page.add_init_script(PROBE + awaited)
    page.goto(f"{bench.url}/{path}")
    page.wait_for_function("names => names.every(name => name in milepostProbe.seen)", arg=list(ready), timeout=60_000)
    page.evaluate("milepostProbe.settle()")
    yield page
    context.close()


# Reading a canvas back takes time of the page's own: not before there can be anything on it.
RUN_READY = {
    "rows": f"document.querySelector('{ROW}')",
    "minimap": f"document.querySelector('{ROW}') && milepostProbe.painted('.minimap canvas')",
}


def measure_run(bench: Bench, run_id: str, size: int) -> None:
    """Open a run several times, then work in it."""
    at = f"{size:,} spans:"
    seen: dict[str, list[float]] = {name: [] for name in RUN_READY}
    for _ in range(bench.openings):
        with opened(bench, f"runs/{run_id}", RUN_READY) as page:
            times = page.evaluate("milepostProbe.seen")
            for name, values in seen.items():
                values.append(times[name])
    with opened(bench, f"runs/{run_id}", RUN_READY) as page:
        fetch_ms = page.evaluate("runId => milepostProbe.fetched(`api/runs/${runId}/spans`)", run_id)
        bench.add(
            f"{at} open, rows on screen",
            median(seen["rows"]),
            "ms",
            bar=400 if size <= 100_000 else None,
            floor=fetch_ms,
        )
        bench.add(
            f"{at} open, whole minimap",
            median(seen["minimap"]),
            "ms",
            bar=600 if size <= 100_000 else None,
            floor=fetch_ms,
        )
        empty = page.evaluate(f"milepostProbe.frames({bench.frames}, () => {{}})")
        floor = percentile(empty["lengths"], 0.95)
        for name, act in ACTS.items():
            _frames(bench, page, f"{at} {name}", act, floor)
        _draw(bench, page, f"{at} draw, whole run", bar=8)
        bench.add(f"{at} search to repaint", page.evaluate("milepostProbe.repaint(milepostProbe.search)"), "ms", bar=50)
        page.keyboard.press("Escape")
        _select(bench, page, at)
        bench.add(f"{at} repaints while idle", _idle_paints(bench, page), f"in {IDLE_S:g} s", bar=0)


def _frames(bench: Bench, page: Page, name: str, act: str, floor: float) -> None:
    page.locator("body").evaluate("element => element.ownerDocument.activeElement.blur()")
    found = page.evaluate(f"{{ const probe = milepostProbe; probe.frames({bench.frames}, {act}) }}")
    bench.add(f"{name}, frame p95", percentile(found["lengths"], 0.95), "ms", bar=20, floor=floor)
    bench.details.append({"name": name, "longest_task_ms": found["longest"], "script_ms_p50": median(found["costs"])})


def _draw(bench: Bench, page: Page, name: str, bar: float) -> None:
    page.locator("body").evaluate("element => element.ownerDocument.activeElement.blur()")
    found = page.evaluate(f"{{ const probe = milepostProbe; probe.frames({bench.frames}, {DRAW}) }}")
    bench.add(f"{name}, script p95", percentile(found["costs"][1::2], 0.95), "ms", bar=bar)


def measure_draw(bench: Bench, run_id: str, size: int, scale: float) -> None:
    """Draw a whole run on a display of more pixels."""
    with opened(bench, f"runs/{run_id}", RUN_READY, scale) as page:
        _draw(bench, page, f"{size:,} spans: draw at {scale:g}x, whole run", bar=17)


def measure_lanes(bench: Bench, run_id: str, size: int) -> None:
    """Draw a whole run as lanes: every span of it is looked at in every frame."""
    with opened(bench, f"runs/{run_id}?view=lanes", {"lanes": "milepostProbe.painted('.lanes canvas')"}) as page:
        _draw(bench, page, f"{size:,} spans: draw lanes, whole run", bar=8)


def _select(bench: Bench, page: Page, at: str) -> None:
    """Press j and wait until the span's own input is in the panel; then back to one that was there before."""
    page.locator("body").evaluate("element => element.ownerDocument.activeElement.blur()")
    page.keyboard.press("Home")
    fetched, cached = [], []
    for _ in range(8):
        for key, times in (("j", fetched), ("k", cached), ("j", cached)):
            times.append(
                page.evaluate(
                    f"{{ const probe = milepostProbe; probe.until(() => probe.key('{key}'), probe.ownDetail) }}"
                )
            )
    bench.add(f"{at} select to detail, fetched", median(fetched), "ms", bar=150)
    bench.add(f"{at} select to detail, cached", median(cached), "ms", bar=50)


def _idle_paints(bench: Bench, page: Page) -> int:
    """Count how often Chromium paints while nothing happens."""
    page.mouse.move(0, 0)
    page.evaluate("() => new Promise(resolve => setTimeout(resolve, 1500))")  # what was asked for is on screen by then
    bench.browser.start_tracing(page=page, categories=["devtools.timeline"])
    page.evaluate(f"() => new Promise(resolve => setTimeout(resolve, {IDLE_S * 1000}))")
    events = json.loads(bench.browser.stop_tracing())["traceEvents"]
    return sum(event["name"] in ("Paint", "PaintImage") for event in events)


def measure_live(bench: Bench, size: int) -> None:
    """Watch a run of this size that grows by a thousand events a second."""
    run_id = uuid.uuid4().hex
    sender = Sender(bench.url)
    spans = list(agent_run(run_id, size, base=time.time_ns() - size * 90 * MS))  # it has lasted until about now
    parent = spans[1]["span_id"]
    sender.send([{"type": "span_started", **_begun(spans[0])}])
    sender.send_all(iter(spans[1:]))
    with opened(bench, f"runs/{run_id}", RUN_READY) as page:
        empty = page.evaluate(f"milepostProbe.frames({bench.frames}, () => {{}})")
        stop = threading.Event()
        thread = threading.Thread(target=_keep_sending, args=(Sender(bench.url), run_id, parent, stop))
        thread.start()
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        page.evaluate("milepostProbe.settle()")
        before = _work(session)
        begin = time.perf_counter()
        found = page.evaluate(f"milepostProbe.frames({int(LIVE_S * 60)}, () => {{}})")
        took_s = time.perf_counter() - begin
        busy_ms = (_work(session) - before) * 1000
        stop.set()
        thread.join()
        floor = percentile(empty["lengths"], 0.95)
        at = f"{size:,} spans, live, {LIVE_EVENTS_PER_S:,} events/s:"
        bench.add(f"{at} frame p95", percentile(found["lengths"], 0.95), "ms", bar=20, floor=floor)
        bench.add(f"{at} script and layout per update", busy_ms / (took_s * 20), "ms", bar=6)
        bench.details.append({"name": at, "longest_task_ms": found["longest"]})


def _begun(span: Span) -> Span:
    kept = ("run_id", "span_id", "parent_span_id", "name", "kind", "start_time")
    return {name: span[name] for name in kept}


def _work(session: CDPSession) -> float:
    metrics = {item["name"]: item["value"] for item in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["ScriptDuration"] + metrics["LayoutDuration"] + metrics["RecalcStyleDuration"])


def _keep_sending(sender: Sender, run_id: str, parent: str, stop: threading.Event) -> None:
    """Send starts and ends, fifty every twentieth of a second."""
    number = 0
    due = time.monotonic()
    while not stop.is_set():
        events = []
        for _ in range(LIVE_EVENTS_PER_S // 40):
            number += 1
            begin = time.time_ns() - 40 * MS
            span = {
                "run_id": run_id,
                "span_id": f"{number:016x}",
                "parent_span_id": parent,
                "name": f"live {number}",
                "kind": "tool",
                "start_time": begin,
            }
            events += [{"type": "span_started", **span}, {"type": "span_ended", **span, "end_time": begin + 40 * MS}]
        sender.send(events)
        due += 0.05
        stop.wait(max(0.0, due - time.monotonic()))


def measure_list(bench: Bench) -> None:
    """Open the run list and scroll through it."""
    row = "[role=grid] [role=row] a"
    times = []
    for _ in range(bench.openings):
        with opened(bench, "runs", {"rows": f"document.querySelector('{row}')"}) as page:
            times.append(page.evaluate("milepostProbe.seen.rows"))
    with opened(bench, "runs", {"rows": f"document.querySelector('{row}')"}) as page:
        floor = page.evaluate("milepostProbe.fetched('api/runs?limit=100')")
        bench.add("list of runs: first rows", median(times), "ms", bar=250, floor=floor)
        empty = page.evaluate(f"milepostProbe.frames({bench.frames}, () => {{}})")
        scroller = page.locator(row).first.evaluate_handle("element => milepostProbe.scrollerOf(element)")
        found = page.evaluate(
            f"scroller => milepostProbe.frames({bench.frames}, () => (scroller.scrollTop += 660))", scroller
        )
        bench.add(
            "list of runs: scroll, frame p95",
            percentile(found["lengths"], 0.95),
            "ms",
            bar=20,
            floor=percentile(empty["lengths"], 0.95),
        )
        bench.add("list of runs: repaints while idle", _idle_paints(bench, page), f"in {IDLE_S:g} s", bar=0)


def measure_sizes(bench: Bench) -> None:
    """Weigh what was built."""
    bundle = measure()
    bench.add("scripts of the first load, gzip", bundle.first_load / KB, "KB", bar=120)
    bench.add("scripts of the SQL editor, gzip", bundle.sql / KB, "KB", bar=130)
    bench.add("scripts of the SQL page with its editor, gzip", bundle.sql_page / KB, "KB")
    bench.add("everything that is built, raw", bundle.raw / KB, "KB", bar=1_200)


if __name__ == "__main__":
    run_alone(__doc__, run)
