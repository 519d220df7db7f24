-- SPDX-License-Identifier: MIT

--- What a consumer leaves upstream that ends normally by its own will is declined: told at -v, and no
--- reason for another status than 0. What somebody else still wanted is unfinished.
local run = require("spec.support.command").run

--- A source with 5000 events, and consumers that stop with a reason after n events.
local STAGES = [[
    local stagehost = require "stagehost"
    local Burst = stagehost.producer {
        handle_demand = function(self)
            if self.has_emitted then
                return
            end
            self.has_emitted = true
            local events = {}
            for i = 1, 5000 do
                events[i] = i
            end
            return events
        end,
    }
    local Pass = stagehost.producer_consumer { handle_events = function(_, events) return events end }
    local function take(n, reason)
        return stagehost.consumer {
            init = function(self) self.n = 0 end,
            handle_events = function(self, events)
                self.n = self.n + #events
                return self.n >= n and stagehost.stop(reason) or nil
            end,
        }
    end
    local function start(def, from, more)
        local opts = more or {}
        opts.subscribe_to = from and { from } or nil
        return assert(stagehost.start(def, opts))
    end
]]

local function stagehost(options, script)
    return run(("$S %s - 2>&1 <<'END'\n%s%s\nEND"):format(options, STAGES, script))
end

--- How many events were declined, discarded, left unfinished.
local function counts(r)
    local function count(what)
        return tonumber(r.out:match('"?(%d+) events? [%a]+ ' .. what) or 0)
    end
    return count "declined", count "unfinished", r.status
end

for workers = 1, 2 do
    local options = "-v -w " .. workers
    local ANY = workers == 2 and ', worker = "any"' or ""

    describe(("a consumer that stops by its own will, with %d workers"):format(workers), function()
        it("declines what its producer has buffered", function()
            local r = stagehost(options, ([[
                local burst = start(Burst)
                start(take(10, "normal"), { to = burst, max_demand = 5, min_demand = 0 }, { name = "ten"%s }):join()
                burst:stop()
            ]]):format(ANY))
            local declined, unfinished, status = counts(r)
            assert.same({ 4990, 0, 0 }, { declined, unfinished, status }, r.out)
            assert.matches("events were declined", r.out)
        end)

        it("and so it does all the way up", function()
            local r = stagehost(options, ([[
                local burst = start(Burst)
                local one = start(Pass, { to = burst, max_demand = 100 }, { name = "one"%s })
                local two = start(Pass, { to = one, max_demand = 50 })
                start(take(10, "normal"), { to = two, max_demand = 5, min_demand = 0 }, { name = "ten"%s }):join()
                two:stop() one:stop() burst:stop()
            ]]):format(ANY, ANY))
            local declined, unfinished, status = counts(r)
            assert.same({ 4990, 0, 0 }, { declined, unfinished, status }, r.out)
        end)

        it("in a pipeline", function()
            local r = stagehost(options, ([[
                assert(stagehost.pipeline({ stages = {
                    { name = "burst", stage = Burst },
                    { name = "pass", stage = Pass, subscribe_to = { { to = "burst", max_demand = 100 } } },
                    { name = "ten", stage = take(10, "normal")%s, subscribe_to = {
                        { to = "pass", max_demand = 5, min_demand = 0 },
                    } },
                } }):start()):join()
            ]]):format(ANY))
            local declined, unfinished, status = counts(r)
            assert.same({ 4990, 0, 0 }, { declined, unfinished, status }, r.out)
        end)

        it("and the drain of what is left", function()
            local r = stagehost(options, ([[
                local burst = start(Burst)
                local pass = start(Pass, { to = burst, max_demand = 100 })
                start(take(10, "normal"), { to = pass, max_demand = 5, min_demand = 0 }, { name = "ten"%s }):join()
                stagehost.uv.kill(stagehost.uv.os_getpid(), "sigterm")
            ]]):format(ANY))
            local declined, unfinished, status = counts(r)
            assert.same({ 4990, 0, 0 }, { declined, unfinished, status }, r.out)
        end)

        it("the queue of its partition, while the others go on", function()
            local r = stagehost(options, ([[
                local burst = start(Burst, nil, { demand = "accumulate", dispatcher = {
                    "partition", partitions = 2, limit = 10000, hash = function(n) return n %% 2 end } })
                local function of(partition)
                    return { to = burst, partition = partition, max_demand = 5, min_demand = 0 }
                end
                local ten = start(take(10, "normal"), of(0), { name = "ten"%s })
                local all = start(take(2500, "normal"), of(1))
                burst:demand "forward"
                ten:join()
                all:join()
                burst:stop()
            ]]):format(ANY))
            local declined, unfinished, status = counts(r)
            assert.same({ 2490, 0, 0 }, { declined, unfinished, status }, r.out)
        end)

        it("the same in a pipeline", function()
            local r = stagehost(options, ([[
                local list = {}
                for i = 1, 5000 do
                    list[i] = i
                end
                assert(stagehost.pipeline({ stages = {
                    { name = "source", stage = stagehost.source.list(list), dispatcher = {
                        "partition", partitions = 2, limit = 10000, hash = function(n) return n %% 2 end } },
                    { name = "ten", stage = take(10, "normal")%s,
                        subscribe_to = { { to = "source", partition = 0, max_demand = 5, min_demand = 0 } } },
                    { name = "all", stage = take(5000, "normal"),
                        subscribe_to = { { to = "source", partition = 1 } } },
                } }):start()):join()
            ]]):format(ANY))
            local declined, unfinished, status = counts(r)
            assert.same({ 2490, 0, 0 }, { declined, unfinished, status }, r.out)
        end)

        it("says nothing without -v", function()
            local r = stagehost("-w " .. workers, [[
                local burst = start(Burst)
                start(take(10, "normal"), { to = burst, max_demand = 5, min_demand = 0 }):join()
                burst:stop()
            ]])
            assert.same({ "", 0 }, { r.out, r.status })
        end)
    end)
end

describe("events that somebody still wanted", function()
    it("are unfinished after an end that was no choice of the consumer", function()
        for _, how in ipairs { "ten:stop()", "ten:kill()", "ten:exit 'shutdown'" } do
            local r = stagehost("-v", ([[
                local burst = start(Burst)
                local rate = { events = 5, per_ms = 60000 }
                local ten = start(take(5000, "normal"), { to = burst, max_demand = 5, rate = rate })
                burst:buffered()
                %s
                ten:join()
                burst:stop()
            ]]):format(how))
            assert.equal(75, r.status, how .. r.out)
            assert.is_nil(r.out:find("declined", 1, true))
        end
    end)

    it("are unfinished when another consumer has crashed", function()
        local r = stagehost("-v", [[
            local Bad = stagehost.consumer { handle_events = function() error("bad", 0) end }
            local burst = start(Burst, nil, { demand = "accumulate" })
            local ten = start(take(10, "normal"), { to = burst, max_demand = 5, min_demand = 0 })
            local bad = assert(stagehost.start(Bad, { supervised = true,
                subscribe_to = { { to = burst, max_demand = 5, min_demand = 0 } } }))
            burst:demand "forward"
            bad:join()
            ten:join()
            burst:stop()
        ]])
        assert.equal(75, r.status, r.out)
        assert.is_nil(r.out:find("declined", 1, true))
    end)

    it("are unfinished when the consumer stopped with another reason", function()
        local r = stagehost("-v", [[
            local burst = start(Burst)
            start(take(10, "shutdown"), { to = burst, max_demand = 5, min_demand = 0 }):join()
            burst:stop()
        ]])
        assert.equal(75, r.status, r.out)
    end)

    it("go to the consumers that are left", function()
        local r = stagehost("-v", [[
            local burst = start(Burst, nil, { demand = "accumulate" })
            local ten = start(take(10, "normal"), { to = burst, max_demand = 5, min_demand = 0 })
            local rest = start(take(4000, "normal"), { to = burst, max_demand = 5, min_demand = 0 })
            burst:demand "forward"
            ten:join()
            rest:join()
            burst:stop()
        ]])
        local declined, unfinished, status = counts(r)
        assert.same({ 0, 0 }, { unfinished, status }, r.out)
        assert.is_true(declined >= 900 and declined < 1000, r.out)
    end)
end)

describe("a sink whose pipe nobody reads any more", function()
    it("declines the rest all the way up, and ends those that have produced for it alone", function()
        local line = "(wait_for gone; $S -v -w %d a.lua 2>err; echo $? >status) |"
            .. " { exec <&-; echo gone >gone; wait_for status; }; cat err; exit $(cat status)"
        for workers = 1, 2 do
            local r = run(line:format(workers), { ["a.lua"] = STAGES .. [[
                local burst = start(Burst)
                local pass = start(Pass, { to = burst, max_demand = 100 }, { worker = "any" })
                start(stagehost.sink.print(), { to = pass, max_demand = 5, min_demand = 0 })
            ]] })
            local declined, unfinished, status = counts(r)
            assert.same({ 4995, 0, 0 }, { declined, unfinished, status }, r.out .. r.err)
            assert.equal(1, select(2, r.out:gsub("declined", "")))
        end
    end)
end)
