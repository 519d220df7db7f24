-- SPDX-License-Identifier: MIT

--- max_demand, min_demand and cancel of a consumer, and of the host, where a subscription does not say them.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start

after_each(function()
    stages.stop_all()
    stagehost.defaults { max_demand = 1000 }
end)

--- Keeps what it is first asked for, and the options of its subscriptions.
local Source = stagehost.producer {
    init = function(self) self.asked, self.opts = 0, {} end,
    handle_demand = function(self, n) self.asked = self.asked + n end,
    handle_subscribe = function(self, _, opts) table.insert(self.opts, opts) end,
    handle_call = function(self, what) return self[what] end,
}

local function consumer(fields)
    local def = { handle_events = function() end }
    for key, value in pairs(fields or {}) do
        def[key] = value
    end
    return stagehost.consumer(def)
end

local function asked(source)
    source:call "asked" -- the ask comes behind handle_subscribe
    return source:call "asked"
end

for worker = 0, stagehost.workers() - 1 do
    describe(("a default of a consumer on worker %d"):format(worker), function()
        local function source_for(def, opts, subscription)
            local source = start(Source)
            opts.worker = worker
            opts.subscribe_to = { { to = source } }
            for key, value in pairs(subscription or {}) do
                opts.subscribe_to[1][key] = value
            end
            local stage = start(def, opts)
            stage:stats()
            return source, stage
        end

        it("stands in its definition", function()
            local source = source_for(consumer { max_demand = 7, cancel = "temporary" }, {})
            assert.equal(7, asked(source))
            assert.same({ max_demand = 7, cancel = "temporary" }, source:call "opts"[1])
        end)

        it("or in the options of its start, which win", function()
            assert.equal(5, asked((source_for(consumer { max_demand = 7 }, { max_demand = 5 }))))
        end)

        it("or comes from init", function()
            assert.equal(3, asked((source_for(consumer { init = function() return { max_demand = 3 } end }, {}))))
        end)

        it("does not count where the subscription says it", function()
            local source = source_for(consumer { max_demand = 70, min_demand = 60, cancel = "temporary" }, {},
                { max_demand = 9, cancel = "permanent" })
            assert.equal(9, asked(source))
            assert.same({ max_demand = 9, cancel = "permanent" }, source:call "opts"[1])
        end)

        it("counts for subscriptions that are made later", function()
            local source = start(Source)
            local stage = start(consumer { max_demand = 7, min_demand = 6 }, { worker = worker })
            assert(stage:subscribe { to = source })
            assert.equal(7, asked(source))
            assert.same({ max_demand = 7, min_demand = 6 }, source:call "opts"[1])
        end)

        it("says how it ends", function()
            local source, stage = source_for(consumer { cancel = "temporary" }, {})
            stages.stop(source)
            assert.is_true(stage:is_alive())
        end)
    end)
end

describe("a default of a consumer", function()
    it("is checked", function()
        local def = consumer()
        local refused = {
            { { max_demand = 0 }, 'option "max_demand" must be at least 1, got 0' },
            { { max_demand = 5, min_demand = 5 }, 'option "min_demand" must be at most 4 %(max_demand %- 1%), got 5' },
            { { cancel = "never" }, 'option "cancel" must be one of' },
        }
        for _, case in ipairs(refused) do
            assert.error_matches(function() stagehost.start(def, case[1]) end, case[2])
        end
        assert.error_matches(function() stagehost.start(stagehost.source.list { 1 }, { max_demand = 3 }) end,
            'unknown option "max_demand" of a producer')
        local stage, message = stagehost.start(consumer {
            init = function() return { min_demand = 1000 } end,
        })
        assert.is_nil(stage)
        assert.matches('option "min_demand" must be at most 999', message)
    end)

    it("is heeded by who asks by hand", function()
        local letters, numbers = start(Source), start(Source)
        start(stagehost.zip { subscribe_to = { letters, numbers }, max_demand = 4 })
        assert.equal(4, asked(letters))
        assert.equal(4, asked(numbers))
    end)
end)

describe("stagehost.defaults", function()
    it("counts on every worker for subscriptions to come", function()
        local before = start(Source)
        start(consumer(), { subscribe_to = { before } })
        stagehost.defaults { max_demand = 12 }
        for worker = 0, stagehost.workers() - 1 do
            local source = start(Source)
            start(consumer(), { subscribe_to = { source }, worker = worker }):stats()
            assert.equal(12, asked(source))
        end
        assert.equal(1000, asked(before))
    end)

    it("gives way to what a consumer and a subscription say", function()
        stagehost.defaults { max_demand = 12 }
        local a, b = start(Source), start(Source)
        start(consumer { max_demand = 20 }, { subscribe_to = { a, { to = b, max_demand = 30 } } })
        assert.equal(20, asked(a))
        assert.equal(30, asked(b))
    end)

    it("is checked", function()
        local refused = {
            { { max_demand = 0 }, 'option "max_demand" must be at least 1' },
            { { max_demnd = 1 }, 'unknown option "max_demnd" of stagehost.defaults: did you mean "max_demand"%?' },
            { 7, "defaults: expected a table such as { max_demand = 100 }, got 7" },
        }
        for _, case in ipairs(refused) do
            assert.error_matches(function() stagehost.defaults(case[1]) end, case[2])
        end
    end)
end)

describe("options that a source is made with", function()
    it("are those of its start", function()
        local list = stagehost.source.list({ 1, 2, 3 }, { dispatcher = "broadcast", demand = "accumulate" })
        local source = start(list)
        local got = {}
        local sinks = {}
        for i = 1, 2 do
            got[i] = {}
            sinks[i] = start(stagehost.sink.each(function(n) table.insert(got[i], n) end), {
                subscribe_to = { source },
            })
        end
        source:demand "forward"
        sinks[1]:join()
        sinks[2]:join()
        assert.same({ { 1, 2, 3 }, { 1, 2, 3 } }, got)
    end)

    it("are checked", function()
        local source = stagehost.source
        assert.error_matches(function() source.list({ 1 }, { bufer_size = 1 }) end,
            'unknown option "bufer_size" of source.list: did you mean "buffer_size"%?')
        assert.error_matches(function() source.list({ 1 }, 7) end, "source.list: expected a table of options, got 7")
        assert.error_matches(function() source.interval(10, 1, { max_demand = 1 }) end,
            'unknown option "max_demand" of source.interval')
        assert.error_matches(function() source.lines("x", { link = true }) end, 'unknown option "link" of source.lines')
        assert.error_matches(function() source.tail("x", { buffer_size = -1 }) end, 'option "buffer_size"')
    end)
end)
