"""dlt: its rest_api source with page numbers, and a custom destination that inserts into MongoDB."""

from __future__ import annotations

import os
import tempfile

os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
os.environ.setdefault("RUNTIME__LOG_LEVEL", "ERROR")
os.environ.setdefault("NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION", "true")

import dlt
from common import PAGE_ROWS, PATHS, mongodb, tasks
from dlt.sources.rest_api import rest_api_source
from pymongo import MongoClient

uri, database = mongodb()
db = MongoClient(uri)[database]


@dlt.destination(
    batch_size=PAGE_ROWS, loader_file_format="typed-jsonl", naming_convention="direct", max_table_nesting=0
)
def mongo(items, table) -> None:
    """Inserts a batch."""
    db[table["name"].split("__")[0]].insert_many(items, ordered=False)


def source(task) -> object:
    """One dataset of one province."""
    return rest_api_source(
        {
            "client": {"base_url": f"{task.base}/{task.cmc_id}"},
            "resources": [
                {
                    "name": f"{task.dataset}__{task.cmc_id}",
                    "endpoint": {
                        "path": PATHS[task.dataset].lstrip("/"),
                        "params": {"cmcId": task.cmc_id, "pageSize": PAGE_ROWS},
                        "data_selector": "data",
                        "paginator": {
                            "type": "page_number",
                            "page_param": "pageNum",
                            "base_page": 1,
                            "total_path": None,
                            "stop_after_empty_page": False,
                            "maximum_page": int(os.environ[f"BENCH_PAGES_{task.dataset}"]) + 1,  # exclusive
                        },
                    },
                }
            ],
        },
        name=f"{task.dataset}_{task.cmc_id}",
    )


with tempfile.TemporaryDirectory() as folder:
    pipeline = dlt.pipeline("bench", destination=mongo, dataset_name="bench", pipelines_dir=folder)
    pipeline.run([source(task) for datasets in tasks() for task in datasets])
