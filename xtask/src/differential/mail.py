"""Reads mails with Python's email, by both of its policies, and prints for each the files that it sees.

A line of JSON for each path on standard input: a list of {"policy", "name", "sha256", "size"}.
"""

import email
import email.policy
import hashlib
import json
import sys


def files(message, policy):
    for part in message.walk():
        if part.is_multipart():
            continue
        try:
            name = part.get_filename()
            content = part.get_payload(decode=True)
        except Exception:  # what this reader cannot read, it shows to nobody
            continue
        if not name or content is None:
            continue
        name = str(name)
        yield {
            "policy": policy,
            "name": name,
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": len(content),
        }


for path in sys.stdin:
    with open(path.rstrip("\n"), "rb") as file:
        raw = file.read()
    raw = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    seen = []
    for label, policy in (("compat32", email.policy.compat32), ("default", email.policy.default)):
        try:
            message = email.message_from_bytes(raw, policy=policy)
            seen.extend(files(message, label))
        except Exception as error:
            seen.append({"policy": label, "error": type(error).__name__})
    print(json.dumps(seen), flush=True)
