"""An asyncio agent that answers a question from a folder of text files.

Shows: tasks fanned out with asyncio.gather, two searches raced and the slower one cancelled, an answer streamed by an
async generator.

    python examples/async_agent.py [QUESTION]
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from difflib import SequenceMatcher
from pathlib import Path

import milepost

DATA = Path(__file__).parent / "data"
Hits = list[tuple[int, str]]


@milepost.task
async def load(path: Path) -> list[str]:
    content = await asyncio.to_thread(path.read_bytes)
    text = content.decode("utf-8", errors="replace").replace("\n", " ")
    return re.split(r"(?<=[.!?])\s+", text)


@milepost.task(kind="retrieval")
async def exact_search(question: str, sentences: list[str]) -> Hits:
    words = {word for word in re.findall(r"\w+", question.lower()) if len(word) > 3}
    scored = [(len(words & set(re.findall(r"\w+", sentence.lower()))), sentence) for sentence in sentences]
    await asyncio.sleep(0)  # a chance for the rival search to start
    return sorted((hit for hit in scored if hit[0]), reverse=True)[:3]


@milepost.task(kind="retrieval")
async def fuzzy_search(question: str, sentences: list[str]) -> Hits:
    """Compare the question with every window of every sentence: thorough and slow."""
    best: Hits = []
    for sentence in sentences:
        for start in range(len(sentence)):
            ratio = SequenceMatcher(None, question, sentence[start : start + len(question)]).ratio()
            best = sorted([*best, (round(ratio * 100), sentence)], reverse=True)[:3]
            await asyncio.sleep(0)
    return best


async def first_of(question: str, sentences: list[str]) -> Hits:
    searches = [
        asyncio.create_task(fuzzy_search(question, sentences)),
        asyncio.create_task(exact_search(question, sentences)),
    ]
    done, slower = await asyncio.wait(searches, return_when=asyncio.FIRST_COMPLETED)
    for search in slower:
        search.cancel()  # recorded as cancelled, not as failed
    await asyncio.gather(*slower, return_exceptions=True)
    return done.pop().result()


@milepost.task
async def answer(question: str, hits: Hits) -> AsyncIterator[str]:
    yield f"On “{question}” the documents say:"
    for score, sentence in hits:
        yield f"[{score}] {sentence}"


@milepost.run(name="async-agent")
async def agent(question: str) -> str:
    if run := milepost.current_run():
        print(f"run {run.run_id} async-agent", flush=True)
    loaded = await asyncio.gather(*(load(path) for path in sorted(DATA.glob("*.txt"))))
    sentences = list(dict.fromkeys(sentence for document in loaded for sentence in document))
    hits = await first_of(question, sentences)
    return "\n".join([part async for part in answer(question, hits)])


def main() -> None:
    milepost.init(agent="question-agent")
    print(asyncio.run(agent(" ".join(sys.argv[1:]) or "How deep is the approach channel after dredging?")))


if __name__ == "__main__":
    main()
