"""Measures lemon24/reader on the feeds that a file lists.

Prints how many seconds one update of all feeds takes, and the version of lemon24/reader. Its start is not counted, and
neither is adding the feeds.
"""

import sys
import time

import reader

database, urls = sys.argv[1:]
store = reader.make_reader(database)
for url in open(urls).read().split():
    store.add_feed(url, exist_ok=True)
started = time.perf_counter()
for _ in store.update_feeds_iter(workers=10, scheduled=False):
    pass
print(time.perf_counter() - started, reader.__version__)
