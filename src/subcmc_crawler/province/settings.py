"""The settings of the registry as pydantic models; names as in design section 11. Pure."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from subcmc_crawler.schedule import Window


def _window(value: Any) -> Any:
    return Window.parse(value) if isinstance(value, str) else value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError('must be the name of a time zone, for example "Asia/Shanghai"') from None
    return value


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, arbitrary_types_allowed=True)


_Number = Annotated[float, Field(strict=False, ge=0, allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=1)]


class Guard(_Model):
    """How far a snapshot may shrink before it is held: more than `rows` and `percent`, from `minimum` on."""

    rows: Annotated[int, Field(ge=0)] = 100
    percent: Annotated[float, Field(strict=False, ge=0, le=100)] = 20
    minimum: Annotated[int, Field(ge=0)] = 500


class DatasetSettings(_Model):
    """What may differ from dataset to dataset."""

    page_size: Annotated[int, Field(ge=1, le=100_000)] = 1000
    request_timeout_seconds: Annotated[float, Field(strict=False, gt=0, le=86_400)] = 60.0
    max_attempts: _Count = 5
    max_passes: _Count = 3
    tolerance: Annotated[int, Field(ge=0)] = 0
    guard: Guard = Guard()


class PullSettings(DatasetSettings):
    """How one province may be pulled."""

    scheme: Literal["http", "https"] = "https"
    window: Annotated[Window, BeforeValidator(_window)] = Window.parse("01:00-05:30")
    requests_per_second: _Number = 5.0
    max_in_flight: Annotated[int, Field(ge=1, le=64)] = 2
    max_bytes_per_second: Annotated[int, Field(ge=0)] = 0
    cool_down_seconds: _Number = 600.0


class RunSettings(PullSettings):
    """`[defaults]`: any pull setting, and what belongs to the whole run."""

    timezone: Annotated[str, AfterValidator(_zone)] = "Asia/Shanghai"
    max_provinces: Annotated[int, Field(ge=1, le=10_000)] = 8
    max_run_bytes_per_second: Annotated[int, Field(ge=0)] = 0
    stagger_share: Annotated[float, Field(strict=False, ge=0, le=1)] = 0.75
    stop_grace_seconds: Annotated[float, Field(strict=False, ge=0, le=3600)] = 8.0


class Tls(_Model):
    """Files of TLS, relative to the registry. `verify = false` is repeated by every report."""

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    server_hostname: str | None = None
    verify: bool = True

    @model_validator(mode="after")
    def _pair(self) -> Tls:
        if self.key_file and not self.cert_file:
            raise ValueError("key_file needs cert_file beside it")
        return self


class Auth(_Model):
    """Credentials, from a file or from the environment, never from the registry itself."""

    kind: Literal["bearer", "basic", "header"]
    username: str | None = None
    header: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")] | None = None
    token_file: str | None = None
    token_env: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Auth:
        if (self.token_file is None) == (self.token_env is None):
            raise ValueError("needs exactly one of token_file and token_env")
        if (self.kind == "basic") != (self.username is not None):
            raise ValueError('username goes with kind = "basic", and only with it')
        if (self.kind == "header") != (self.header is not None):
            raise ValueError('header (a header name) goes with kind = "header", and only with it')
        return self


_CmcId = Annotated[
    str,
    StringConstraints(max_length=50, pattern=r"^[A-Za-z0-9._-]+$"),
]


class Registration(_Model):
    """What a province registered (2.1.1); the names are the specification's."""

    cmcId: _CmcId  # noqa: N815 - the specification's name
    areaCode: Annotated[str, StringConstraints(max_length=10, pattern=r"^\d+$")]  # noqa: N815
    name: Annotated[str, StringConstraints(min_length=1, max_length=50)]
    vendor: Annotated[str, StringConstraints(max_length=255)] | None = None
    contact: Annotated[str, StringConstraints(max_length=20)] | None = None
    phone: Annotated[str, StringConstraints(max_length=20)] | None = None
    mobile: Annotated[str, StringConstraints(max_length=20)] | None = None
    pushIpList: Annotated[  # noqa: N815
        list[Annotated[str, StringConstraints(max_length=32)]], Field(max_length=10)
    ] = []
    pullAddressList: Annotated[  # noqa: N815
        list[Annotated[str, StringConstraints(min_length=1, max_length=1024)]], Field(max_length=10)
    ] = []
