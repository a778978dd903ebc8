#!/usr/bin/env python3
"""The quarantine by InvokeCommand, as scripts for Exchange Online speak it. Nothing but Python's own library.

    REPRIEVE_API=http://127.0.0.1:8025 REPRIEVE_TOKEN=rpv_... REPRIEVE_TENANT=example.com python3 exchange.py

Lists what is held as malware, page by page; shows the first; releases it to its first recipient; and shows that a second release is none.
"""

import json
import os
import urllib.error
import urllib.request

BASE = os.environ["REPRIEVE_API"]
TENANT = os.environ["REPRIEVE_TENANT"]


def post(path, body):
    request = urllib.request.Request(
        BASE + path,
        data=json.dumps(body).encode(),
        headers={
            "Authorization": "Bearer " + os.environ["REPRIEVE_TOKEN"],
            "Content-Type": "application/json; charset=utf-8",
            "Prefer": "odata.maxpagesize=1",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        said = json.load(error)["error"]
        raise SystemExit(f"{error.code} {error.headers['X-ExceptionType']}: {said['innererror']['message']}") from None


def invoke(cmdlet, **parameters):
    """All objects of a verb: the same body is sent to @odata.nextLink for as long as there is one."""
    body = {"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}}
    path = f"/adminapi/beta/{TENANT}/InvokeCommand"
    while path:
        answer = post(path, body)
        for warning in answer.get("@adminapi.warnings", []):
            print("warning:", warning)
        yield from answer["value"]
        path = answer.get("@odata.nextLink")


held = list(invoke("Get-QuarantineMessage", QuarantineTypes=["Malware"], ReleaseStatus=["NotReleased"]))
print(f"{len(held)} held")
first = held[0]
print(first["Subject"], first["ReleaseStatus"], "by", first["Detection"], first["DetectionVersion"])
who = first["RecipientAddress"][0]
for done in invoke("Release-QuarantineMessage", Identity=first["Identity"], User=[who], Reason="example"):
    print(done["RecipientAddress"], done["State"])
for done in invoke("Release-QuarantineMessage", Identity=first["Identity"], User=[who], Force=True):
    print("again:", done["State"])
