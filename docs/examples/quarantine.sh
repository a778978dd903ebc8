#!/usr/bin/env bash
# The quarantine by the REST API, with curl.
#
#     REPRIEVE_API=http://127.0.0.1:8025 REPRIEVE_TOKEN=rpv_... bash quarantine.sh SUBJECT
#
# Finds what is held under a subject, says why, and what a release would do.
set -euo pipefail
api() { curl --silent --show-error --fail-with-body --header "Authorization: Bearer $REPRIEVE_TOKEN" "$@"; }

held=$(api --get "$REPRIEVE_API/api/v1/quarantine" --data-urlencode "subject=$1" --data limit=1)
id=$(sed -n 's/.*"mail_id":"\([^"]*\)".*/\1/p' <<<"$held")
[ -n "$id" ] || { echo "nothing is held under '$1'"; exit 1; }
echo "message $id"
api "$REPRIEVE_API/api/v1/quarantine/$id" | sed -n 's/.*"detection":"\([^"]*\)","detection_version":"\([^"]*\)".*/held by \1, version \2/p'
api --header "Content-Type: application/json" --data '{"reason":"example","what_if":true}' "$REPRIEVE_API/api/v1/quarantine/$id/release"
echo
