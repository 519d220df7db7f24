-- SPDX-License-Identifier: MIT

--- The accounts of a consumer_supervisor, with worked numbers.
local child_demand = require "stagehost.consumer_supervisor.child_demand"

-- What is asked now, as { id = n }.
local function asks(demand)
    local by_id = {}
    for _, ask in ipairs(demand:asks()) do
        assert.is_nil(by_id[ask.id], "one ask for each producer")
        by_id[ask.id] = ask.n
    end
    return by_id
end

local function ended(demand, id, n)
    for _ = 1, n or 1 do
        demand:ended(id)
    end
end

-- A supervisor with one producer "p" that was asked for the first time.
local function subscribed(max, min, max_children, refill)
    local demand = child_demand.new(max_children, refill)
    demand:open("p", max, min)
    return demand, asks(demand)
end

describe("demand of a consumer_supervisor without max_children", function()
    it("asks for max_demand first, 1000 by default, and 500 when 500 have ended", function()
        local demand, first = subscribed()
        assert.same({ p = 1000 }, first)
        assert.equal(0, demand:arrived("p", 1000))
        ended(demand, "p", 499)
        assert.same({}, asks(demand))
        ended(demand, "p")
        assert.same({ p = 500 }, asks(demand))
    end)

    it("3/2: asks for two when two have ended", function()
        local demand = subscribed(3, 2)
        demand:arrived("p", 3)
        ended(demand, "p")
        assert.same({}, asks(demand))
        ended(demand, "p")
        assert.same({ p = 2 }, asks(demand))
        demand:arrived("p", 2)
        ended(demand, "p")
        assert.same({}, asks(demand))
    end)

    it("1/0: one after the other", function()
        local demand = subscribed(1, 0)
        for _ = 1, 3 do
            demand:arrived("p", 1)
            assert.same({}, asks(demand))
            ended(demand, "p")
            assert.same({ p = 1 }, asks(demand))
        end
    end)

    it("10/8: lets eight end before it asks for eight", function()
        local demand = subscribed(10, 8)
        demand:arrived("p", 10)
        ended(demand, "p", 7)
        assert.same({}, asks(demand))
        ended(demand, "p")
        assert.same({ p = 8 }, asks(demand))
    end)

    it("10/8 with low_water: keeps eight promised or running", function()
        local demand = subscribed(10, 8, nil, "low_water")
        demand:arrived("p", 10)
        ended(demand, "p")
        assert.same({}, asks(demand))
        ended(demand, "p")
        assert.same({ p = 2 }, asks(demand))
        ended(demand, "p") -- 7 run, 2 are promised
        assert.same({}, asks(demand))
        ended(demand, "p")
        assert.same({ p = 2 }, asks(demand))
    end)

    it("asks nothing more while events that were asked for have not come", function()
        local demand = subscribed(3, 0)
        demand:arrived("p", 2)
        assert.same({}, asks(demand))
    end)

    it("has an account for each producer", function()
        local demand = child_demand.new()
        demand:open("a", 2, 0)
        assert.same({ a = 2 }, asks(demand))
        demand:open("b", 4)
        assert.same({ b = 4 }, asks(demand))
        demand:arrived("a", 2)
        demand:arrived("b", 4)
        ended(demand, "b")
        ended(demand, "a")
        assert.same({ a = 1 }, asks(demand))
        ended(demand, "b")
        assert.same({ b = 2 }, asks(demand))
    end)

    it("children of a producer that left free nothing, also not for its next subscription", function()
        local demand = subscribed(2, 0)
        demand:arrived("p", 2)
        demand:close("p")
        demand:open("p2", 2, 0)
        assert.same({ p2 = 2 }, asks(demand))
        ended(demand, "p", 2)
        assert.same({}, asks(demand))
        assert.equal(0, demand.running)
    end)

    it("events that nobody asked for earn nothing", function()
        local demand = subscribed(2, 0)
        assert.equal(1, demand:arrived("p", 3))
        ended(demand, "p", 3)
        assert.same({ p = 2 }, asks(demand))
    end)

    it("one that is held asks for nothing before it is released", function()
        local demand = child_demand.new()
        demand:open("p", 5, 0, true)
        assert.same({}, asks(demand))
        demand:release("p")
        demand:release("unknown")
        assert.same({ p = 5 }, asks(demand))
    end)

    it("children started by hand are in no account", function()
        local demand = subscribed(1, 0)
        assert.is_true(demand:take())
        demand:arrived("p", 1)
        ended(demand, nil)
        assert.same({}, asks(demand))
    end)
end)

describe("demand of a consumer_supervisor with max_children", function()
    it("cuts max_demand and min_demand to what can be reached", function()
        local demand, first = subscribed(1000, 500, 10)
        assert.same({ p = 10 }, first)
        demand:arrived("p", 10)
        ended(demand, "p", 8)
        assert.same({}, asks(demand)) -- min_demand has become 9
        ended(demand, "p")
        assert.same({ p = 9 }, asks(demand))
    end)

    it("takes half of it as the default min_demand", function()
        local demand = subscribed(nil, nil, 10)
        demand:arrived("p", 10)
        ended(demand, "p", 4)
        assert.same({}, asks(demand))
        ended(demand, "p")
        assert.same({ p = 5 }, asks(demand))
    end)

    it("promises no slot that is taken by hand, and gives it back", function()
        local demand = child_demand.new(3)
        assert.is_true(demand:take())
        demand:open("p", 10, 0)
        assert.same({ p = 2 }, asks(demand))
        ended(demand, nil)
        assert.same({ p = 1 }, asks(demand))
    end)

    it("is overloaded when all slots are taken or promised", function()
        local demand = subscribed(2, 0, 3)
        assert.equal(1, demand:room())
        assert.is_true(demand:take())
        assert.is_false(demand:take())
        demand:arrived("p", 2)
        assert.is_false(demand:take())
    end)

    it("shares free slots among producers that subscribe together", function()
        local demand = child_demand.new(10)
        demand:open("a", 10, 0)
        demand:open("b", 3, 0)
        demand:open("c", 10, 0)
        assert.same({ a = 4, b = 3, c = 3 }, asks(demand))
        assert.equal(0, demand:room())
    end)

    it("gives a slot that is free to who holds the least", function()
        local demand = child_demand.new(4)
        demand:open("a", 4, 0)
        assert.same({ a = 4 }, asks(demand))
        demand:arrived("a", 4)
        demand:open("b", 4, 0)
        assert.same({}, asks(demand))
        ended(demand, "a")
        assert.same({ b = 1 }, asks(demand))
        ended(demand, "a")
        assert.same({ b = 1 }, asks(demand))
        ended(demand, "a")
        assert.same({ a = 1 }, asks(demand)) -- a held 1, b 2
    end)

    it("what a producer was promised is free for others when it leaves", function()
        local demand = child_demand.new(4)
        demand:open("a", 4, 0)
        assert.same({ a = 4 }, asks(demand))
        demand:open("b", 4, 0)
        demand:arrived("a", 1)
        demand:close("a")
        assert.same({ b = 3 }, asks(demand))
        ended(demand, "a")
        assert.same({ b = 1 }, asks(demand))
    end)

    it("works one by one with max_children 1", function()
        local demand, first = subscribed(nil, nil, 1)
        assert.same({ p = 1 }, first)
        demand:arrived("p", 1)
        ended(demand, "p")
        assert.same({ p = 1 }, asks(demand))
    end)

    it("never promises more than is free, whatever happens", function()
        math.randomseed(7)
        for _ = 1, 80 do
            local limit = math.random(1, 12)
            local demand = child_demand.new(limit, math.random() < 0.5 and "low_water" or nil)
            local running, promised, opened = {}, {}, 0
            for _ = 1, 80 do
                local what = math.random(1, 5)
                if what == 1 and opened < 5 then
                    opened = opened + 1
                    local max = math.random(1, 15)
                    demand:open(opened, max, math.random(0, max - 1))
                    promised[opened] = 0
                elseif what == 2 and next(promised) then
                    local id = math.random(1, opened)
                    local n = promised[id] and math.random(0, promised[id]) or 0
                    demand:arrived(id, n)
                    promised[id] = promised[id] and promised[id] - n
                    for _ = 1, n do
                        table.insert(running, id)
                    end
                elseif what == 3 and #running > 0 then
                    local id = table.remove(running, math.random(#running))
                    demand:ended(id ~= 0 and id or nil)
                elseif what == 4 and demand:take() then
                    table.insert(running, 0)
                elseif what == 5 and opened > 0 and math.random() < 0.1 then
                    local id = math.random(1, opened)
                    demand:close(id)
                    promised[id] = nil
                end
                local total = #running
                for id, n in pairs(asks(demand)) do
                    assert.is_true(n >= 1)
                    promised[id] = promised[id] + n
                end
                for _, n in pairs(promised) do
                    total = total + n
                end
                assert.is_true(total <= limit)
                assert.equal(limit - total, demand:room())
            end
        end
    end)
end)
