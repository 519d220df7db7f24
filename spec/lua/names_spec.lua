-- SPDX-License-Identifier: MIT

--- The list of options: each entry has its line of documentation, and everybody reads the same list.
local definition = require "stagehost.options.definition"
local names = require "stagehost.options.names"
local options = require "stagehost.options"
local tables = require "stagehost.options.tables"

--- class -> its fields, as the comments of the list describe them.
local function described()
    local file = assert(io.open "lua/stagehost/options/names.lua")
    local classes, current = {}, nil
    for line in file:lines() do
        local class = line:match "^%-%-%-@class stagehost%.(%w+)"
        local field = line:match "^%-%-%-@field ([%w_]+)%??"
        if class then
            current, classes[class] = class, {}
        elseif field then
            classes[current][field] = true
        end
    end
    file:close()
    return classes
end

local function of_stages(choose)
    local result = {}
    for name, entry in pairs(names.stage) do
        result[name] = choose(entry) or nil
    end
    return result
end

local function keys(map)
    return tables.sorted_keys(map)
end

describe("the list of options", function()
    local classes = described()

    it("is described, entry by entry", function()
        local by_class = {
            ProducerOptions = of_stages(function(entry) return entry.kinds and entry.kinds.producer end),
            ConsumerOptions = of_stages(function(entry) return entry.kinds and entry.kinds.consumer end),
            StartOptions = of_stages(function(entry) return not entry.kinds end),
            SubscribeOptions = names.subscription,
            DemandOptions = names.dispatchers.demand,
            BroadcastOptions = names.dispatchers.broadcast,
            PartitionOptions = names.dispatchers.partition,
            Rate = names.rate,
            Batch = names.batch,
            Retry = names.retry,
        }
        for class, entries in pairs(by_class) do
            assert.same(keys(entries), keys(classes[class]), class)
        end
    end)

    it("is what a start knows", function()
        local needed = { handle_events = function() end }
        for _, kind in ipairs { "producer", "producer_consumer", "consumer", "process" } do
            local consumes = kind == "consumer" or kind == "producer_consumer"
            local def = definition.new(kind, tables.copy(consumes and needed))
            local known = of_stages(function(entry) return not entry.kinds or entry.kinds[kind] end)
            local ok, err = pcall(options.start, def, { ["?"] = true }, 1)
            assert.is_false(ok)
            for name in pairs(names.stage) do
                local is_listed = tostring(err):find(("%q"):format(name), 1, true) ~= nil
                assert.equal(known[name] ~= nil, is_listed, kind .. " " .. name)
            end
        end
    end)

    it("has the bounds that the core has", function()
        assert.equal(1000, names.subscription.max_demand.default)
        assert.equal(1000000, names.subscription.weight.max)
        assert.equal(10000, names.stage.buffer_size.default)
    end)
end)
