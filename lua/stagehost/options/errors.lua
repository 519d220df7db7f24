-- SPDX-License-Identifier: MIT

--- Error objects: other stages get a crash as one, and misuse of this library raises one.
local M = {}

--- `name` is a short word for programs ("error", "bad_return_value", "unknown_option", ...);
--- `tostring` gives the sentence for people.
---@class stagehost.Error
---@field name string
---@field message string
---@field stage? string name of the stage it happened in
---@field callback? string "handle_events" ...
---@field traceback? string

-- The C half makes the same objects for reasons that come from the core: it finds the metatable
-- in the registry, as luaL_getmetatable does.
local registry = debug.getregistry()
local Error = registry["stagehost.error"] or {}
registry["stagehost.error"] = Error

function Error.__tostring(self)
    local text = tostring(self.message or self.name)
    if self.callback then
        text = self.callback .. ": " .. text
    end
    if self.stage then
        text = "stage<" .. self.stage .. ">: " .. text
    end
    return text
end

function Error.__concat(left, right)
    return tostring(left) .. tostring(right)
end

-- "@/usr/share/stagehost/stagehost/": positions in error messages are those of the caller of
-- this library, so frames of files in this folder are skipped.
local own_prefix = debug.getinfo(1, "S").source:match("^(.*)options/errors%.lua$")

local function is_own(source)
    return own_prefix ~= nil and source:sub(1, #own_prefix) == own_prefix
end

--- True while M.try runs: its caller puts the texts into one of its own, with one position.
local is_trying = false

--- The innermost frame outside the library, as debug.getinfo describes it.
---@return table? info nil if there is none
function M.caller()
    for level = 3, math.huge do
        local info = debug.getinfo(level, "Slf")
        if not info or info.currentline > 0 and not is_own(info.source) then
            return info
        end
    end
end

-- "script.lua:12: " for the innermost frame outside the library; "" if there is none.
local function position()
    local info = not is_trying and M.caller()
    return info and ("%s:%d: "):format(info.short_src, info.currentline) or ""
end

--- Makes an error object of a table of fields, which it takes over.
---@param fields table
---@return stagehost.Error
function M.new(fields)
    return setmetatable(fields, Error)
end

---@param value any
---@return boolean
function M.is(value)
    return getmetatable(value) == Error
end

--- Raises an error object that points at the caller of the library.
---@param name string
---@param format string
---@param ... any
function M.raise(name, format, ...)
    local message = select("#", ...) > 0 and format:format(...) or format
    error(M.new({ name = name, message = position() .. message }), 0)
end

--- Calls a check that may raise. Returns its result, or nil and the error as text without a position.
--- The check must not wait.
---@param f function
---@param ... any
---@return any result
---@return string? problem
function M.try(f, ...)
    local outer = is_trying
    is_trying = true
    local ok, result = pcall(f, ...)
    is_trying = outer
    if ok then
        return result
    end
    return nil, M.is(result) and result.message or tostring(result)
end

return M
