# Sourced by the scripts of this folder: Python tools in virtual environments under target/tools.

set -euo pipefail
shopt -s inherit_errexit
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# say TEXT: what happens now, on standard error.
say() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
}

# fail TEXT: the reason, and the end.
fail() {
    say "$*"
    exit 1
}

# tool PACKAGE==VERSION...: installs the packages unless they are there, and prints the folder of their programs.
tool() {
    local place="$root/target/tools/${1/==/-}"
    if [[ ! -e $place/installed ]]; then
        say "installing $* from PyPI"
        rm -rf "$place"
        python3 -m venv "$place" || fail "python3 with its venv module is needed"
        "$place/bin/pip" install --quiet --disable-pip-version-check "$@"
        touch "$place/installed"
    fi
    echo "$place/bin"
}

# await SECONDS WHAT COMMAND...: runs the command until it succeeds; the end if it does not in time.
await() {
    local seconds=$1 what=$2
    shift 2
    local deadline=$((SECONDS + seconds))
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < deadline)) || fail "$what did not happen within $seconds s"
        sleep 0.2
    done
}

# listens PORT: whether something does, on 127.0.0.1.
listens() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# want PORT...: the end if something listens there already; it would answer in place of what we start.
want() {
    local port
    for port in "$@"; do
        if listens "$port"; then
            fail "port $port is taken"
        fi
    done
}

# binaries PROFILE: the folder that cargo puts a profile's binaries in.
binaries() {
    local target folder=$1
    [[ $1 == dev ]] && folder=debug
    target=$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
    echo "$target/$folder"
}
