#!/usr/bin/env bash
# Run dash_brain beside other libraries for Dash, beside Django, and in notebooks. docs/compatibility.md names the releases.
set -euo pipefail

neighbours=(dash-ag-grid==35.3.0 dash-auth==2.3.0 dash-mantine-components==2.8.1 vizro==1.0.0 django==5.2.19 ipykernel==7.4.0)
bash .ci/layered.sh neighbours "${neighbours[@]}"
.venv/neighbours/bin/python -m pytest -p no:cacheprovider "$@" tests/neighbours
