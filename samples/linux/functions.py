"""Functions for driver.py. The modules are imported before the snapshot."""
import dataclasses
import json
import re
import sqlite3

words = sqlite3.connect(":memory:")
words.execute("CREATE TABLE words (word TEXT PRIMARY KEY, count INTEGER)")
calls = 0


@dataclasses.dataclass
class Point:
    x: float
    y: float


def add(a, b):
    return a + b


def middle(points):
    """The mean of points such as {"x": 1, "y": 2}."""
    points = [Point(**point) for point in points]
    mean = Point(sum(point.x for point in points) / len(points),
                 sum(point.y for point in points) / len(points))
    return dataclasses.asdict(mean)


def count_words(text):
    """The three most frequent words, by SQL."""
    for word in re.findall(r"\w+", text.lower()):
        words.execute("INSERT INTO words VALUES (?, 1) ON CONFLICT (word) "
                      "DO UPDATE SET count = count + 1", (word,))
    return words.execute("SELECT word, count FROM words "
                         "ORDER BY count DESC, word LIMIT 3").fetchall()


def times_called():
    """Always 1 more than in the snapshot."""
    global calls
    calls += 1
    return calls


def parse(text):
    return json.loads(text)
