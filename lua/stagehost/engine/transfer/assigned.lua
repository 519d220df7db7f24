-- SPDX-License-Identifier: MIT

--- Finds variables around a function that it assigns to. On another worker these are copies, and what is assigned to
--- a copy stays there: a script that counts in such a variable is told so, once.
local util = require "jit.util"

local M = {}

local function opcode(instruction)
    return bit.band(instruction, 0xff)
end

local sample
local ASSIGNS = {}
for _, f in ipairs {
    function(value) sample = value end, function() sample = "x" end, function() sample = 1 end,
    function() sample = nil return sample end,
} do
    ASSIGNS[opcode((util.funcbc(f, 1)))] = true
end

-- Constants of a function that are functions have negative numbers, as strings and tables do.
local function each_inner(f, visit)
    for i = -1, -util.funcinfo(f).gcconsts, -1 do
        local inner = util.funck(f, i)
        if type(inner) == "proto" then
            visit(inner)
        end
    end
end

--- Adds the names of the variables that a function, or one inside of it, assigns to.
local function add_names(f, assigned)
    for at = 1, util.funcinfo(f).bytecodes - 1 do
        local instruction = util.funcbc(f, at)
        if ASSIGNS[opcode(instruction)] then
            local name = util.funcuvname(f, bit.band(bit.rshift(instruction, 8), 0xff))
            assigned[name or ""] = true
        end
    end
    each_inner(f, function(inner) add_names(inner, assigned) end)
end

--- Logs a warning, unless this state has no engine.
local function report(info, name)
    local core = package.loaded["stagehost.core"]
    if core then
        core.log("warn", ("%s:%d: the function assigns to %q, and runs on another worker: there it has a copy, "
            .. "and the variable here keeps its value"):format(info.short_src, info.linedefined, name))
    end
end

-- "script.lua:3": functions that have been looked at. A function may be sent with each start of a stage.
local seen = {}

--- Warns of variables that the function assigns to, unless it is one of this library.
---@param f function
function M.warn(f)
    local info = debug.getinfo(f, "S")
    local key = info.short_src .. ":" .. info.linedefined
    if seen[key] or info.source:find "^@?stagehost/" then
        return
    end
    seen[key] = true
    local assigned = {}
    add_names(f, assigned)
    local i = 1
    local name = debug.getupvalue(f, i)
    while name do
        if name ~= "" and assigned[name] then
            report(info, name)
        end
        i = i + 1
        name = debug.getupvalue(f, i)
    end
end

return M
