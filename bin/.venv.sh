# Sourced by the commands of this folder: gives the tree its .venv, exactly as requirements.lock says.

# as_root COMMAND PACKAGE: run an apt-get command as root, or say in one line what to type.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive $1 >/dev/null
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        sudo apt-get update -qq >/dev/null && sudo DEBIAN_FRONTEND=noninteractive $1 >/dev/null
    else
        echo "Il manque $2. Tapez : sudo apt-get install $2" >&2
        exit 1
    fi
}

if ! command -v python3 >/dev/null 2>&1; then
    as_root "apt-get install --yes python3 python3-venv" "python3 python3-venv"
fi
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "Python 3.11 ou plus récent est nécessaire ; celui-ci est $(python3 --version)." >&2
    exit 1
fi
if ! .venv/bin/python -c '' 2>/dev/null; then
    echo "· Environnement Python (.venv)…"
    if ! python3 -c 'import ensurepip' 2>/dev/null; then
        as_root "apt-get install --yes python3-venv" "python3-venv"
    fi
    python3 -m venv --clear .venv
fi
wanted="$(sha256sum < requirements.lock)"
if [ "$(cat .venv/installed 2>/dev/null || true)" != "$wanted" ]; then
    echo "· Bibliothèques de requirements.lock (une à trois minutes la première fois)…"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
        --require-hashes --requirement requirements.lock
    printf '%s\n' "$wanted" > .venv/installed
fi
# The letters' PDF are set by Pango, which no wheel brings.
if ! .venv/bin/python -c 'import ctypes; [ctypes.CDLL(name) for name in
        ("libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libharfbuzz-subset.so.0")]' 2>/dev/null; then
    echo "· Pango, pour les lettres en PDF…"
    as_root "apt-get install --yes libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0" \
        "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
fi
