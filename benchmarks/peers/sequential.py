"""requests and pymongo, one page after the other; nothing is checked."""

from __future__ import annotations

import requests
from common import PAGE_ROWS, mongodb, tasks
from pymongo import MongoClient

uri, database = mongodb()
db = MongoClient(uri)[database]
session = requests.Session()
for datasets in tasks():
    for task in datasets:
        page, left = 1, 1
        while left > 0:
            answer = session.get(task.url(page), timeout=60).json()
            left = answer["total"] - page * PAGE_ROWS
            db[task.dataset].insert_many(answer["data"], ordered=False)
            page += 1
