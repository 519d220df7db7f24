#!/usr/bin/env bash
# Installs the build of $STAGEHOST under a folder of its own, and builds and runs an embedder twice:
# found by pkg-config and found by CMake.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(dirname "$STAGEHOST")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

passed=0
failed=0
expect() {
    local what=$1 expected=$2 actual
    shift 2
    actual=$("$@" 2>&1) || actual+=" (status $?)"
    if [ "$actual" = "$expected" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf '%s\n  expected: %s\n  actual:   %s\n' "$what" "$expected" "$actual"
    fi
}

prefix=$work/prefix
cmake --install "$build" --prefix "$prefix" >"$work/install.log"
pc=$(find "$prefix" -name stagehost.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH

greeting="hello from an embedded script"

read -ra cflags <<<"$(pkg-config --cflags stagehost)"
read -ra libs <<<"$(pkg-config --libs stagehost)"
cc -std=c11 -Wall -Wextra -Werror "${cflags[@]}" "$here/installed.c" -o "$work/with_pc" "${libs[@]}"
expect "found by pkg-config" "$greeting" "$work/with_pc"

mkdir "$work/project"
cp "$here/installed.c" "$work/project"
cat >"$work/project/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.20)
project(embedder LANGUAGES C)
find_package(stagehost 0.1 REQUIRED)
add_executable(with_cmake installed.c)
target_link_libraries(with_cmake PRIVATE stagehost::stagehost)
CMAKE
cmake -S "$work/project" -B "$work/project/build" -DCMAKE_PREFIX_PATH="$prefix" >"$work/cmake.log"
cmake --build "$work/project/build" >>"$work/cmake.log"
expect "found by CMake" "$greeting" "$work/project/build/with_cmake"

# Every installed header can be included alone, in C and in C++.
compile_headers() {
    local header
    for header in "$prefix"/include/*.h "$prefix"/include/stagehost/*.h; do
        cc -std=c11 -Wall -Wextra -Werror -fsyntax-only "${cflags[@]}" "$header"
        c++ -x c++ -Wall -Wextra -Werror -fsyntax-only "${cflags[@]}" "$header"
    done
}
expect "the installed headers compile" "" compile_headers
expect "no header is missing" \
    "base.h combine.h dispatcher.h events.h hash.h host.h inlet.h stage.h strings.h subscription.h text.h" \
    bash -c "ls '$prefix/include/stagehost' | xargs"

version=$(pkg-config --modversion stagehost)
expect "the installed command" "stagehost $version" \
    bash -c "$prefix/bin/stagehost --version | grep -o '^stagehost [0-9.]*'"
expect "the man page is installed" "" test -s "$prefix/share/man/man1/stagehost.1"
expect "the Lua sources are installed" "" diff -r lua/stagehost "$prefix/share/stagehost/stagehost"
expect "the installed command finds them" "$prefix/share/stagehost/stagehost/supervisor/init.lua" \
    env -u LUA_PATH -C "$work" "$prefix/bin/stagehost" \
    -e 'print(package.searchpath("stagehost.supervisor", package.path))'

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
