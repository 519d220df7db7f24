-- SPDX-License-Identifier: MIT
--
-- Two workers' states, and what the specs of transfer ask of them. `from` and `to` are
-- made anew for each spec; `M.move*` carries a value over and has the target describe it.
local module = require "transfer_module"

local M = { handle_refs = module.handle_refs }

-- In both states: describe(value) is the same text for the same value.
local PRELUDE = [==[
    local function scalar(v)
        if type(v) == "number" then
            return v ~= v and "nan" or v == 0 and 1 / v < 0 and "-0" or ("%.17g"):format(v)
        elseif type(v) == "string" then
            return ("%q"):format(v)
        end
        return type(v) == "userdata" and handle_name(v) or tostring(v)
    end
    function describe(v)
        if type(v) ~= "table" then
            return scalar(v)
        end
        local fields = {}
        for key, value in pairs(v) do
            fields[#fields + 1] = "[" .. describe(key) .. "]=" .. describe(value)
        end
        table.sort(fields)
        return "{" .. table.concat(fields, ",") .. "}"
    end
]==]

function M.new_state()
    local state = module.new_state(package.path)
    state:run(PRELUDE)
    return state
end

--- For specs that let allocations fail. When that meets LuaJIT's trace compiler, it tries again for good, or
--- raises the error where nothing catches it: seen, rarely, in its 2.1 of 2022.
function M.without_compiler()
    M.from:run "jit.off()"
    M.to:run "jit.off()"
end

function M.setup()
    M.from, M.to = M.new_state(), M.new_state()
end

function M.teardown()
    M.from:close()
    M.to:close()
    collectgarbage()
    assert(M.handle_refs() == 0, "references to handles are left: " .. M.handle_refs())
end

---@param code string gives the list
---@param n? integer default: #list
---@param first? integer
---@return string what arrived, as Lua code would write it
---@return integer n
function M.move_events(code, n, first)
    n = n or M.from:run("return #(function() " .. code .. " end)()")
    local parcel = assert(M.from:encode_events(code, first or 0, n))
    local got = assert(M.to:decode_events(parcel, "got"))
    parcel:drop()
    return M.to:run("return describe(got)"), got
end

--- The value is the global `got` of the target then.
---@param code string gives the value
function M.move_value(code)
    local parcel = assert(M.from:encode_value(code))
    assert(M.to:decode_value(parcel, "got"))
    parcel:drop()
end

---@param code string gives the list
---@return string message why it can't cross
function M.events_error(code, n, first)
    local parcel, message, name = M.from:encode_events(code, first or 0, n)
    assert(not parcel and name == "EFAILED")
    return message
end

function M.value_error(code)
    local parcel, message, name = M.from:encode_value(code)
    assert(not parcel and name == "EFAILED")
    return message
end

return M
