-- SPDX-License-Identifier: MIT

--- Subscriptions with ack = true: what a consumer that dies has not handled is delivered again.
local hooks = require "stagehost.spec"
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start

before_each(function()
    hooks.on_log(function() end)
end)

after_each(function()
    hooks.on_log(nil)
    stages.stop_all()
end)

-- 1 .. last and then a normal end, or without `last` as many as are asked for.
local Numbers = stagehost.producer {
    init = function(self, args)
        self.at, self.last = 0, args or math.huge
    end,
    handle_demand = function(self, demand)
        local events = {}
        while #events < demand and self.at < self.last do
            self.at = self.at + 1
            events[#events + 1] = self.at
        end
        return self.at == self.last and stagehost.stop("normal", events) or events
    end,
    handle_cast = function(_, events)
        return events
    end,
    handle_call = function()
        return "done"
    end,
}

local Box = stagehost.producer {
    init = function(self)
        self.letters = {}
    end,
    handle_cast = function(self, letters)
        for _, letter in ipairs(letters) do
            self.letters[#self.letters + 1] = letter
        end
    end,
    handle_call = function(self)
        return self.letters
    end,
}

-- Tells `args.to` what it gets; raises at args.bad.
local Worker = stagehost.consumer {
    init = function(self, args)
        self.bad, self.log, self.wait = args.bad, args.log, args.wait
    end,
    handle_events = function(self, events, from)
        self.log:cast(table.concat(events, " ") .. " #" .. from:deliveries())
        if self.wait then
            stagehost.sleep(self.wait)
        end
        for _, event in ipairs(events) do
            if event == self.bad then
                error("can't stand " .. event, 0)
            end
        end
    end,
    handle_call = function()
        return "done"
    end,
}

local Log = stagehost.process {
    init = function(self)
        self.lines = {}
    end,
    handle_cast = function(self, line)
        self.lines[#self.lines + 1] = line
    end,
    handle_call = function(self)
        return self.lines
    end,
}

local function link(to, more)
    local options = { to = to, ack = true, cancel = "temporary", max_demand = 4, min_demand = 2 }
    for key, value in pairs(more or {}) do
        options[key] = value
    end
    return options
end

describe("ack", function()
    it("delivers to the next consumer, in order, what the dead one had not handled", function()
        local log = start(Log)
        local numbers = start(Numbers, { args = 8, demand = "accumulate" })
        local first = start(Worker, { args = { log = log, bad = 4 }, subscribe_to = { link(numbers) } })
        numbers:demand("forward")
        first:join()
        hooks.settle()
        assert.equal(0, first:stats().unfinished)
        local second = start(Worker, { args = { log = log }, subscribe_to = { link(numbers) } })
        numbers:join()
        second:call()
        -- 5 and 6 were asked for when 1 and 2 had been handled; nobody began with them
        assert.same({ "1 2 #1", "3 4 #1", "3 4 #2", "5 6 #1", "7 8 #1" }, log:call())
        local stats = numbers:stats()
        assert.equal(8, stats.events_out - stats.redelivered)
        assert.equal(0, stats.unfinished)
        assert.equal(0, stats.unacknowledged)
    end)

    it("delivers to another consumer that is there already", function()
        local log = start(Log)
        local numbers = start(Numbers, { args = 6, demand = "accumulate" })
        local first = start(Worker, { args = { log = log, wait = 3600000 }, subscribe_to = { link(numbers) } })
        numbers:demand("forward")
        hooks.settle()
        local second = start(Worker, { args = { log = log }, subscribe_to = { link(numbers) } })
        second:call()
        hooks.settle()
        assert.same({ "1 2 #1", "5 6 #1" }, log:call())
        assert.equal(4, numbers:stats().unacknowledged)
        assert.is_true(numbers:is_alive())
        first:kill()
        assert.equal("normal", numbers:join())
        second:call()
        assert.same({ "1 2 #1", "5 6 #1", "1 2 #2", "3 4 #1" }, log:call())
    end)

    it("waits with the end of the producer until all is acknowledged", function()
        local log = start(Log)
        local numbers = start(Numbers, { args = 2 })
        local worker = start(Worker, { args = { log = log, wait = 20 }, subscribe_to = { link(numbers) } })
        assert.equal("normal", numbers:join())
        assert.equal("done", worker:call())
        assert.same({ "1 2 #1" }, log:call())
    end)

    it("gives nothing back when a consumer leaves in order: it handles what it has", function()
        local log = start(Log)
        local numbers = start(Numbers, { demand = "accumulate" })
        local worker = start(Worker, { args = { log = log, wait = 10 } })
        local sub = worker:subscribe(link(numbers))
        numbers:demand("forward")
        hooks.settle(5)
        sub:cancel()
        hooks.settle()
        worker:call()
        numbers:call()
        assert.same({ "1 2 #1", "3 4 #1" }, { unpack(log:call(), 1, 2) })
        local stats = numbers:stats()
        assert.equal(0, stats.redelivered)
        assert.equal(0, stats.unacknowledged)
        assert.equal(0, stats.consumers)
    end)

    it("gives back what a consumer that chose to stop has not begun", function()
        local seen = {}
        local Once = stagehost.consumer {
            handle_events = function(_, events, from)
                seen[#seen + 1] = table.concat(events, " ") .. " #" .. from:deliveries()
                return stagehost.stop()
            end,
        }
        local numbers = start(Numbers, { demand = "accumulate" })
        local once = start(Once, { subscribe_to = { link(numbers) } })
        numbers:demand("forward")
        once:join()
        once = start(Once, { subscribe_to = { link(numbers) } })
        once:join()
        assert.same({ "1 2 #1", "3 4 #1" }, seen)
        assert.equal(0, once:stats().discarded_stopped)
    end)

    it("sends to the dead letters what was begun max_deliver times, and only that", function()
        local log, box = start(Log), start(Box)
        local numbers = start(Numbers, { args = 6, demand = "accumulate", dead_letter = box })
        local options = { max_deliver = 3 }
        for i = 1, 3 do
            local worker = start(Worker, { name = "victim " .. i, args = { log = log, bad = 3 },
                subscribe_to = { link(numbers, options) } })
            numbers:demand("forward")
            worker:join()
            hooks.settle()
        end
        local last = start(Worker, { args = { log = log }, subscribe_to = { link(numbers, options) } })
        assert.equal("normal", numbers:join())
        last:call()
        assert.same({ "1 2 #1", "3 4 #1", "3 4 #2", "3 4 #3", "5 6 #1" }, log:call())
        local letters = box:call()
        assert.equal(2, #letters)
        assert.same({ 3, 4 }, { letters[1].event, letters[2].event })
        assert.equal("victim 3", letters[1].stage)
        assert.equal(3, letters[1].deliveries)
        assert.equal("can't stand 3", letters[1].error.message)
        local stats = numbers:stats()
        assert.equal(2, stats.dead_lettered)
        assert.equal(0, stats.unfinished)
        assert.equal(6, stats.events_out - stats.redelivered + stats.dead_lettered)
    end)

    it("counts them as unfinished where there is no dead-letter stage", function()
        local log = start(Log)
        local numbers = start(Numbers, { args = 2, demand = "accumulate" })
        local worker = start(Worker, { args = { log = log, bad = 1 },
            subscribe_to = { link(numbers, { max_deliver = 1 }) } })
        numbers:demand("forward")
        worker:join()
        assert.equal("normal", numbers:join())
        assert.equal(2, numbers:stats().unfinished)
        assert.equal(0, worker:stats().unfinished)
    end)

    it("never discards what has come back", function()
        for _, keep in ipairs { "last", "first" } do
            local log = start(Log)
            local numbers = start(Numbers, { args = 4, demand = "accumulate", buffer_size = 2, buffer_keep = keep,
                discard_buffer_when_no_consumers = false })
            local worker = start(Worker, { args = { log = log, bad = 1 }, subscribe_to = { link(numbers) } })
            numbers:demand("forward")
            worker:join()
            hooks.settle()
            numbers:cast { 11, 12, 13 }
            hooks.settle()
            worker = start(Worker, { args = { log = log }, subscribe_to = { link(numbers) } })
            assert.equal("normal", numbers:join())
            worker:call()
            local kept = keep == "last" and "12 13 #1" or "11 12 #1"
            assert.same({ "1 2 #1", "1 2 #2", "3 4 #1", kept }, log:call())
            assert.equal(1, numbers:stats().discarded_full)
        end
    end)

    it("keeps them also with discard_buffer_when_no_consumers", function()
        local log = start(Log)
        local numbers = start(Numbers, { demand = "accumulate", discard_buffer_when_no_consumers = true })
        local worker = start(Worker, { args = { log = log, bad = 1 }, subscribe_to = { link(numbers) } })
        numbers:demand("forward")
        worker:join()
        hooks.settle()
        assert.equal(4, numbers:buffered())
        assert.equal(0, numbers:stats().discarded_no_consumers)
    end)

    it("gives back to the queue of the same partition, before what waits there", function()
        local log = start(Log)
        local numbers = start(stagehost.producer {
            handle_cast = function(_, events)
                return events
            end,
            handle_call = function()
                return "done"
            end,
        }, { dispatcher = { "partition", partitions = { "odd", "even" }, hash = function(event)
            return event % 2 == 1 and "odd" or "even", event * 10
        end } })
        local odd = start(Worker, { args = { log = log, bad = 30 },
            subscribe_to = { link(numbers, { partition = "odd" }) } })
        local even = start(Worker, { args = { log = log }, subscribe_to = { link(numbers, { partition = "even" }) } })
        hooks.settle()
        numbers:cast { 1, 2, 3, 4, 5, 7 }
        odd:join()
        numbers:cast { 9, 6 }
        hooks.settle()
        local again = start(Worker, { args = { log = log }, subscribe_to = { link(numbers, { partition = "odd" }) } })
        hooks.settle()
        again:call()
        even:call()
        hooks.settle()
        local lines = log:call()
        table.sort(lines)
        assert.same({ "10 30 #1", "10 30 #2", "20 40 #1", "50 70 #1", "60 #1", "90 #1" }, lines)
    end)

    it("acknowledges on a producer_consumer when its results are taken care of", function()
        local log = start(Log)
        local numbers = start(Numbers, { args = 6, demand = "accumulate" })
        local tries = 0
        local function double()
            return start(stagehost.producer_consumer {
                handle_events = function(_, events)
                    tries = tries + 1
                    if tries == 2 then
                        error("no", 0)
                    end
                    return { events[1] * 2, events[2] * 2 }
                end,
            }, { subscribe_to = { link(numbers) } })
        end
        local first = double()
        local sink = start(Worker, { args = { log = log } })
        sink:subscribe { to = first, cancel = "temporary", max_demand = 2, min_demand = 0 }
        numbers:demand("forward")
        first:join()
        hooks.settle()
        sink:subscribe { to = double(), cancel = "temporary", max_demand = 2, min_demand = 0 }
        assert.equal("normal", numbers:join())
        hooks.settle()
        sink:call()
        assert.same({ "2 4 #1", "6 8 #1", "10 12 #1" }, log:call())
        assert.equal(0, first:stats().unfinished)
    end)

    it("counts as unfinished what neither the dead producer nor its dead consumer has", function()
        local log = start(Log)
        local numbers = start(Numbers, { demand = "accumulate" })
        local worker = start(Worker, { args = { log = log, wait = 3600000 }, subscribe_to = { link(numbers) } })
        numbers:demand("forward")
        hooks.settle()
        numbers:kill()
        numbers:join()
        hooks.settle()
        assert.equal(0, numbers:stats().unfinished)
        worker:kill()
        worker:join()
        hooks.settle()
        assert.equal(4, numbers:stats().unfinished)
        assert.equal(0, worker:stats().unfinished)

        numbers = start(Numbers, { demand = "accumulate" })
        worker = start(Worker, { args = { log = log, wait = 1 }, subscribe_to = { link(numbers) } })
        numbers:demand("forward")
        hooks.settle()
        numbers:kill()
        numbers:join()
        worker:call()
        worker:kill()
        worker:join()
        hooks.settle()
        assert.equal(0, numbers:stats().unfinished)
    end)

    it("skips and dead letters of on_error count as handled", function()
        local log = start(Log)
        local numbers = start(Numbers, { args = 6, demand = "accumulate" })
        local worker = start(Worker, { args = { log = log, bad = 3 }, on_error = "skip",
            subscribe_to = { link(numbers) } })
        numbers:demand("forward")
        assert.equal("normal", numbers:join())
        worker:call()
        assert.same({ "1 2 #1", "3 4 #1", "5 6 #1" }, log:call())
        assert.equal(0, numbers:stats().redelivered)
    end)

    it("works across workers", function()
        local log = start(Log)
        local numbers = start(Numbers, { args = 8, demand = "accumulate", worker = 1 })
        local function worker(bad)
            return start(Worker, { worker = 0, args = { log = log, bad = bad }, subscribe_to = { link(numbers) } })
        end
        local first = worker(4)
        numbers:demand("forward")
        first:join()
        local second = worker(7)
        second:join()
        local third = worker()
        assert.equal("normal", numbers:join())
        third:call()
        local lines = log:call()
        assert.equal("1 2 #1", lines[1])
        assert.equal("3 4 #1", lines[2])
        assert.equal("3 4 #2", lines[3])
        assert.same({ "5 6 #1", "7 8 #1", "7 8 #2" }, { lines[4], lines[5], lines[6] })
        assert.equal(6, #lines)
    end)

    it("is refused by dispatchers that share events", function()
        for _, dispatcher in ipairs { "broadcast", { "broadcast", replay = 10 } } do
            local reason
            local numbers = start(Numbers, { dispatcher = dispatcher })
            start(stagehost.consumer {
                handle_events = function() end,
                handle_cancel = function(_, why)
                    reason = why
                end,
            }, { subscribe_to = { link(numbers) } })
            hooks.settle()
            assert.equal("ack_impossible", reason)
        end
    end)

    it("is checked", function()
        local function problem(options)
            local ok, err = pcall(stagehost.start, Worker, { args = {}, subscribe_to = { options } })
            return not ok and err.message
        end
        assert.matches('option "ack" must be a boolean', problem { to = "x", ack = 1 })
        assert.matches('option "max_deliver" must be at least 1', problem { to = "x", ack = true, max_deliver = 0 })
        assert.matches('option "max_deliver" needs the option ack = true', problem { to = "x", max_deliver = 3 })
    end)
end)
