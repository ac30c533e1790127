"""Scrapy, one item a row (or a page, with BENCH_ITEM=page), and a pipeline that inserts 1,000 at a time."""

from __future__ import annotations

import os

import scrapy
from common import PAGE_ROWS, Task, mongodb, tasks
from pymongo import MongoClient
from scrapy.crawler import CrawlerProcess

BY_PAGE = os.environ.get("BENCH_ITEM") == "page"


class Pages(scrapy.Spider):
    """Walks each dataset page by page, all datasets at once."""

    name = "pages"

    async def start(self):
        """The first page of each."""
        for datasets in tasks():
            for task in datasets:
                yield self.ask(task, 1)

    def ask(self, task: Task, page: int) -> scrapy.Request:
        """A page."""
        return scrapy.Request(task.url(page), cb_kwargs={"task": task, "page": page}, dont_filter=True)

    def parse(self, response, task: Task, page: int):
        """Its rows, and the next page."""
        answer = response.json()
        if answer["total"] > page * PAGE_ROWS:
            yield self.ask(task, page + 1)
        if BY_PAGE:
            yield {"dataset": task.dataset, "rows": answer["data"]}
        else:
            for row in answer["data"]:
                yield {"dataset": task.dataset, "row": row}


class Store:
    """Inserts rows, 1,000 at a time."""

    def open_spider(self):  # noqa: D102 - a hook of Scrapy
        uri, database = mongodb()
        self.db = MongoClient(uri)[database]
        self.waiting: dict[str, list] = {}

    def process_item(self, item):  # noqa: D102 - a hook of Scrapy
        waiting = self.waiting.setdefault(item["dataset"], [])
        waiting.extend(item["rows"] if BY_PAGE else [item["row"]])
        if len(waiting) >= PAGE_ROWS:
            self.db[item["dataset"]].insert_many(waiting, ordered=False)
            waiting.clear()
        return item

    def close_spider(self):  # noqa: D102 - a hook of Scrapy
        for dataset, waiting in self.waiting.items():
            if waiting:
                self.db[dataset].insert_many(waiting, ordered=False)


process = CrawlerProcess(
    {
        "ITEM_PIPELINES": {Store: 1},
        "LOG_LEVEL": "ERROR",
        "CONCURRENT_REQUESTS": 16,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
        "DOWNLOAD_DELAY": 0,
        "ROBOTSTXT_OBEY": False,
        "COOKIES_ENABLED": False,
        "RETRY_ENABLED": False,
        "REDIRECT_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "MEMUSAGE_ENABLED": False,
        "LOGSTATS_INTERVAL": 0,
    }
)
process.crawl(Pages)
process.start()
