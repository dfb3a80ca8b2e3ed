#!/usr/bin/env bash
# build.sh FOLDER: make the source archive and, of what that holds, the wheel. Of one commit they are the same bytes wherever
# zlib compresses alike: one release of setuptools makes them, since it names itself in the wheel; the times are those of the
# commit, and owners and modes are the same for all.
set -euo pipefail
umask 022
folder=$1
python=$([[ -x .venv/bin/python ]] && echo .venv/bin/python || echo python)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 315532800)} # 1980, where zip files begin
unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
echo "setuptools==84.2.1" >"$unpacked/constraints.txt"
export SOURCE_DATE_EPOCH PIP_CONSTRAINT=$unpacked/constraints.txt

rm -rf "$folder"
"$python" -m build --sdist --outdir "$folder" .
archive=$(echo "$folder"/*.tar.gz)
tar -xzf "$archive" -C "$unpacked"
same=(--sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --mode=u+rw,go=rX --format=ustar)
tar "${same[@]}" -C "$unpacked" -cf - "$(basename "$archive" .tar.gz)" | gzip -n9 >"$archive"
"$python" -m build --wheel --outdir "$folder" "$unpacked/$(basename "$archive" .tar.gz)"
