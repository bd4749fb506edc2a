"""A task's input becomes the arguments of its handler.

One parameter takes the input as a whole; several take the fields of their names. One takes the field of its name too
when the input is an object and could not be meant otherwise: when the parameter's type is none that an object can be
(`str`, a list, …), or when there is no other field and the type has none of that name. The types are checked by
msgspec; models of pydantic are made by pydantic.
"""

from __future__ import annotations

import inspect
import re
import sys
import typing
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import msgspec
from msgspec import inspect as inspection

from milepost.errors import ConfigurationError, InvalidInputError

__all__ = ["InputBinding", "converted", "read_parameters"]

_PATH = re.compile(r" - at `(\$[^`]*)`$")
_PATH_PART = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
_NOTHING = object()
_MISSING_OR_UNKNOWN = re.compile(r"(?:required|unknown) field `([^`]+)`")
_OBJECTS = (
    inspection.AnyType,
    inspection.CustomType,  # models of pydantic
    inspection.DataclassType,
    inspection.DictType,
    inspection.RawType,
    inspection.StructType,
    inspection.TypedDictType,
)


class InputBinding:
    """How one handler takes its input.

    function: its name. parameters, annotations: its own but for `ctx`.

    Raises:
        ConfigurationError: a parameter is of a type that cannot be made from JSON.
    """

    def __init__(
        self, function: str, parameters: Mapping[str, inspect.Parameter], annotations: Mapping[str, Any]
    ) -> None:
        self._open = any(item.kind is inspect.Parameter.VAR_KEYWORD for item in parameters.values())
        named = {name: item for name, item in parameters.items() if item.kind is not inspect.Parameter.VAR_KEYWORD}
        self._names = tuple(named)
        types = {name: annotations.get(name, Any) for name in named}
        kinds = {name: _inspected(function, name, kind) for name, kind in types.items()}
        self._only = self._names[0] if len(named) == 1 and not self._open else None
        if self._only is not None:
            self._type = types[self._only]
            self._may_be_object = _may_be_object(kinds[self._only])
            self._has_own = self._only in _fields_of(kinds[self._only])
            self._optional = named[self._only].default is not inspect.Parameter.empty
        fields = [_field(name, item, types[name]) for name, item in named.items()]
        self._by_name = msgspec.defstruct(function, fields, kw_only=True, forbid_unknown_fields=not self._open)

    def arguments(self, value: Any) -> dict[str, Any]:
        """Return the arguments, by name.

        Raises:
            InvalidInputError: names what does not fit.
        """
        if self._only is not None and self._is_whole(value, self._only):
            return {} if value is None and self._optional else {self._only: converted(value, self._type)}
        if not self._names and not self._open:
            return {}
        fields = {} if value is None else value
        if not isinstance(fields, dict):
            expected = ", ".join(self._names) or "any names"
            problem = f"an object with {expected} is expected, got {_shown(value)}"
            raise InvalidInputError(problem, field="$", value=value)
        bound = converted(fields, self._by_name)
        known = {name: getattr(bound, name) for name in self._names}
        return {**fields, **known} if self._open else known

    def _is_whole(self, value: Any, name: str) -> bool:
        """Tell whether an input is meant for the only parameter, and not its field of the parameter's name."""
        if not isinstance(value, dict):
            return True
        return self._may_be_object and (self._has_own or value.keys() != {name})


def read_parameters(
    function: Callable[..., Any], local_names: Mapping[str, Any]
) -> tuple[dict[str, inspect.Parameter], dict[str, Any]]:
    """Return a handler's parameters and what they are annotated with. local_names: where it is declared.

    Raises:
        ConfigurationError: an annotation names what does not exist, or a parameter cannot be given by name.
    """
    name = getattr(function, "__qualname__", repr(function))
    parameters = dict(inspect.signature(function).parameters)
    for parameter in parameters.values():
        if parameter.kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL):
            problem = f"parameter {parameter.name!r} must be one that is given by name"
            raise ConfigurationError(f"handler {name}", problem)
    try:
        annotations = typing.get_type_hints(function, localns=dict(local_names), include_extras=True)
    except (NameError, TypeError) as error:
        raise ConfigurationError(f"handler {name}", f"its annotations cannot be read: {error}") from error
    return parameters, annotations


def converted(value: Any, kind: Any) -> Any:
    """Return a value made of JSON's types as a value of a type.

    Raises:
        InvalidInputError: it does not fit.
    """
    if kind is Any:
        return value
    try:
        return msgspec.convert(value, kind, dec_hook=_from_plain, str_keys=True)
    except msgspec.ValidationError as error:
        _refuse(error, value)


def _refuse(error: msgspec.ValidationError, value: Any) -> NoReturn:
    text = str(error)
    found = _PATH.search(text)
    path, problem = (found[1], text[: found.start()]) if found else ("$", text)
    cause = error.__cause__ or error.__context__
    details = _first_of_pydantic(cause)
    if details is not None:
        path, problem = path + _path_of(details["loc"]), details["msg"]
    elif named := _MISSING_OR_UNKNOWN.search(problem):
        path = f"{path}.{named[1]}"
    culprit = _value_at(value, path)
    shown = "nothing" if culprit is _NOTHING else _shown(culprit)
    raise InvalidInputError(
        f"{problem}; there is {shown}", field=path, value=None if culprit is _NOTHING else culprit
    ) from error


def _inspected(function: str, name: str, kind: Any) -> inspection.Type:
    try:
        msgspec.json.Decoder(kind, dec_hook=_from_plain)  # says what msgspec refuses, such as a union of two structs
        info = inspection.type_info(kind)
    except (TypeError, NameError) as error:
        raise ConfigurationError(f"handler {function}", f"parameter {name!r}: {error}") from error
    if isinstance(info, inspection.CustomType) and not _is_model(info.cls):
        raise ConfigurationError(f"handler {function}", f"parameter {name!r}: {_unknown_type(info.cls)}")
    return info


def _shown(value: Any) -> str:
    return f"{value!r:.200}"


def _field(name: str, parameter: inspect.Parameter, kind: Any) -> Any:
    if parameter.default is inspect.Parameter.empty:
        return (name, kind)
    default = parameter.default
    return (name, kind, msgspec.field(default_factory=lambda: default))


def _may_be_object(info: inspection.Type) -> bool:
    """Tell whether a JSON object could be a value of the type."""
    if isinstance(info, inspection.UnionType):
        return any(_may_be_object(part) for part in info.types)
    return isinstance(info, _OBJECTS)


def _fields_of(info: inspection.Type) -> set[str]:
    """Return the names of the fields that a value of the type has as a JSON object."""
    if isinstance(info, inspection.UnionType):
        return set().union(*map(_fields_of, info.types))
    if isinstance(info, (inspection.StructType, inspection.DataclassType, inspection.TypedDictType)):
        return {field.encode_name for field in info.fields}
    if isinstance(info, inspection.CustomType):
        fields: Mapping[str, Any] = getattr(info.cls, "model_fields", {})
        return {alias for name, field in fields.items() for alias in (name, field.alias) if alias}
    return set()


def _from_plain(kind: type, value: Any) -> Any:
    """Make what msgspec does not know: models of pydantic.

    Raises:
        ValueError: the value is not a valid one.
        NotImplementedError: the type is none of pydantic's.
    """
    if _is_model(kind):
        return kind.model_validate(value)  # type: ignore[attr-defined]
    raise NotImplementedError(_unknown_type(kind))


def _is_model(kind: Any) -> bool:
    pydantic = sys.modules.get("pydantic")  # whoever annotates with a model has imported it
    return pydantic is not None and isinstance(kind, type) and issubclass(kind, pydantic.BaseModel)


def _unknown_type(kind: type) -> str:
    return (
        f"values of type {kind.__qualname__} cannot be made from JSON; use a msgspec.Struct, a dataclass, a TypedDict "
        "or a model of pydantic"
    )


def _first_of_pydantic(error: BaseException | None) -> dict[str, Any] | None:
    errors = getattr(error, "errors", None)
    if error is None or not type(error).__module__.startswith("pydantic") or not callable(errors):
        return None
    listed = errors()
    return listed[0] if listed else None


def _path_of(parts: tuple[Any, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)


def _value_at(value: Any, path: str) -> Any:
    """Return what stands at a path, or `_NOTHING` where nothing does or the path is not exact."""
    for name, index in _PATH_PART.findall(path):
        try:
            value = value[name] if name else value[int(index)]
        except (KeyError, IndexError, TypeError, ValueError):
            return _NOTHING
    return value
