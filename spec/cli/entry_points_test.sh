#!/usr/bin/env bash
# The shell entry points: help on stdout from any directory, a usage error for what is unknown.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd /

passed=0
failed=0
check() {
    local what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$what"
    fi
}

prints_usage() {
    local text
    text=$("$@" --help 2>/dev/null) && [[ $text == usage:* ]]
}

is_usage_error() {
    local status=0
    "$@" --no-such-option >/dev/null 2>&1 || status=$?
    [ "$status" -eq 64 ]
}

for script in setup build run test bench; do
    check "scripts/$script --help prints its usage" prints_usage "$root/scripts/$script"
done
for script in setup build test bench; do
    check "scripts/$script refuses an unknown option with 64" is_usage_error "$root/scripts/$script"
done
check ".ci/run --help prints its usage" prints_usage "$root/.ci/run"
check "scripts/setup has nothing to do where the tests run" test -z "$("$root/scripts/setup" 2>&1)"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
