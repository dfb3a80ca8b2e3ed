#!/usr/bin/env bash
# changelog.sh VERSION: write what changes/ says into docs/changelog.md, as that release, and remove the files.
set -euo pipefail
version=${1:?make changelog VERSION=0.2.0}
.venv/bin/python -m pip install -q --disable-pip-version-check 'towncrier>=24.8'
.venv/bin/python -m towncrier build --dir . --config changes/towncrier.toml --version "$version" --yes
