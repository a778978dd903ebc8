"""Makes damaged archives from a seed and lists them as unpackers do.

`archive.py FOLDER COUNT SEED` writes COUNT archives into FOLDER and prints a line of JSON for each: its path, and the
names that Python's zipfile, unzip and 7-Zip see, where these programs are installed.
"""

import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import zipfile

folder, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
dice = random.Random(seed)
seven = next((tool for tool in ("7zz", "7z", "7za") if shutil.which(tool)), None)
unzip = shutil.which("unzip") is not None


def one_zip():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(dice.randint(1, 4)):
            name = dice.choice(["a.txt", "folder/b.js", "invoice.pdf", "c.exe", "d e.docx"])
            info = zipfile.ZipInfo(f"{number}{name}", (2026, 1, 1, 0, 0, 0))
            info.compress_type = dice.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
            archive.writestr(info, dice.randbytes(dice.randint(0, 60)) * dice.randint(1, 3))
        if dice.random() < 0.2:
            archive.comment = dice.randbytes(10)
    return out.getvalue()


def damaged():
    data = bytearray(one_zip())
    shape = dice.random()
    if shape < 0.15:
        data += one_zip()
    elif shape < 0.3:
        data[:0] = dice.choice([b"%PDF-1.4\n", b"GIF89a", dice.randbytes(64), b"MZ" + bytes(60)])
    elif shape < 0.45:
        data += dice.randbytes(dice.randint(1, 200))
    elif shape < 0.6:
        del data[dice.randrange(len(data)) :]
    for _ in range(dice.choice([0, 0, 1, 2, 5])):
        if data:
            data[dice.randrange(len(data))] = dice.randrange(256)
    return bytes(data)


def by_python(path):
    try:
        with zipfile.ZipFile(path) as archive:
            return [info.filename for info in archive.infolist() if not info.is_dir()]
    except Exception:
        return []


def by(command):
    try:
        shown = subprocess.run(command, capture_output=True, timeout=20, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return ""
    return shown.stdout.decode("utf-8", "replace")


def by_seven(path):
    if not seven:
        return []
    names, name, is_folder = [], None, False
    shown = by([seven, "l", "-slt", "-ba", "-p", "-tzip", path])
    for line in shown.splitlines() + [""]:
        if line.startswith("Path = "):
            name = line[7:]
        elif line.startswith("Folder = "):
            is_folder = line.endswith("+")
        elif not line and name is not None:
            if not is_folder:
                names.append(name)
            name, is_folder = None, False
    return names


for number in range(count):
    path = os.path.join(folder, f"{number}.zip")
    with open(path, "wb") as file:
        file.write(damaged())
    seen = {"zipfile": by_python(path), "7-Zip": by_seven(path)}
    if unzip:
        lines = by(["unzip", "-Z1", path]).splitlines()
        # It shows a control character as a caret and a letter.
        seen["unzip"] = [re.sub(r"\^[@-_?]", "", line) for line in lines if not line.endswith("/")]
    print(json.dumps({"path": path, "seen": seen}), flush=True)
