-- SPDX-License-Identifier: MIT

--- What `test "name" (f)` does. `stagehost test` (command.lua) runs a file in a process of its own for each test, and
--- says in the environment which one is wanted; the verdict goes to a pipe. Without it, tests run where they stand.
local check = require "stagehost.test.check"
local core = require "stagehost.core"
local errors = require "stagehost.options.errors"

local M = {}

-- The descriptor of the verdict: "name\n" for each test of a list; "ok" or "failed\n" and a message for one test.
local VERDICT = 3

local wanted = os.getenv "STAGEHOST_TEST" -- "list", or the number of a test
local n_declared, n_failed = 0, 0
local allows_failures = false

function M.expect_failures()
    allows_failures = true
end

local function tell(text)
    require "luv".fs_write(VERDICT, text, -1)
end

local function message_of(problem)
    if problem == check.failure then
        return tostring(problem)
    end
    local text = debug.traceback(tostring(problem), 2)
    return (text:gsub("\n%s*%[C%]: in function 'xpcall'.*", "")) -- what follows is this module
end

--- Runs a test. Returns nil, or why it failed.
local function run(f)
    allows_failures = false
    local before = core.summary().stages_failed
    local ok, message = xpcall(f, message_of)
    if not ok then
        return message
    end
    core.settle()
    local summary = core.summary()
    if not allows_failures and summary.stages_failed > before then
        return "a stage failed: " .. tostring(summary.first_failure)
            .. "\n(if that is expected: test.expect_failures())"
    end
end

-- The rest of the file is not run: the process ends here.
local function run_wanted(f)
    local problem = run(f)
    tell(problem and "failed\n" .. problem or "ok")
    os.exit(problem and 70 or 0)
end

-- In a script of its own.
local function run_here(name, f)
    local problem = run(f)
    print(("%s %d - %s"):format(problem and "not ok" or "ok", n_declared, name))
    if problem then
        n_failed = n_failed + 1
        print((("\n" .. problem):gsub("\n", "\n# "):sub(2)))
        require "stagehost".exit_status(70)
    end
end

local function declare(name, f, busted_it)
    n_declared = n_declared + 1
    if wanted == "list" then
        tell(name:gsub("%c", " ") .. "\n")
    elseif wanted then
        if tonumber(wanted) == n_declared then
            run_wanted(f)
        end
    elseif busted_it then
        busted_it(name, f)
    else
        run_here(name, f)
    end
end

--- Declares a test.
---@param name string
---@return fun(f: function)
function M.declare(name)
    if type(name) ~= "string" or name == "" then
        errors.raise("invalid_argument", 'test: expected a name, as in test "two words" (function() ... end)')
    end
    return function(f)
        if type(f) ~= "function" then
            errors.raise("invalid_argument", "test %q: expected a function, got %s", name, type(f))
        end
        declare(name, f, getfenv(2).it) -- busted gives each file an environment of its own
    end
end

return M
