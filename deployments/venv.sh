#!/usr/bin/env bash
# Creates .venv with everything in requirements.lock, checked against its hashes, and the project
# itself, editable. Needs Python 3.11 to 3.13 and nothing else. `make venv` runs this when due.
#
#   PYTHON=python3.12 deployments/venv.sh      choose the interpreter (an existing .venv of another
#                                              version is made anew)
set -euo pipefail
cd "$(dirname "$0")/.."

# Without .pyc files every start of Prefect takes twice as long.
unset PYTHONDONTWRITEBYTECODE
# A user's settings for pip's install scheme make no sense inside a virtual environment.
unset PIP_USER PIP_TARGET PIP_PREFIX PYTHONPATH PYTHONHOME
export PIP_DISABLE_PIP_VERSION_CHECK=1

venv=.venv
supported='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])'; }

chosen_python() {
  if [ -n "${PYTHON:-}" ]; then
    "$PYTHON" -c "$supported" || {
      echo "PYTHON=$PYTHON is not Python 3.11, 3.12 or 3.13; name one that is" >&2
      return 1
    }
    echo "$PYTHON"
    return
  fi
  local candidate
  for candidate in python3.11 python3.12 python3.13 python3; do
    # A version manager's stand-in may be on PATH for a version that it refuses to run.
    if "$candidate" -c "$supported" 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "no Python 3.11, 3.12 or 3.13 on PATH; install one, or name it: make venv PYTHON=/path/to/it" >&2
  return 1
}

create_venv() {
  if "$python" -c 'import ensurepip' 2>/dev/null; then
    "$python" -m venv --clear "$venv"
  elif command -v uv >/dev/null; then
    uv venv --clear --seed --python "$(command -v "$python")" "$venv"
  else
    echo "$python has no ensurepip; install it (Debian: apt-get install python$(version_of "$python")-venv) or uv" >&2
    return 1
  fi
}

# uv at the version and with the hashes of the lock, like everything else.
get_uv() {
  local pin
  pin=$(mktemp)
  awk '/^[A-Za-z0-9]/ {ours = /^uv==/} ours' requirements.lock >"$pin"
  "$venv/bin/python" -m pip install --quiet --require-hashes --no-deps -r "$pin"
  local code=$?
  rm -f "$pin"
  return $code
}

python=$(chosen_python)
if ! "$venv/bin/python" -c "$supported" 2>/dev/null; then
  create_venv
elif [ -n "${PYTHON:-}" ] && [ "$(version_of "$python")" != "$(version_of "$venv/bin/python")" ]; then
  create_venv
fi

# What the lock says is installed already, when only pyproject.toml changed.
installed="$venv/.requirements.lock"

if [ -x "$venv/bin/uv" ] || get_uv; then
  export UV_COMPILE_BYTECODE=1
  if ! cmp -s requirements.lock "$installed"; then
    "$venv/bin/uv" pip sync --python "$venv/bin/python" --require-hashes requirements.lock
  fi
  "$venv/bin/uv" pip install --python "$venv/bin/python" --no-deps --no-build-isolation --editable .
else
  echo "uv could not be had (the reason is above); installing with pip, which takes longer" >&2
  "$venv/bin/python" -m pip install --require-hashes --no-deps -r requirements.lock
  "$venv/bin/python" -m pip install --no-deps --no-build-isolation --editable .
fi
cp requirements.lock "$installed"
