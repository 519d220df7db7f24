-- SPDX-License-Identifier: MIT

--- Finds failed starts that a script does not notice: it drops their results, or puts the nil that they return
--- into `subscribe_to`. Internal.
local checks = require "stagehost.options.checks"
local core = require "stagehost.core"
local errors = require "stagehost.options.errors"
local util = require "jit.util"

local M = {}

--- The last failed start of each function of a script, until it has started a stage.
local failures = setmetatable({}, { __mode = "k" })

-- Instructions ----------------------------------------------------------------------------------

local function opcode(instruction)
    return bit.band(instruction, 0xff)
end

--- The opcode of the call at the end of a function.
local function last_call(f)
    return opcode((util.funcbc(f, util.funcinfo(f).bytecodes - 2)))
end

local CALLS = {
    [last_call(function(f) f() end)] = true,
    [last_call(function(f) f(f()) end)] = true,
}
local GET_FIELD = opcode((util.funcbc(function(t) return t.start end, 1)))

--- The register that an instruction works on; most instructions write it.
local function register(instruction)
    return bit.band(bit.rshift(instruction, 8), 0xff)
end

--- Whether the call at `at` calls a field "start", as in stagehost.start(...) and pipeline:start().
local function is_start(f, at)
    local base = register(util.funcbc(f, at))
    for before = at - 1, 1, -1 do
        local instruction = util.funcbc(f, before)
        if register(instruction) == base then
            local field = bit.band(bit.rshift(instruction, 16), 0xff)
            return opcode(instruction) == GET_FIELD and util.funck(f, -field - 1) == "start"
        end
    end
    return false
end

--- Whether the function has a start in that line and drops its results.
local function drops_results(f, line)
    for at = 1, util.funcinfo(f).bytecodes - 1 do
        local instruction = util.funcbc(f, at)
        local wants_nothing = bit.rshift(instruction, 24) == 1
        if wants_nothing and CALLS[opcode(instruction)] and util.funcinfo(f, at).currentline == line
            and is_start(f, at) then
            return true
        end
    end
    return false
end

-- Failures --------------------------------------------------------------------------------------

--- Notes that a start has failed.
---@param message string
---@param reason stagehost.Reason
function M.note(message, reason)
    local caller = reason ~= "ignore" and errors.caller()
    if not caller then
        return
    end
    failures[caller.func] = tostring(message)
    if drops_results(caller.func, caller.currentline) then
        core.log("warn", ("%s:%d: a stage did not start, and the script does not look at the result: %s")
            :format(caller.short_src, caller.currentline, message))
    end
end

--- Notes that a start has succeeded.
function M.forget()
    local caller = next(failures) and errors.caller()
    if caller then
        failures[caller.func] = nil
    end
end

--- Raises an error if `subscribe_to` among these options has nil where a stage should be.
---@param options any
function M.check(options)
    local list = type(options) == "table" and options.subscribe_to
    local caller = type(list) == "table" and next(failures) and errors.caller()
    local message = caller and failures[caller.func]
    if not message then
        return
    end
    local _, _, hole = checks.list(list)
    hole = hole or next(list) == nil and 1
    if hole then
        errors.raise("invalid_option", 'option "subscribe_to": element %d is nil; the last start before it failed: %s',
            hole, message)
    end
end

return M
