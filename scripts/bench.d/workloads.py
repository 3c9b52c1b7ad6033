"""What the corpus is asked for: lists of requests with the pictures' sizes, the same every time and for every format.

    workloads.py DIR        writes DIR/FORMAT.WORKLOAD.urls, a line `path<TAB>width<TAB>height` each (0 0: no picture)

w1    viewers' sessions with tiles of 512: `info.json`, the tiles from the whole image down to one place, two pans
w1t   the same with tiles of 256, which is how the TIFFs are tiled
w1v   w1t with the size as viewers of version 2 write it: `256,` for `256,256`
w2    w1 played until the time is up, after a round that does not count; w2v the same of w1v
w3    thumbnails, each in another size
w4    regions of 800 pixels or more at any place, 800 wide
w5    the images of 48 megapixels as they are
w6    rotated, mirrored, gray, PNG
info  `info.json`
"""

import math
import random
import re
import sys
from pathlib import Path

IMAGES = {"p1": (8000, 6000), "p2": (7993, 6011), "p3": (6000, 8000), "giga": (20000, 15000)}
SUFFIXES = {"tifj": "_j.tif", "tifz": "_z.tif", "jp2": ".jp2", "jp2u": "_u.jp2", "jpg": ".jpg"}
FORMATS = list(SUFFIXES)
WORKLOADS = ["w1", "w1t", "w1v", "w2", "w2v", "w3", "w4", "w5", "w6", "info"]
WARM = {"w2": "w1", "w2v": "w1v"}
# One pass shows little where an answer takes no time: these lists are played until the time is up.
REPEATED = ["w2", "w2v", "w5", "info"]

VIEWPORT = (1600, 900)
SESSIONS = 6


class Image:
    def __init__(self, name, format):
        self.identifier = name + SUFFIXES[format]
        self.width, self.height = IMAGES[name]

    def request(self, region, size, wanted, rotation="0", quality="default.jpg"):
        return f"{self.identifier}/{region}/{size}/{rotation}/{quality}", *wanted

    def information(self):
        return f"{self.identifier}/info.json", 0, 0

    def level(self, factor):
        return math.ceil(self.width / factor), math.ceil(self.height / factor)

    def fitted(self, side):
        factor = side / max(self.width, self.height)
        return round(self.width * factor), round(self.height * factor)


def tile(image, side, factor, column, row):
    """A tile of a level as viewers ask for it; the whole level if it is not larger."""
    width, height = image.level(factor)
    if width <= side and height <= side:
        return image.request("full", f"{width},{height}", (width, height))
    x, y, covered = column * side * factor, row * side * factor, side * factor
    region = x, y, min(covered, image.width - x), min(covered, image.height - y)
    wanted = min(side, width - column * side), min(side, height - row * side)
    return image.request("{},{},{},{}".format(*region), "{},{}".format(*wanted), wanted)


def along(length, shown, side, centre):
    """On one axis of a level: the tiles that the viewport touches, and the middle of what it shows, in tiles."""
    shown = min(shown, length)
    start = min(max(centre - shown / 2, 0), length - shown)
    return range(int(start // side), int((start + shown - 1) // side) + 1), (start + shown / 2) / side


def visible(image, side, factor, x, y):
    """The tiles that a viewport centred at x, y (pixels of the full image) shows, those in the middle first."""
    width, height = image.level(factor)
    columns, middle_x = along(width, VIEWPORT[0], side, x / factor)
    rows, middle_y = along(height, VIEWPORT[1], side, y / factor)
    tiles = [(column, row) for row in rows for column in columns]
    tiles.sort(key=lambda at: (at[0] + 0.5 - middle_x) ** 2 + (at[1] + 0.5 - middle_y) ** 2)
    return [tile(image, side, factor, *at) for at in tiles]


def home_factor(image):
    """The scale factor at which the image about fills the viewport."""
    factor = 1
    while image.width / factor > VIEWPORT[0] and image.height / factor > VIEWPORT[1]:
        factor *= 2
    return factor


def session(image, side, numbers):
    """From the smallest level to the whole image in the viewport, down to one place, and two pans there."""
    home = home_factor(image)
    smallest = 1
    while max(image.width, image.height) / smallest > side:
        smallest *= 2
    x, y = numbers.uniform(0.2, 0.8) * image.width, numbers.uniform(0.2, 0.8) * image.height
    views = []
    factor = smallest
    while factor >= 1:
        at_home = factor >= home
        views.append((factor, image.width / 2 if at_home else x, image.height / 2 if at_home else y))
        factor //= 2
    views += [(1, x + VIEWPORT[0] / 2, y), (1, x + VIEWPORT[0] / 2, y + VIEWPORT[1] / 2)]
    return [image.information()] + [request for view in views for request in visible(image, side, *view)]


def interleaved(lists):
    """One list in which each of the lists is spread evenly, so that a part of it is like the whole."""
    placed = [((k + 0.5) / len(items), j, item) for j, items in enumerate(lists) for k, item in enumerate(items)]
    return [item for _, _, item in sorted(placed)]


def sessions(images, side):
    """Several sessions an image, one after the other; what a session had already is not asked for again."""
    numbers = random.Random(7)
    rounds = [interleaved([session(image, side, numbers) for image in images]) for _ in range(SESSIONS)]
    return list(dict.fromkeys(request for one in rounds for request in one))


def width_only(requests):
    return [(re.sub(r"/(\d+),\d+/0/", r"/\1,/0/", path), *wanted) for path, *wanted in requests]


def thumbnails(images):
    numbers = random.Random(11)
    requests = []
    for image in images:
        for side in numbers.sample(range(340, 461), 60):
            requests.append(image.request("full", f"!{side},{side}", image.fitted(side)))
        for height in numbers.sample(range(130, 171), 30):
            width = round(image.width * height / image.height)
            requests.append(image.request("full", f",{height}", (width, height)))
    numbers.shuffle(requests)
    return requests


def regions(images):
    numbers = random.Random(13)
    return [region(numbers.choice(images), numbers) for _ in range(400)]


def region(image, numbers):
    width = int(math.exp(numbers.uniform(math.log(800), math.log(image.width * 0.9))))
    height = min(int(width * numbers.uniform(0.5, 1.5)), image.height)
    x, y = numbers.randrange(image.width - width + 1), numbers.randrange(image.height - height + 1)
    return image.request(f"{x},{y},{width},{height}", "800,", (800, round(height * 800 / width)))


def mixed(images):
    numbers = random.Random(17)
    ways = [("90", "default.jpg"), ("180", "default.jpg"), ("270", "default.jpg"), ("!0", "default.jpg"),
            ("0", "gray.jpg"), ("0", "default.png"), ("90", "gray.png")]
    requests = [request for way in ways for image in images for request in turned(image, numbers, *way)]
    numbers.shuffle(requests)
    return requests


def turned(image, numbers, rotation, quality):
    """The whole image, and three regions at half their size."""
    asked = [("full", "!600,600", image.fitted(600))]
    for _ in range(3):
        width, height = numbers.randrange(1024, 2600), numbers.randrange(1024, 2600)
        x, y = numbers.randrange(image.width - width), numbers.randrange(image.height - height)
        half = width // 2, height // 2
        asked.append((f"{x},{y},{width},{height}", "{},{}".format(*half), half))
    for region, size, wanted in asked:
        wanted = wanted[::-1] if rotation in ("90", "270") else wanted
        yield image.request(region, size, wanted, rotation, quality)


def lists(format):
    """All workloads for a format. One without smaller levels is not asked for parts of the giant image."""
    images = [Image(name, format) for name in IMAGES]
    small = [image for image in images if image.width * image.height < 100e6]
    if format == "jpg":
        images = small
    w1, w1t = sessions(images, 512), sessions(images, 256)
    if format == "jpg":
        numbers = random.Random(3)
        w1, w1t = (requests[:3] + numbers.sample(requests[3:], 200) for requests in (w1, w1t))
    return {
        "w1": w1,
        "w1t": w1t,
        "w1v": width_only(w1t),
        "w3": thumbnails(images),
        "w4": regions(images),
        "w5": [image.request("full", "max", (image.width, image.height)) for image in small],
        "w6": mixed(images),
        "info": [image.information() for image in small],
    }


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for format in FORMATS:
        for workload, requests in lists(format).items():
            text = "".join("\t".join(map(str, request)) + "\n" for request in requests)
            (folder / f"{format}.{workload}.urls").write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
