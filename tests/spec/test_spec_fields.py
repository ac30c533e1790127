from __future__ import annotations

import pytest

from subcmc_crawler.spec.datasets import DATASETS, VOLATILE
from subcmc_crawler.spec.fields import FIELDS, Field


def field(dataset: str, name: str) -> Field:
    return next(field for field in FIELDS[dataset] if field.name == name)


def test_every_dataset_has_its_table_in_the_same_order() -> None:
    assert list(FIELDS) == list(DATASETS)


@pytest.mark.parametrize(
    ("code", "fields", "required"),
    [
        ("ua_org", 10, 6),
        ("ua_user", 14, 9),
        ("mdm_device", 20, 9),
        ("infr_network", 9, 9),
        ("hardware", 29, 16),
        ("appspt_system", 14, 12),
        ("pm_app", 18, 10),
        ("pm_service", 8, 7),
        ("mr_resservice", 18, 14),
    ],
)
def test_a_table_has_as_many_fields_as_printed(code: str, fields: int, required: int) -> None:
    assert len(FIELDS[code]) == fields
    assert len({field.name for field in FIELDS[code]}) == fields
    assert sum(field.required for field in FIELDS[code]) == required


@pytest.mark.parametrize("code", FIELDS)
def test_a_table_begins_with_the_three_common_fields_and_its_key(code: str) -> None:
    names = [field.name for field in FIELDS[code]]
    assert names[:4] == ["reportType", "cmcId", VOLATILE, DATASETS[code].key]


@pytest.mark.parametrize("code", FIELDS)
def test_fields_have_chinese_titles_and_limits_that_fit_their_kind(code: str) -> None:
    for row in FIELDS[code]:
        assert row.title
        assert row.table is None or row.kind == "integer"
        assert (row.items_max is None and row.item_max_length is None) or row.kind == "strings"
        assert (row.max_length is None and row.lengths is None) or row.kind == "string"
        assert row.personal is None or row.kind == "string"


@pytest.mark.parametrize("code", FIELDS)
def test_references_are_fields_of_their_table(code: str) -> None:
    for reference in DATASETS[code].references:
        assert field(code, reference.field).kind == ("strings" if reference.many else "string")
        assert reference.dataset in FIELDS


def test_the_odd_rows_of_the_specification() -> None:
    assert field("ua_user", "policeNo").lengths == (0, 5, 6, 7, 15, 18)
    assert field("mdm_device", "policeTerminalType").default == 20101
    assert field("infr_network", "netId").max_length is None
    assert field("hardware", "orgId").max_length == 100
    assert field("ua_org", "orgId").max_length == 255
    assert field("pm_service", "hosts").items_max == 50
    assert field("pm_service", "languages").items_max == 10
    assert not field("pm_service", "haStatus").required
    assert field("mdm_device", "storage").kind == "string"
    assert field("mdm_device", "runMemory").kind == "long"


def test_whatever_names_or_reaches_a_person_is_personal() -> None:
    personal = {(code, row.name): row.personal for code in FIELDS for row in FIELDS[code] if row.personal}
    assert personal == {
        ("ua_org", "contact"): "name",
        ("ua_org", "contactPhone"): "phone",
        ("ua_user", "name"): "name",
        ("ua_user", "idNo"): "id",
        ("ua_user", "policeNo"): "id",
        ("ua_user", "mobile"): "phone",
        ("ua_user", "officePhone"): "phone",
        ("mdm_device", "phoneNumber"): "phone",
        ("mdm_device", "imei"): "id",
        ("hardware", "responsiblePerson"): "name",
        ("hardware", "responsiblePhone"): "phone",
        ("hardware", "maintenancePerson"): "name",
        ("hardware", "maintenancePhone"): "phone",
        ("appspt_system", "techContact"): "name",
        ("appspt_system", "techTelephone"): "phone",
        ("mr_resservice", "techContact"): "name",
        ("mr_resservice", "techTelephone"): "phone",
    }
