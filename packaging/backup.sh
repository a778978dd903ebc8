#!/bin/sh
# A backup of the running service, proved to be restorable, and the end of those that are too old.
# Settings: /etc/default/reprieve-backup.
set -eu

to=${REPRIEVE_BACKUP_TO:-/var/lib/reprieve-backup}
keep=${REPRIEVE_BACKUP_KEEP:-7}
config=${REPRIEVE_CONFIG:-/etc/reprieve/reprieve.toml}
reprieve=${REPRIEVE_PROGRAM:-/usr/bin/reprieve}

case $keep in
    '' | *[!0-9]* | 0 | 0[0-9]*)
        echo "REPRIEVE_BACKUP_KEEP=$keep in /etc/default/reprieve-backup is no number from 1:" \
            "write how many backups are kept" >&2
        exit 2
        ;;
esac

# In UTC, so that names sort by age whatever the summer time.
name=$(date -u +%Y-%m-%dT%H-%M-%SZ)
# Under a name that says so until it has been read again: what is interrupted is never taken for a backup.
unproved="$to/unproved-$name"
"$reprieve" backup --config "$config" --to "$unproved"
"$reprieve" restore "$unproved" --verify
mv "$unproved" "$to/$name"

# With a slash, so that a symbolic link to another volume is followed. Ours alone, the newest first; what else lies in the folder is left alone.
d='[0-9][0-9]'
find "$to/" -mindepth 1 -maxdepth 1 -type d -name "$d$d-$d-${d}T$d-$d-${d}Z" |
    sort -r | tail -n "+$((keep + 1))" | while IFS= read -r old; do
    rm -rf -- "$old"
    echo "$old: removed, $keep newer ones are kept"
done
# What an earlier run was interrupted at.
find "$to/" -mindepth 1 -maxdepth 1 -type d -name 'unproved-*' -mtime +1 -exec rm -rf -- {} +
