"""lemon24/reader on the feeds that a file lists: prints the seconds that one update of all of them takes, and its version.

Its start and the adding of the feeds are not counted.
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
