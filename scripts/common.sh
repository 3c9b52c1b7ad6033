# Shared by the scripts: what they need from the machine, and how they report. Source it; it runs nothing by itself.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Where the tests keep what they install: outside the clone, so that a fresh clone finds it again.
tools=${AZULEJO_TEST_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/azulejo-test-tools}

# Validators of images, one package name for two, and of manifests: each has a virtual environment of its own.
official_validator=$tools/iiif-validator-1.0.5
ng_validator=$tools/iiif-validator-ng-0.1.0
presentation_validator=$tools/iiif-prezi-3.1.1

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# Packages queued by `need`, installed by `install_needed`.
needed=()

# need PACKAGE CHECK...: queues a Debian package unless the command CHECK succeeds.
need() {
  local package=$1
  shift
  "$@" >/dev/null 2>&1 || needed+=("$package")
}

install_needed() {
  [ ${#needed[@]} -gt 0 ] || return 0
  have apt-get || die "Please install: ${needed[*]} (no apt-get here to do it)."
  local as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  local apt=(limit 900 "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get
    -o Acquire::Retries=3 -o Acquire::http::Timeout=30 -o DPkg::Lock::Timeout=300)
  say "Installing: ${needed[*]}"
  "${apt[@]}" update -qq </dev/null >&2 &&
    "${apt[@]}" install -qq -y --no-install-recommends "${needed[@]}" </dev/null >&2 || return
  needed=()
}

# The C compiler, make, cmake and nasm: the codecs in C are built with them.
need_build_tools() {
  need gcc have cc
  need libc6-dev test -e /usr/include/stdlib.h
  need make have make
  need cmake have cmake
  need nasm have nasm
}

need_cargo() {
  have cargo || PATH=$HOME/.cargo/bin:$PATH
  have cargo || die "Please install Rust first: https://rustup.rs"
}

# limit SECONDS COMMAND...: a time limit that leaves Ctrl-C alone where there is somebody to press it.
limit() {
  local foreground=()
  [ ! -t 2 ] || foreground=(--foreground)
  timeout "${foreground[@]}" "$@"
}

failed_steps=()

# step NAME COMMAND...: runs the command without input, says how long it took, remembers a failure. Where the caller
# handles the failure (`step … || true`), bash ignores `set -e` inside of a COMMAND that is a function: such a function
# joins its commands with `&&`.
step() {
  local name=$1 started=$SECONDS status=0
  shift
  say "==> $name"
  "$@" </dev/null || status=$?
  if [ $status = 0 ]; then
    say "<== $name: done in $((SECONDS - started)) s"
  else
    say "<== $name: FAILED (status $status) after $((SECONDS - started)) s"
    failed_steps+=("$name")
  fi
  return $status
}
