from __future__ import annotations

import pytest

from subcmc_crawler.errors import BadConfig
from subcmc_crawler.province.registry import parse

PROVINCE = '\n[[province]]\ncmcId = "620000"\nareaCode = "620000"\nname = "甘肃省"\n'
HOOK = 'webhook_url = "https://hooks.example/x?key=k3y"\n'
MAIL = 'smtp_host = "mail.example"\nsender = "a@example.cn"\nrecipients = ["b@example.cn"]\n'


def test_no_table_means_no_alerts() -> None:
    assert parse(PROVINCE).alerts is None


def test_every_key_in_one_table() -> None:
    alerts = parse(
        f"""[alerts]
{HOOK}{MAIL}on = "changes"
lang = "en"
dashboard_url = "http://ops.example:8080/subcmc"
ca_file = "secrets/ca.pem"
webhook_header = "X-Token"
webhook_token_file = "secrets/hook"
smtp_port = 2525
smtp_security = "tls"
smtp_user = "subcmc"
smtp_password_env = "MAIL_PASSWORD"
{PROVINCE}"""
    ).alerts
    assert alerts is not None
    assert (alerts.on, alerts.smtp_port, alerts.recipients) == ("changes", 2525, ["b@example.cn"])
    assert "k3y" not in repr(alerts)


def test_what_is_left_out_is_safe() -> None:
    alerts = parse(f"[alerts]\n{MAIL}{PROVINCE}").alerts
    assert alerts is not None
    assert (alerts.on, alerts.smtp_security, alerts.lang) == ("problems", "starttls", None)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("", "alerts: needs webhook_url, smtp_host or both"),
        (HOOK + 'webhook_tokn_file = "x"', 'unknown key; did you mean "webhook_token_file"?'),
        (HOOK + 'on = "always"', "alerts.on: must be 'problems', 'changes' or 'never'"),
        ('webhook_url = "ftp://x"', "alerts.webhook_url: must be http://HOST"),
        ('webhook_url = "https://user:s3cret@x/"', "alerts.webhook_url: must be http://HOST"),
        ('webhook_url = "https://x/\\r\\nHost: y"', "alerts.webhook_url: must be http://HOST"),
        ('webhook_url = "https://x:99999/"', "alerts.webhook_url: must be http://HOST"),
        (HOOK + 'webhook_token_file = "a"\nwebhook_token_env = "B"', "exclude each other"),
        (HOOK + 'webhook_header = "X-Token"', "webhook_header needs webhook_token_file"),
        (HOOK + 'webhook_header = "X Token"\nwebhook_token_env = "B"', "alerts.webhook_header"),
        (MAIL + 'webhook_header = "X-Token"', "go with webhook_url"),
        ('smtp_host = "mail.example"\nsender = "a@example.cn"', "go together"),
        (HOOK + 'sender = "a@example.cn"\nrecipients = ["b@example.cn"]', "go together"),
        (MAIL + 'smtp_user = "u"', "smtp_user goes with smtp_password_file"),
        (MAIL + 'smtp_user = "u"\nsmtp_password_env = "P"\nsmtp_security = "none"', "sent over TLS alone"),
        (MAIL.replace("b@", "b\\nBcc: x@"), "alerts.recipients.[1]: must be a mail address"),
        (MAIL.replace("a@example.cn", "a"), "alerts.sender: must be a mail address"),
    ],
)
def test_a_fault_is_one_line_that_names_the_key_and_no_secret(table: str, says: str) -> None:
    with pytest.raises(BadConfig) as raised:
        parse(f"[alerts]\n{table}\n{PROVINCE}")
    [fault] = raised.value.faults
    assert says in fault
    assert "k3y" not in fault
    assert "s3cret" not in fault


def test_an_unknown_table_is_likened_to_a_known_one() -> None:
    with pytest.raises(BadConfig, match='unknown table; did you mean "alerts"'):
        parse(f"[alert]\n{HOOK}{PROVINCE}")
