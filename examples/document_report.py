"""A report over a folder of text files.

Shows: tasks in parallel threads, a skip by cache, a failure that is retried, usage, progress, checkpoints, logs.

    python examples/document_report.py [FOLDER]

Needs a collector (`milepost serve`); MILEPOST_ENDPOINT names one elsewhere than at http://127.0.0.1:4600.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import ParamSpec, TypeVar

import milepost

DATA = Path(__file__).parent / "data"
P = ParamSpec("P")
T = TypeVar("T")


@dataclass
class Document:
    name: str
    text: str
    words: int


@milepost.task
def read(path: Path, encoding: str = "utf-8") -> str:
    return path.read_text(encoding)


@milepost.task
def parse(path: Path) -> Document:
    try:
        text = read(path)
    except UnicodeDecodeError:
        # The failed attempt stays in the timeline beside the one that succeeds.
        text = read(path, encoding="latin-1")
    return Document(path.name, text, len(text.split()))


@milepost.task
def summarise(document: Document, seen: dict[str, str]) -> str:
    digest = sha256(document.text.encode()).hexdigest()
    first = seen.setdefault(digest, document.name)
    if first != document.name:
        raise milepost.Skip(f"cache hit: same text as {first}")  # the caller gets None
    return pick_sentences(document.text)


@milepost.task(kind="llm")
def pick_sentences(text: str) -> str:
    """Stand in for a language model, so that the example needs no network: pick the two most telling sentences."""
    sentences = re.split(r"(?<=[.!?])\s+", text.replace("\n", " "))
    common = Counter(re.findall(r"[a-zæøåé]{5,}", text.lower()))
    ranked = sorted(sentences, key=lambda sentence: -sum(common[word] for word in sentence.lower().split()))
    summary = " ".join(ranked[:2])
    # What a model's client would report; the collector adds the cost. Four characters are about one token.
    milepost.record_usage(model="gpt-4o-mini", input_tokens=len(text) // 4, output_tokens=len(summary) // 4)
    return summary


def in_this_run(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Callable[[], T]:
    """Bind a call to the current run: threads of a pool do not inherit the context by themselves."""
    return partial(copy_context().run, partial(function, *args, **kwargs))


def report(folder: Path = DATA) -> str:
    """Return the report; print the id of its run."""
    paths = sorted(folder.glob("*.txt"))
    with milepost.start_run("document-report", input={"folder": folder.name, "files": len(paths)}) as run:
        print(f"run {run.run_id} document-report", flush=True)
        run.add_tags("example")
        with ThreadPoolExecutor(4) as pool:
            documents = parse_all(run, pool, paths)
            summaries = summarise_all(run, pool, documents)
        run.complete(output=summaries)
    return "\n\n".join(f"{name}: {summary}" for name, summary in summaries.items())


def parse_all(run: milepost.Run, pool: ThreadPoolExecutor, paths: list[Path]) -> list[Document]:
    run.progress(0.0, "parsing")
    parsing = [pool.submit(in_this_run(parse, path)) for path in paths]
    documents = [future.result() for future in parsing]
    run.checkpoint({"parsed": [document.name for document in documents]}, name="parsed")
    run.log("all documents are parsed", words=sum(document.words for document in documents))
    return documents


def summarise_all(run: milepost.Run, pool: ThreadPoolExecutor, documents: list[Document]) -> dict[str, str]:
    seen: dict[str, str] = {}
    summaries: dict[str, str] = {}
    summarising = [pool.submit(in_this_run(summarise, document, seen)) for document in documents]
    for done, (document, future) in enumerate(zip(documents, summarising, strict=True), start=1):
        if summary := future.result():
            summaries[document.name] = summary
        run.progress(done / len(documents), "summarising")
        run.checkpoint({"summarised": list(summaries)}, name="summarised")
    return summaries


def main() -> None:
    milepost.init(agent="report-agent")
    print(report(Path(sys.argv[1]) if len(sys.argv) > 1 else DATA))


if __name__ == "__main__":
    main()
