"""What the programs find is kept as it comes, until a program changes."""
import argparse
import hashlib
import json
from pathlib import Path

from cnnbook.press.recorded import circumstances
from cnnbook.progress_bar import progress
from cnnbook.storage import write_whole

FOLDER = Path(__file__).resolve().parents[2] / "chapters/recorded/papers"


def key_of(*programs):
    "A text that changes with the files of the programs."
    text = b"".join(Path(path).read_bytes() for path in programs)
    return hashlib.sha256(text).hexdigest()[:16]


def read(path, key):
    "The record in the file, a dict; empty if another program left it."
    record = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return record if record.get("key") == key else {"key": key}


def write(path, record, packages, made="made"):
    "Replace the file, with the day and the machine under the name `made`."
    record[made] = circumstances(packages)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(record, indent=1) + "\n")


def asked_seeds(program, seeds):
    "How many seeds the command asks for; `program` is the text of --help."
    ask = argparse.ArgumentParser(
        description=program, formatter_class=argparse.RawTextHelpFormatter)
    ask.add_argument("--seeds", type=int, default=seeds)
    return ask.parse_args().seeds


def by_seed(path, key, seeds, measure):
    "Keep what `measure(seed)` finds of each seed that is not kept yet."
    record = {"seeds": {}} | read(path, key)
    todo = [seed for seed in range(seeds) if str(seed) not in record["seeds"]]
    for seed in progress(todo, label="seed"):
        record["seeds"][str(seed)] = measure(seed)
        write(path, record, ["numpy"])
