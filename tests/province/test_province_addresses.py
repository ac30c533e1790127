"""One entry of `pullAddressList`: what is an address, and what only looks like one."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from subcmc_crawler.province.addresses import Address


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("192.168.1.23:8080/gansu1", "https://192.168.1.23:8080/gansu1"),
        ("192.168.1.23:8080", "https://192.168.1.23:8080"),
        ("192.168.1.23", "https://192.168.1.23"),
        ("192.168.1.23:8080/", "https://192.168.1.23:8080"),
        ("192.168.1.23/a/b.c_d~e-1/", "https://192.168.1.23/a/b.c_d~e-1"),
        ("http://192.168.1.23:8080/gansu1", "http://192.168.1.23:8080/gansu1"),
        ("https://scmc.gansu.example", "https://scmc.gansu.example"),
        ("localhost:1", "https://localhost:1"),
        ("a-b.c1:65535/x", "https://a-b.c1:65535/x"),
        ("[::1]:8040/620000", "https://[::1]:8040/620000"),
        ("http://[2001:db8::7]/x", "http://[2001:db8::7]/x"),
        ("h/%E7%94%98", "https://h/%E7%94%98"),
        ("h/a%2Fb", "https://h/a%2Fb"),
        ("h/...", "https://h/..."),
        ("h/a..b", "https://h/a..b"),
        ("3com.example", "https://3com.example"),
    ],
)
def test_an_address_is_taken_as_it_is_written(text: str, base: str) -> None:
    address = Address.parse(text, "https")
    assert address.base == base
    assert str(address) == base


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_scheme_in_the_address_wins(scheme: str) -> None:
    assert Address.parse("h:1", scheme).scheme == scheme
    assert Address.parse("http://h:1", scheme).scheme == "http"
    assert Address.parse("https://h:1", scheme).scheme == "https"


def test_a_slash_at_the_end_makes_no_other_address() -> None:
    assert Address.parse("h:1/x/", "https") == Address.parse("h:1/x", "https")


@pytest.mark.parametrize(
    "text",
    ["0x7f.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.0x1", "1.2.3", "1.2.3.4.5",
     "256.1.1.1", "127.0.0.01", "0", "１２７.0.0.1"],
)  # fmt: skip
def test_numbers_that_only_inet_aton_reads_as_an_address_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither an IP address nor a host name"):
        Address.parse(text, "https")
    with pytest.raises(ValueError, match="neither an IP address nor a host name"):
        Address.parse(f"http://{text}:80/x", "https")


@pytest.mark.parametrize(
    "text",
    ["a..b", ".a", "a.", "-a", "a-", "a_b", "a b", "省.example", "a?b", "a#b", "a" * 64, "a." * 126 + "ab", "a\n",
     "[192.168.1.1]:80", "[127.0.0.1]", "[::1::2]", "[:]", "[1]", "[a]", "[12345::]"],
)  # fmt: skip
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"neither an IP address nor a host name|must be written"):
        Address.parse(text, "https")


@pytest.mark.parametrize(
    "text",
    ["", "/x", ":80", "user@h", "user:pw@h:80", "http://user:pw@h", "h:port", "h:80x", "h:-1", "h:80:81", "::1",
     "::1:80", "[::1", "::1]", "http://", "HTTP://h", "http:h", "//h", "h:80/a\nb", "[fe80::1%25eth0]:80"],
)  # fmt: skip
def test_what_is_not_written_as_an_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be written"):
        Address.parse(text, "https")


@pytest.mark.parametrize("scheme", ["ftp", "ws", "file", "s"])
def test_other_schemes_are_refused(scheme: str) -> None:
    with pytest.raises(ValueError, match=f'the scheme must be http or https, not "{scheme}"'):
        Address.parse(f"{scheme}://h", "https")


@pytest.mark.parametrize("port", [0, 65536, 99999])
def test_a_port_lies_between_1_and_65535(port: int) -> None:
    with pytest.raises(ValueError, match=f"the port must lie between 1 and 65535, not {port}"):
        Address.parse(f"h:{port}", "https")


@pytest.mark.parametrize(
    "path",
    ["/..", "/../x", "/a/../b", "/.", "/a/./b", "//a", "/a//b", "/a?b=c", "/a#b", "/a b", "/省", "/a;b", "/a:b",
     "/a@b", "/a\\b", "/%2e%2e/x", "/%2E%2e", "/.%2e", "/%2e", "/a/%2E%2E/%2e%2e/b", "/%", "/%2", "/%zz"],
)  # fmt: skip
def test_a_base_path_leads_where_it_says(path: str) -> None:
    with pytest.raises(ValueError, match="base path"):
        Address.parse(f"h:80{path}", "https")


PARTS = st.text("abc.%2eEfF0/:@[]x-_~ ?#", max_size=12)


@settings(deadline=None)
@given(st.builds("{}{}{}".format, st.sampled_from(["", "http://", "h", "h:80/", "[::1]/"]), PARTS, PARTS))
def test_what_is_accepted_is_what_is_contacted(text: str) -> None:
    """The library must not read the host, the port or the path in another way than we do."""
    try:
        address = Address.parse(text, "https")
    except ValueError:
        return
    url = URL(address.base + "/subcmc/v1/ua/org")
    assert url.scheme == address.scheme
    assert url.explicit_port == address.port
    assert url.user is url.password is None
    assert url.host is not None
    if ":" in url.host:
        assert ipaddress.ip_address(url.host) == ipaddress.ip_address(address.host.strip("[]"))
    else:
        assert url.host == address.host.lower()
    assert url.path_safe.count("/") == address.path.count("/") + 4
    assert url.path.endswith("/subcmc/v1/ua/org")
    assert len(url.raw_parts) == len((address.path + "/subcmc/v1/ua/org").split("/"))
