-- SPDX-License-Identifier: MIT

--- Events that go to another worker in a form of their own, numbers, strings, and records with the same keys: whatever
--- the form, the other side gets equal events.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start

after_each(stages.stop_all)

-- -0 and NaN are told apart; the keys of a table are sorted.
local function describe_value(value)
    if type(value) == "number" then
        return value ~= value and "nan" or value == 0 and 1 / value < 0 and "-0" or ("%.17g"):format(value)
    elseif type(value) ~= "table" then
        return type(value) == "string" and ("%q"):format(value) or tostring(value)
    end
    local fields = {}
    for key, field in pairs(value) do
        fields[#fields + 1] = describe_value(key) .. "=" .. describe_value(field)
    end
    table.sort(fields)
    return "{" .. table.concat(fields, ",") .. "}"
end

local Source = stagehost.producer {
    handle_demand = function() end,
    handle_cast = function(_, events) return events end,
    handle_call = function() return "here" end,
}

-- On the other worker; describes what it gets in batches of at most 3, if told to.
local Target = stagehost.consumer {
    init = function(self, args) self.texts, self.describe = {}, args.describe end,
    handle_events = function(self, events)
        for _, event in ipairs(events) do
            table.insert(self.texts, self.describe(event))
        end
    end,
    handle_call = function(self)
        local texts = self.texts
        self.texts = {}
        return texts
    end,
}

local source, target

local function cross(options)
    source = start(Source)
    target = start(Target, { worker = stagehost.workers() > 1 and 1 or 0, args = { describe = describe_value } })
    options.to = source
    assert(target:subscribe(options))
end

--- Sends events, and compares what comes.
local function send(events)
    local expected = {}
    for i, event in ipairs(events) do
        expected[i] = describe_value(event)
    end
    source:cast(events)
    source:call()
    local got = {}
    for _ = 1, 2000 do
        for _, text in ipairs(target:call()) do
            got[#got + 1] = text
        end
        if #got >= #expected then
            break
        end
        stagehost.sleep(1)
    end
    assert.same(expected, got)
end

local NAN = 0 / 0

local FIXED = {
    numbers = { 0, -0.0, 1, -1, 0.1, NAN, -NAN, 1 / 0, -1 / 0, 2 ^ 53, 2 ^ 31, 5e-324, 1.7e308 },
    ["a number, then others"] = { 1, "2", 3, { 4 }, true, 6 },
    ["one number"] = { 7 },
    strings = { "", "a", "\0", "a\0b", ("x"):rep(100000), "\255\254", "" },
    ["empty strings"] = { "", "", "" },
    ["a string, then others"] = { "a", 1, {}, "b", false },
    ["many strings"] = (function()
        local list = {}
        for i = 1, 5000 do
            list[i] = ("s"):rep(i % 40) .. i
        end
        return list
    end)(),
    records = {
        { id = 1, name = "a", ok = true }, { id = -0.0, name = "", ok = false }, { id = NAN, name = "\0", ok = true },
        { id = 4, name = "d", ok = true }, { name = "e", ok = true }, { id = "6", other = 1, name = {} }, {}, { 8 },
        { id = { id = { id = { id = { id = 9 } } } } }, "ten", 11,
    },
    ["records with odd keys"] = (function()
        local list = {}
        for i = 1, 8 do
            list[i] = { [""] = i, ["a\0b"] = i, ["3:x"] = i, ["12"] = i, [12] = i, [true] = i, [0.5] = i }
        end
        return list
    end)(),
    ["records with many keys"] = (function()
        local list = {}
        for i = 1, 6 do
            list[i] = {}
            for k = 1, 200 do
                list[i]["key" .. k] = i * k
            end
        end
        return list
    end)(),
    ["records with nested records"] = (function()
        local list = {}
        for i = 1, 20 do
            list[i] = { id = i, user = { id = i, name = "n" .. i, tags = { "a", { id = 1 } } } }
        end
        return list
    end)(),
    ["integers of 64 bits"] = { { id = 5LL, u = 6ULL }, { id = 5LL, u = 6ULL }, { id = -1LL, u = 1 }, { id = 1 }, 9LL },
    ["empty tables"] = { {}, {}, {}, {}, {} },
}

describe("events for another worker", function()
    for name, events in pairs(FIXED) do
        it("arrive as they are: " .. name, function()
            cross {}
            send(events)
            send(events)
        end)

        it("arrive as they are in small parts: " .. name, function()
            cross { max_demand = 5, min_demand = 1 }
            send(events)
        end)
    end

    it("arrive as they are with more kinds of records than dictionaries are known", function()
        cross {}
        for round = 1, 2 do
            for i = 1, 100 do
                local record = { ["field" .. i] = round, id = i }
                send { record, record, record, record, { id = 1 } }
            end
        end
    end)

    it("arrive as they are: random lists", function()
        cross { max_demand = 50, min_demand = 20 }
        local random = math.random
        local makers = {
            function() return random() < 0.1 and -0.0 or random(1000) / 8 end,
            function() return ("x"):rep(random(0, 5)) .. random(10) end,
            function() return random() < 0.5 end,
            function() return { a = random(10), b = random() < 0.9 and "b" or nil, c = random() < 0.5 } end,
            function() return { random(5), { d = random(5) } } end,
        }
        for _ = 1, 200 do
            local list, maker = {}, makers[random(#makers)]
            for i = 1, random(120) do
                list[i] = (random() < 0.01 and makers[random(#makers)] or maker)()
            end
            send(list)
        end
    end)
end)
