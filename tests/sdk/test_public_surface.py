"""The public names and signatures: whoever changes one sees it here first."""

from __future__ import annotations

import inspect
import pathlib
import subprocess
import sys

import pytest

import milepost
import milepost.resources

SNAPSHOT = pathlib.Path(__file__).with_name("public_surface.txt")
PUBLIC_MODULES = ("milepost", "milepost.otel", "milepost.testing", "milepost.wire", "milepost.errors")


def _members(name, thing):
    """Yield one line per public name, its methods included."""
    if inspect.isclass(thing):
        yield f"{name}: class"
        for attribute, member in sorted(vars(thing).items()):
            if attribute.startswith("_") and attribute not in ("__init__", "__enter__", "__aenter__"):
                continue
            if inspect.isfunction(member):
                yield f"{name}.{attribute}{inspect.signature(member)}"
            elif isinstance(member, (property, classmethod, staticmethod)):
                yield f"{name}.{attribute}: {type(member).__name__}"
    elif inspect.isfunction(thing):
        yield f"{name}{inspect.signature(thing)}"
    else:
        yield f"{name}: {type(thing).__name__}"


def describe():
    """Return the public surface as text."""
    lines = [line for name in milepost.__all__ for line in _members(f"milepost.{name}", getattr(milepost, name))]
    for kind in milepost.Task.__mro__[1:3]:  # what runs and tasks share
        lines += _members(kind.__name__, kind)
    for module in (milepost.otel, milepost.resources, milepost.testing):
        lines += [
            line for name in module.__all__ for line in _members(f"{module.__name__}.{name}", getattr(module, name))
        ]
    return "\n".join(lines) + "\n"


def test_public_surface_is_the_one_that_was_agreed():
    assert describe() == SNAPSHOT.read_text(), f"if meant, run: python {pathlib.Path(__file__).name} in tests/sdk"


def test_all_is_sorted_and_complete():
    assert milepost.__all__ == sorted(milepost.__all__)
    public = {name for name in vars(milepost) if not name.startswith(("_", "@"))}  # @: pytest's own
    helpers = {"TYPE_CHECKING", "Any", "agents", "annotations", "importlib", "errors", "resources", "wire"}
    assert public - helpers <= set(milepost.__all__)


@pytest.mark.parametrize("name", [name for name in milepost.__all__ if name not in ("otel", "testing", "__version__")])
def test_public_names_say_where_they_are_public(name):
    assert getattr(milepost, name).__module__ in ("milepost", "milepost.errors")


def test_everything_public_is_documented():
    things = {name: getattr(milepost, name) for name in milepost.__all__ if callable(getattr(milepost, name))}
    for name, thing in list(things.items()):
        if inspect.isclass(thing):
            parts = {part: member for part, member in vars(thing).items() if not part.startswith("_")}
            # Attributes of values are described by their class.
            things |= {f"{name}.{part}": it for part, it in parts.items() if not inspect.ismemberdescriptor(it)}
    assert [name for name, thing in things.items() if not inspect.getdoc(thing)] == []


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        milepost.nothing  # noqa: B018


@pytest.mark.slow
def test_types_of_the_public_surface_hold(root):
    config = ["--config-file", str(root / "pyproject.toml"), "--follow-imports", "silent"]
    target = str(pathlib.Path(__file__).with_name("typing_api.py"))
    done = subprocess.run([sys.executable, "-m", "mypy", *config, target], capture_output=True, text=True, cwd=root)
    assert done.returncode == 0, done.stdout + done.stderr


if __name__ == "__main__":
    SNAPSHOT.write_text(describe())
