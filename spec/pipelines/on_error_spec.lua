-- SPDX-License-Identifier: MIT

--- on_error: what follows when handle_events fails, and what is counted of it.
local hooks = require "stagehost.spec"
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start
local log = {}

before_each(function()
    log = {}
    hooks.on_log(function(code, stage, message)
        log[#log + 1] = { code = code, stage = stage, message = message }
    end)
end)

after_each(function()
    hooks.on_log(nil)
    stages.stop_all()
end)

local function logged(code)
    local n = 0
    for _, line in ipairs(log) do
        n = n + (line.code == code and 1 or 0)
    end
    return n
end

-- 1 .. last, then a normal end.
local Numbers = stagehost.producer {
    init = function(self, args)
        self.at, self.last = 0, args
    end,
    handle_demand = function(self, demand)
        local events = {}
        while #events < demand and self.at < self.last do
            self.at = self.at + 1
            events[#events + 1] = self.at
        end
        return self.at == self.last and stagehost.stop("normal", events) or events
    end,
}

-- Takes what is sent to it; answers a call with all of it, and how many lists it was.
local Collector = stagehost.producer {
    init = function(self)
        self.letters, self.lists = {}, 0
    end,
    handle_cast = function(self, letters)
        self.lists = self.lists + 1
        for _, letter in ipairs(letters) do
            self.letters[#self.letters + 1] = letter
        end
    end,
    handle_call = function(self)
        return { letters = self.letters, lists = self.lists }
    end,
}

-- Fails at the multiples of `bad`, and while `fails` lasts; remembers what it was given.
local Fragile = stagehost.consumer {
    init = function(self, args)
        self.bad, self.fails, self.given, self.tries = args.bad, args.fails, {}, 0
    end,
    handle_events = function(self, events, from)
        self.tries = self.tries + 1
        self.given[#self.given + 1] = table.concat(events, " ") .. " #" .. from:deliveries()
        for _, event in ipairs(events) do
            if event % self.bad == 0 and self.tries <= (self.fails or math.huge) then
                error("can't stand " .. event, 0)
            end
        end
    end,
    handle_call = function(self)
        return self.given
    end,
}

local function run(options, args, last)
    local numbers = start(Numbers, { args = last or 6, demand = "accumulate" })
    options.args = args
    options.subscribe_to = { { to = numbers, max_demand = 2, min_demand = 0, cancel = "temporary" } }
    local stage = start(Fragile, options)
    numbers:demand("forward")
    return stage, numbers
end

describe("on_error", function()
    it("stops the stage if nothing else is said", function()
        local stage = run({}, { bad = 3 })
        local reason = stage:join()
        assert.is_true(stagehost.is_error(reason))
        assert.equal("can't stand 3", reason.message)
        assert.equal(0, stage:stats().skipped)
        assert.equal(2, stage:stats().unfinished)
    end)

    it("skips the batch that failed, counts it, and asks for more", function()
        local stage, numbers = run({ on_error = "skip" }, { bad = 3 })
        assert.equal("normal", numbers:join())
        assert.same({ "1 2 #1", "3 4 #1", "5 6 #1" }, stage:call())
        local stats = stage:stats()
        assert.equal(4, stats.skipped)
        assert.equal(0, stats.unfinished)
        assert.equal(6, stats.events_in)
        assert.equal(2, logged("skipped"))
        assert.equal(0, logged("stage_ended"))
    end)

    it("tries again, in the same order, and goes on when that succeeds", function()
        local stage, numbers = run({ on_error = { "retry", delay = 0 } }, { bad = 3, fails = 3 })
        numbers:join()
        assert.same({ "1 2 #1", "3 4 #1", "3 4 #2", "3 4 #3", "5 6 #1" }, stage:call())
        assert.equal(6, stage:stats().events_in)
        assert.equal(0, stage:stats().skipped)
        assert.equal(2, logged("retry"))
    end)

    it("counts the tries of each batch by itself", function()
        local stage, numbers = run({ on_error = { "retry", times = 2, delay = 0, after = "skip" } }, { bad = 1 }, 4)
        numbers:join()
        assert.same({ "1 2 #1", "1 2 #2", "1 2 #3", "3 4 #1", "3 4 #2", "3 4 #3" }, stage:call())
        assert.equal(4, stage:stats().skipped)
    end)

    it("stops after the last try, by default", function()
        local stage = run({ on_error = { "retry", times = 1, delay = 1, factor = 1 } }, { bad = 3 })
        assert.equal("can't stand 3", stage:join().message)
        assert.equal(1, logged("retry"))
        assert.equal(2, stage:stats().unfinished)
    end)

    it("keeps other messages behind the batch that is tried again", function()
        local order = {}
        local stage = start(stagehost.consumer {
            handle_events = function(self)
                self.tries = (self.tries or 0) + 1
                order[#order + 1] = "try " .. self.tries
                if self.tries < 3 then
                    error("not yet")
                end
            end,
            handle_cast = function(_, message)
                order[#order + 1] = message
            end,
            handle_call = function()
                return "done"
            end,
        }, {
            on_error = { "retry", delay = 5 },
            subscribe_to = { { to = start(Numbers, { args = 1 }), cancel = "temporary" } },
        })
        hooks.settle()
        stage:cast("cast")
        assert.equal("done", stage:call())
        assert.same({ "try 1", "try 2", "try 3", "cast" }, order)
    end)

    it("can be killed while it waits for a try", function()
        local stage = run({ on_error = { "retry", delay = 3600000 } }, { bad = 1 })
        hooks.settle()
        stage:kill()
        assert.equal("killed", stage:join())
        assert.is_true(stage:stats().unfinished >= 2)
    end)

    it("sends each event of the batch as a letter", function()
        local box = start(Collector)
        local stage, numbers = run({ on_error = "dead_letter", dead_letter = box, name = "fragile" }, { bad = 3 })
        numbers:join()
        stage:call()
        local got = box:call()
        local events = {}
        for i, letter in ipairs(got.letters) do
            events[i] = letter.event
            assert.equal("fragile", letter.stage)
            assert.equal(1, letter.deliveries)
            assert.is_true(stagehost.is_error(letter.error))
        end
        assert.same({ 3, 4, 5, 6 }, events)
        assert.equal(2, got.lists)
        assert.equal("can't stand 3", got.letters[1].error.message)
        assert.equal(4, stage:stats().dead_lettered)
        assert.equal(0, stage:stats().unfinished)
    end)

    it("finds the dead-letter stage by name, also one that was started later", function()
        local stage, numbers = run({ on_error = { "retry", times = 1, delay = 0, after = "dead_letter" },
            dead_letter = "box of spec" }, { bad = 6 })
        local box = start(Collector, { name = "box of spec" })
        numbers:join()
        stage:call()
        local letters = box:call().letters
        assert.equal(2, #letters)
        assert.equal(2, letters[1].deliveries)
    end)

    it("counts as unfinished what the dead-letter stage can't get", function()
        local box = start(Collector)
        stages.stop(box)
        local stage, numbers = run({ on_error = "dead_letter", dead_letter = box }, { bad = 3 })
        numbers:join()
        stage:call()
        assert.equal(4, stage:stats().unfinished)
        assert.equal(0, stage:stats().dead_lettered)
        assert.equal(2, logged("dead_letter"))

        local other = run({ on_error = "dead_letter", dead_letter = "nobody has this name" }, { bad = 1 })
        hooks.settle()
        assert.equal(6, other:stats().unfinished)
    end)

    it("counts letters as unfinished that the dead-letter stage fails with", function()
        local box = start(stagehost.producer {
            handle_cast = function()
                error("no")
            end,
        })
        local stage, numbers = run({ on_error = "dead_letter", dead_letter = box }, { bad = 2 }, 2)
        numbers:join()
        stage:call()
        box:join()
        assert.equal(2, stage:stats().dead_lettered)
        assert.equal(2, box:stats().unfinished)
    end)

    it("emits nothing for a batch that failed on a producer_consumer", function()
        local numbers = start(Numbers, { args = 6, demand = "accumulate" })
        local double = start(stagehost.producer_consumer {
            handle_events = function(self, events)
                if events[1] == 3 then
                    self.stage:notify("from the batch that fails")
                    error("no")
                end
                return { events[1] * 2, events[2] * 2 }
            end,
        }, { on_error = "skip", subscribe_to = { { to = numbers, max_demand = 2, min_demand = 0 } } })
        local got, told = {}, {}
        local sink = start(stagehost.consumer {
            handle_events = function(_, events)
                for _, event in ipairs(events) do
                    got[#got + 1] = event
                end
            end,
            handle_notification = function(_, message)
                told[#told + 1] = message
            end,
        }, { subscribe_to = { double } })
        numbers:demand("forward")
        assert.equal("normal", sink:join())
        assert.same({ 2, 4, 10, 12 }, got)
        assert.same({}, told)
        assert.equal(2, double:stats().skipped)
    end)

    it("works across workers", function()
        local box = start(Collector, { worker = 1 })
        local numbers = start(Numbers, { args = 6, demand = "accumulate" })
        local stage = start(Fragile, { worker = stagehost.workers() - 1, args = { bad = 3 },
            on_error = "dead_letter", dead_letter = box,
            subscribe_to = { { to = numbers, max_demand = 2, min_demand = 0, cancel = "temporary" } } })
        numbers:demand("forward")
        numbers:join()
        assert.equal(3, #stage:call())
        local letters = box:call().letters
        assert.equal(4, #letters)
        assert.is_true(stagehost.is_error(letters[1].error))
        assert.equal("can't stand 3", letters[1].error.message)
    end)

    it("may stand in the definition, and be returned by init", function()
        local def = { on_error = "skip", handle_events = function() error("no") end }
        local stage = start(stagehost.consumer(def), { subscribe_to = { start(Numbers, { args = 2 }) } })
        stage:join()
        assert.equal(2, stage:stats().skipped)
        stage = start(stagehost.consumer {
            init = function()
                return { on_error = "skip" }
            end,
            handle_events = function() error("no") end,
        }, { subscribe_to = { start(Numbers, { args = 2 }) } })
        stage:join()
        assert.equal(2, stage:stats().skipped)
    end)

    it("is checked", function()
        local function problem(options)
            local ok, err = pcall(stagehost.start, Fragile, options)
            return not ok and err.message
        end
        assert.matches('option "on_error" must be one of "dead_letter", "retry", "skip", "stop"',
            problem { on_error = "restart" })
        assert.matches('option "on_error" must be a word or { "retry"', problem { on_error = { "skip" } })
        assert.matches('unknown option "tries" of on_error = { "retry", ... } %(known: "after", "cap", "delay",',
            problem { on_error = { "retry", tries = 3 } })
        assert.matches('option "factor" must be a number, at least 1',
            problem { on_error = { "retry", factor = 0.5 } })
        assert.matches('option "after" must be one of', problem { on_error = { "retry", after = "retry" } })
        assert.matches('option "dead_letter" must be a stage handle or a name', problem { dead_letter = 3 })

        local stage, message = stagehost.start(Fragile, { args = {}, on_error = "dead_letter" })
        assert.is_nil(stage)
        assert.matches('option "on_error" needs the option "dead_letter"', message)
        assert.matches('unknown option "on_error" of a producer', select(2, pcall(stagehost.start, Numbers,
            { on_error = "skip" })).message)
    end)
end)

describe("finish", function()
    it("lets out what is buffered, asks for no more, and ends normally", function()
        local asked = 0
        local producer = start(stagehost.producer {
            handle_demand = function()
                asked = asked + 1
            end,
            handle_cast = function(_, events)
                return events
            end,
        })
        producer:cast { 1, 2, 3 }
        producer:finish()
        producer:cast { 4 }
        hooks.settle()
        assert.is_true(producer:is_alive())
        local got = {}
        local sink = start(stagehost.consumer {
            handle_events = function(_, events)
                for _, event in ipairs(events) do
                    got[#got + 1] = event
                end
            end,
        }, { subscribe_to = { { to = producer, max_demand = 2 } } })
        assert.equal("normal", sink:join())
        assert.equal("normal", producer:join())
        assert.same({ 1, 2, 3, 4 }, got)
        assert.equal(0, asked)
    end)

    it("may be called by the producer itself", function()
        local producer = start(stagehost.producer {
            handle_demand = function(self, demand)
                self.stage:finish()
                local events = {}
                for i = 1, demand + 5 do
                    events[i] = i
                end
                return events
            end,
        })
        local n = 0
        local sink = start(stagehost.consumer {
            handle_events = function(_, events)
                n = n + #events
            end,
        }, { subscribe_to = { { to = producer, max_demand = 10 } } })
        assert.equal("normal", sink:join())
        assert.equal(15, n)
        assert.equal("normal", producer:join())
        producer:finish() -- it has ended: nothing happens
    end)

    it("is for producers", function()
        local stage = start(stagehost.consumer { handle_events = function() end })
        assert.error_matches(function()
            stage:finish()
        end, "is not a producer")
    end)
end)

describe("a dead-letter stage of a producer", function()
    local function partitioned(options)
        options.dispatcher = { "partition", partitions = { "a", "b" }, hash = function(event)
            if event % 4 == 0 then
                error("can't hash " .. event, 0)
            end
            return event % 2 == 1 and "a" or event == 6 and "nowhere" or "b"
        end }
        options.args = 8
        local numbers = start(Numbers, options)
        for _, partition in ipairs { "a", "b" } do
            start(stagehost.consumer { handle_events = function() end }, {
                subscribe_to = { { to = numbers, partition = partition, cancel = "temporary", max_demand = 10 } },
            })
        end
        assert.equal("normal", numbers:join())
        return numbers
    end

    it("gets the events that a hash refuses", function()
        local box = start(Collector)
        local numbers = partitioned { dead_letter = box, name = "hashing" }
        local events = {}
        for i, letter in ipairs(box:call().letters) do
            events[i] = letter.event
            assert.equal("hashing", letter.stage)
            assert.equal(0, letter.deliveries)
        end
        assert.same({ 4, 6, 8 }, events)
        assert.equal(3, numbers:stats().dead_lettered)
        assert.equal(0, numbers:stats().discarded_none)
    end)

    it("is not needed: then they are lost, counted and logged", function()
        local numbers = partitioned {}
        assert.equal(3, numbers:stats().unfinished)
        assert.equal(0, numbers:stats().discarded_none)
        assert.equal(1, logged("bad_event"))
    end)

    it("may be the ready-made one, which emits the letters, of codecs too", function()
        local letters = start(stagehost.dead_letters { name = "letters of spec" })
        local got = {}
        local clerk = start(stagehost.consumer {
            handle_events = function(_, list)
                for _, letter in ipairs(list) do
                    got[#got + 1] = tostring(letter.event) .. " from " .. letter.stage
                end
            end,
        }, { subscribe_to = { letters } })
        partitioned { dead_letter = "letters of spec", name = "hashing" }
        local decoder = start(stagehost.codec.json.decoder { on_error = letters }, {
            name = "decoding",
            subscribe_to = { start(stagehost.source.list { "1", "{", "2" }) },
        })
        start(stagehost.consumer { handle_events = function() end }, { subscribe_to = { decoder } }):join()
        letters:finish()
        assert.equal("normal", clerk:join())
        table.sort(got)
        assert.same({ "4 from hashing", "6 from hashing", "8 from hashing", "{ from decoding" }, got)
    end)
end)
