-- SPDX-License-Identifier: MIT

--- Dispatchers with functions of the script: partitions with a hash, broadcasts with selectors,
--- dispatchers written in Lua; on the script's worker and on another.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start

after_each(stages.stop_all)

--- Emits what it is cast; with `limit` counts up to it on demand.
local Source = stagehost.producer {
    init = function(self)
        self.cancels = {}
    end,
    handle_cast = function(_, events)
        return events
    end,
    handle_cancel = function(self, reason, from)
        table.insert(self.cancels, { reason, from })
    end,
    handle_call = function(self)
        return self.cancels
    end,
}

--- Keeps what it gets.
local Sink = stagehost.consumer {
    init = function(self)
        self.events = {}
    end,
    handle_events = function(self, events)
        for _, event in ipairs(events) do
            table.insert(self.events, event)
        end
    end,
    handle_call = function(self)
        return self.events
    end,
}

local function sink(opts)
    local consumer = start(Sink)
    opts.cancel = opts.cancel or "temporary"
    assert(consumer:subscribe(opts))
    return consumer
end

--- What each consumer has got once they have got `n` events together.
local function events_of(n, ...)
    local all, count
    for _ = 1, 1000 do
        all, count = {}, 0
        for i, consumer in ipairs { ... } do
            all[i] = consumer:call("events")
            count = count + #all[i]
        end
        if count >= n then
            break
        end
        stagehost.sleep(1)
    end
    return all
end

--- What a producer has seen cancelled once that are `n`.
local function cancels_of(n, producer)
    for _ = 1, 1000 do
        local cancels = producer:call("cancels")
        if #cancels >= n then
            return cancels
        end
        stagehost.sleep(1)
    end
    error("too few cancellations")
end

local workers = { 0 }
if stagehost.workers() > 1 then
    workers[2] = 1
end

for _, worker in ipairs(workers) do
    local function source(dispatcher, opts)
        opts = opts or {}
        opts.dispatcher, opts.worker = dispatcher, worker
        return start(Source, opts)
    end

    describe("on worker " .. worker .. " a partition dispatcher", function()
        it("asks the script's hash", function()
            local calls = 0
            local p = source { "partition", partitions = { "odd", "even" }, hash = function(event)
                calls = calls + 1
                if event % 10 == 0 then
                    return "none"
                end
                return event % 2 == 1 and "odd" or "even", event * 100
            end }
            local odd, even = sink { to = p, partition = "odd" }, sink { to = p, partition = "even" }
            p:cast { 1, 2, 3, 10, 4, 20 }
            assert.same({ { 100, 300 }, { 200, 400 } }, events_of(4, odd, even))
            assert.equal(worker == 0 and 6 or 0, calls)
        end)

        it("goes on when the hash fails for an event", function()
            local p = source { "partition", partitions = 2, hash = function(event)
                if event == "bad" then
                    error("I don't like it")
                end
                return event
            end }
            local zero, one = sink { to = p, partition = 0 }, sink { to = p, partition = 1 }
            p:cast { 1, "bad", 0, 1 }
            assert.same({ { 0 }, { 1, 1 } }, events_of(3, zero, one))
            assert.is_true(p:is_alive())
        end)

        it("spreads events by a field, and by what a hash answers that is no partition", function()
            for _, hash in ipairs { "key", function(event) return event.key end } do
                local p = source { "partition", partitions = 4, hash = hash }
                local consumers = {}
                for i = 1, 4 do
                    consumers[i] = sink { to = p, partition = i - 1 }
                end
                local events, expected = {}, { {}, {}, {}, {} }
                for i = 1, 400 do
                    local key = i % 10 == 0 and i % 4 or "user" .. i % 13
                    events[i] = { key = key, n = i }
                    table.insert(expected[(type(key) == "number" and key or stagehost.hash(key, 4)) + 1], events[i])
                end
                p:cast(events)
                assert.same(expected, events_of(400, unpack(consumers)))
            end
        end)

        it("hashes data of any kind by its structure", function()
            local p = source { "partition", partitions = 4 }
            local consumers = {}
            for i = 1, 4 do
                consumers[i] = sink { to = p, partition = i - 1 }
            end
            local function keys()
                return { 5, 5.5, "text", true, { a = 1, b = { "x", 2 } }, { b = { "x", 2 }, a = 1 },
                    ("long"):rep(100), -1, 2 ^ 40 }
            end
            p:cast(keys())
            p:cast(keys())
            local all = events_of(18, unpack(consumers))
            local total = 0
            for _, events in ipairs(all) do
                assert.is_true(#events % 2 == 0)
                total = total + #events
                for i = 1, #events / 2 do
                    assert.same(events[i], events[i + #events / 2])
                end
            end
            assert.equal(18, total)
        end)

        it("spreads strings and tables", function()
            local p = source { "partition", partitions = 4 }
            local consumers = {}
            for i = 1, 4 do
                consumers[i] = sink { to = p, partition = i - 1, max_demand = 10000 }
            end
            local events = {}
            for i = 1, 4000 do
                events[i] = i % 2 == 0 and "user-" .. i or { id = i }
            end
            p:cast(events)
            for _, part in ipairs(events_of(4000, unpack(consumers))) do
                assert.is_true(#part > 800 and #part < 1200, #part)
            end
        end)
    end)

    describe("on worker " .. worker .. " a broadcast dispatcher", function()
        it("gives each consumer what its selector chooses", function()
            local p = source("broadcast")
            local all = sink { to = p }
            local even = sink { to = p, selector = function(event)
                return event % 2 == 0
            end }
            local none = sink { to = p, selector = function() end }
            p:cast { 1, 2, 3, 4 }
            p:cast { 5 }
            assert.same({ { 1, 2, 3, 4, 5 }, { 2, 4 }, {} }, events_of(7, all, even, none))
        end)

        it("cancels the subscription whose selector fails, and no other", function()
            local p = source("broadcast")
            local all = sink { to = p }
            local broken = sink { to = p, selector = function(event)
                return event.field
            end }
            p:cast { 1, 2 }
            assert.same({ { 1, 2 }, {} }, events_of(2, all, broken))
            local cancels = cancels_of(1, p)
            assert.equal(1, #cancels)
            assert.matches("attempt to index", cancels[1][1].message or tostring(cancels[1][1]))
            assert.equal(broken, cancels[1][2].consumer)
        end)

        it("does not let a selector wait", function()
            local p = source("broadcast")
            sink { to = p, selector = function()
                require("stagehost").sleep(1)
            end }
            p:cast { 1 }
            assert.matches("selector must not wait", cancels_of(1, p)[1][1].message)
        end)
    end)

    describe("on worker " .. worker .. " a dispatcher in Lua", function()
        --- To everybody in turn, one event each.
        local RoundRobin = {
            init = function(self, options)
                self.subs, self.demand, self.next, self.step = {}, {}, 1, options.step or 1
            end,
            subscribe = function(self, sub, opts)
                if opts.opts and opts.opts.unwanted then
                    return false, "unwanted"
                end
                assert(not (opts.opts and opts.opts.crash), "crash in subscribe")
                table.insert(self.subs, sub)
                self.demand[sub] = 0
            end,
            cancel = function(self, sub)
                for i, other in ipairs(self.subs) do
                    if other == sub then
                        table.remove(self.subs, i)
                    end
                end
                self.demand[sub] = nil
            end,
            ask = function(self, sub, n)
                self.demand[sub] = self.demand[sub] + n
            end,
            dispatch = function(self, events, send)
                for i = 1, #events, self.step do
                    local sub = self.subs[(self.next - 1) % #self.subs + 1]
                    if not sub or self.demand[sub] < self.step then
                        return i - 1
                    end
                    local part = {}
                    for j = i, math.min(i + self.step - 1, #events) do
                        table.insert(part, events[j])
                    end
                    send(sub, part)
                    self.demand[sub] = self.demand[sub] - #part
                    self.next = self.next + 1
                end
            end,
        }

        it("spreads events", function()
            local p = source(RoundRobin)
            local a, b = sink { to = p, max_demand = 4 }, sink { to = p, max_demand = 4 }
            p:cast { 1, 2, 3, 4, 5 }
            assert.same({ { 1, 3, 5 }, { 2, 4 } }, events_of(5, a, b))
        end)

        it("gets its options, and leaves what nobody asked for in the buffer", function()
            local p = source { RoundRobin, step = 2 }
            p:cast { 1, 2, 3, 4 }
            local a, b = sink { to = p, max_demand = 4 }, sink { to = p, max_demand = 4 }
            assert.equal(0, p:buffered())
            p:cast { 5, 6, 7, 8 }
            local got = events_of(8, a, b)
            assert.equal(8, #got[1] + #got[2])
        end)

        it("forgets who has gone", function()
            local p = source(RoundRobin)
            local a, b = sink { to = p }, sink { to = p }
            p:cast { 1, 2 }
            events_of(2, a, b)
            stages.stop(b)
            cancels_of(1, p)
            p:cast { 3, 4 }
            assert.same({ { 1, 3, 4 } }, events_of(3, a))
        end)

        it("may refuse a subscription", function()
            local p = source(RoundRobin)
            sink { to = p, opts = { unwanted = true } }
            sink { to = p, opts = { crash = true } }
            local cancels = cancels_of(2, p)
            assert.equal("unwanted", cancels[1][1])
            assert.matches("crash in subscribe", cancels[2][1].message)
            assert.is_true(p:is_alive())
        end)

        local function custom(dispatch, more)
            local dispatcher = {
                subscribe = function(self, sub)
                    self.sub = sub
                end,
                cancel = function() end,
                ask = function() end,
                dispatch = dispatch,
            }
            for key, value in pairs(more or {}) do
                dispatcher[key] = value
            end
            return dispatcher
        end

        it("may answer with the list of what is left", function()
            local p = source(custom(function(self, events, send)
                if self.sub then
                    send(self.sub, { events[1] })
                    return { unpack(events, 2) }
                end
                return events
            end), nil)
            p:cast { 1, 2, 3 }
            assert.equal(3, p:buffered())
            local a = sink { to = p, max_demand = 2 }
            assert.same({ { 1, 2, 3 } }, events_of(3, a))
        end)

        local mistakes = {
            ["sends more than was asked for"] = {
                custom(function(self, events, send)
                    send(self.sub, events)
                end), "send: 3 events for a consumer that has asked for 2",
            },
            ["answers a number that can't be"] = {
                custom(function()
                    return 7
                end), "dispatch must return how many of its %d events it took",
            },
            ["answers a list of something else"] = {
                custom(function()
                    return { "x" }
                end), "dispatch must return how many",
            },
            ["waits"] = {
                custom(function()
                    require("stagehost").sleep(1)
                end), "dispatch must not wait",
            },
            ["fails in credit"] = {
                custom(function() end, {
                    credit = function()
                        error("no credit")
                    end,
                }), "no credit",
            },
            ["answers no number of credit"] = {
                custom(function() end, {
                    credit = function()
                        return "much"
                    end,
                }), "credit must return a number of events, got string",
            },
        }
        for what, case in pairs(mistakes) do
            it("ends its producer when it " .. what, function()
                local p = source(case[1])
                sink { to = p, max_demand = 2 }
                local reason
                local watcher = start(stagehost.process {
                    init = function()
                        stagehost.self():send("join")
                    end,
                    handle_info = function()
                        reason = p:join()
                        return stagehost.stop()
                    end,
                })
                stagehost.sleep(1)
                p:cast { 1, 2, 3 }
                if watcher:is_alive() then
                    watcher:join()
                end
                assert.matches(case[2], type(reason) == "table" and reason.message or reason)
            end)
        end

        it("can't send once dispatch is over", function()
            local p = source(custom(function(self, events, send)
                self.send = send
                send(self.sub, events)
            end, {
                ask = function(self, sub, n)
                    if n == 1 then
                        self.send(sub, { "late" })
                    end
                end,
            }))
            sink { to = p, max_demand = 2, min_demand = 1 }
            p:cast { 1 }
            local cancels = cancels_of(1, p)
            assert.matches("send: can only be called inside the dispatch", cancels[1][1].message)
        end)
    end)
end
