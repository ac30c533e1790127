"""Collections, indexes, validators and views: made by the program, checked at every start."""

from __future__ import annotations

from typing import Any, Final

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.errors import CollectionInvalid, OperationFailure

from subcmc_crawler.errors import StoreLost
from subcmc_crawler.spec.datasets import DATASETS
from subcmc_crawler.store.driver import Database

SCHEMA_VERSION: Final = 1

_NAMESPACE_EXISTS: Final = 48

_VERSION_FIELDS: Final = ("_id", "key", "from", "to", "hash", "flags", "record")

_VERSION_RULES: Final[dict[str, Any]] = {
    "_id": {"$type": "string"},
    "cmcId": {"$type": "string"},
    "key": {"$type": "string"},
    "from": {"$type": ["int", "long"]},
    "to": {"$type": ["int", "long"]},
    "hash": {"$type": "binData"},
    "flags": {"$type": "array"},
    "record": {"$type": "object"},
}
"""As a query, which costs MongoDB half of what a `$jsonSchema` of the same does, row by row."""

_RULES: Final[dict[str, dict[str, Any]]] = {
    "runs": {
        "bsonType": "object",
        "required": ["_id", "status", "startedAt"],
        "properties": {
            "_id": {"bsonType": ["int", "long"]},
            "status": {"enum": ["running", "finished", "stopped", "crashed"]},
        },
    },
    "snapshots": {
        "bsonType": "object",
        "required": ["_id", "run", "cmcId", "dataset", "state", "counts"],
        "properties": {
            "run": {"bsonType": ["int", "long"]},
            "state": {"enum": ["collecting", "published", "held", "rolling-back", "rolled-back", "none"]},
        },
    },
    "ledger": {"bsonType": "object", "required": ["_id", "kind", "run", "cmcId", "dataset", "pass"]},
    "quarantine": {"bsonType": "object", "required": ["_id", "run", "cmcId", "dataset", "reason", "raw"]},
    "comparisons": {"bsonType": "object", "required": ["_id", "run", "cmcId", "dataset", "fence", "endings"]},
    "references": {"bsonType": "object", "required": ["_id", "run", "cmcId", "fence", "counts"]},
    "rests": {"bsonType": "object", "required": ["_id", "until"]},
    "leases": {"bsonType": "object", "required": ["_id", "fence", "expiresAt"]},
}

_INDEXES: Final[dict[str, list[IndexModel]]] = {
    "snapshots": [
        IndexModel([("run", ASCENDING)], name="run"),
        IndexModel(
            [("dataset", ASCENDING), ("state", ASCENDING), ("cmcId", ASCENDING), ("run", DESCENDING)],
            name="head",
        ),
        IndexModel([("cmcId", ASCENDING), ("dataset", ASCENDING), ("run", DESCENDING)], name="cell"),
    ],
}

_VERSION_INDEXES: Final = [
    # covers the comparison with the last snapshot, the count, the digest and the history; and finds the versions
    # that a run has closed among the keys of their province, which is rare: an index for that alone would cost a
    # tenth of every insert
    IndexModel([(name, ASCENDING) for name in ("cmcId", "key", "from", "to", "hash")], name="version"),
]


_NAMES: Final = frozenset({*_RULES, *DATASETS, *(f"current_{code}" for code in DATASETS)})


async def prepare(db: Database) -> None:
    """Creates what is missing, in a database of this version too; StoreLost when a newer program made it.

    Where nothing is missing this costs two questions. The version is taken away while something is made, so that
    what a crash leaves without its indexes is looked at again.
    """
    known = await db["schema"].find_one({"_id": "schema"})
    version = known["version"] if known else 0
    if version > SCHEMA_VERSION:
        raise StoreLost(
            f"the database {db.name} has schema {version}, this program knows {SCHEMA_VERSION}: "
            "use a newer subcmc-crawler"
        )
    if version == SCHEMA_VERSION:
        if set(await db.list_collection_names(authorizedCollections=True)) >= _NAMES:
            return
        await db["schema"].update_one({"_id": "schema"}, {"$set": {"version": 0}})
    for name, rules in _RULES.items():
        await _collection(db, name, validator={"$jsonSchema": rules})
        if name in _INDEXES:
            await db[name].create_indexes(_INDEXES[name])
    for code in DATASETS:
        await _collection(db, code, validator=_VERSION_RULES)
        await db[code].create_indexes(_VERSION_INDEXES)
        await _collection(db, f"current_{code}", viewOn="snapshots", pipeline=_current(code))
    await db["schema"].update_one({"_id": "schema"}, {"$set": {"version": SCHEMA_VERSION}}, upsert=True)


async def _collection(db: Database, name: str, **options: Any) -> None:
    try:
        await db.create_collection(name, check_exists=False, **options)
    except CollectionInvalid:
        return
    except OperationFailure as error:
        if error.code != _NAMESPACE_EXISTS:
            raise


def _current(code: str) -> list[dict[str, Any]]:
    """The pipeline of `current_<dataset>`: the versions that the last published snapshot of each province holds.

    It starts from the manifests, so that what a run has staged stays invisible until its manifest says published.
    """
    holds = [
        {"$eq": ["$cmcId", "$$cmcId"]},
        {"$lte": ["$from", "$$run"]},
        {"$gt": ["$to", "$$run"]},
    ]
    return [
        {"$match": {"dataset": code, "state": "published"}},
        {"$sort": {"cmcId": ASCENDING, "run": DESCENDING}},
        {"$group": {"_id": "$cmcId", "run": {"$first": "$run"}}},
        {"$project": {"_id": 0, "cmcId": "$_id", "run": 1}},
        {
            "$lookup": {
                "from": code,
                "let": {"cmcId": "$cmcId", "run": "$run"},
                "pipeline": [{"$match": {"$expr": {"$and": holds}}}],
                "as": "version",
            }
        },
        {"$unwind": "$version"},
        # cmcId stays that of the manifest, so that a filter on it is applied before the lookup
        {"$project": {"cmcId": 1, **{name: f"$version.{name}" for name in _VERSION_FIELDS}}},
    ]
