"""The registry of provincial centres: `provinces.toml` as frozen values (2.1.1, design section 11).

`parse()` gives a Registry or raises BadConfig with every fault at once, a line each: where, what, and
how to mend it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from hashlib import blake2b
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError

from subcmc_crawler.errors import BadConfig, NotFound
from subcmc_crawler.province.addresses import Address
from subcmc_crawler.province.settings import (
    Alerts,
    Auth,
    DatasetSettings,
    Guard,
    MinistrySettings,
    PullSettings,
    Registration,
    RunSettings,
    Tls,
)
from subcmc_crawler.spec.datasets import DATASETS

_M = TypeVar("_M", bound=BaseModel)
_TABLES: Final = frozenset({"defaults", "province", "alerts", "ministry"})
_SECTIONS: Final = ("pull", "tls", "auth", "datasets")


@dataclass(frozen=True, slots=True, kw_only=True)
class Province:
    """One registered provincial centre and how it may be pulled."""

    registration: Registration
    addresses: tuple[Address, ...]
    pull: PullSettings
    tls: Tls
    auth: Auth | None
    datasets: Mapping[str, DatasetSettings | None]  # None: switched off

    @property
    def cmc_id(self) -> str:
        """The identifier that the ministry gave it (2.1.1)."""
        return self.registration.cmcId

    @property
    def name(self) -> str:
        """The name that operators know it by."""
        return self.registration.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Ministry:
    """The ministry's own platform and how it may be asked (4.1)."""

    address: Address
    settings: MinistrySettings
    tls: Tls
    auth: Auth | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """All provincial centres, in the order of the file."""

    run: RunSettings
    provinces: tuple[Province, ...]
    where: str
    alerts: Alerts | None = None
    ministry: Ministry | None = None
    digest: str = ""  # of the text, by which processes know that they read the same one

    @property
    def timezone(self) -> ZoneInfo:
        """The zone of every window."""
        return ZoneInfo(self.run.timezone)

    def province(self, cmc_id: str) -> Province:
        """The province of that identifier or name; NotFound names the nearest."""
        for province in self.provinces:
            if cmc_id in (province.cmc_id, province.name):
                return province
        names = [name for province in self.provinces for name in (province.cmc_id, province.name)]
        raise NotFound(f"no province {cmc_id!r} in {self.where}{_did_you_mean(cmc_id, names)}")


def parse(text: str, *, where: str = "provinces.toml") -> Registry:
    """The registry that `text` describes; BadConfig holds every fault of it."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadConfig(f"{where}: not valid TOML: {error}") from None
    digest = blake2b("\n".join(text.splitlines()).encode(), digest_size=16).hexdigest()
    return replace(_Reader(where).registry(document), digest=digest)


class _Reader:
    """Reads one document and gathers its faults."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._faults: list[str] = []

    def registry(self, document: Mapping[str, Any]) -> Registry:
        for key in document.keys() - _TABLES:
            self._fault(key, f"unknown table{_did_you_mean(key, sorted(_TABLES))}")
        defaults = self._table(document.get("defaults", {}), "defaults")
        run = self._model(RunSettings, defaults, [("defaults", defaults)])
        entries = document.get("province", [])
        if not isinstance(entries, list) or not entries:
            self._fault("province", "no [[province]] is registered; add one for each provincial centre")
            entries = []
        readable = {} if run is None else defaults  # its own faults have been told
        provinces = [self._province(entry, index, readable) for index, entry in enumerate(entries)]
        self._unique(entries)
        alerts = self._alerts(document)
        ministry = self._ministry(document)
        if self._faults or run is None:
            raise BadConfig(*self._faults)
        registered = tuple(p for p in provinces if p is not None)
        return Registry(run=run, provinces=registered, where=self._where, alerts=alerts, ministry=ministry)

    def _alerts(self, document: Mapping[str, Any]) -> Alerts | None:
        if "alerts" not in document:
            return None
        own = self._table(document["alerts"], "alerts")
        return self._model(Alerts, own, [("alerts", own)])

    def _ministry(self, document: Mapping[str, Any]) -> Ministry | None:
        if "ministry" not in document:
            return None
        table = self._table(document["ministry"], "ministry")
        own = {key: value for key, value in table.items() if key not in ("tls", "auth")}
        settings = self._model(MinistrySettings, own, [("ministry", own)])
        tables = {name: self._table(table.get(name, {}), f"ministry.{name}") for name in ("tls", "auth")}
        tls = self._model(Tls, tables["tls"], [("ministry.tls", tables["tls"])])
        auth = None
        if "auth" in table:
            auth = self._model(Auth, tables["auth"], [("ministry.auth", tables["auth"])])
        if settings is None or tls is None:
            return None
        try:
            address = Address.parse(settings.query_url, "https")
        except ValueError as error:
            self._fault("ministry.query_url", str(error))
            return None
        return Ministry(address=address, settings=settings, tls=tls, auth=auth)

    def _province(self, entry: Any, index: int, defaults: Mapping[str, Any]) -> Province | None:
        label = f"province[{index + 1}]"
        if not isinstance(entry, dict):
            self._fault(label, "must be a table, written [[province]]")
            return None
        if isinstance(entry.get("name"), str):
            label += f"({entry['name']})"
        sections = {name: self._table(entry.get(name, {}), f"{label}.{name}") for name in _SECTIONS}
        own = {key: value for key, value in entry.items() if key not in _SECTIONS}
        registration = self._model(Registration, own, [(label, own)])
        layers = [("", defaults), (f"{label}.pull", sections["pull"])]
        pull = self._model(PullSettings, _merged(_only(PullSettings, defaults), sections["pull"]), layers)
        tls = self._model(Tls, sections["tls"], [(f"{label}.tls", sections["tls"])])
        auth = None
        if "auth" in entry:
            auth = self._model(Auth, sections["auth"], [(f"{label}.auth", sections["auth"])])
        datasets = dict(self._datasets(sections, label, defaults))
        if registration is None:
            return None
        addresses = tuple(self._addresses(registration, pull.scheme if pull else "https", label))
        if pull is None or tls is None:
            return None
        return Province(
            registration=registration,
            addresses=addresses,
            pull=pull,
            tls=tls,
            auth=auth,
            datasets=datasets,
        )

    def _datasets(
        self, sections: Mapping[str, dict[str, Any]], label: str, defaults: Mapping[str, Any]
    ) -> Iterator[tuple[str, DatasetSettings | None]]:
        own = sections["datasets"]
        for code in own.keys() - DATASETS.keys():
            self._fault(f"{label}.datasets.{code}", f"unknown dataset{_did_you_mean(code, list(DATASETS))}")
        inherited = _merged(_only(DatasetSettings, defaults), _only(DatasetSettings, sections["pull"]))
        for code in DATASETS:
            override = own.get(code, True)
            where = f"{label}.datasets.{code}"
            if not isinstance(override, bool | dict):
                self._fault(where, "must be true, false or a table of settings")
                continue
            layer = override if isinstance(override, dict) else {}
            merged = _merged(inherited, layer)
            settings = self._model(DatasetSettings, merged, [("", inherited), (where, layer)])
            yield code, None if override is False else settings

    def _addresses(self, registration: Registration, scheme: str, label: str) -> Iterator[Address]:
        for index, text in enumerate(registration.pullAddressList):
            try:
                yield Address.parse(text, scheme)
            except ValueError as error:
                self._fault(f"{label}.pullAddressList[{index + 1}]", str(error))

    def _unique(self, entries: list[Any]) -> None:
        seen: dict[str, int] = {}
        for index, entry in enumerate(entries, start=1):
            cmc_id = entry.get("cmcId") if isinstance(entry, dict) else None
            if not isinstance(cmc_id, str):
                continue
            if cmc_id in seen:
                self._fault(f"province[{index}].cmcId", f'"{cmc_id}" is already province[{seen[cmc_id]}]')
            seen.setdefault(cmc_id, index)

    def _table(self, value: Any, path: str) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        self._fault(path, "must be a table")
        return {}

    def _model(
        self,
        model: type[_M],
        values: Mapping[str, Any],
        layers: list[tuple[str, Mapping[str, Any]]],
    ) -> _M | None:
        """The model, or None and a fault for each error, at the layer that its key came from.

        A layer without a path has been reported already, under the path that it was read from.
        """
        try:
            return model.model_validate(values)
        except ValidationError as error:
            for fault in error.errors(include_url=False, include_context=False):
                path = next(
                    (path for path, layer in reversed(layers) if _holds(layer, fault["loc"])), layers[-1][0]
                )
                if path:
                    self._fault(".".join([path, *map(_index, fault["loc"])]), _mend(model, fault))
            return None

    def _fault(self, path: str, what: str) -> None:
        self._faults.append(f"{self._where}: {path}: {what}")


def _holds(layer: Mapping[str, Any], loc: tuple[int | str, ...]) -> bool:
    """Whether the first two steps of `loc` lead into `layer`: as deep as layers are merged."""
    if not loc or loc[0] not in layer:
        return False
    inner = layer[str(loc[0])]
    return len(loc) == 1 or not isinstance(inner, dict) or loc[1] in inner


def _index(part: int | str) -> str:
    return f"[{part + 1}]" if isinstance(part, int) else part


def _mend(model: type[BaseModel], fault: Any) -> str:
    """What is wrong and how to mend it. The value is shown for plain settings, never for text."""
    if fault["type"] == "extra_forbidden":
        inner = model if len(fault["loc"]) == 1 else Guard  # the one table inside a table
        return f"unknown key{_did_you_mean(str(fault['loc'][-1]), list(inner.model_fields))}"
    if fault["type"] == "missing":
        return "is required"
    message: str = fault["msg"].removeprefix("Value error, ").replace("Input should", "must")
    value = fault["input"]
    return f"{message}, not {value}" if isinstance(value, int | float) else message


def _did_you_mean(word: str, words: list[str]) -> str:
    near = get_close_matches(word, words, n=1)
    return f'; did you mean "{near[0]}"?' if near else f"; known: {', '.join(words[:12])}"


def _only(model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key in model.model_fields}


def _merged(base: Mapping[str, Any], layer: Mapping[str, Any]) -> dict[str, Any]:
    """`base` under `layer`; tables such as the guard are merged one step deep."""
    merged = {**base, **layer}
    for key in base.keys() & layer.keys():
        if isinstance(base[key], dict) and isinstance(layer[key], dict):
            merged[key] = {**base[key], **layer[key]}
    return merged
