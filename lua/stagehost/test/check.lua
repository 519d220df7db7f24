-- SPDX-License-Identifier: MIT

--- Assertions. A failed one raises an error that says what was expected and what there is. `what`, the last argument
--- of each, is put in front of that text.
local core = require "stagehost.core"
local show = require "stagehost.test.show"

local M = {}

--- The text of the last failed assertion: the runner needs no traceback for it.
M.failure = nil

local function fail(what, text)
    local message = (what and what .. ":\n" or "") .. text
    local ok, positioned = pcall(error, message, 4)
    M.failure = not ok and positioned or message
    error(M.failure, 0)
end

--- Values are equal; tables are if all their fields are.
---@param actual any
---@param expected any
---@param what? string
function M.equal(actual, expected, what)
    local difference = show.difference(actual, expected)
    if difference then
        fail(what, difference)
    end
end

---@param value any
---@param what? string
function M.ok(value, what)
    if not value then
        fail(what, "expected a true value, got " .. show.value(value))
    end
end

--- Lists have equal events, in any order.
---@param actual any[]
---@param expected any[]
---@param what? string
function M.same_events(actual, expected, what)
    local counts, lines = {}, {}
    for _, event in ipairs(expected) do
        local text = show.value(event, nil, math.huge)
        counts[text] = (counts[text] or 0) + 1
    end
    for _, event in ipairs(actual) do
        local text = show.value(event, nil, math.huge)
        counts[text] = (counts[text] or 0) - 1
    end
    for text, n in pairs(counts) do
        if n ~= 0 then
            lines[#lines + 1] = ("%s %d times: %s"):format(n > 0 and " missing" or "too many", math.abs(n), text)
        end
    end
    if #lines > 0 then
        table.sort(lines)
        fail(what, ("expected %d events, got %d\n"):format(#expected, #actual) .. table.concat(lines, "\n"))
    end
end

--- A list has so many events.
---@param list any[]
---@param n integer
---@param what? string
function M.count(list, n, what)
    if #list ~= n then
        fail(what, ("expected %d events, got %d: %s"):format(n, #list, show.value(list)))
    end
end

--- A text has a Lua pattern.
---@param text any
---@param pattern string
---@param what? string
function M.matches(text, pattern, what)
    if not tostring(text):find(pattern) then
        fail(what, ("expected a text with %q\n     got: %s"):format(pattern, show.value(tostring(text))))
    end
end

--- A function raises an error whose text has a Lua pattern.
---@param f function
---@param pattern string
---@param what? string
function M.raises(f, pattern, what)
    local ok, problem = pcall(f)
    if ok then
        fail(what, ("expected an error with %q, but there was none"):format(pattern))
    elseif not tostring(problem):find(pattern) then
        fail(what, ("expected an error with %q\n     got: %s"):format(pattern, show.value(tostring(problem))))
    end
end

local function check_fields(actual, expected, what)
    local lines = {}
    for name, value in pairs(expected) do
        if actual[name] == nil then
            fail(what, ("there is no count %q"):format(name))
        elseif actual[name] ~= value then
            lines[#lines + 1] = ("%s: expected %s, got %s"):format(name, show.value(value), show.value(actual[name]))
        end
    end
    if #lines > 0 then
        table.sort(lines)
        fail(what, table.concat(lines, "\n"))
    end
end

--- The counters of a stage, some or all of those of `stage:stats()`.
---@param stage stagehost.Stage
---@param expected table<string, integer>
---@param what? string
function M.stats(stage, expected, what)
    check_fields(stage:stats(), expected, what)
end

--- The ledger of the host, that is, of this test so far: `discarded`, `unfinished`, `declined`, `skipped`,
--- `dead_lettered`, `redelivered`, `stages_failed`, `stages_started`. Counts that are not given must be 0, but for
--- stages_started.
---@param expected? table<string, integer>
---@param what? string
function M.ledger(expected, what)
    local summary = core.summary()
    local all = { discarded = 0, unfinished = 0, declined = 0, skipped = 0, dead_lettered = 0, redelivered = 0,
        stages_failed = 0 }
    for name, value in pairs(expected or {}) do
        all[name] = value
    end
    check_fields(summary, all, what or "the ledger")
end

--- How a stage under test has ended: "normal", "shutdown", a part of the text of a crash; nil: it has not.
---@param driver stagehost.test.Stage
---@param reason string?
---@param what? string
function M.ended(driver, reason, what)
    local actual = driver:reason()
    if reason == nil or actual == nil then
        if actual ~= reason then
            fail(what, ("expected the stage to have ended with %s, but it %s"):format(show.value(reason),
                actual == nil and "is alive" or "has ended: " .. tostring(actual)))
        end
    elseif actual ~= reason and not tostring(actual):find(reason, 1, true) then
        fail(what, ("expected the stage to end with %s, got %s"):format(show.value(reason), show.value(actual)))
    end
end

--- The number of events that a stage under test has asked for and not got.
---@param driver stagehost.test.Stage
---@param n integer
---@param what? string
function M.demand(driver, n, what)
    local actual = driver:demanded()
    if actual ~= n then
        fail(what, ("expected a demand of %d, got %d"):format(n, actual))
    end
end

return M
