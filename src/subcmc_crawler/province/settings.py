"""The settings of the registry as pydantic models; names as in design section 11. Pure."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit
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

from subcmc_crawler.province.addresses import Address
from subcmc_crawler.schedule import Window
from subcmc_crawler.spec import query

FROM_ENVIRONMENT: Final = "environment"
"""The proxy setting that takes HTTP_PROXY, HTTPS_PROXY and NO_PROXY from the environment."""


def _window(value: Any) -> Any:
    return Window.parse(value) if isinstance(value, str) else value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError('must be the name of a time zone, for example "Asia/Shanghai"') from None
    return value


_MAILBOX: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255}")


def _mailbox(value: str) -> str:
    if not _MAILBOX.fullmatch(value):
        raise ValueError('must be a mail address without a name, for example "ops@example.gov.cn"')
    return value


def _url(value: str) -> str:
    fault = ValueError("must be http://HOST... or https://HOST... without spaces, user or password")
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        raise fault from None
    if not good or "@" in parts.netloc or not value.isascii() or not value.isprintable() or " " in value:
        raise fault
    return value


def _proxy(value: str) -> str:
    """`http://host:port` as it will be used; empty for none, `environment` for those of the environment."""
    if value in ("", FROM_ENVIRONMENT):
        return value
    try:
        found = Address.parse(value, "")
    except ValueError:
        found = None
    if found is None or (found.scheme, found.path) != ("http", "") or found.port is None:
        raise ValueError(
            'must be "http://host:port" without a user or a password, "environment", or "" for none'
        )
    return found.base


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
    proxy: Annotated[str, AfterValidator(_proxy)] = ""


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


_Url = Annotated[str, StringConstraints(max_length=2048), AfterValidator(_url)]
_Mailbox = Annotated[str, AfterValidator(_mailbox)]
_HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$")]


class Alerts(_Model):
    """`[alerts]`: whom to tell when a night went wrong or recovered; secrets come from files or the environment.

    The address of a webhook may itself be a secret, so it is not part of `repr`.
    """

    on: Literal["problems", "changes", "never"] = "problems"
    lang: Literal["zh", "en"] | None = None
    dashboard_url: _Url | None = None
    ca_file: str | None = None
    webhook_url: Annotated[_Url | None, Field(repr=False)] = None
    webhook_header: _HeaderName | None = None
    webhook_token_file: str | None = None
    webhook_token_env: str | None = None
    smtp_host: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.:-]{1,255}$")] | None = None
    smtp_port: Annotated[int, Field(ge=1, le=65_535)] | None = None
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = None
    smtp_password_file: str | None = None
    smtp_password_env: str | None = None
    sender: _Mailbox | None = None
    recipients: Annotated[list[_Mailbox], Field(max_length=50)] = []

    @model_validator(mode="after")
    def _complete(self) -> Alerts:
        if not self.webhook_url and not self.smtp_host:
            raise ValueError("needs webhook_url, smtp_host or both")
        if not self.webhook_url and (
            self.webhook_header or self.webhook_token_file or self.webhook_token_env
        ):
            raise ValueError("webhook_header and webhook_token_... go with webhook_url")
        if self.webhook_token_file and self.webhook_token_env:
            raise ValueError("webhook_token_file and webhook_token_env exclude each other")
        if self.webhook_header and not (self.webhook_token_file or self.webhook_token_env):
            raise ValueError("webhook_header needs webhook_token_file or webhook_token_env beside it")
        return self

    @model_validator(mode="after")
    def _mail(self) -> Alerts:
        if bool(self.smtp_host) != bool(self.sender and self.recipients):
            raise ValueError("smtp_host, sender and recipients go together")
        if self.smtp_password_file and self.smtp_password_env:
            raise ValueError("smtp_password_file and smtp_password_env exclude each other")
        if bool(self.smtp_user) != bool(self.smtp_password_file or self.smtp_password_env):
            raise ValueError("smtp_user goes with smtp_password_file or smtp_password_env")
        if self.smtp_user and self.smtp_security == "none":
            raise ValueError('a password is sent over TLS alone: smtp_security must be "starttls" or "tls"')
        return self


_DottedPath = Annotated[str, StringConstraints(max_length=100, pattern=r"^[\w-]+(\.[\w-]+)*$")]


class MinistrySettings(_Model):
    """`[ministry]`: the ministry's own query interface (4.1), with which pulls are compared."""

    query_url: Annotated[str, StringConstraints(min_length=1, max_length=1024)]
    page_size: Annotated[int, Field(ge=1, le=query.LARGEST_PAGE)] = 1000
    requests_per_second: _Number = 5.0
    max_in_flight: Annotated[int, Field(ge=1, le=64)] = 2
    request_timeout_seconds: Annotated[float, Field(strict=False, gt=0, le=86_400)] = 60.0
    cool_down_seconds: _Number = 60.0
    max_attempts: _Count = 3
    max_passes: _Count = 2
    overtime_minutes: Annotated[float, Field(strict=False, ge=0, le=1440)] = 60.0
    rows: _DottedPath | None = None
    total: _DottedPath | None = None

    @model_validator(mode="after")
    def _pair(self) -> MinistrySettings:
        if (self.rows is None) != (self.total is None):
            raise ValueError('rows and total go together, for example "data.records" and "data.total"')
        return self

    @property
    def pull(self) -> PullSettings:
        """The same, as requests and walks take them."""
        return PullSettings(
            page_size=self.page_size,
            requests_per_second=self.requests_per_second,
            max_in_flight=self.max_in_flight,
            request_timeout_seconds=self.request_timeout_seconds,
            cool_down_seconds=self.cool_down_seconds,
            max_attempts=self.max_attempts,
            max_passes=self.max_passes,
        )

    @property
    def shapes(self) -> tuple[query.Shape, ...]:
        """Where rows and total may be in an answer: the places named here, else all that are known."""
        if self.rows is None or self.total is None:
            return query.SHAPES
        return (query.Shape.of(self.rows, self.total),)


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
