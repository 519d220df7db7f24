-- SPDX-License-Identifier: MIT
--
-- Partitions as the command sees them: what a hash refuses, keys, a consumer that leaves; the report and
-- the status at the end.
local command = require "spec.support.command"

local function run(script, ...)
    return command.run("timeout 40 $S a.lua " .. table.concat({ ... }, " "), { ["a.lua"] = script })
end

local function count(text, part)
    local n = 0
    for _ in text:gmatch(part) do
        n = n + 1
    end
    return n
end

-- 1000 events in batches of 10 to four partitions; arg[1] says what is wrong with all but the first of ten.
local refusing = [[
    local stagehost = require "stagehost"
    local hashes = {
        answer = function(n) return n % 10 == 0 and 0 or nil end,
        raise = function(n) return n % 10 == 0 and 0 or error("no good", 0) end,
        none = function(n) return n % 10 == 0 and 0 or "none" end,
        field = "key",
    }
    local events = {}
    for i = 1, 1000 do
        events[i] = arg[1] == "field" and { key = i % 10 == 0 and "a" or nil } or i
    end
    local handled = 0
    local Sink = stagehost.consumer { handle_events = function(_, list) handled = handled + #list end }
    local letters = arg[2] and stagehost.start(stagehost.dead_letters { name = arg[2] })
    local clerk = letters and stagehost.start(Sink, { subscribe_to = { letters } })
    local source = stagehost.start(stagehost.source.list(events), {
        name = "numbers", dead_letter = arg[2], dispatcher = { "partition", partitions = 4, hash = hashes[arg[1] ] } })
    local sinks = {}
    for p = 0, 3 do
        sinks[p] = stagehost.start(Sink, { subscribe_to = { { to = source, partition = p, max_demand = 10 } } })
    end
    for p = 0, 3 do
        sinks[p]:join()
    end
    if letters then
        letters:stop()
        clerk:join()
    end
    print(handled)
]]

describe("events that a hash refuses", function()
    local reasons = {
        answer = "the hash returned nil for event 1 of",
        raise = "the hash failed with event 1 of %d+: no good",
        field = 'has no field \\?"key\\?"',
    }

    for how, reason in pairs(reasons) do
        it(("are lost: %s. They are logged once, then in sums; status 75"):format(how), function()
            local r = run(refusing, how)
            assert.equal(75, r.status, r.err)
            assert.equal("100\n", r.out)
            assert.is_truthy(r.err:find(reason), r.err)
            assert.equal(2, count(r.err, 'msg="lost '), r.err)
            assert.is_truthy(r.err:find("more events that the hash refused, 900 in all", 1, true), r.err)
            assert.is_truthy(r.err:find('"900 events unfinished: refused by the hash" stage=numbers', 1, true), r.err)
        end)
    end

    it("are no loss where a dead-letter stage takes them", function()
        local r = run(refusing, "raise", "letters")
        assert.equal(0, r.status, r.err)
        assert.equal("1000\n", r.out)
        assert.equal(0, count(r.err, "lost"))
    end)

    it("are others than those that go to none", function()
        local r = run(refusing, "none")
        assert.equal(0, r.status, r.err)
        assert.equal("100\n", r.out)
        assert.equal(0, count(r.err, "lost"))
    end)
end)

describe("a hash that answers keys", function()
    it("sends each key to one instance, in order", function()
        local r = run [[
            local stagehost = require "stagehost"
            local events = {}
            for i = 1, 1000 do
                events[i] = { key = "user" .. i * 7 % 13, n = i }
            end
            local Check = stagehost.consumer {
                init = function(self) self.last, self.count = {}, 0 end,
                handle_events = function(self, list)
                    for _, event in ipairs(list) do
                        assert(event.n > (self.last[event.key] or 0), "out of order")
                        self.last[event.key], self.count = event.n, self.count + 1
                    end
                end,
                terminate = function(self)
                    for key in pairs(self.last) do
                        print(key)
                    end
                    print("handled " .. self.count)
                end,
            }
            local running = assert(stagehost.pipeline { name = "p", stages = {
                { name = "source", stage = stagehost.source.list(events),
                    dispatcher = { "partition", partitions = 4, hash = function(event) return event.key end } },
                { name = "check", stage = Check, instances = 4, subscribe_to = { { to = "source", max_demand = 10 } } },
            } }:start())
            print(select(2, running:join()))
        ]]
        assert.equal(0, r.status, r.err)
        assert.equal(13, count(r.out, "user%d+"), r.out)
        local handled = 0
        for n in r.out:gmatch "handled (%d+)" do
            handled = handled + n
        end
        assert.equal(1000, handled)
        assert.is_truthy(r.out:find("normal", 1, true))
        assert.equal("", r.err)
    end)
end)

-- The consumer of partition 1 takes one event, and leaves when all 20 have been emitted.
local leaving = [[
    local stagehost = require "stagehost"
    local ends = {
        info = function(self) self.stage:async_info "done" end,
        finish = function(self) self.stage:finish() end,
        stop = function() end,
    }
    local Twenty = stagehost.producer {
        init = function(self) self.n = 0 end,
        handle_demand = function(self, demand)
            local events = {}
            while #events < demand and self.n < 20 do
                events[#events + 1], self.n = self.n, self.n + 1
            end
            if self.n == 20 and not self.is_done then
                self.is_done = true
                ends[arg[1] ](self)
                if arg[1] == "stop" then
                    return stagehost.stop("normal", events)
                end
            end
            return events
        end,
        handle_info = function() return stagehost.stop "normal" end,
    }
    local Sink = stagehost.consumer {
        init = function(self) self.n = 0 end,
        handle_subscribe = function(self, _, opts, from)
            self.from = from
            return opts.opts and opts.opts.mode
        end,
        handle_events = function(self, events) self.n = self.n + #events end,
        handle_call = function(self, n)
            stagehost.ask(self.from, n)
            return self.n
        end,
        terminate = function(self) print(self.stage.name, self.n) end,
    }
    local twenty = stagehost.start(Twenty, { dispatcher = {
        "partition", partitions = 2, hash = function(n) return n % 2 end, discard = arg[2] == "discard" } })
    local even, odd = stagehost.start(Sink, { name = "even" }), stagehost.start(Sink, { name = "odd" })
    local sub = odd:subscribe { to = twenty, partition = 1, opts = { mode = "manual" }, cancel = "temporary" }
    even:subscribe { to = twenty, partition = 0, max_demand = 100 }
    odd:call(1)
    while odd:call(0) == 0 do end
    sub:unsubscribe()
    print(twenty:join())
    even:join()
    odd:stop()
]]

local function assert_leaves_nine(out)
    for _, line in ipairs { "normal", "even\t10", "odd\t1" } do
        assert.is_truthy(("\n" .. out):find("\n" .. line .. "\n", 1, true), out)
    end
end

describe("a finite source one of whose consumers has left", function()
    for _, how in ipairs { "info", "finish", "stop" } do
        it(("ends: %s. What it was to get is unfinished; status 75"):format(how), function()
            local r = run(leaving, how)
            assert.equal(75, r.status, r.err)
            assert_leaves_nine(r.out)
            assert.is_truthy(r.err:find("9 events unfinished: buffer", 1, true), r.err)
        end)

        it(("ends: %s. That may be discarded; status 0"):format(how), function()
            local r = run(leaving, how, "discard")
            assert.equal(0, r.status, r.err)
            assert_leaves_nine(r.out)
            assert.is_truthy(r.err:find("9 events were discarded", 1, true), r.err)
        end)
    end
end)
