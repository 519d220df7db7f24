-- SPDX-License-Identifier: MIT

--- The descriptions of the C half tell it as it is.
local core = require "stagehost.core"
local described = require "stagehost._meta"

-- The facade adds the methods written in Lua.
require "stagehost"

local function keys(map)
    local list = {}
    for key in pairs(map) do
        list[#list + 1] = tostring(key)
    end
    table.sort(list)
    return list
end

describe("the description of the C half", function()
    it("has every function of the module, and no other", function()
        local real = keys(core)
        for i = #real, 1, -1 do
            if real[i] == "version" or real[i] == "constants" then
                table.remove(real, i)
            end
        end
        assert.same(real, keys(described))
    end)

    for _, object in ipairs { "stage", "subscription", "call", "timer", "strings" } do
        it("has every method of a " .. object .. ", and no other", function()
            assert.same(keys(core[object]), keys(described[object]))
        end)
    end

    it("has every function of the operators on text", function()
        local real, meta = require "stagehost.core.text", require "stagehost.text.core_meta"
        assert.same(keys(real), keys(meta))
        for _, object in ipairs { "Splitter", "Pattern", "Counts" } do
            assert.same(keys(real[object]), keys(meta[object]))
        end
    end)

    it("has every function of the JSON codec", function()
        local native, described_functions = require "stagehost.native.json", require "stagehost.native.json_meta"
        for name, value in pairs(native) do
            assert.equal(type(value) == "function", described_functions[name] ~= nil, name)
        end
    end)
end)
